"""A file that is appended to line by line: locked, and synced to disk in the background.

It is read and written through the descriptor that holds the lock, so that whatever has its name
later is neither read nor written. A line that the disk has no room for is cut off again.
"""

import os
from contextlib import suppress
from typing import BinaryIO

from serctl.errors import ResultsError
from serctl.files.locks import open_locked
from serctl.files.sync import Syncer, sync_folder


class AppendedFile:
    """A file that is locked for as long as it is open; opening it creates it if need be.

    Parameters
    ----------
    path : str
        Of the file.

    Attributes
    ----------
    end : int
        Bytes in it.

    Raises
    ------
    BlockingIOError
        If another process has the lock.
    OSError
        If it cannot be opened, or is not a regular file.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._descriptor = open_locked(path)
        self._syncer: Syncer | None = None
        self.end = os.fstat(self._descriptor).st_size

    def start_syncing(self) -> None:
        """Sync what was appended, and what will be, to disk in the background."""
        self._syncer = Syncer(self._descriptor, self.path)
        self._syncer.wrote()

    def append(self, line: str) -> None:
        """Add a line of ASCII; OSError if the disk does not take it, and then nothing is added."""
        data = line.encode("ascii")
        n_written = 0
        try:
            os.lseek(self._descriptor, self.end, os.SEEK_SET)
            while n_written < len(data):  # a full disk takes what fits, and then raises
                n_written += os.write(self._descriptor, data[n_written:])
        except OSError:
            with suppress(ResultsError):
                self.cut(self.end)
            raise
        self.end += n_written
        if self._syncer is not None:
            self._syncer.wrote()

    def check_synced(self) -> None:
        """Raise the OSError of a sync that failed in the background."""
        if self._syncer is not None and self._syncer.error is not None:
            raise self._syncer.error

    def cut(self, end: int) -> None:
        """Remove what is after the first ``end`` bytes; ResultsError if the disk refuses."""
        try:
            os.ftruncate(self._descriptor, end)
        except OSError as error:
            raise ResultsError(
                f"{self.path}: cannot be written ({error.strerror}). Free some space, or choose an "
                "output elsewhere."
            ) from error
        self.end = end

    def reading(self) -> BinaryIO:
        """The file from its beginning, to be closed before the next `append`."""
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        return os.fdopen(os.dup(self._descriptor), "rb")  # which shares the position

    def is_own(self) -> bool:
        """Whether its name still leads to this file, with all that was appended."""
        try:
            own = os.fstat(self._descriptor)
            named = os.stat(self.path, follow_symlinks=False)
        except OSError:
            return False
        return os.path.samestat(own, named) and own.st_size >= self.end

    def check_own(self, by_name: bool = False) -> None:
        """Notice that another program removed, replaced or changed it.

        Parameters
        ----------
        by_name : bool
            Whether to look up its name too, which takes longer.

        Raises
        ------
        ResultsError
            If it is so.
        """
        own = os.fstat(self._descriptor)
        if own.st_nlink == 0 or own.st_size != self.end or (by_name and not self.is_own()):
            raise ResultsError(
                f"{self.path}: was removed or changed by another program during the run. Rows that "
                "are not in it are lost; run the same command again, with --resume if it exists."
            )

    def close(self) -> None:
        """Release the lock; the system finishes syncing."""
        if self._syncer is not None:
            self._syncer.stop()
        os.close(self._descriptor)

    def remove(self) -> None:
        """Remove the file, which must be its own."""
        sync_folder(self.path)
        with suppress(OSError):
            os.unlink(self.path)
