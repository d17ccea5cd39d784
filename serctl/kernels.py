"""The numba kernels: framing with windowing, sparse mel sums, and the shape of spectra.

Each releases the GIL, so that threads run them side by side, and is compiled once and cached on
disk. Each has a NumPy twin in the tests. They take and fill arrays and check nothing:
`serctl.features` does.
"""

import atexit
import os
import shutil
import tempfile

import numpy as np
import platformdirs
from numpy.typing import NDArray


def _choose_cache_folder() -> None:
    """Say where compiled kernels are kept, where this package's own folder cannot be written.

    Numba refuses to compile a cached kernel that it has no place for (numba issue 4908). A folder
    that others could write is no place either, since what lies there is run: so the user's cache,
    or else a private folder that goes with the process.
    """
    if os.environ.get("NUMBA_CACHE_DIR") or os.access(os.path.dirname(__file__), os.W_OK):
        return
    folder = platformdirs.user_cache_dir("serctl")
    try:
        os.makedirs(folder, exist_ok=True)
        writable = os.access(folder, os.W_OK)
    except OSError:
        writable = False
    if not writable:
        folder = tempfile.mkdtemp(prefix="serctl-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ["NUMBA_CACHE_DIR"] = folder


_choose_cache_folder()

import numba  # noqa: E402


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
        for j in range(low):
            frames[i, j] = 0.0
        for j in range(low, high):
            frames[i, j] = samples[start + j] * window[j]
        for j in range(high, n_fft):
            frames[i, j] = 0.0


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
    power = np.empty(n_bins, np.float32)
    for i in range(n_frames):
        for k in range(n_bins):
            value = spectrum[i, k]
            power[k] = value.real * value.real + value.imag * value.imag
        for m in range(weights.shape[0]):
            total = 0.0
            for k in range(first_bins[m], last_bins[m]):
                total += np.float64(weights[m, k]) * np.float64(power[k])
            mel[i, m] = total


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
