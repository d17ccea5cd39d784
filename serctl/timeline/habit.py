"""Emotion against a speaker's habit: what all windows of one speaker have in common is taken off.

A voice that is always somewhat loud or flat, or a telephone, moves all of its probabilities the same
way. Half of the mean logit of a speaker's windows is therefore taken off each. But the mean holds
the speaker's emotions too: of somebody who is neutral all along, it is "neutral". So nothing is taken
off where one emotion prevails, as in `serctl.models.voices`:

    z = x - n / (n + 4) c mean(x) / 2,    c = 1 - clip((max(p) - 0.3) / 0.2, 0, 1)

with x the logits of a window, p the mean probabilities of all windows of the speaker, and n the
number of windows that do not overlap. Chosen on calls of validation speakers
(docs/long-recordings.md).
"""

import numpy as np
from numpy.typing import NDArray

AMOUNT = 0.5
LOW_SHARE, HIGH_SHARE = 0.3, 0.5  # of the most probable emotion: below wholly, above not at all
SHRINKAGE = 4.0
MIN_PROBABILITY = 1e-6  # so that one window cannot outweigh all others


def without_habit(
    probabilities: NDArray[np.float64], starts_s: NDArray[np.float64], ends_s: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Probabilities of one speaker's windows without what they have in common.

    Parameters
    ----------
    probabilities : float64 [n_windows, n_emotions]
        In [0, 1]; each row adds up to 1.
    starts_s, ends_s : float64 [n_windows]
        Of the windows, in seconds; they may overlap, and stand in any order.

    Returns
    -------
    float64 [n_windows, n_emotions]
        In [0, 1]; each row adds up to 1.
    """
    if not len(probabilities):
        return probabilities
    weights = ends_s - starts_s
    largest = np.average(probabilities, axis=0, weights=weights).max()
    evenness = 1 - np.clip((largest - LOW_SHARE) / (HIGH_SHARE - LOW_SHARE), 0, 1)
    logits = np.log(np.maximum(probabilities, MIN_PROBABILITY))
    n_apart = _covered_s(starts_s, ends_s) / weights.mean()
    amount = AMOUNT * evenness * n_apart / (n_apart + SHRINKAGE)
    logits -= amount * np.average(logits, axis=0, weights=weights)
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    found: NDArray[np.float64] = shares / shares.sum(axis=1, keepdims=True)
    return found


def _covered_s(starts_s: NDArray[np.float64], ends_s: NDArray[np.float64]) -> float:
    """Seconds that windows cover; what several cover counts once."""
    order = np.argsort(starts_s, kind="stable")
    starts_s, ends_s = starts_s[order], np.maximum.accumulate(ends_s[order])
    before_s = np.concatenate([starts_s[:1], ends_s[:-1]])
    return float(np.maximum(ends_s - np.maximum(starts_s, before_s), 0).sum())
