"""Manifests: the list of recordings of a scan, frozen in a file, with the size and an id of each.

Several machines that read one manifest work on the same recordings in the same order, whatever is
added to the folders meanwhile. A manifest is CSV in UTF-8 with the columns `COLUMNS`; bytes of names
that are not UTF-8 are kept, as Python keeps them.
"""

import csv
import hashlib
import io
import os
from collections.abc import Sequence
from dataclasses import dataclass

from serctl.errors import UsageError
from serctl.files.objects import look_up_all
from serctl.files.stamps import stamp_of

COLUMNS = ("path", "size_bytes", "id")
HEADER = ",".join(COLUMNS).encode()
ID_CHARACTERS = 16


@dataclass(frozen=True)
class Scanned:
    """One recording of a scan.

    Attributes
    ----------
    path : str
        As `serctl.audio.scan.scan` gives it.
    size_bytes : int
        Of its file; 0 if there is none.
    """

    path: str
    size_bytes: int

    @property
    def id(self) -> str:
        """Id that is the same on every machine: of the SHA-256 of the path, in hexadecimal."""
        return hashlib.sha256(os.fsencode(self.path)).hexdigest()[:ID_CHARACTERS]


def sizes_of(paths: Sequence[str]) -> list[Scanned]:
    """Look up the sizes of recordings."""
    look_up_all(paths)
    return [Scanned(path, stamp_of(path).size or 0) for path in paths]


def manifest_bytes(recordings: Sequence[Scanned]) -> bytes:
    """Content of the manifest of some recordings, in their order."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows((one.path, one.size_bytes, one.id) for one in recordings)
    return text.getvalue().encode("utf-8", "surrogateescape")


def is_manifest(content: bytes) -> bool:
    """Whether a list of files is a manifest: it begins with the columns of one."""
    return content.partition(b"\n")[0].removesuffix(b"\r") == HEADER


def read_manifest(content: bytes) -> list[Scanned]:
    """Recordings of a manifest.

    Raises
    ------
    UsageError
        If a row is not one that `manifest_bytes` wrote: the message has its line.
    """
    text = io.StringIO(content.decode("utf-8", "surrogateescape"), newline="")
    found = []
    rows = csv.reader(text)
    next(rows)
    for row in rows:
        where = f"the manifest, line {rows.line_num}"
        if len(row) != len(COLUMNS):
            raise UsageError(
                f"{where}: {len(row)} cells, {len(COLUMNS)} are needed. Write it again with serctl "
                "scan."
            )
        path, size, identity = row
        if not size.isdecimal() or Scanned(path, 0).id != identity:
            raise UsageError(
                f"{where}: size_bytes {size} and id {identity} do not belong to {path}. Was it "
                "edited? Write it again with serctl scan."
            )
        found.append(Scanned(path, int(size)))
    return found
