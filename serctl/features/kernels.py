"""Numba kernels: framing with a window, sparse mel sums, and spectral centroid and rolloff.

They release the GIL, so that threads run in parallel, and are compiled once and cached on disk. The
tests compare each with NumPy. They fill arrays and check nothing: `serctl.features.mel` checks.
"""

import numpy as np
from numpy.typing import NDArray

from serctl.caches import import_numba

import_numba()

import numba  # noqa: E402

LANES = 32  # frames that are processed together


@numba.njit(nogil=True, cache=True)
def frame_windowed(
    samples: NDArray[np.float32],
    window: NDArray[np.floating],
    first_sample: int,
    hop_samples: int,
    frames: NDArray[np.floating],
) -> None:
    """Cut samples into frames, with zeros before and after, and apply a window.

    Parameters
    ----------
    samples : float32 [n_samples]
        Samples of one clip.
    window : float32 or float64 [n_fft]
        Window function.
    first_sample : int
        Start of the first frame; it may be negative.
    hop_samples : int
        Samples from one frame to the next.
    frames : float32 or float64 [n_frames, n_fft]
        Output.
    """
    n_samples = samples.shape[0]
    n_frames, n_fft = frames.shape
    for i in range(n_frames):
        start = first_sample + i * hop_samples
        low = min(max(-start, 0), n_fft)
        high = max(min(n_samples - start, n_fft), low)
        frames[i, :low] = 0.0
        frames[i, high:] = 0.0
        # Slices, since an index that may be negative prevents vectorization.
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
    """Weighted sum of the bins ``first_bin`` to ``last_bin - 1``, in order, for each lane."""
    sums[:] = 0.0
    whole = (
        last_bin - (last_bin - first_bin) % 4
    )  # four at a time, so that sums are stored less often
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
    """Sum the power of spectra in mel bands, over the nonzero bins of each band.

    Parameters
    ----------
    spectrum : complex64 or complex128 [n_frames, n_bins]
        Spectra of windowed frames.
    first_bins, last_bins : int64 [n_mels]
        Band ``m`` spans bins ``first_bins[m]`` to ``last_bins[m] - 1``.
    weights : float32 [n_mels, n_bins]
        The filters, zero outside these bins.
    mel : float32 [n_frames, n_mels]
        Output. Sums are float64.
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
    """Compute spectral centroid and rolloff.

    Parameters
    ----------
    spectrum : complex128 [n_frames, n_bins]
        Spectra of windowed frames.
    roll_share : float
        Share of the magnitude up to and including the rolloff bin.
    centroids, rolloffs : float64 [n_frames]
        Output, in bins; zero for a frame of zeros.
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
