"""Shards: the recordings of one scan, divided among independent runs, often on several machines.

A shard is a stretch of the scan, so that the results of all shards, one after the other, are those of
one run. Shards have about the same number of bytes: a few long recordings weigh as much as many short
ones. Every run divides alike if it sees the same scan: give it a manifest (`serctl.files.manifest`).
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from serctl.errors import UsageError
from serctl.files.manifest import Scanned, manifest_bytes

# What a recording costs beside what grows with its length.
RECORDING_BYTES = 1 << 15


@dataclass(frozen=True)
class Shard:
    """One of several shards.

    Attributes
    ----------
    number : int
        From 1 on.
    count : int
        How many shards there are.
    """

    number: int
    count: int

    def of(self, recordings: Sequence[Scanned]) -> list[str]:
        """Paths of this shard's recordings, in the order of the scan; there may be none."""
        costs = [one.size_bytes + RECORDING_BYTES for one in recordings]
        total, before, taken = sum(costs), 0, []
        for one, cost in zip(recordings, costs, strict=True):
            # The shard in which the middle of the recording lies: in integers, alike everywhere.
            if self.count * (2 * before + cost) // (2 * total) == self.number - 1:
                taken.append(one.path)
            before += cost
        return taken

    def record(self, recordings: Sequence[Scanned]) -> dict[str, Any]:
        """Say in ``run.json`` which shard of which scan it is."""
        return {
            "number": self.number,
            "count": self.count,
            "n_recordings": len(recordings),
            "scan_sha256": hashlib.sha256(manifest_bytes(recordings)).hexdigest(),
        }


def parse_shard(text: str) -> Shard:
    """Shard that ``I/N`` names, such as ``3/16``.

    Raises
    ------
    UsageError
        If it is not two whole numbers, the first from 1 to the second.
    """
    found = re.fullmatch(r"(\d{1,9})/(\d{1,9})", text.strip())
    if found is None or not 1 <= int(found[1]) <= int(found[2]):
        raise UsageError(
            f"--shard {text}: two whole numbers are needed, the first from 1 to the second: 3/16 is "
            "the third of 16 shards."
        )
    return Shard(int(found[1]), int(found[2]))
