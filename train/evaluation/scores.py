"""Scores: how often a model is right, over all, by emotion, corpus and speaker, and how sure it is.

UA, the unweighted accuracy, is the mean of the emotions' recalls; WA, the weighted one, is the
share of clips that are right; macro F1 is the mean of the emotions' F1. All three are over the
emotions that were acted. A clip without an answer counts as wrong. Nothing here depends on the
order of the clips.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

N_RESAMPLES = 2000
RESAMPLING_SEED = 0
INTERVAL = (0.025, 0.975)  # quantiles: 95%
N_BINS = 15  # of confidence


@dataclass(frozen=True)
class Scores:
    """Scores of one set of clips; every share is in [0, 1].

    Attributes
    ----------
    emotions : tuple of str
        Rows and columns of the confusion matrix.
    n_clips : int
        Scored.
    n_unanswered : int
        Of those, without an answer.
    wa, ua, macro_f1 : float
        Weighted and unweighted accuracy, and the mean of the emotions' F1.
    confusion : list of lists of int [n_emotions][n_emotions]
        Clips by acted emotion (row) and answered emotion (column).
    by_emotion : dict
        Of each acted emotion: ``n_clips``, ``recall``, ``precision`` and ``f1`` (0 if it was never
        answered).
    by_corpus, by_speaker : dict
        Of each corpus and each speaker that is known: ``n_clips``, ``wa`` and ``ua``.
    intervals : dict
        Of ``wa``, ``ua`` and ``macro_f1``: [low, high], 95% of what clips drawn anew would give.
        Clips are drawn as if each stood for itself; those of one speaker are alike, so that for new
        speakers the true interval is wider.
    """

    emotions: tuple[str, ...]
    n_clips: int
    n_unanswered: int
    wa: float
    ua: float
    macro_f1: float
    confusion: list[list[int]]
    by_emotion: dict[str, dict[str, float]]
    by_corpus: dict[str, dict[str, float]]
    by_speaker: dict[str, dict[str, float]] = field(default_factory=dict)
    intervals: dict[str, list[float]] = field(default_factory=dict)


@dataclass(frozen=True)
class Calibration:
    """How well confidence says how often a model is right.

    Attributes
    ----------
    n_clips : int
        With an answer.
    ece : float
        Expected calibration error, in [0, 1]: the gap between confidence and share of right answers
        in bins of confidence, each weighted by its clips.
    brier : float
        Brier score, in [0, 2]: mean over clips of the squared differences between probabilities
        and what was acted (1 for that emotion, 0 for the others), added up. Lower is better.
    brier_uniform : float
        That of a model which gives every emotion the same probability.
    confidence, accuracy : float
        Mean confidence, and share of right answers.
    bins : list of dict
        All bins, of equal width: ``low`` (not in it) and ``high`` (in it), ``n_clips``, and
        ``confidence`` and ``accuracy``, None where there is no clip.
    """

    n_clips: int
    ece: float
    brier: float
    brier_uniform: float
    confidence: float
    accuracy: float
    bins: list[dict[str, float | None]]


def score(
    acted: Sequence[str],
    answered: Sequence[str],
    corpora: Sequence[str],
    emotions: Sequence[str],
    speakers: Sequence[str] = (),
) -> Scores:
    """Score answers.

    Parameters
    ----------
    acted : sequence of str [n]
        The emotion of each clip, one of ``emotions``; at least one clip.
    answered : sequence of str [n]
        What a model heard, one of ``emotions``, or empty for no answer.
    corpora : sequence of str [n]
        The corpus of each clip; empty where it is not known.
    emotions : sequence of str
        In the order of the matrix. UA and macro F1 are over those that were acted.
    speakers : sequence of str [n], optional
        The speaker of each clip; empty where it is not known.

    Returns
    -------
    Scores
    """
    confusion = np.zeros((len(emotions), len(emotions) + 1), np.int64)  # last column: no answer
    column = {emotion: i for i, emotion in enumerate(emotions)} | {"": len(emotions)}
    for truth, answer in zip(acted, answered, strict=True):
        confusion[column[truth], column[answer]] += 1
    measured = _measures(confusion)
    return Scores(
        emotions=tuple(emotions),
        n_clips=len(acted),
        n_unanswered=int(confusion[:, -1].sum()),
        wa=float(measured["wa"]),
        ua=float(measured["ua"]),
        macro_f1=float(measured["macro_f1"]),
        confusion=confusion[:, :-1].tolist(),
        by_emotion=_by_emotion(confusion, emotions),
        by_corpus=_by_group(acted, answered, corpora),
        by_speaker=_by_group(acted, answered, speakers) if len(speakers) else {},
        intervals=_intervals(confusion),
    )


def calibration(
    probabilities: NDArray[np.floating], acted: Sequence[str], emotions: Sequence[str]
) -> Calibration:
    """Compare probabilities with what was acted.

    Parameters
    ----------
    probabilities : float [n, n_emotions]
        Of clips that got an answer; at least one. Each row adds up to 1.
    acted : sequence of str [n]
        The emotion of each clip, one of ``emotions``.
    emotions : sequence of str
        In the order of the columns.

    Returns
    -------
    Calibration
        With `N_BINS` bins (Guo et al., "On Calibration of Modern Neural Networks", 2017).
    """
    truth = np.array([list(emotions).index(emotion) for emotion in acted])
    given = np.asarray(probabilities, np.float64)
    confidence = given.max(axis=1)
    right = (given.argmax(axis=1) == truth).astype(np.float64)
    edges = np.linspace(0, 1, N_BINS + 1)
    members = np.searchsorted(edges[1:-1], confidence)  # of the bin low < confidence <= high
    n_in = np.bincount(members, minlength=N_BINS)
    sums = [np.bincount(members, values, minlength=N_BINS) for values in (confidence, right)]
    bins: list[dict[str, float | None]] = [
        {
            "low": float(edges[i]),
            "high": float(edges[i + 1]),
            "n_clips": int(n),
            "confidence": float(sums[0][i] / n) if n else None,
            "accuracy": float(sums[1][i] / n) if n else None,
        }
        for i, n in enumerate(n_in)
    ]
    n_emotions = len(emotions)
    return Calibration(
        n_clips=len(truth),
        ece=float(np.abs(sums[0] - sums[1]).sum() / len(truth)),
        brier=float(np.square(given - np.eye(n_emotions)[truth]).sum(axis=1).mean()),
        brier_uniform=1 - 1 / n_emotions,
        confidence=float(confidence.mean()),
        accuracy=float(right.mean()),
        bins=bins,
    )


def _measures(confusion: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
    """WA, UA and macro F1 [...] of matrices [..., n_emotions, n_emotions + 1], last no answer."""
    right, n_acted, n_answered = _counts(confusion)
    was_acted = n_acted > 0
    n_emotions = was_acted.sum(axis=-1)
    recall = right / np.maximum(n_acted, 1)
    f1 = 2 * right / np.maximum(n_acted + n_answered, 1)
    return {
        "wa": right.sum(axis=-1) / n_acted.sum(axis=-1),
        "ua": recall.sum(axis=-1) / n_emotions,
        "macro_f1": f1.sum(axis=-1) / n_emotions,  # 0 for what was never acted
    }


def _counts(confusion: NDArray[np.int64]) -> tuple[NDArray[np.int64], ...]:
    """Clips that are right, acted and answered, each [..., n_emotions]."""
    answers = confusion[..., :-1]
    right = np.diagonal(answers, axis1=-2, axis2=-1)
    return right, confusion.sum(axis=-1), answers.sum(axis=-2)


def _by_emotion(
    confusion: NDArray[np.int64], emotions: Sequence[str]
) -> dict[str, dict[str, float]]:
    return {
        emotion: {
            "n_clips": int(n_acted),
            "recall": float(right / n_acted),
            "precision": float(right / max(n_answered, 1)),
            "f1": float(2 * right / (n_acted + n_answered)),
        }
        for emotion, right, n_acted, n_answered in zip(emotions, *_counts(confusion), strict=True)
        if n_acted
    }


def _by_group(
    acted: Sequence[str], answered: Sequence[str], groups: Sequence[str]
) -> dict[str, dict[str, float]]:
    """Clips, WA and UA of each group that has a name, in the order of their first clips."""
    right: dict[str, dict[str, list[bool]]] = {}
    for truth, answer, group in zip(acted, answered, groups, strict=True):
        if group:
            right.setdefault(group, {}).setdefault(truth, []).append(truth == answer)
    return {
        group: {
            "n_clips": sum(map(len, emotions.values())),
            "wa": float(np.mean([one for ones in emotions.values() for one in ones])),
            "ua": float(np.mean([np.mean(ones) for ones in emotions.values()])),
        }
        for group, emotions in right.items()
    }


def _intervals(confusion: NDArray[np.int64]) -> dict[str, list[float]]:
    """95% of what clips drawn anew, with replacement, give: the percentile bootstrap.

    The measures know a clip by its cell of the matrix alone, so that drawing clips is drawing from
    one multinomial distribution over cells.
    """
    n_clips = int(confusion.sum())
    draw = np.random.default_rng(RESAMPLING_SEED).multinomial
    drawn = draw(n_clips, confusion.ravel() / n_clips, size=N_RESAMPLES)
    measured = _measures(drawn.reshape(N_RESAMPLES, *confusion.shape))
    return {name: np.quantile(values, INTERVAL).tolist() for name, values in measured.items()}
