"""The numba kernels: framing with windowing, sparse mel sums, and the shape of spectra.

Each releases the GIL, so that threads run them side by side, and is compiled once and cached on
disk. Each has a NumPy twin in the tests. They take and fill arrays and check nothing:
`serctl.features` does.
"""

import os

import numpy as np
from numpy.typing import NDArray

from serctl.caches import writable_folder


def _choose_cache_folder() -> None:
    """Say where compiled kernels are kept, where this package's own folder cannot be written.

    Numba refuses to compile a cached kernel that it has no place for (numba issue 4908). A folder
    that others could write is no place either, since what lies there is run: so the user's cache,
    or else a private folder that goes with the process.
    """
    if os.environ.get("NUMBA_CACHE_DIR") or os.access(os.path.dirname(__file__), os.W_OK):
        return
    os.environ["NUMBA_CACHE_DIR"] = writable_folder()


_choose_cache_folder()

import numba  # noqa: E402

LANES = 32  # frames that are computed side by side


@numba.njit(nogil=True, cache=True)
def frame_windowed(
    samples: NDArray[np.float32],
    window: NDArray[np.floating],
    first_sample: int,
    hop_samples: int,
    frames: NDArray[np.floating],
) -> None:
    """Cut frames out of samples, with zeros before and after, and window them.

    Parameters
    ----------
    samples : float32 [n_samples]
        Of one clip.
    window : float32 or float64 [n_fft]
        Factor of each sample of a frame.
    first_sample : int
        Where the first frame begins; negative before the clip.
    hop_samples : int
        From one frame's beginning to the next's.
    frames : float32 or float64 [n_frames, n_fft]
        Filled.
    """
    n_samples = samples.shape[0]
    n_frames, n_fft = frames.shape
    for i in range(n_frames):
        start = first_sample + i * hop_samples
        low = min(max(-start, 0), n_fft)
        high = max(min(n_samples - start, n_fft), low)
        frames[i, :low] = 0.0
        frames[i, high:] = 0.0
        # Slices, since an index that might be negative keeps a loop from being vectorised.
        frame, part, factors = frames[i, low:high], samples[start + low :], window[low:high]
        for j in range(high - low):
            frame[j] = part[j] * factors[j]


@numba.njit(nogil=True, cache=True)
def weighted_sums(
    by_bin: NDArray[np.float32],
    weights: NDArray[np.float32],
    first_bin: int,
    last_bin: int,
    sums: NDArray[np.float64],
) -> None:
    """Sum bins from ``first_bin`` up to ``last_bin``, in their order, for each of the lanes."""
    sums[:] = 0.0
    whole = last_bin - (last_bin - first_bin) % 4  # four at a time, and sums are stored less often
    for k in range(first_bin, whole, 4):
        a, b = np.float64(weights[k]), np.float64(weights[k + 1])
        c, d = np.float64(weights[k + 2]), np.float64(weights[k + 3])
        four = by_bin[k : k + 4]
        for i in range(LANES):
            sums[i] += a * four[0, i]
            sums[i] += b * four[1, i]
            sums[i] += c * four[2, i]
            sums[i] += d * four[3, i]
    for k in range(whole, last_bin):
        weight = np.float64(weights[k])
        for i in range(LANES):
            sums[i] += weight * by_bin[k, i]


@numba.njit(nogil=True, cache=True)
def mel_power(
    spectrum: NDArray[np.complexfloating],
    first_bins: NDArray[np.int64],
    last_bins: NDArray[np.int64],
    weights: NDArray[np.float32],
    mel: NDArray[np.float32],
) -> None:
    """Sum the power of spectra in mel bands, over the few bins that each band has.

    Parameters
    ----------
    spectrum : complex64 or complex128 [n_frames, n_bins]
        Of windowed frames.
    first_bins, last_bins : int64 [n_mels]
        Band ``m`` spans bins ``first_bins[m]`` to ``last_bins[m] - 1``.
    weights : float32 [n_mels, n_bins]
        The filters, zero outside those spans.
    mel : float32 [n_frames, n_mels]
        Filled. Sums are carried in float64.
    """
    n_frames, n_bins = spectrum.shape
    by_frame = np.zeros((LANES, n_bins), np.float32)
    by_bin = np.empty((n_bins, LANES), np.float32)
    sums = np.empty(LANES)
    for first in range(0, n_frames, LANES):
        n = min(LANES, n_frames - first)
        for i in range(n):
            values, powers = spectrum[first + i], by_frame[i]
            for k in range(n_bins):
                powers[k] = values[k].real * values[k].real + values[k].imag * values[k].imag
        for k in range(n_bins):
            for i in range(LANES):
                by_bin[k, i] = by_frame[i, k]
        for m in range(weights.shape[0]):
            weighted_sums(by_bin, weights[m], first_bins[m], last_bins[m], sums)
            for i in range(n):
                mel[first + i, m] = sums[i]


@numba.njit(nogil=True, cache=True)
def spectral_shape(
    spectrum: NDArray[np.complex128],
    roll_share: float,
    centroids: NDArray[np.float64],
    rolloffs: NDArray[np.float64],
) -> None:
    """Find where the magnitude of spectra lies: its mean, and the bin that most of it is below.

    Parameters
    ----------
    spectrum : complex128 [n_frames, n_bins]
        Of windowed frames.
    roll_share : float
        Of a frame's magnitude, up to and with its rolloff.
    centroids, rolloffs : float64 [n_frames]
        Filled, in bins; zero for a frame of zeros.
    """
    n_frames, n_bins = spectrum.shape
    magnitude = np.empty(n_bins)
    for i in range(n_frames):
        total = moment = 0.0
        for k in range(n_bins):
            value = spectrum[i, k]
            magnitude[k] = np.sqrt(value.real * value.real + value.imag * value.imag)
        for k in range(n_bins):
            total += magnitude[k]
            moment += k * magnitude[k]
        centroids[i] = moment / total if total > 0.0 else 0.0
        below, k = magnitude[0], 0
        while below < roll_share * total:
            k += 1
            below += magnitude[k]
        rolloffs[i] = k
