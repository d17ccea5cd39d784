"""Sync files and folders to disk in a thread, so that they survive a power failure.

A sync can take many seconds on a busy disk; the thread keeps the rest of the program from waiting.
"""

import os
import threading
from contextlib import suppress

SYNC_EVERY_S = 1.0
MAX_STOP_S = 0.5  # do not wait longer for a busy disk


class Syncer:
    """A thread that syncs a file every second, if something was written.

    Parameters
    ----------
    descriptor : int
        File descriptor.
    path : str
        Path of the file; its folder is synced once.

    Attributes
    ----------
    error : OSError or None
        Error of the last sync (disk full, broken), for the writer to check.
    """

    def __init__(self, descriptor: int, path: str) -> None:
        self.error: OSError | None = None
        self._descriptor = descriptor
        self._path = path
        self._written = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="serctl-sync")
        self._thread.start()

    def wrote(self) -> None:
        """Mark that there is new content to sync."""
        self._written.set()

    def stop(self) -> None:
        """Stop the thread. The system writes the content of the last second later."""
        self._stop.set()
        self._thread.join(MAX_STOP_S)

    def _run(self) -> None:
        sync_folder(self._path)
        while not self._stop.wait(SYNC_EVERY_S):
            if self._written.is_set():
                self._written.clear()
                try:
                    os.fsync(self._descriptor)
                except OSError as error:
                    self.error = error
                    return


def sync_folder(path: str) -> None:
    """Sync the folder of a file, on systems that can."""
    with suppress(OSError):
        descriptor = os.open(os.path.dirname(path) or os.curdir, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
