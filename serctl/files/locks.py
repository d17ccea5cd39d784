"""Locks of the operating system on a file: flock, or msvcrt.locking on Windows.

The system releases the lock when the process ends, in any way. On a file system without locks, the
file is opened without one.
"""

import errno
import os
import stat
from contextlib import suppress

# Nothing that stands in the place of a file is followed or waited for.
NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
BINARY = getattr(os, "O_BINARY", 0)


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
            _lock(descriptor)
            # The process that had the lock may have removed the file in the meantime.
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(descriptor), os.lstat(path)):
                    return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _lock(descriptor: int) -> None:
    try:
        import fcntl
    except ImportError:
        _lock_on_windows(descriptor)
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise
    except OSError as error:
        if error.errno not in (errno.ENOLCK, errno.ENOTSUP, errno.EINVAL, errno.ENOSYS):
            raise


def _lock_on_windows(descriptor: int) -> None:
    import msvcrt

    # A byte far beyond the content, since other processes cannot read a locked byte.
    os.lseek(descriptor, 1 << 30, os.SEEK_SET)
    try:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
    except OSError as error:
        raise BlockingIOError(errno.EWOULDBLOCK, "locked") from error
    finally:
        os.lseek(descriptor, 0, os.SEEK_SET)
