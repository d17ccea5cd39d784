"""Blocks of a long recording, each with the sound around it that its windows depend on.

Windows that overlap or touch make up a run. A run is cut into blocks of `BLOCK_S`; each has what
comes before and after it in the run as context, so that results do not depend on where blocks begin.
What lies outside of a run holds no speech and is not looked at. Blocks and places in them depend on
the windows alone.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BLOCK_S = (
    120.0  # of window starts; shorter blocks repeat more context, longer ones take more memory
)


@dataclass(frozen=True)
class Block:
    """Samples that are classified together.

    Attributes
    ----------
    samples : float32 [n_samples]
        Of the block and its context.
    starts : tuple of int
        First sample of each window, counted from the first of ``samples``.
    """

    samples: NDArray[np.float32]
    starts: tuple[int, ...]


def cut_blocks(
    windows: Iterable[tuple[int, NDArray[np.float32]]], block: int, context: int, grid: int
) -> Iterator[Block]:
    """Cut a stream of windows into blocks, in the memory of a block and its context.

    Parameters
    ----------
    windows : iterable of tuple of int and float32 [n_samples]
        First sample and samples of each window, in the order of time, all of one length.
    block : int
        Samples from the first window of a block to the first of the next.
    context : int
        Samples before the first window of a block, and after the end of its last.
    grid : int
        A block begins a multiple of so many samples after its run.

    Yields
    ------
    Block
        Its windows follow those of the block before.
    """
    run: _Run | None = None
    for start, samples in windows:
        if run is None or start > run.end:
            if run is not None:
                yield from run.blocks(is_over=True)
            run = _Run(start, len(samples), block, context, grid)
        run.add(start, samples)
        yield from run.blocks(is_over=False)
    if run is not None:
        yield from run.blocks(is_over=True)


class _Run:
    """The part of a run that is still needed: places are counted from the first sample of the run."""

    def __init__(self, start: int, window: int, block: int, context: int, grid: int) -> None:
        self._start, self._window = start, window
        self._block, self._context, self._grid = block, context, grid
        self._pieces: list[NDArray[np.float32]] = []
        self._first = self._length = 0  # of the pieces
        self._waiting: list[int] = []  # places of windows whose block is not complete
        self._next_block = block
        self.end = start

    def add(self, start: int, samples: NDArray[np.float32]) -> None:
        """Add a window, which begins no later than the run ends so far."""
        new = start + len(samples) - self.end
        self._pieces.append(samples[len(samples) - new :])
        self._length += new
        self.end += new
        self._waiting.append(start - self._start)

    def blocks(self, is_over: bool) -> Iterator[Block]:
        """Blocks that are complete with their context; all that are left of a run that is over."""
        while self._waiting:
            n = sum(place < self._next_block for place in self._waiting)
            n_known = self._first + self._length
            is_complete = n_known >= self._next_block + self._window + self._context
            if not (is_over or is_complete):
                return
            if n:
                yield self._cut(n)
            self._next_block += self._block

    def _cut(self, n_windows: int) -> Block:
        places, self._waiting = self._waiting[:n_windows], self._waiting[n_windows:]
        joined = np.concatenate(self._pieces)
        first = self._aligned(places[0])
        end = places[-1] + self._window + self._context
        block = Block(
            joined[first - self._first : end - self._first],
            tuple(place - first for place in places),
        )
        keep = self._aligned(self._next_block)
        self._pieces = [joined[keep - self._first :]]
        self._first, self._length = keep, len(self._pieces[0])
        return block

    def _aligned(self, place: int) -> int:
        return max(place - self._context, 0) // self._grid * self._grid
