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
    n_frames: int,
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Mean over the windows that cover each frame.

    Parameters
    ----------
    probabilities : float64 [n_windows, n_emotions]
        Of the windows that hold speech, in [0, 1].
    starts_s, ends_s : float64 [n_windows]
        Of the windows, in seconds.
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
    np.add.at(sums, firsts, probabilities)
    np.add.at(sums, ends, -probabilities)
    np.add.at(counts, firsts, 1)
    np.add.at(counts, ends, -1)
    counts = counts.cumsum()[:n_frames]
    covered = counts > 0
    means = np.full((n_frames, n_emotions), 1 / n_emotions)
    means[covered] = sums.cumsum(axis=0)[:n_frames][covered].clip(0) / counts[covered, None]
    return means, covered


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
