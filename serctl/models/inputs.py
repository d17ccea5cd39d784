"""Inputs: what networks are given, from the samples of one window.

There are three kinds, and `serctl.models.networks.NETWORKS` says which one a network takes. Each
has two halves: `InputKind.extract` computes features that depend on nothing learned, so that
training can keep them; `InputKind.normalize` standardises them by what the training clips have
(`Normalization`), and gives them the shape that the network takes.

A kind with frames gives a window its own length. A window's input depends on that window alone.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from serctl.features.mel import POWER_FLOOR, MelSpec, clip_statistics, mel_spectrogram, power_to_db

# `log_mel` windows are filled up to a multiple of it, since networks halve the frames up to four times.
FRAMES_MULTIPLE = 16


@dataclass(frozen=True)
class Normalization:
    """How columns of features are scaled before the network sees them.

    Attributes
    ----------
    mean, std : tuple of float, n_columns each
        Of the training clips' `InputKind.columns`.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]

    def __call__(self, columns: NDArray[np.floating]) -> NDArray[np.float32]:
        """Scale columns.

        Parameters
        ----------
        columns : float [..., n_columns]
            Of `InputKind.columns`.

        Returns
        -------
        float32 [..., n_columns]
            About 0, with a deviation of about 1 in every column.
        """
        return ((columns - np.array(self.mean)) / np.array(self.std)).astype(np.float32)


@dataclass(frozen=True)
class InputKind:
    """One way to turn samples into a network's input.

    Attributes
    ----------
    name : str
        Of the kind.
    max_frames : int
        Most frames that a window may have, so that a network's memory is bounded.
    n_columns : callable
        Of a `MelSpec`: numbers in a row of ``columns``, and in ``mean`` and ``std`` of its
        `Normalization`.
    extract : callable
        Of float32 samples [n_samples], at least one, and a `MelSpec`: features, float32. They raise
        AudioError as `serctl.features.mel.mel_spectrogram` does.
    columns : callable
        Of raw features and a `MelSpec`: what is scaled, float [..., n_columns].
    normalize : callable
        Of raw features, a `Normalization` and a `MelSpec`: the network's input, float32.
    """

    name: str
    max_frames: int
    n_columns: Callable[[MelSpec], int]
    extract: Callable[[NDArray[np.float32], MelSpec], NDArray[np.float32]]
    columns: Callable[[NDArray[np.float32], MelSpec], NDArray[np.floating]]
    normalize: Callable[[NDArray[np.float32], Normalization, MelSpec], NDArray[np.float32]]


def statistics_in_db(statistics: NDArray[np.float32], spec: MelSpec) -> NDArray[np.float64]:
    """Clip statistics with the mel means in decibels, floored relative to the clip's largest band.

    Parameters
    ----------
    statistics : float32 [n_mels + n_mfcc]
        Of `serctl.features.mel.clip_statistics`.
    spec : MelSpec
        Their parameters.

    Returns
    -------
    float64 [n_mels + n_mfcc]
    """
    mel_db = power_to_db(statistics[: spec.n_mels].astype(np.float64), spec.top_db)
    return np.concatenate([mel_db, statistics[spec.n_mels :]])


def mel_and_mfcc(samples: NDArray[np.float32], spec: MelSpec) -> NDArray[np.float32]:
    """Mel bands and MFCC of every frame.

    Parameters
    ----------
    samples : float32 [n_samples]
        Mono, full scale at 1.0, at ``spec.rate_hz``; at least one.
    spec : MelSpec
        Parameters of the spectrogram and of the MFCC.

    Returns
    -------
    float32 [n_frames, n_mels + n_mfcc]
        Mel bands in dB, floored ``spec.top_db`` below the largest, and the MFCC of each frame; with
        n_frames = 1 + n_samples // hop_samples.

    Raises
    ------
    AudioError
        If there are no samples, or some are not finite.
    """
    import scipy.fft  # here, since it takes long to load, and most networks hear no such frames

    mel_db = power_to_db(mel_spectrogram(samples, spec), spec.top_db)
    mfcc = scipy.fft.dct(mel_db, type=2, norm="ortho", axis=1)[:, : spec.n_mfcc]
    return np.concatenate([mel_db, mfcc], axis=1)


