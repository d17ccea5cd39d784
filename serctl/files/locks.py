"""Locks of the operating system on a file: flock, or msvcrt.locking on Windows.

The system releases the lock when the process ends, in any way. On a file system without locks, the
file is opened without one.
"""

import errno
import os
from contextlib import suppress


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
        If the file cannot be opened.
    """
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0)
    while True:
        descriptor = os.open(path, flags, 0o666)
        try:
            _lock(descriptor)
            # The process that had the lock may have removed the file in the meantime.
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(descriptor), os.stat(path)):
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
