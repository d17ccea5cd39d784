"""Whisper's log-mel spectrogram, of one window without the silence around it.

The front end of OpenAI's Whisper ("Robust Speech Recognition via Large-Scale Weak Supervision",
2022): frames of 25 ms every 10 ms, 80 bands of Slaney's mel scale, logarithms to the base 10 floored
8 below the largest, then shifted and scaled to about [-1, 1]. What differs: what is below speech is
removed and silence at both ends trimmed (`serctl.features.speech`), the level is normalized, and there
is no padding to 30 s.
"""

import numpy as np
from numpy.typing import NDArray

from serctl.features.mel import POWER_FLOOR, MelSpec, mel_spectrogram, require_samples
from serctl.features.speech import speech_of

WHISPER_SPEC = MelSpec(rate_hz=16_000, n_fft=400, hop_samples=160, n_mels=80, top_db=80.0)

LEVEL_RMS = 0.07  # of full scale, of what is left
LEAST_RMS = 1e-7


def whisper_log_mel(samples: NDArray[np.float32], spec: MelSpec) -> NDArray[np.float32]:
    """Log-mel spectrogram as Whisper's encoder takes it.

    Parameters
    ----------
    samples : float32 [n_samples]
        Mono, full scale at 1.0, at ``spec.rate_hz``; at least one.
    spec : MelSpec
        `WHISPER_SPEC`, or another with its bands.

    Returns
    -------
    float32 [n_frames, n_mels]
        About -1 to 1, with n_frames = 1 + n_trimmed // hop_samples.

    Raises
    ------
    AudioError
        If there are no samples, or some are not finite.
    """
    require_samples(samples)
    trimmed = speech_of(samples, spec)
    rms = float(np.sqrt(np.mean(np.square(trimmed, dtype=np.float64))))
    mel = mel_spectrogram(trimmed * np.float32(LEVEL_RMS / max(rms, LEAST_RMS)), spec)
    decades = np.log10(np.maximum(mel, np.float32(POWER_FLOOR)))
    decades = np.maximum(decades, decades.max() - np.float32(spec.top_db / 10))
    scaled: NDArray[np.float32] = (decades + np.float32(4)) / np.float32(4)
    return scaled
