"""Stamps: size and modification time of a file, to see whether it has changed."""

import os
from typing import NamedTuple


class Stamp(NamedTuple):
    """Size in bytes and modification time of a file; None if the system does not give them."""

    size: int | None
    mtime_ns: int | None


def stamp_of(path: str) -> Stamp:
    """Current stamp of a file."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return Stamp(None, None)
    return Stamp(status.st_size, status.st_mtime_ns)
