"""Mel spectrogram, MFCC and clip statistics.

Pure functions of samples and a frozen spec. They agree with librosa in float64, at its defaults:
Hann window, centred frames with zeros beyond the ends, power spectrum, Slaney mel scale and filter
areas. The arithmetic of a frame is float32; sums over frames are float64, since a running float32
mean drifts.
"""

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from serctl.errors import AudioError
from serctl.features import fft, kernels

# Frames per FFT call: with their spectra, of 2048 samples, they fill half of a second-level cache.
BLOCK_FRAMES = 32
POWER_FLOOR = 1e-10  # smaller powers are raised to it before the logarithm, -100 dB


@dataclass(frozen=True)
class MelSpec:
    """Parameters of a mel spectrogram and its MFCC; the defaults are librosa's.

    Attributes
    ----------
    rate_hz : int
        Sample rate.
    n_fft : int
        Samples in a frame and in its Hann window.
    hop_samples : int
        Samples from one frame to the next.
    n_mels : int
        Mel bands, from 0 Hz to half of ``rate_hz``.
    n_mfcc : int
        Number of cepstral coefficients, including the zeroth.
    top_db : float
        Decibels are floored this far below the maximum of the clip or, in
        `serctl.models.inputs.log_mel`, below its mean power.
    """

    rate_hz: int = 22050
    n_fft: int = 2048
    hop_samples: int = 512
    n_mels: int = 128
    n_mfcc: int = 20
    top_db: float = 80.0


def mel_spectrogram(samples: NDArray[np.float32], spec: MelSpec) -> NDArray[np.float32]:
    """Mel power spectrogram of one clip.

    Parameters
    ----------
    samples : float32 [n_samples]
        Mono, full scale at 1.0, at ``spec.rate_hz``; at least one.
    spec : MelSpec
        Parameters.

    Returns
    -------
    float32 [n_frames, n_mels]
        Power, with n_frames = 1 + n_samples // hop_samples.

    Raises
    ------
    AudioError
        If there are no samples, or if any is not finite.
    """
    require_samples(samples)
    samples = np.ascontiguousarray(samples, np.float32)
    window = hann_window(spec.n_fft)
    filters, first_bins, last_bins = sparse_mel_filters(spec)
    n_frames = 1 + len(samples) // spec.hop_samples
    mel = np.empty((n_frames, spec.n_mels), np.float32)
    if spec.n_fft.bit_count() == 1:
        roots, places = fft.tables(spec.n_fft)
        fft.mel_of_frames(
            samples,
            window,
            spec.hop_samples,
            roots,
            places,
            first_bins,
            last_bins,
            filters,
            mel,
        )
        return mel
    block = np.empty((BLOCK_FRAMES, spec.n_fft), np.float32)
    for i in range(0, n_frames, BLOCK_FRAMES):
        frames = block[: min(BLOCK_FRAMES, n_frames - i)]
        first_sample = i * spec.hop_samples - spec.n_fft // 2
        kernels.frame_windowed(samples, window, first_sample, spec.hop_samples, frames)
        spectrum = np.fft.rfft(frames, axis=1)
        kernels.mel_power(spectrum, first_bins, last_bins, filters, mel[i : i + BLOCK_FRAMES])
    return mel


def require_samples(samples: NDArray[np.float32]) -> None:
    """Raise AudioError unless there are samples, and all are finite."""
    if len(samples) == 0 or not np.isfinite(samples).all():
        raise AudioError(f"{len(samples)} samples, finite ones are needed. Is the file complete?")


def power_to_db(power: NDArray[np.floating], top_db: float) -> NDArray[np.floating]:
    """Convert power to decibels, floored ``top_db`` below the maximum.

    The floor is relative to the clip, since bands above the bandwidth of the recording (8 kHz in a
    16 kHz file) hold only rounding noise.

    Parameters
    ----------
    power : float [...]
        Power of one clip, not negative.
    top_db : float
        Dynamic range, in dB.

    Returns
    -------
    float [...]
        10 log10(power), of the same dtype.
    """
    decibels = 10 * np.log10(np.maximum(power, np.asarray(POWER_FLOOR, power.dtype)))
    floored: NDArray[np.floating] = np.maximum(
        decibels, decibels.max() - np.asarray(top_db, power.dtype)
    )
    return floored


