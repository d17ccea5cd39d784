"""Locks of the operating system on a file (`serctl.system.lock_file`), and what is no regular file.

The system releases the lock when the process ends, in any way. On a file system without locks, the
file is opened without one.
"""

import errno
import os
import stat
from contextlib import suppress

from serctl.system import BINARY, NO_FOLLOW, lock_file


def check_regular(path: str) -> None:
    """Refuse a path where something else than a regular file with one name stands.

    Raises
    ------
    OSError
        If there is a link, a named pipe, a folder or the like. It says which.
    """
    try:
        refuse_irregular(os.lstat(path).st_mode)
    except FileNotFoundError:
        pass


def refuse_irregular(mode: int) -> None:
    """Raise the OSError of a path with a mode that is not a regular file's."""
    if stat.S_ISREG(mode):
        return
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    kinds = {stat.S_IFLNK: "a symbolic link", stat.S_IFIFO: "a named pipe"}
    kind = kinds.get(stat.S_IFMT(mode), "a device or socket")
    raise OSError(errno.EINVAL, f"{kind}, and a regular file is needed; remove it")


def open_locked(path: str) -> int:
    """Open a file for reading and writing, create it if necessary, and lock it.

    Parameters
    ----------
    path : str
        Path of the file.

    Returns
    -------
    int
        File descriptor. Closing it, or the end of the process, releases the lock.

    Raises
    ------
    BlockingIOError
        If another process has the lock.
    OSError
        If the file cannot be opened, or is not a regular file.
    """
    while True:
        check_regular(path)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | NO_FOLLOW | BINARY, 0o666)
        try:
            refuse_irregular(os.fstat(descriptor).st_mode)
            lock_file(descriptor)
            # The process that had the lock may have removed the file in the meantime.
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(descriptor), os.lstat(path)):
                    return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)
