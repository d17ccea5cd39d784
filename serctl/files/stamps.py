"""Stamps: what says whether a file is still the one that was read."""

import os
from typing import NamedTuple


class Stamp(NamedTuple):
    """Size in bytes and time of change of a file, or None for one that cannot be looked at."""

    size: int | None
    mtime_ns: int | None


def stamp_of(path: str) -> Stamp:
    """Stamp of a file as it is now."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return Stamp(None, None)
    return Stamp(status.st_size, status.st_mtime_ns)
