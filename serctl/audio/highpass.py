"""What is below speech, removed: DC offset and rumble.

A spectrogram is relative to its mean power or its largest: a microphone's DC offset or a car's rumble
can be most of that, and moves everything else.

`HighPass` is a second-order Butterworth filter, causal: -3 dB at its corner, and -12 dB an octave
below. Of the bundled models, `cnn` and `whisper` are trained with it; the report's are not, and lose up
to a point of accuracy with it on clean clips. For these, `remove_offset` removes an offset that no
training clip has.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from serctl.caches import import_numba

import_numba()

import numba  # noqa: E402

HIGH_PASS_HZ = 50.0  # below it is DC and rumble, not speech
LEAST_OFFSET = 0.001  # of full scale; smaller ones are left, and all corpora but SAVEE have such
FRAME_S = 0.032  # of the background, which is the quiet frame that BACKGROUND_SHARE are below
BACKGROUND_SHARE = 0.05
MAX_RATIO = 1.08  # of offset to level
FADE_S = 0.005  # resampling makes a click of an offset where a recording begins and ends


@dataclass(frozen=True)
class OffsetRange:
    """Training clips with an offset, made with one microphone and gain.

    Attributes
    ----------
    offset, level, background : tuple of float
        Least and largest of full scale: the mean of a clip; the standard deviation of its samples;
        and that within its quiet frames.
    """

    offset: tuple[float, float]
    level: tuple[float, float]
    background: tuple[float, float]


# Of the 360 clips of SAVEE outside fold 0, each widened by 5%: speaker KL, and speakers JE and JK.
# A network knows their offset, and recognizes them by it.
TRAINED_OFFSETS = (
    OffsetRange((0.00131, 0.00505), (0.0044, 0.032), (0.00005, 0.000135)),
    OffsetRange((0.0103, 0.0474), (0.032, 0.45), (0.00033, 0.0011)),
)


def remove_offset(samples: NDArray[np.float32], rate_hz: int) -> NDArray[np.float32]:
    """Remove the DC offset of a window, unless it is small or like that of training clips.

    Parameters
    ----------
    samples : float32 [n_samples]
        Mono, finite, full scale at 1.0; at least one.
    rate_hz : int
        Of the samples.

    Returns
    -------
    float32 [n_samples]
        ``samples`` as they are, or less their mean, and faded in and out.
    """
    offset = float(samples.mean(dtype=np.float64))
    if abs(offset) <= LEAST_OFFSET:
        return samples
    centred = samples - np.float32(offset)
    level = math.sqrt(np.mean(np.square(centred, dtype=np.float64)))
    n_frame = min(round(FRAME_S * rate_hz), len(centred))
    frames = centred[: len(centred) // n_frame * n_frame].reshape(-1, n_frame)
    deviations = np.sort(frames.std(axis=1))
    background = float(deviations[int(BACKGROUND_SHARE * len(deviations))])
    for trained in TRAINED_OFFSETS:
        pairs = zip(
            (abs(offset), level, background),
            (trained.offset, trained.level, trained.background),
            strict=True,
        )
        if abs(offset) <= MAX_RATIO * level and all(low <= x <= high for x, (low, high) in pairs):
            return samples
    n_fade = min(round(FADE_S * rate_hz), len(centred))
    fade = np.square(np.sin(np.pi / 2 * np.arange(n_fade) / n_fade)).astype(np.float32)
    centred[:n_fade] *= fade
    centred[-n_fade:] *= fade[::-1]
    return centred


# Multiplying and adding may be one step, where the processor has one: the chain is half as long.
@numba.njit(nogil=True, cache=True, fastmath={"contract"})
def _filter(
    samples: NDArray[np.float32],
    coefficients: NDArray[np.float64],
    state: NDArray[np.float64],
    filtered: NDArray[np.float32],
) -> None:
    """Filter in direct form I; the state is the last two inputs and outputs, latest first."""
    gain, a1, a2 = coefficients
    x1, x2, y1, y2 = state
    for i in range(samples.shape[0]):
        x0 = np.float64(samples[i])
        # What does not wait for the last output comes first: the loop is as long as its chain.
        y0 = (gain * (x0 - 2.0 * x1 + x2) - a2 * y2) - a1 * y1
        filtered[i] = y0
        x2, x1 = x1, x0
        y2, y1 = y1, y0
    state[0], state[1], state[2], state[3] = x1, x2, y1, y2


class HighPass:
    """Filters one recording, block by block; where blocks begin makes no difference.

    Parameters
    ----------
    rate_hz : int
        Of the samples.
    corner_hz : float
        Where the filter has -3 dB.
    """

    def __init__(self, rate_hz: int, corner_hz: float) -> None:
        # Bilinear transform of the analog prototype (Oppenheim and Schafer, section 7.1).
        tangent = math.tan(math.pi * corner_hz / rate_hz)
        scale = 1 / (1 + math.sqrt(2) * tangent + tangent**2)
        self._coefficients = np.array(
            [
                scale,
                2 * (tangent**2 - 1) * scale,
                (1 - math.sqrt(2) * tangent + tangent**2) * scale,
            ]
        )
        self._state: NDArray[np.float64] | None = None

    def __call__(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Filter a block.

        Parameters
        ----------
        samples : float32 [n_samples]
            Mono, finite.

        Returns
        -------
        float32 [n_samples]
        """
        if not len(samples):
            return samples
        if (
            self._state is None
        ):  # as if the first sample had always been there: an offset is no step
            self._state = np.array([samples[0], samples[0], 0.0, 0.0], np.float64)
        filtered = np.empty(len(samples), np.float32)
        _filter(samples, self._coefficients, self._state, filtered)
        return filtered
