"""Frames of a timeline: what overlapping windows say of each tenth of a second.

Frame i lasts from i / 10 to (i + 1) / 10 seconds, and belongs to every window that covers its
middle. Times are counted from the start of the recording each time, and do not drift.
"""

import numpy as np
from numpy.typing import NDArray

FRAME_S = 0.1


def frame_probabilities(
    probabilities: NDArray[np.float64],
    starts_s: NDArray[np.float64],
    ends_s: NDArray[np.float64],
    weights: NDArray[np.float64],
    n_frames: int,
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Weighted mean over the windows that cover each frame.

    Parameters
    ----------
    probabilities : float64 [n_windows, n_emotions]
        Of the windows that hold speech, in [0, 1].
    starts_s, ends_s : float64 [n_windows]
        Of the windows, in seconds.
    weights : float64 [n_windows]
        Of the windows, above 0.
    n_frames : int
        Of the timeline, one every `FRAME_S`.

    Returns
    -------
    means : float64 [n_frames, n_emotions]
        Adding up to 1; the same everywhere where no window covers the frame.
    covered : bool [n_frames]
        Whether one does.
    """
    n_emotions = probabilities.shape[1]
    # Half a frame, so that a frame counts if its middle lies within.
    firsts = np.ceil(np.round(starts_s / FRAME_S - 0.5, 6)).astype(np.int64).clip(0, n_frames)
    ends = np.ceil(np.round(ends_s / FRAME_S - 0.5, 6)).astype(np.int64).clip(0, n_frames)
    sums = np.zeros((n_frames + 1, n_emotions))
    counts = np.zeros(n_frames + 1, np.int64)
    weighted = probabilities * weights[:, None]
    np.add.at(sums, firsts, weighted)
    np.add.at(sums, ends, -weighted)
    np.add.at(counts, firsts, 1)
    np.add.at(counts, ends, -1)
    covered = counts.cumsum()[:n_frames] > 0
    means = np.full((n_frames, n_emotions), 1 / n_emotions)
    of_frames = sums.cumsum(axis=0)[:n_frames][covered].clip(0)
    means[covered] = of_frames / of_frames.sum(axis=1, keepdims=True)
    return means, covered


def speech_shares(
    flags: NDArray[np.bool_],
    flag_s: float,
    starts_s: NDArray[np.float64],
    ends_s: NDArray[np.float64],
) -> NDArray[np.float64]:
    """How much of each window is speech.

    Parameters
    ----------
    flags : bool [n]
        Whether each frame of the speech detector is speech, one every ``flag_s``.
    flag_s : float
        Seconds.
    starts_s, ends_s : float64 [n_windows]
        Of the windows, in seconds.

    Returns
    -------
    float64 [n_windows]
        In [0, 1]; 0 for a window without frames.
    """
    n_speech = np.concatenate([[0], np.cumsum(flags)])
    firsts = np.round(starts_s / flag_s).astype(np.int64).clip(0, len(flags))
    ends = np.round(ends_s / flag_s).astype(np.int64).clip(0, len(flags))
    shares: NDArray[np.float64] = (n_speech[ends] - n_speech[firsts]) / np.maximum(ends - firsts, 1)
    return shares


def at_frames(flags: NDArray[np.bool_], from_frame_s: float, n_frames: int) -> NDArray[np.bool_]:
    """Flags of frames of another length, as flags of the timeline's frames: by their middles.

    Parameters
    ----------
    flags : bool [n]
        One every ``from_frame_s``.
    from_frame_s : float
        Seconds.
    n_frames : int
        Of the timeline.

    Returns
    -------
    bool [n_frames]
    """
    if not len(flags):
        return np.zeros(n_frames, bool)
    middles_s = (np.arange(n_frames) + 0.5) * FRAME_S
    return flags[np.minimum((middles_s / from_frame_s).astype(np.int64), len(flags) - 1)]
