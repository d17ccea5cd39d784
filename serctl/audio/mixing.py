"""Several channels to one: their mean, or one of them where they cancel; and one beside the others.

A cable or a plug-in that turns one channel of two round leaves their noise in the mean and takes
the voice away. So where the mean is far below the channels, the loudest channel is taken instead,
from that block to the end.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

STEP_OF_16_BITS = 1 / 32768
CANCELLED = 0.01  # of the channels' power, -20 dB: less is left in the mean of none that agree
FAINT_POWER = STEP_OF_16_BITS**2  # channels of no more are silent, and say nothing
# Chosen on calls of validation speakers (docs/long-recordings.md): what another channel leaks into a
# quiet one is so far below it, and a channel that is so far above the others alone is in their mean.
CROSSTALK_DB = 10.0
LOUDER_DB = 10.0


class Mixer:
    """Mixes the blocks of one recording.

    Parameters
    ----------
    only : int, optional
        Index of the one channel to take in place of a mix.

    Attributes
    ----------
    reason : str
        Which channel was taken, if they cancel; empty otherwise.
    """

    def __init__(self, only: int | None = None) -> None:
        self.reason = ""
        self._channel = only

    def mix(self, frames: NDArray[Any]) -> NDArray[np.float32]:
        """Mix a block.

        Parameters
        ----------
        frames : int16, float32 or float64 [n_frames, n_channels]
            Of int16, full scale is 32768; otherwise 1.0.

        Returns
        -------
        float32 [n_frames]
            Full scale at 1.0.
        """
        n_channels = frames.shape[1]
        if n_channels == 1:  # is not rounded again
            mono = frames[:, 0]
        else:
            with np.errstate(invalid="ignore", over="ignore"):  # of infinities: the peak tells
                mono = self._mean_or_channel(frames)
        if frames.dtype == np.int16:
            mono = mono * np.float32(STEP_OF_16_BITS)
        return mono.astype(np.float32, copy=False)

    def _mean_or_channel(self, frames: NDArray[Any]) -> NDArray[np.floating]:
        mean = _mean(frames)
        if self._channel is None and len(frames):
            scale = STEP_OF_16_BITS if frames.dtype == np.int16 else 1.0
            powers = np.array([_power(frames[:, i]) for i in range(frames.shape[1])]) * scale**2
            mean_power = _power(mean) * scale**2
            if mean_power < CANCELLED * powers.mean() and powers.max() > FAINT_POWER:
                self._channel = int(powers.argmax())
                self.reason = (
                    f"channels cancel: their mean is nearly silent; channel {self._channel + 1} of "
                    f"{frames.shape[1]} was taken alone."
                )
        if self._channel is not None and self._channel < frames.shape[1]:
            return np.asarray(frames[:, self._channel], np.float64)
        return mean


def _mean(frames: NDArray[Any]) -> NDArray[np.float64]:
    """Mean of the channels; of two, the same bits in a tenth of NumPy's time."""
    if frames.shape[1] == 2:
        sums: NDArray[np.float64] = np.add(frames[:, 0], frames[:, 1], dtype=np.float64)
        sums *= 0.5
        return sums
    mean: NDArray[np.float64] = frames.mean(axis=1, dtype=np.float64)
    return mean


def _power(samples: NDArray[Any]) -> float:
    numbers = samples.astype(np.float64)
    return float(numbers @ numbers) / max(len(numbers), 1)


@dataclass(frozen=True)
class OtherChannels:
    """What the other channels of a recording say of speech in one of them.

    Where one is far louder, this channel only overhears it. Where this one is far louder, the mean of
    all channels is this one's sound, and the detector follows it better there: a channel alone is
    silent for as long as the others speak, and what comes after a long pause is missed.

    Attributes
    ----------
    overheard : bool [n_frames]
        Frames of `serctl.audio.speech.FRAME_S` that are no speech of this channel.
    of_mean : float32 [n_frames]
        Least probabilities of speech: those of the mean where this channel is louder, else 0.
    """

    overheard: NDArray[np.bool_]
    of_mean: NDArray[np.float32]

    def correct(self, probabilities: NDArray[np.float32], first: int) -> NDArray[np.float32]:
        """Probabilities of this channel from frame ``first`` on, as these say; in [0, 1]."""
        part = slice(first, first + len(probabilities))
        n_left = len(probabilities) - len(self.overheard[part])
        overheard = np.pad(self.overheard[part], (0, n_left))
        return np.where(
            overheard, 0, np.maximum(probabilities, np.pad(self.of_mean[part], (0, n_left)))
        ).astype(np.float32)


def other_channels(
    levels: NDArray[np.float32], of_mean: NDArray[np.float32], channel: int
) -> OtherChannels:
    """What the other channels say of speech in one.

    Parameters
    ----------
    levels : float32 [n_frames, n_channels]
        In dB, as of `serctl.audio.decoding.read_levels`, a frame every
        `serctl.audio.speech.FRAME_S`.
    of_mean : float32 [n]
        Probabilities of speech of the mean of all channels; may be some frames longer.
    channel : int
        Counted from 1.
    """
    own = levels[:, channel - 1]
    above_db = own - np.delete(levels, channel - 1, axis=1).max(axis=1, initial=-np.inf)
    of_mean = np.pad(of_mean, (0, max(len(levels) - len(of_mean), 0)))[: len(levels)]
    return OtherChannels(above_db < -CROSSTALK_DB, np.where(above_db > LOUDER_DB, of_mean, 0))
