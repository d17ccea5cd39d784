"""Features as librosa computes them in float64, which the tests compare with."""

import warnings

import librosa
import numpy as np
import scipy.signal


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


def trimmed_speech(samples, spec):
    """What is above 50 Hz, from the first to the last frame within 40 dB of the loudest, float64."""
    filters = scipy.signal.butter(2, 50, "highpass", fs=spec.rate_hz, output="sos")
    started = scipy.signal.sosfilt_zi(filters) * samples[0]
    filtered, _ = scipy.signal.sosfilt(filters, samples.astype(np.float64), zi=started)
    if len(filtered) < spec.n_fft:
        return filtered
    frames = np.lib.stride_tricks.sliding_window_view(filtered, spec.n_fft)[:: spec.hop_samples]
    energy = np.square(frames).sum(axis=1)
    loud = np.flatnonzero(energy >= energy.max() * 1e-4) * spec.hop_samples
    return filtered[loud[0] : loud[-1] + spec.n_fft]
