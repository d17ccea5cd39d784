"""What the disk holds when the power goes: files and names handed to it, beside the work.

A disk that is busy lets whoever syncs wait for many seconds. So a thread does it, and nothing but
the disk is late.
"""

import os
import threading
from contextlib import suppress

SYNC_EVERY_S = 1.0
LONGEST_STOP_S = 0.5  # a disk that is busy is not waited for


class Syncer:
    """A thread that has the disk hold what was written to a file, every second.

    Parameters
    ----------
    descriptor : int
        Of the file.
    path : str
        Its path: the folder's list of names is synced once.

    Attributes
    ----------
    error : OSError or None
        Why the disk does not take it (full, broken), for whoever writes to see.
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
        """Say that there is something new to sync."""
        self._written.set()

    def stop(self) -> None:
        """Stop; what was written in the last second is the system's to write."""
        self._stop.set()
        self._thread.join(LONGEST_STOP_S)

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
    """Have the disk hold the names in the folder of a file, where the system can."""
    with suppress(OSError):
        descriptor = os.open(os.path.dirname(path) or os.curdir, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
