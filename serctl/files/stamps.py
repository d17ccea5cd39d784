"""Which file a path names, and whether it is still the file that was read.

A file with another size or modification time is another file. One that differs in inode or in time
of status change alone may have been copied or renamed, with other content or the same: then a hash
of its content decides.
"""

import math
import os
import stat
from typing import NamedTuple

from serctl.files.objects import is_remote, known_of, look_up
from serctl.system import READ

MOST_HASHED_BYTES = 1 << 30  # a larger file is read again rather than hashed
BLOCK_BYTES = 1 << 20
HASH_CHARACTERS = 32  # 128 bits


class Stamp(NamedTuple):
    """Size in bytes, times of modification and of status change, and inode; None if unknown.

    An object in a store has the first two alone.
    """

    size: int | None
    mtime_ns: int | None
    ctime_ns: int | None = None
    inode: int | None = None


def stamp_of(path: str) -> Stamp:
    """Stamp of a file as it is now; all None for one that cannot be looked at.

    That of an object is from when it was first listed or looked up; DownloadError if the store
    cannot be reached.
    """
    if is_remote(path):
        return Stamp(*(look_up(path) or (None, None)))
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return Stamp(None, None)
    return Stamp(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)


def stamp_at_hand(path: str) -> Stamp:
    """Stamp of a file as it is now, and of an object as far as it is known: the network is not used."""
    return Stamp(*(known_of(path) or (None, None))) if is_remote(path) else stamp_of(path)


def last_changed_ns(path: str) -> float:
    """When a file or its name was last changed; infinity if it is gone."""
    stamp = stamp_of(path)
    if stamp.mtime_ns is None:
        return math.inf
    if is_remote(path):
        return stamp.mtime_ns + 999_999_999  # it is known to the second
    # A copy or a rename may keep the modification time, but not the time of status change.
    return max(stamp.mtime_ns, stamp.ctime_ns or 0)


def exists(path: str) -> bool:
    """Whether there is such an object, or such a name, be it that of a link that leads nowhere."""
    return look_up(path) is not None if is_remote(path) else os.path.lexists(path)


def content_hash(path: str) -> str:
    """Start of the SHA-256 of a file's content, in hexadecimal.

    It is empty for a file that is larger than `MOST_HASHED_BYTES`, is not a regular file or cannot
    be read.
    """
    import hashlib

    digest = hashlib.sha256()
    try:
        descriptor = os.open(path, READ)
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode) or status.st_size > MOST_HASHED_BYTES:
                return ""
            while block := os.read(descriptor, BLOCK_BYTES):
                digest.update(block)
        finally:
            os.close(descriptor)
    except (OSError, ValueError):
        return ""
    return digest.hexdigest()[:HASH_CHARACTERS]


def is_unchanged(path: str, stamp: Stamp, content: str = "") -> bool:
    """Whether a file is still the one that was read.

    Parameters
    ----------
    path : str
        Of the file.
    stamp : Stamp
        From before it was read.
    content : str
        Its `content_hash` then, or empty if it is not known.
    """
    now = stamp_of(path)
    if now == stamp:
        return True
    if now.size is None or now[:2] != stamp[:2]:
        return False
    return bool(content) and content_hash(path) == content


class RealPaths:
    """The real path of each of many files: ``many/a.wav``, ``./many/a.wav`` and others are one.

    It is the real path of the folder, joined with the name: two links to one file are two
    recordings, as in `serctl.audio.scan`. Folders are looked up once. That of an object is its path.
    """

    def __init__(self) -> None:
        self._folders: dict[str, str] = {}

    def __call__(self, path: str) -> str:
        """Real path of a file, which need not exist."""
        if is_remote(path):
            return path
        folder, name = os.path.split(path)
        if folder not in self._folders:
            self._folders[folder] = os.path.realpath(folder)
        return os.path.join(self._folders[folder], name)
