"""A part of a file as a file of its own, for libraries that read through Python.

An error of the disk or of the network share ends it, and is kept in ``error``, since what is raised
into the libraries is lost, or printed. Whoever reads a view asks for it when the end has come.
"""

import io
import os
from typing import TYPE_CHECKING

from serctl.system import READ

if TYPE_CHECKING:
    from typing_extensions import Buffer

HEAD_BYTES = 1 << 12


class FileView(io.RawIOBase):
    """Bytes ``start`` to ``stop`` of a file, read-only.

    Parameters
    ----------
    path : str
        Of the file. Opening does not wait, also not for a named pipe.
    start : int
        First byte.
    stop : int, optional
        One past the last byte; the end of the file by default.

    Attributes
    ----------
    error : OSError or None
        The last error of reading.

    Raises
    ------
    OSError
        If it cannot be opened.
    """

    name = ""  # a library that goes by names must go by content

    def __init__(self, path: str, start: int = 0, stop: int | None = None) -> None:
        self.error: OSError | None = None
        self._file = os.open(path, READ)
        size = os.fstat(self._file).st_size
        self._start = start
        self._size = max((size if stop is None else min(stop, size)) - start, 0)
        self._place = 0
        self._head = b""  # what headers are parsed from, read once

    def __len__(self) -> int:
        """Bytes in the view."""
        return self._size

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: "Buffer", /) -> int:
        """Fill ``buffer``, or as much of it as there is, and return the number of bytes."""
        wanted = memoryview(buffer).cast("B")
        content = self.read(len(wanted))
        wanted[: len(content)] = content
        return len(content)

    def read(self, n_bytes: int = -1, /) -> bytes:
        """Read up to ``n_bytes``, or to the end; nothing if that fails (``error``)."""
        left = max(self._size - self._place, 0)
        n_bytes = left if n_bytes is None or n_bytes < 0 else min(n_bytes, left)
        if not n_bytes:
            return b""
        content = self._head[self._place : self._place + n_bytes]
        if len(content) < n_bytes:
            content = self._from_file(n_bytes)
            if self._place == 0:
                self._head = content[:HEAD_BYTES]
        self._place += len(content)
        return content

    def _from_file(self, n_bytes: int) -> bytes:
        try:
            os.lseek(self._file, self._start + self._place, os.SEEK_SET)
            return os.read(self._file, n_bytes)
        except OSError as error:
            self.error = error
            return b""

    def raise_error(self) -> None:
        """Raise the error that ended it, OSError, if there was one."""
        if self.error is not None:
            raise self.error

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Go to a byte; before the first, to the first."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self._size}[whence]
        self._place = max(base + offset, 0)
        return self._place

    def tell(self) -> int:
        """Byte that is read next."""
        return self._place

    def close(self) -> None:
        """Close the file."""
        if not self.closed:
            os.close(self._file)
        super().close()
