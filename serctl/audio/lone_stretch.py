"""Recordings with a single short stretch of speech, which is then one window.

A few words behind half a minute of room tone, as in a voice message, would else be classified in
windows that begin anywhere: some hold the end of the room and one syllable, and each counts as much as
the one that holds all of the words. Where all speech of a long recording fits into the model's
window, it is classified as a recording of its own would be: as a whole, from where the sound rises
above the room's to where it falls back to it.
"""

import numpy as np
from numpy.typing import NDArray

from serctl.audio.highpass import HIGH_PASS_HZ, HighPass
from serctl.audio.speech import FRAME_S, stretches

# Before and after the stretch, beside the detector's own padding, as far as it is louder than the room.
# Chosen on 174 clips of the validation speakers, each behind noise at -65 dBFS: `cnn` gives 170 the
# label that they have alone, and 167 if all of the padding stays.
PAD_S = 0.85
BLOCK_S, N_BLOCKS = 0.005, 3  # so many in a row that are louder begin and end the sound
RISE_DB = 3.0
LEAST_ROOM_S = 0.1  # to know how loud the room is
LEAST_SHARE = 0.5  # of the stretch, that is left

Window = tuple[int, NDArray[np.float32]]  # first sample, and samples


class LoneStretch:
    """Holds windows back until it is known whether all speech fits into one.

    Parameters
    ----------
    max_samples : int
        Of the model's window.
    rate_hz : int
        Of the samples.

    Attributes
    ----------
    is_found : bool
        Whether all speech fits into one window; known at the end.
    """

    def __init__(self, max_samples: int, rate_hz: int) -> None:
        self._max_samples = max_samples
        self._rate_hz = rate_hz
        self.is_found = False
        self._held: list[Window] | None = []
        self._samples = np.zeros(0, np.float32)  # from the window before the first that is held
        self._first = 0

    def add(self, start: int, samples: NDArray[np.float32], counts: bool) -> list[Window]:
        """Take the next window.

        Parameters
        ----------
        start : int
            Its first sample.
        samples : float32 [n_samples]
            They follow those of the window before, or overlap with them.
        counts : bool
            Whether it holds speech.

        Returns
        -------
        list of tuple of int and float32 [n_samples]
            Windows that count, and whose turn has come.
        """
        if self._held is None:
            return [(start, samples)] if counts else []
        if not self._held and not counts:  # what stands before the first word may be its padding
            self._first, self._samples = start, samples
            return []
        end = start + len(samples)
        new = end - self._first - len(self._samples)
        self._samples = np.concatenate([self._samples, samples[len(samples) - new :]])
        if counts:
            self._held.append((start, samples))
        # Windows that hold the first and the last word begin and end up to a window beside them.
        if counts and end - self._held[0][0] > self._max_samples + 2 * len(samples):
            return self._release()
        return []

    def finish(self, speech: NDArray[np.bool_]) -> list[Window]:
        """Windows that are still held at the end of the recording, or the one of the stretch.

        Parameters
        ----------
        speech : bool [n_frames]
            Of the whole recording, a frame every `serctl.audio.speech.FRAME_S`.
        """
        starts, ends = stretches(speech)
        if not self._held or not len(starts):
            return self._release()
        begin, end = (
            round(s * FRAME_S * self._rate_hz) - self._first for s in (starts[0], ends[-1])
        )
        begin, end = max(begin, 0), min(end, len(self._samples))
        spare = self._max_samples - (end - begin)
        self.is_found = begin < end and spare >= 0
        if not self.is_found:
            return self._release()
        pad = min(round(PAD_S * self._rate_hz), spare // 2)
        padded = max(begin - pad, 0), min(end + pad, len(self._samples))
        first, last = self._louder_than_room(*padded)
        if last - first < LEAST_SHARE * (end - begin):  # speech in a room as loud as it
            first, last = padded
        return [(self._first + first, self._samples[first:last])]

    def _louder_than_room(self, first: int, end: int) -> tuple[int, int]:
        """Where sound begins and ends, between two places, that is louder than all outside of them."""
        block = max(round(BLOCK_S * self._rate_hz), 1)
        filtered = HighPass(self._rate_hz, HIGH_PASS_HZ)(self._samples)  # a DC offset is not loud
        room = np.concatenate([_powers(filtered[:first], block), _powers(filtered[end:], block)])
        if len(room) * BLOCK_S < LEAST_ROOM_S or end - first < N_BLOCKS * block:
            return first, end
        is_louder = _powers(filtered[first:end], block) > 10 ** (RISE_DB / 10) * np.median(room)
        runs = np.convolve(is_louder, np.ones(N_BLOCKS), "valid") == N_BLOCKS
        places = np.flatnonzero(runs)
        if not len(places):
            return first, end
        return first + int(places[0]) * block, first + int(places[-1] + N_BLOCKS) * block

    def _release(self) -> list[Window]:
        held, self._held, self._samples = self._held or [], None, np.zeros(0, np.float32)
        return held


def _powers(samples: NDArray[np.float32], block: int) -> NDArray[np.float64]:
    """Mean power of each block; what is left at the end is left out."""
    n_blocks = len(samples) // block
    blocks = samples[: n_blocks * block].reshape(n_blocks, block)
    powers: NDArray[np.float64] = np.square(blocks, dtype=np.float64).mean(axis=1)
    return powers
