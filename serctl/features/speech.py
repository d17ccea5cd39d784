"""The speech of a window: what is below it filtered out, and silence at both ends trimmed."""

import numpy as np
from numpy.typing import NDArray

from serctl.audio.highpass import HIGH_PASS_HZ, HighPass
from serctl.caches import import_numba
from serctl.features.mel import MelSpec

import_numba()

import numba  # noqa: E402

TRIM_DB = 40.0  # frames this far below the loudest are silence, at the start and at the end


def speech_of(samples: NDArray[np.float32], spec: MelSpec) -> NDArray[np.float32]:
    """Filter a window, and trim the silence at both ends.

    Parameters
    ----------
    samples : float32 [n_samples]
        Mono, full scale at 1.0, finite; at least one.
    spec : MelSpec
        Sample rate, and frames that are speech or silence.

    Returns
    -------
    float32 [n_trimmed]
        Of a window without sound, all.
    """
    filtered = HighPass(spec.rate_hz, HIGH_PASS_HZ)(samples)
    start, end = speech_bounds(filtered, spec.n_fft, spec.hop_samples)
    return filtered[start:end]


def speech_bounds(
    samples: NDArray[np.float32], frame_samples: int, hop_samples: int
) -> tuple[int, int]:
    """Where speech starts and ends: the first and the last frame within `TRIM_DB` of the loudest.

    Parameters
    ----------
    samples : float32 [n_samples]
        Of one window.
    frame_samples, hop_samples : int
        Length of a frame, and from one to the next.

    Returns
    -------
    start, end : int
        In samples; 0 and n_samples if there are fewer than a frame.
    """
    if len(samples) < frame_samples:
        return 0, len(samples)
    start, end = _bounds(samples, frame_samples, hop_samples, 10 ** (-TRIM_DB / 10))
    return int(start), int(end)


@numba.njit(nogil=True, cache=True)
def _bounds(
    samples: NDArray[np.float32], frame_samples: int, hop_samples: int, least_share: float
) -> tuple[int, int]:
    """First sample of the first frame, and end of the last, with enough of the largest energy."""
    n_frames = 1 + (len(samples) - frame_samples) // hop_samples
    total = np.empty(len(samples) + 1)
    total[0] = 0.0
    for i in range(len(samples)):
        total[i + 1] = total[i] + np.float64(samples[i]) * np.float64(samples[i])
    energy = np.empty(n_frames)
    for i in range(n_frames):
        energy[i] = total[i * hop_samples + frame_samples] - total[i * hop_samples]
    least = energy.max() * least_share
    first, last = 0, n_frames - 1
    while energy[first] < least:
        first += 1
    while energy[last] < least:
        last -= 1
    return first * hop_samples, last * hop_samples + frame_samples