def mfcc_mean(mel: NDArray[np.float32], spec: MelSpec) -> NDArray[np.float64]:
    """Mean over time of the MFCC of a mel spectrogram.

    The DCT (type II, orthonormal) is linear, so one DCT of the mean suffices.

    Parameters
    ----------
    mel : float32 [n_frames, n_mels]
        Power of one clip.
    spec : MelSpec
        Parameters.

    Returns
    -------
    float64 [n_mfcc]
    """
    mean_db = power_to_db(mel, spec.top_db).mean(axis=0, dtype=np.float64)
    mfcc: NDArray[np.float64] = dct_filters(spec.n_mfcc, spec.n_mels) @ mean_db
    return mfcc


@functools.cache
def dct_filters(n_mfcc: int, n_mels: int) -> NDArray[np.float64]:
    """Orthonormal DCT of type II as a matrix [n_mfcc, n_mels]; SciPy is slow to import."""
    rows, bands = np.arange(n_mfcc)[:, None], np.arange(n_mels)
    filters: NDArray[np.float64] = np.sqrt(2 / n_mels) * np.cos(
        np.pi / n_mels * rows * (bands + 0.5)
    )
    filters[0] /= np.sqrt(2)
    return filters


def clip_statistics(samples: NDArray[np.float32], spec: MelSpec) -> NDArray[np.float32]:
    """Compute the features of the report: means over time of mel spectrogram and MFCC.

    Parameters
    ----------
    samples : float32 [n_samples]
        Mono, full scale at 1.0, at ``spec.rate_hz``; at least one.
    spec : MelSpec
        Parameters.

    Returns
    -------
    float32 [n_mels + n_mfcc]
        Mean power of each mel band, then mean of each MFCC.

    Raises
    ------
    AudioError
        If there are no samples, or if any is not finite.
    """
    mel = mel_spectrogram(samples, spec)
    mel_mean = mel.mean(axis=0, dtype=np.float64)
    return np.concatenate([mel_mean, mfcc_mean(mel, spec)]).astype(np.float32)


@functools.cache
def hann_window(n_fft: int, dtype: type[np.floating] = np.float32) -> NDArray[np.floating]:
    """Periodic Hann window, [n_fft] of ``dtype``."""
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_fft) / n_fft)).astype(dtype)


LINEAR_HZ, LOG_STEP = 200 / 3, np.log(6.4) / 27  # size of a mel, below 1 kHz and above


def hz_to_mel(hz: NDArray[np.floating]) -> NDArray[np.floating]:
    """Slaney's mel scale (Auditory Toolbox, 1998): 15 mel up to 1 kHz, 27 from 1 to 6.4 kHz."""
    return np.where(hz < 1000, hz / LINEAR_HZ, 15 + np.log(np.maximum(hz, 1000) / 1000) / LOG_STEP)


def mel_to_hz(mels: NDArray[np.floating]) -> NDArray[np.floating]:
    """Inverse of `hz_to_mel`."""
    return np.where(mels < 15, LINEAR_HZ * mels, 1000 * np.exp(LOG_STEP * (mels - 15)))


def mel_edges(spec: MelSpec) -> NDArray[np.floating]:
    """Edges of the mel bands in mel, float64 [n_mels + 2]; each band spans two steps."""
    return np.linspace(0, hz_to_mel(np.array(spec.rate_hz / 2)), spec.n_mels + 2)


def mel_filters(spec: MelSpec) -> NDArray[np.float32]:
    """Triangular filters of equal area, evenly spaced on the mel scale.

    Parameters
    ----------
    spec : MelSpec
        Sample rate, frame length and number of bands.

    Returns
    -------
    float32 [n_mels, 1 + n_fft // 2]
        Equal to ``librosa.filters.mel``.
    """
    edges_hz = mel_to_hz(mel_edges(spec))
    bins_hz = np.fft.rfftfreq(spec.n_fft, 1 / spec.rate_hz)
    rising = (bins_hz - edges_hz[:-2, None]) / np.diff(edges_hz)[:-1, None]
    falling = (edges_hz[2:, None] - bins_hz) / np.diff(edges_hz)[1:, None]
    triangles = np.maximum(0, np.minimum(rising, falling))
    return (triangles * (2 / (edges_hz[2:] - edges_hz[:-2]))[:, None]).astype(np.float32)


@functools.cache
def sparse_mel_filters(
    spec: MelSpec,
) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.int64]]:
    """Mel filters and the range of their nonzero bins.

    Parameters
    ----------
    spec : MelSpec
        As of `mel_filters`.

    Returns
    -------
    filters : float32 [n_mels, n_bins]
        As of `mel_filters`.
    first_bins, last_bins : int64 [n_mels]
        First bin of each filter, and one past its last.
    """
    filters = mel_filters(spec)
    first_bins = (filters > 0).argmax(axis=1)
    last_bins = filters.shape[1] - (filters[:, ::-1] > 0).argmax(axis=1)
    return filters, first_bins, last_bins