def log_mel(samples: NDArray[np.float32], spec: MelSpec) -> NDArray[np.float32]:
    """Mel bands of every frame, relative to the window's mean power, so that gain does not matter.

    Parameters
    ----------
    samples : float32 [n_samples]
        Mono, full scale at 1.0, at ``spec.rate_hz``; at least one.
    spec : MelSpec
        Parameters of the spectrogram.

    Returns
    -------
    float32 [n_frames, n_mels]
        In dB above the mean over all bands and frames, floored at ``-spec.top_db``; with
        n_frames = 1 + n_samples // hop_samples.

    Raises
    ------
    AudioError
        If there are no samples, or some are not finite.
    """
    mel = mel_spectrogram(samples, spec)
    mean_db = 10 * np.log10(max(mel.mean(dtype=np.float64), POWER_FLOOR))
    decibels = 10 * np.log10(np.maximum(mel, np.float32(POWER_FLOOR)))
    return np.maximum(decibels - np.float32(mean_db), np.float32(-spec.top_db))


def normalized_floor(normalization: Normalization, spec: MelSpec) -> NDArray[np.float32]:
    """What `log_mel`'s floor is once it is scaled, float32 [n_mels]; windows are filled up with it."""
    return normalization(np.full(spec.n_mels, -spec.top_db))


def _normalize_statistics(
    statistics: NDArray[np.float32], normalization: Normalization, spec: MelSpec
) -> NDArray[np.float32]:
    """Input float32 [n_mels + n_mfcc]."""
    return normalization(statistics_in_db(statistics, spec))


def _normalize_frames(
    frames: NDArray[np.float32], normalization: Normalization, spec: MelSpec
) -> NDArray[np.float32]:
    """Input float32 [n_frames, n_mels + n_mfcc]."""
    return normalization(frames)


def _normalize_log_mel(
    frames: NDArray[np.float32], normalization: Normalization, spec: MelSpec
) -> NDArray[np.float32]:
    """Input float32 [n_mels, n_frames], with n_frames rounded up to `FRAMES_MULTIPLE`."""
    n_frames = len(frames)
    filled = np.empty((spec.n_mels, n_frames + -n_frames % FRAMES_MULTIPLE), np.float32)
    filled[:, :n_frames] = normalization(frames).T
    filled[:, n_frames:] = normalized_floor(normalization, spec)[:, None]
    return filled


def _as_they_are(frames: NDArray[np.float32], spec: MelSpec) -> NDArray[np.float32]:
    return frames


# Means over a whole window: float32 [n_mels + n_mfcc].
CLIP_STATISTICS = InputKind(
    "clip-statistics",
    max_frames=1 << 18,  # an hour, at librosa's defaults
    n_columns=lambda spec: spec.n_mels + spec.n_mfcc,
    extract=clip_statistics,
    columns=statistics_in_db,
    normalize=_normalize_statistics,
)
# Mel bands and MFCC of each frame: float32 [n_frames, n_mels + n_mfcc].
FRAMES = InputKind(
    "frames",
    max_frames=1 << 13,  # three minutes, at librosa's defaults
    n_columns=lambda spec: spec.n_mels + spec.n_mfcc,
    extract=mel_and_mfcc,
    columns=_as_they_are,
    normalize=_normalize_frames,
)
# A spectrogram as a picture, whatever the gain: float32 [n_mels, n_frames].
LOG_MEL = InputKind(
    "log-mel",
    max_frames=1 << 13,  # 82 s, with a frame every 10 ms
    n_columns=lambda spec: spec.n_mels,
    extract=log_mel,
    columns=_as_they_are,
    normalize=_normalize_log_mel,
)
