"""Whisper's log-mel spectrogram, of one window without the silence around it.

The front end of OpenAI's Whisper ("Robust Speech Recognition via Large-Scale Weak Supervision",
2022): frames of 25 ms every 10 ms, 80 bands of Slaney's mel scale, logarithms to the base 10 floored
8 below the largest, then shifted and scaled to about [-1, 1]. What differs: what is below
`HIGH_PASS_HZ` is removed, silence at both ends is trimmed, the level is normalized, and there is no
padding to 30 s.
"""

import numpy as np
from numpy.typing import NDArray

from serctl.audio.highpass import HighPass
from serctl.errors import AudioError
from serctl.features.mel import POWER_FLOOR, MelSpec, mel_spectrogram

WHISPER_SPEC = MelSpec(rate_hz=16_000, n_fft=400, hop_samples=160, n_mels=80, top_db=80.0)

HIGH_PASS_HZ = 50.0  # below it is DC and rumble, not speech
TRIM_DB = 40.0  # frames this far below the loudest are silence, at the start and at the end
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
    if len(samples) == 0 or not np.isfinite(samples).all():
        raise AudioError(f"{len(samples)} samples, finite ones are needed. Is the file complete?")
    filtered = HighPass(spec.rate_hz, HIGH_PASS_HZ)(samples)
    trimmed = trim_silence(filtered, spec.n_fft, spec.hop_samples)
    rms = float(np.sqrt(np.mean(np.square(trimmed, dtype=np.float64))))
    mel = mel_spectrogram(trimmed * np.float32(LEVEL_RMS / max(rms, LEAST_RMS)), spec)
    decades = np.log10(np.maximum(mel, np.float32(POWER_FLOOR)))
    decades = np.maximum(decades, decades.max() - np.float32(spec.top_db / 10))
    scaled: NDArray[np.float32] = (decades + np.float32(4)) / np.float32(4)
    return scaled


def trim_silence(
    samples: NDArray[np.float32], frame_samples: int, hop_samples: int
) -> NDArray[np.float32]:
    """Samples from the first to the last frame within `TRIM_DB` of the loudest.

    Parameters
    ----------
    samples : float32 [n_samples]
        Of one window.
    frame_samples, hop_samples : int
        Length of a frame, and from one to the next.

    Returns
    -------
    float32 [n_trimmed]
        A view; all samples if there are fewer than a frame.
    """
    if len(samples) < frame_samples:
        return samples
    total = np.concatenate([[0.0], np.cumsum(np.square(samples, dtype=np.float64))])
    starts = np.arange(0, len(samples) - frame_samples + 1, hop_samples)
    energy = total[starts + frame_samples] - total[starts]
    loud = np.flatnonzero(energy >= energy.max() * 10 ** (-TRIM_DB / 10))
    return samples[starts[loud[0]] : starts[loud[-1]] + frame_samples]
