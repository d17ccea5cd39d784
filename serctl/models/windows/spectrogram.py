"""Log-mel spectrogram of a long recording, and which of its frames are pauses.

Where a window has a pause, what is said in it counts, and not the pause: a window of 4 s with 1 s of
speech is much like a clip of 1 s. So levels are means over frames of speech, and the network leaves
pauses out of its means as well (`serctl.models.networks.cnn_graph.sliding_graph`).
"""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from serctl.audio.highpass import HIGH_PASS_HZ, HighPass
from serctl.features.mel import POWER_FLOOR, MelSpec, mel_spectrogram

PAUSE_DB = 30.0  # frames this far below the loudest of the windows around them are pauses
MARGIN_FRAMES = 5  # on either side of speech, which are no pause
LEAST_SHARE = 1e-6  # of speech

Scalar = TypeVar("Scalar", bound=np.generic)


def sliding_log_mel(
    samples: NDArray[np.float32], spec: MelSpec, window_frames: int
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """`serctl.models.inputs.log_mel` of samples that are longer than a window.

    The level of a frame is the mean, over all windows that it is in, of the mean power of the speech
    in each. Pauses are at the floor.

    Parameters
    ----------
    samples : float32 [n_samples]
        Mono, full scale at 1.0, at ``spec.rate_hz``.
    spec : MelSpec
        Parameters of the spectrogram.
    window_frames : int
        Frames in a window.

    Returns
    -------
    frames : float32 [n_frames, n_mels]
        In dB, floored at ``-spec.top_db``; with n_frames = 1 + n_samples // hop_samples.
    is_speech : bool [n_frames]
        Frames that are no pause.

    Raises
    ------
    AudioError
        If there are no samples, or if any is not finite.
    """
    mel = mel_spectrogram(HighPass(spec.rate_hz, HIGH_PASS_HZ)(samples), spec)
    power, half = mel.mean(axis=1, dtype=np.float64), window_frames // 2
    is_loud = power >= sliding_max(power, half) * 10 ** (-PAUSE_DB / 10)
    is_speech = sliding_max(is_loud, MARGIN_FRAMES)
    shares = np.maximum(_sliding_mean(is_speech.astype(np.float64), half), LEAST_SHARE)
    of_windows = _sliding_mean(np.where(is_speech, power, 0.0), half) / shares
    levels = _sliding_mean(of_windows, half)
    level_db = 10 * np.log10(np.maximum(levels, POWER_FLOOR)).astype(np.float32)
    decibels = 10 * np.log10(np.maximum(mel, np.float32(POWER_FLOOR)))
    floor = np.float32(-spec.top_db)
    frames: NDArray[np.float32] = np.maximum(decibels - level_db[:, None], floor)
    frames[~is_speech] = floor
    return frames, is_speech


def sliding_max(values: NDArray[Scalar], half: int) -> NDArray[Scalar]:
    """Maximum of each value and ``half`` on either side of it; of fewer at both ends.

    Parameters
    ----------
    values : any dtype [n]
    half : int

    Returns
    -------
    of the dtype of ``values`` [n]
    """
    found, reach = values, 0
    while reach < half:  # what reaches twice as far is the maximum of three that overlap or touch
        step = min(reach + 1, half - reach)
        further = found.copy()
        further[step:] = np.maximum(further[step:], found[:-step])
        further[:-step] = np.maximum(further[:-step], found[step:])
        found, reach = further, reach + step
    return found


def _sliding_mean(values: NDArray[np.float64], half: int) -> NDArray[np.float64]:
    """Mean of each value and ``half`` on either side of it; of fewer at both ends."""
    places = np.arange(len(values))
    firsts, ends = np.maximum(places - half, 0), np.minimum(places + half + 1, len(values))
    sums = np.concatenate([[0.0], np.cumsum(values)])
    means: NDArray[np.float64] = (sums[ends] - sums[firsts]) / (ends - firsts)
    return means
