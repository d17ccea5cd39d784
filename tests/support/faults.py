"""Faults of a disk: the Nth write, rename or sync below a folder fails, or kills the process.

Operations of this process are counted, and not those of its workers, which only read.
"""

import builtins
import errno
import io
import os
import signal
from contextlib import ExitStack, contextmanager
from unittest import mock

ERRORS = {"ENOSPC": errno.ENOSPC, "EIO": errno.EIO, "EACCES": errno.EACCES}
SHORT = "short"  # half of a write, and then ENOSPC
KILL = "kill"
KINDS = (*ERRORS, SHORT, KILL)


class Faults:
    """Counts operations below a folder, and lets one of them fail.

    Attributes
    ----------
    count : int
        Operations so far.
    """

    def __init__(self, folder, number, kind):
        self.count = 0
        self._folder = os.path.realpath(folder)
        self._number, self._kind = number, kind

    def is_below(self, where):
        """Whether a path or a descriptor is of a file below the folder."""
        if isinstance(where, int):
            try:
                where = os.readlink(f"/proc/self/fd/{where}")
            except OSError:
                return False
        path = os.path.realpath(os.path.dirname(os.path.abspath(os.fspath(where))))
        return path == self._folder or path.startswith(self._folder + os.sep)

    def meet(self, where, write_half=None):
        """Count an operation, and fail if its turn has come."""
        if not self.is_below(where):
            return
        self.count += 1
        if self.count != self._number:
            return
        if self._kind == KILL:
            os.kill(os.getpid(), signal.SIGKILL)
        if self._kind == SHORT and write_half is not None:
            write_half()
        code = ERRORS.get(self._kind, errno.ENOSPC)
        raise OSError(code, os.strerror(code))

    @contextmanager
    def installed(self):
        """Watch ``os`` and ``open`` of this process."""
        faults, plain_open, plain_write, plain_os_open = self, builtins.open, os.write, os.open

        class File(io.FileIO):
            def write(self, data):
                half = memoryview(data).cast("B")
                faults.meet(self.fileno(), lambda: io.FileIO.write(self, half[: len(half) // 2]))
                return super().write(data)

        def opened(
            file, mode="r", buffering=-1, encoding=None, errors=None, newline=None, **options
        ):
            writes = set("wxa+") & set(mode) and not isinstance(file, int)
            if not writes or not faults.is_below(file):
                return plain_open(file, mode, buffering, encoding, errors, newline, **options)
            faults.meet(file)
            raw = File(file, mode.replace("b", "").replace("t", ""))
            binary = io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)
            if "b" in mode:
                return binary
            return io.TextIOWrapper(binary, encoding, errors, newline)

        def os_open(path, flags, *rest, **options):
            if flags & os.O_CREAT:
                faults.meet(path)
            return plain_os_open(path, flags, *rest, **options)

        def write(descriptor, data):
            half = len(data) // 2
            faults.meet(descriptor, lambda: plain_write(descriptor, data[:half]))
            return plain_write(descriptor, data)

        def watched(name):
            plain = getattr(os, name)

            def call(where, *rest, **options):
                faults.meet(where)
                return plain(where, *rest, **options)

            return mock.patch.object(os, name, call)

        with ExitStack() as stack:
            removing = ("rmdir", "unlink") if self._kind == KILL else ()  # else it is left, no more
            for name in ("replace", "rename", "fsync", "ftruncate", "mkdir", *removing):
                stack.enter_context(watched(name))
            stack.enter_context(mock.patch.object(os, "open", os_open))
            stack.enter_context(mock.patch.object(os, "write", write))
            stack.enter_context(mock.patch.object(builtins, "open", opened))
            yield self
