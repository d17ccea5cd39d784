"""A high-pass filter: DC offset and rumble, which are below speech, removed.

Second-order Butterworth, causal: -3 dB at its corner, and -12 dB an octave below. A spectrogram is
relative to its mean power or its largest: a microphone's DC offset or a car's rumble can be most of
that, and moves everything else. Of the bundled models, `whisper` is trained with it; the others are
not, and lose up to a point of accuracy with it on clean clips.
"""

import math

import numpy as np
from numpy.typing import NDArray

from serctl.caches import import_numba

import_numba()

import numba  # noqa: E402


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
