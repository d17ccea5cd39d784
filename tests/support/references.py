"""Features as librosa computes them in float64, which the tests compare with."""

import warnings

import librosa
import numpy as np


def librosa_mel(samples, spec):
    """Mel power spectrogram, float64 [n_mels, n_frames]."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "n_fft=.* is too large")  # for short clips
        spectrum = librosa.stft(
            samples.astype(np.float64),
            n_fft=spec.n_fft,
            hop_length=spec.hop_samples,
            pad_mode="constant",
        )
    filters = librosa.filters.mel(
        sr=spec.rate_hz, n_fft=spec.n_fft, n_mels=spec.n_mels, dtype=np.float64
    )
    return filters @ np.abs(spectrum) ** 2
