"""Paired comparisons: two models on the same clips.

Their difference in UA has an interval and a p value over speakers, where every clip's speaker is
known, by the same jackknife and Student's t as `serctl.train.evaluation.statistics.speakers`; and
over clips, as if each stood for itself. McNemar's exact test looks at the clips that one of both got
right, and so at WA. A clip without a prediction counts as wrong.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import scipy.stats
from numpy.typing import NDArray

from serctl.train.evaluation.statistics.speakers import (
    LEVEL,
    effective_speakers,
    jackknife_variance,
    student_quantile,
)

ROUNDING = 1e-12  # a standard error below it is none
Estimate = tuple[list[float] | None, float | None]  # interval and p value


@dataclass(frozen=True)
class Difference:
    """What a second model gains over a first one, on the same clips.

    Attributes
    ----------
    first, second : str
        Names of the models.
    ua : float
        UA of the second less that of the first, in [-1, 1].
    clips, speakers : list of float, or None
        95% intervals [low, high] over clips and over speakers; None if it cannot be known.
    p_clips, p_speakers : float or None
        Of no difference in UA, over clips and over speakers.
    only_first, only_second : int
        Clips that one of both alone got right.
    p_mcnemar : float
        Of no difference in WA, over clips.
    """

    first: str
    second: str
    ua: float
    clips: list[float] | None
    p_clips: float | None
    speakers: list[float] | None
    p_speakers: float | None
    only_first: int
    only_second: int
    p_mcnemar: float


def compare(
    names: tuple[str, str],
    references: Sequence[str],
    predictions: tuple[Sequence[str], Sequence[str]],
    speakers: Sequence[str],
) -> Difference:
    """Compare the predictions of two models for the same clips.

    Parameters
    ----------
    names : tuple of str
        Of the models.
    references : sequence of str [n]
        Emotion of each clip; at least one.
    predictions : tuple of two sequences of str [n]
        Of each model; empty without a prediction.
    speakers : sequence of str [n]
        The speaker of each clip; empty where it is not known.

    Returns
    -------
    Difference
    """
    truth = np.array(references)
    first, second = (np.array(one) == truth for one in predictions)
    gain = second.astype(np.int64) - first
    emotion = np.unique(truth, return_inverse=True)[1]
    ua = float(_mean_over_emotions(_sums(emotion, gain), _sums(emotion)))
    interval, p_clips = _over_clips(emotion, gain, ua)
    over_speakers, p_speakers = _over_speakers(emotion, gain, ua, speakers)
    only_first, only_second = int((gain < 0).sum()), int((gain > 0).sum())
    n_differ = only_first + only_second
    p_mcnemar = scipy.stats.binomtest(only_second, n_differ).pvalue if n_differ else 1.0
    return Difference(
        *names,
        ua=ua,
        clips=interval,
        p_clips=p_clips,
        speakers=over_speakers,
        p_speakers=p_speakers,
        only_first=only_first,
        only_second=only_second,
        p_mcnemar=float(p_mcnemar),
    )


def _over_clips(emotion: NDArray[np.int64], gain: NDArray[np.int64], ua: float) -> Estimate:
    """Interval and p value of a mean over emotions, each a stratum of independent clips."""
    n_clips, sums = _sums(emotion), _sums(emotion, gain)
    variances = _sums(emotion, gain**2) / n_clips - (sums / n_clips) ** 2
    error = float(np.sqrt(variances.clip(0) @ (1 / n_clips)) / len(n_clips))
    if error < ROUNDING:
        return _without_error(ua)
    reach = NormalDist().inv_cdf((1 + LEVEL) / 2) * error
    return _bounded(ua, reach), 2 * NormalDist().cdf(-abs(ua) / error)


def _over_speakers(
    emotion: NDArray[np.int64], gain: NDArray[np.int64], ua: float, speakers: Sequence[str]
) -> Estimate:
    """Interval and p value by the jackknife over speakers, or twice None."""
    if len(set(speakers)) < 2 or not all(speakers):
        return None, None
    speaker = np.unique(np.array(speakers), return_inverse=True)[1]
    cell = speaker * (emotion.max() + 1) + emotion
    shape = (speaker.max() + 1, emotion.max() + 1)
    n_cells = shape[0] * shape[1]
    n_clips, sums = (_sums(cell, one, n_cells).reshape(shape) for one in (None, gain))
    n_without = n_clips.sum(axis=0) - n_clips
    if not n_without.all():  # a speaker alone has all clips of an emotion
        return None, None
    without = _mean_over_emotions(sums.sum(axis=0) - sums, n_without)
    error = float(np.sqrt(jackknife_variance(without, ua)))
    if error < ROUNDING:
        return _without_error(ua)
    n_effective = effective_speakers(n_clips.sum(axis=1))
    p = 2 * scipy.stats.t.sf(abs(ua) / error, max(n_effective - 1, 1))
    return _bounded(ua, student_quantile(n_effective) * error), float(p)


def _without_error(ua: float) -> Estimate:
    """No difference anywhere is known; one that is the same everywhere has no error to judge it by."""
    return ([0.0, 0.0], 1.0) if abs(ua) < ROUNDING else (None, None)


def _sums(
    group: NDArray[np.int64], values: NDArray[np.int64] | None = None, n_groups: int = 0
) -> NDArray[np.float64]:
    """Sum of the values of each group, or the number of its members."""
    return np.bincount(group, values, n_groups).astype(np.float64)


def _mean_over_emotions(
    sums: NDArray[np.float64], n_clips: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Mean over the last axis of the means of emotions."""
    means: NDArray[np.float64] = (sums / n_clips).mean(axis=-1)
    return means


def _bounded(ua: float, reach: float) -> list[float]:
    return [max(ua - reach, -1.0), min(ua + reach, 1.0)]
