"""What systems do differently: locks, flags of files, cores, limits of a process, forking.

Linux has all of it. Elsewhere each function does what the system can, and nothing otherwise: what is
lost is said with each. No other module asks which system it is on, but for GPUs
(`serctl.models.devices`); a test holds that, and others simulate macOS and Windows.
"""

import ctypes
import errno
import math
import os
import signal
import stat
import sys
from contextlib import suppress

# Forking a process that has loaded libraries is safe on Linux alone; macOS's own do not survive it.
CAN_FORK = sys.platform == "linux"
# Windows cannot remove an open file.
CAN_REMOVE_OPEN_FILES = os.name != "nt"
# libsndfile reads from a descriptor, but not on Windows, whose descriptors are Python's own.
CAN_SHARE_DESCRIPTORS = os.name == "posix"

# Flags of os.open. Nothing is waited for, inherited or made a terminal, and no line end is changed.
NO_WAIT = getattr(os, "O_NONBLOCK", 0)
NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0) | NO_WAIT
BINARY = getattr(os, "O_BINARY", 0)
READ = os.O_RDONLY | NO_WAIT | BINARY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOCTTY", 0)

CGROUPS = "/sys/fs/cgroup"  # version 2
OWN_CGROUP = "/proc/self/cgroup"
OWN_MEMORY = "/proc/self/statm"
PR_SET_PDEATHSIG = 1  # of Linux's prctl
WINDOWS_LOCK_BYTE = 1 << 30  # far beyond the content, since others cannot read a locked byte


def available_cores() -> int:
    """CPU cores that this process may run on; on macOS and Windows, those of the machine."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def cpu_quota() -> float:
    """Cores' worth of CPU time that a container (cgroup v2) grants; infinity without a limit."""
    try:
        with open(OWN_CGROUP, encoding="ascii") as file:
            own = next(line[3:].strip() for line in file if line.startswith("0::"))
    except (OSError, ValueError, StopIteration):
        return math.inf
    quotas = [math.inf]
    # A limit of any group above holds too. Within a container its own group is the root.
    parts = [part for part in own.split("/") if part not in ("", "..")]
    for n_parts in range(len(parts) + 1):
        with suppress(OSError, ValueError, ZeroDivisionError):
            with open(os.path.join(CGROUPS, *parts[:n_parts], "cpu.max"), encoding="ascii") as file:
                quota, period = file.read().split()  # microseconds, or "max"
            quotas.append(float(quota) / float(period) if quota != "max" else math.inf)
    return min(quotas)


def lock_file(descriptor: int) -> None:
    """Lock an open file until it is closed: flock, or msvcrt.locking on Windows.

    Where the file system has no locks, nothing happens.

    Raises
    ------
    BlockingIOError
        If another process has the lock.
    OSError
        If the system refuses for another reason.
    """
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

    os.lseek(descriptor, WINDOWS_LOCK_BYTE, os.SEEK_SET)
    try:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
    except OSError as error:
        raise BlockingIOError(errno.EWOULDBLOCK, "locked") from error
    finally:
        os.lseek(descriptor, 0, os.SEEK_SET)


def is_private(status: os.stat_result) -> bool:
    """Whether a file or folder is this user's and only this user may write to it.

    On Windows, which has access lists in place of modes, always: the user's folders are the user's.
    """
    return not hasattr(os, "geteuid") or (
        status.st_uid == os.geteuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    )


def address_space_limit() -> float:
    """Bytes of address space that this process may have; infinity without a limit, as on Windows."""
    try:
        import resource
    except ImportError:
        return math.inf
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    return math.inf if limit == resource.RLIM_INFINITY else limit


def limit_memory(spare_bytes: int) -> None:
    """Limit this process to so much more memory than it has now.

    What needs more gets a MemoryError. Elsewhere than on Linux there is no such limit, and a hostile
    recording can fill the memory.
    """
    with suppress(ImportError, OSError, ValueError, IndexError):
        import resource

        with open(OWN_MEMORY, encoding="ascii") as file:
            data_bytes = int(file.read().split()[5]) * resource.getpagesize()
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(resource.RLIMIT_DATA, (data_bytes + spare_bytes, hard))


def die_with(parent: int) -> None:
    """Have the system end this process when its parent ends.

    Elsewhere than on Linux, it ends when it next sends something, or at the end of its input.

    Parameters
    ----------
    parent : int
        Process id of the parent.
    """
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.name == "posix" and os.getppid() != parent:
        os._exit(1)  # it ended before the call above
