"""Describing recordings block by block, for sets of features that are not the report's.

Memory is bounded by one block. A bad recording gets a status and a reason, and raises nothing, as in
`serctl.features.descriptors`.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from serctl.audio import decoding
from serctl.errors import AudioError
from serctl.features.descriptors import Description


@dataclass(frozen=True)
class BlockFeatures:
    """How a set of features is computed.

    Attributes
    ----------
    rate_hz : int
        Sample rate to decode to.
    block_s : float
        Length of a block in seconds; the last one is shorter.
    min_s : float
        Blocks that are shorter do not count.
    max_blocks : int or None
        Longer recordings are refused.
    measure : callable
        From the samples of a block, float32 [n_samples], mono, to anything. Not called for blocks
        that are silent.
    combine : callable
        From what ``measure`` gave for at least one block to the values, float32 [n_values]; NaN
        where there is none.
    """

    rate_hz: int
    block_s: float
    min_s: float
    max_blocks: int | None
    measure: Callable[[NDArray[np.float32]], Any]
    combine: Callable[[list[Any]], NDArray[np.float32]]

    def describe(self, path: str, on_block: Callable[[], None]) -> Description:
        """Describe one recording; ``on_block`` is called for every block that was decoded."""
        description = Description(path)
        try:
            self._describe(description, on_block)
        except Exception as error:
            description.fail(error)
        return description

    def _describe(self, description: Description, on_block: Callable[[], None]) -> None:
        recording, blocks = decoding.read_windows(description.path, self.rate_hz, self.block_s)
        description.sample_rate_hz, description.channels = recording.rate_hz, recording.n_channels
        measured: list[Any] = []
        n_samples, energy = 0, 0.0
        for i, block in enumerate(blocks):
            on_block()
            if self.max_blocks is not None and i >= self.max_blocks:
                raise AudioError(
                    f"Longer than {self.block_s * self.max_blocks:g} s, the most that this set of "
                    "features takes. Cut the recording.",
                    description.path,
                )
            n_samples += len(block)
            energy += float(np.square(block, dtype=np.float64).sum())
            is_long = len(block) >= self.min_s * self.rate_hz
            if is_long and decoding.peak_of(block) >= decoding.SILENT_PEAK:
                measured.append(self.measure(block))
        description.duration_s = recording.duration_s
        if energy > 0:
            description.level_dbfs = 10 * math.log10(energy / n_samples)
        if n_samples < self.min_s * self.rate_hz:
            description.status = "too_short"
            description.reason = f"Shorter than {self.min_s:g} s, which this set of features needs."
        elif not measured:
            description.status = "silent"
            description.reason = "No sample reaches 1/32768 of full scale."
        else:
            description.values = self.combine(measured)
        description.reason = f"{description.reason} {recording.reason}".strip()
