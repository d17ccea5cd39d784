"""Inputs of networks, computed from the samples of one window.

There are three kinds of input; `serctl.models.networks.NETWORKS` has the kind of each network. Each
has two steps: `InputKind.extract` computes features without learned values, which training can
cache; `InputKind.normalize` standardizes them with mean and standard deviation of the training
clips (`Normalization`), and gives them the shape that the network takes.

Kinds with frames keep the length of the window. The input of a window depends only on that window.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from serctl.audio.highpass import remove_offset
from serctl.features.mel import (
    POWER_FLOOR,
    MelSpec,
    clip_statistics,
    mel_spectrogram,
    power_to_db,
    require_samples,
)
from serctl.features.speech import speech_of
from serctl.features.whisper import whisper_log_mel

# `log_mel` windows are padded to a multiple of it, since networks halve the frames up to four times.
FRAMES_MULTIPLE = 16


@dataclass(frozen=True)
class Normalization:
    """Mean and standard deviation that columns of features are normalized with.

    Attributes
    ----------
    mean, std : tuple of float, n_columns each
        Of `InputKind.columns` over the training clips.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]

    def __call__(self, columns: NDArray[np.floating]) -> NDArray[np.float32]:
        """Normalize columns.

        Parameters
        ----------
        columns : float [..., n_columns]
            As of `InputKind.columns`.

        Returns
        -------
        float32 [..., n_columns]
            Mean about 0 and standard deviation about 1 in each column.
        """
        normalized = (columns - np.array(self.mean)) / np.array(self.std)
        return np.asarray(normalized, np.float32)


@dataclass(frozen=True)
class InputKind:
    """One way to compute the input of a network.

    Attributes
    ----------
    name : str
        Name of the kind.
    max_frames : int
        Maximum number of frames in a window, which bounds the memory of a network.
    n_columns : callable
        From a `MelSpec` to the number of columns, and of values in ``mean`` and ``std`` of
        `Normalization`.
    extract : callable
        From float32 samples [n_samples], at least one, and a `MelSpec` to features, float32. Raises
        AudioError as `serctl.features.mel.mel_spectrogram` does.
    columns : callable
        From features and a `MelSpec` to the columns to normalize, float [..., n_columns].
    normalize : callable
        From features, a `Normalization` and a `MelSpec` to the network's input, float32.
    has_high_pass : bool
        Whether ``extract`` removes what is below speech.
    """

    name: str
    max_frames: int
    n_columns: Callable[[MelSpec], int]
    extract: Callable[[NDArray[np.float32], MelSpec], NDArray[np.float32]]
    columns: Callable[[NDArray[np.float32], MelSpec], NDArray[np.floating]]
    normalize: Callable[[NDArray[np.float32], Normalization, MelSpec], NDArray[np.float32]]
    has_high_pass: bool = False

    def of_window(
        self, samples: NDArray[np.float32], normalization: Normalization, spec: MelSpec
    ) -> NDArray[np.float32]:
        """Network's input of a window to classify; unlike training, without an unusual DC offset."""
        if not self.has_high_pass:
            samples = remove_offset(samples, spec.rate_hz)
        return self.normalize(self.extract(samples, spec), normalization, spec)


def statistics_in_db(statistics: NDArray[np.float32], spec: MelSpec) -> NDArray[np.float64]:
    """Convert the mel means of clip statistics to decibels, floored relative to the largest.

    Parameters
    ----------
    statistics : float32 [n_mels + n_mfcc]
        As of `serctl.features.mel.clip_statistics`.
    spec : MelSpec
        Parameters.

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
        Mel bands in dB, floored ``spec.top_db`` below the maximum, then MFCC, of each frame; with
        n_frames = 1 + n_samples // hop_samples.

    Raises
    ------
    AudioError
        If there are no samples, or if any is not finite.
    """
    import scipy.fft  # here, since it is slow to import, and few networks need it

    mel_db = power_to_db(mel_spectrogram(samples, spec), spec.top_db)
    mfcc = scipy.fft.dct(mel_db, type=2, norm="ortho", axis=1)[:, : spec.n_mfcc]
    return np.concatenate([mel_db, mfcc], axis=1)


def log_mel(samples: NDArray[np.float32], spec: MelSpec) -> NDArray[np.float32]:
    """Mel bands of every frame of speech, relative to the mean power, so that gain does not matter.

    Parameters
    ----------
    samples : float32 [n_samples]
        Mono, full scale at 1.0, at ``spec.rate_hz``; at least one.
    spec : MelSpec
        Parameters of the spectrogram.

    Returns
    -------
    float32 [n_frames, n_mels]
        In dB relative to the mean over all bands and frames, floored at ``-spec.top_db``; with
        n_frames = 1 + n_trimmed // hop_samples.

    Raises
    ------
    AudioError
        If there are no samples, or if any is not finite.
    """
    require_samples(samples)
    mel = mel_spectrogram(speech_of(samples, spec), spec)
    mean_db = 10 * np.log10(max(mel.mean(dtype=np.float64), POWER_FLOOR))
    decibels = 10 * np.log10(np.maximum(mel, np.float32(POWER_FLOOR)))
    return np.maximum(decibels - np.float32(mean_db), np.float32(-spec.top_db))


def normalized_floor(normalization: Normalization, spec: MelSpec) -> NDArray[np.float32]:
    """Normalized value of the floor of `log_mel`, float32 [n_mels]; it pads windows."""
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


def normalize_log_mel(
    frames: NDArray[np.float32], normalization: Normalization, spec: MelSpec
) -> NDArray[np.float32]:
    """Input float32 [n_mels, n_frames], with n_frames rounded up to `FRAMES_MULTIPLE`."""
    n_frames = len(frames)
    padded = np.empty((spec.n_mels, n_frames + -n_frames % FRAMES_MULTIPLE), np.float32)
    padded[:, :n_frames] = normalization(frames).T
    padded[:, n_frames:] = normalized_floor(normalization, spec)[:, None]
    return padded


def _normalize_whisper(
    frames: NDArray[np.float32], normalization: Normalization, spec: MelSpec
) -> NDArray[np.float32]:
    """Input float32 [n_mels, n_frames]."""
    return np.ascontiguousarray(normalization(frames).T)


def _unchanged(frames: NDArray[np.float32], spec: MelSpec) -> NDArray[np.float32]:
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
    columns=_unchanged,
    normalize=_normalize_frames,
)
# Whisper's log-mel spectrogram: float32 [n_mels, n_frames], of the window's own length.
WHISPER_LOG_MEL = InputKind(
    "whisper-log-mel",
    max_frames=801,  # 8 s: as many positions as the bundled encoder has
    n_columns=lambda spec: spec.n_mels,
    extract=whisper_log_mel,
    columns=_unchanged,
    normalize=_normalize_whisper,
    has_high_pass=True,
)
# Log-mel spectrogram, independent of gain: float32 [n_mels, n_frames].
LOG_MEL = InputKind(
    "speech-log-mel",
    max_frames=1 << 13,  # 82 s, with a frame every 10 ms
    n_columns=lambda spec: spec.n_mels,
    extract=log_mel,
    columns=_unchanged,
    normalize=normalize_log_mel,
    has_high_pass=True,
)
