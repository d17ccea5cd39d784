"""Which file a path names, and whether it is still the file that was read."""

import os
from typing import NamedTuple


class Stamp(NamedTuple):
    """Size in bytes and modification time of a file; None for one that cannot be looked at."""

    size: int | None
    mtime_ns: int | None


def stamp_of(path: str) -> Stamp:
    """Stamp of a file as it is now."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return Stamp(None, None)
    return Stamp(status.st_size, status.st_mtime_ns)


class RealPaths:
    """The real path of each of many files: ``many/a.wav``, ``./many/a.wav`` and others are one.

    It is the real path of the folder, joined with the name: two links to one file are two
    recordings, as in `serctl.audio.scan`. Folders are looked up once.
    """

    def __init__(self) -> None:
        self._folders: dict[str, str] = {}

    def __call__(self, path: str) -> str:
        """Real path of a file, which need not exist."""
        folder, name = os.path.split(path)
        if folder not in self._folders:
            self._folders[folder] = os.path.realpath(folder)
        return os.path.join(self._folders[folder], name)
