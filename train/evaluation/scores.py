"""Scores: how often a model is right, over all, by emotion, corpus and speaker, and how sure it is.

UA, the unweighted accuracy, is the mean of the emotions' recalls; WA, the weighted one, is the
share of clips that are right; macro F1 is the mean of the emotions' F1. All three are over the
emotions that are among the references. A clip without a prediction counts as wrong. Nothing here
depends on the order of the clips.
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
    n_without_prediction : int
        Of those, without a prediction.
    wa, ua, macro_f1 : float
        Weighted and unweighted accuracy, and the mean of the emotions' F1.
    confusion : list of lists of int [n_emotions][n_emotions]
        Clips by reference (row) and predicted emotion (column).
    by_emotion : dict
        Of each reference emotion: ``n_clips``, ``recall``, ``precision`` and ``f1`` (0 if it is never
        predicted).
    by_corpus, by_speaker : dict
        Of each corpus and each speaker that is known: ``n_clips``, ``wa`` and ``ua``.
    intervals : dict
        Of ``wa``, ``ua`` and ``macro_f1``: [low, high], 95% of what clips drawn anew would give.
        Clips are drawn as if each stood for itself; those of one speaker are alike, so that for new
        speakers the true interval is wider.
    """

    emotions: tuple[str, ...]
    n_clips: int
    n_without_prediction: int
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
        With a prediction.
    ece : float
        Expected calibration error, in [0, 1]: the gap between confidence and accuracy
        in bins of confidence, each weighted by its clips.
    brier : float
        Brier score, in [0, 2]: mean over clips of the squared differences between probabilities
        and the reference (1 for that emotion, 0 for the others), added up. Lower is better.
    brier_uniform : float
        That of a model which gives every emotion the same probability.
    confidence, accuracy : float
        Mean confidence, and accuracy.
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
    references: Sequence[str],
    predictions: Sequence[str],
    corpora: Sequence[str],
    emotions: Sequence[str],
    speakers: Sequence[str] = (),
) -> Scores:
    """Score predictions against references.

    Parameters
    ----------
    references : sequence of str [n]
        The emotion of each clip, one of ``emotions``; at least one clip.
    predictions : sequence of str [n]
        What a model predicts, one of ``emotions``, or empty without a prediction.
    corpora : sequence of str [n]
        The corpus of each clip; empty where it is not known.
    emotions : sequence of str
        In the order of the matrix. UA and macro F1 are over those among the references.
    speakers : sequence of str [n], optional
        The speaker of each clip; empty where it is not known.

    Returns
    -------
    Scores
    """
    confusion = count_clips(references, predictions, emotions)[0]
    measured = measure(confusion)
    return Scores(
        emotions=tuple(emotions),
        n_clips=len(references),
        n_without_prediction=int(confusion[:, -1].sum()),
        wa=float(measured["wa"]),
        ua=float(measured["ua"]),
        macro_f1=float(measured["macro_f1"]),
        confusion=confusion[:, :-1].tolist(),
        by_emotion=_by_emotion(confusion, emotions),
        by_corpus=_by_group(references, predictions, corpora),
        by_speaker=_by_group(references, predictions, speakers) if len(speakers) else {},
        intervals=_intervals(confusion),
    )


def count_clips(
    references: Sequence[str],
    predictions: Sequence[str],
    emotions: Sequence[str],
    groups: Sequence[str] = (),
) -> NDArray[np.int64]:
    """Count clips by group, reference and prediction.

    Parameters
    ----------
    references, predictions : sequence of str [n]
        As `score` takes them.
    emotions : sequence of str
        In the order of the matrices.
    groups : sequence of str [n], optional
        Such as speakers.

    Returns
    -------
    int64 [n_groups, n_emotions, n_emotions + 1]
        Groups in the order of their names, one if there are none; the last column counts clips
        without a prediction.
    """
    names = sorted(set(groups))
    row = {name: i for i, name in enumerate(names)}
    column = {emotion: i for i, emotion in enumerate(emotions)} | {"": len(emotions)}
    counts = np.zeros((max(len(names), 1), len(emotions), len(emotions) + 1), np.int64)
    which = [row[group] for group in groups] or [0] * len(references)
    cells = zip(which, references, predictions, strict=True)
    at = np.array([(i, column[a], column[b]) for i, a, b in cells]).reshape(-1, 3)
    np.add.at(counts, tuple(at.T), 1)
    return counts


def calibration(
    probabilities: NDArray[np.floating], references: Sequence[str], emotions: Sequence[str]
) -> Calibration:
    """Compare probabilities with references.

    Parameters
    ----------
    probabilities : float [n, n_emotions]
        Of clips with a prediction; at least one. Each row adds up to 1.
    references : sequence of str [n]
        The emotion of each clip, one of ``emotions``.
    emotions : sequence of str
        In the order of the columns.

    Returns
    -------
    Calibration
        With `N_BINS` bins (Guo et al., "On Calibration of Modern Neural Networks", 2017).
    """
    truth = np.array([list(emotions).index(emotion) for emotion in references])
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


def measure(confusion: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
    """WA, UA and macro F1 of confusion matrices.

    Parameters
    ----------
    confusion : int [..., n_emotions, n_emotions + 1]
        As `count_clips` counts; at least one clip in each.

    Returns
    -------
    dict of float [...]
        ``wa``, ``ua`` and ``macro_f1``.
    """
    right, n_references, n_predictions = counts_of(confusion)
    has_reference = n_references > 0
    n_emotions = has_reference.sum(axis=-1)
    recall = right / np.maximum(n_references, 1)
    f1 = 2 * right / np.maximum(n_references + n_predictions, 1)
    return {
        "wa": right.sum(axis=-1) / n_references.sum(axis=-1),
        "ua": recall.sum(axis=-1) / n_emotions,
        "macro_f1": f1.sum(axis=-1) / n_emotions,  # 0 for an emotion without a reference
    }


def counts_of(confusion: NDArray[np.int64]) -> tuple[NDArray[np.int64], ...]:
    """Right predictions, references and predictions of each emotion, each [..., n_emotions]."""
    predicted = confusion[..., :-1]
    right = np.diagonal(predicted, axis1=-2, axis2=-1)
    return right, confusion.sum(axis=-1), predicted.sum(axis=-2)


def _by_emotion(
    confusion: NDArray[np.int64], emotions: Sequence[str]
) -> dict[str, dict[str, float]]:
    return {
        emotion: {
            "n_clips": int(n_references),
            "recall": float(right / n_references),
            "precision": float(right / max(n_predictions, 1)),
            "f1": float(2 * right / (n_references + n_predictions)),
        }
        for emotion, right, n_references, n_predictions in zip(
            emotions, *counts_of(confusion), strict=True
        )
        if n_references
    }


def _by_group(
    references: Sequence[str], predictions: Sequence[str], groups: Sequence[str]
) -> dict[str, dict[str, float]]:
    """Clips, WA and UA of each group that has a name, in the order of their first clips."""
    right: dict[str, dict[str, list[bool]]] = {}
    for reference, prediction, group in zip(references, predictions, groups, strict=True):
        if group:
            of_group = right.setdefault(group, {})
            of_group.setdefault(reference, []).append(reference == prediction)
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
    measured = measure(drawn.reshape(N_RESAMPLES, *confusion.shape))
    return {name: np.quantile(values, INTERVAL).tolist() for name, values in measured.items()}
