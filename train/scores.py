"""Scores: how often a model is right, over all, by emotion and by corpus.

UA, the unweighted accuracy, is the mean of the emotions' recalls; WA, the weighted one, is the
share of clips that are right. A clip without an answer counts as wrong.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


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
    wa, ua : float
        Weighted and unweighted accuracy.
    confusion : list of lists of int [n_emotions][n_emotions]
        Clips by acted emotion (row) and answered emotion (column).
    by_emotion : dict
        Of each acted emotion: ``n_clips``, ``recall``, and ``precision`` (0 if never answered).
    by_corpus : dict
        Of each corpus: ``n_clips``, ``wa`` and ``ua``.
    """

    emotions: tuple[str, ...]
    n_clips: int
    n_unanswered: int
    wa: float
    ua: float
    confusion: list[list[int]]
    by_emotion: dict[str, dict[str, float]]
    by_corpus: dict[str, dict[str, float]]


def score(
    acted: Sequence[str],
    answered: Sequence[str],
    corpora: Sequence[str],
    emotions: Sequence[str],
) -> Scores:
    """Score answers.

    Parameters
    ----------
    acted : sequence of str [n]
        The emotion of each clip, one of ``emotions``; at least one clip.
    answered : sequence of str [n]
        What a model heard, one of ``emotions``, or empty for no answer.
    corpora : sequence of str [n]
        The corpus of each clip.
    emotions : sequence of str
        In the order of the matrix. UA is over those that were acted.

    Returns
    -------
    Scores
    """
    confusion = np.zeros((len(emotions), len(emotions) + 1), np.int64)  # last column: no answer
    column = {emotion: i for i, emotion in enumerate(emotions)} | {"": len(emotions)}
    for truth, answer in zip(acted, answered, strict=True):
        confusion[column[truth], column[answer]] += 1
    right = confusion.diagonal()
    n_acted, n_answered = confusion.sum(axis=1), confusion[:, :-1].sum(axis=0)
    by_emotion = {
        emotion: {
            "n_clips": int(n_acted[i]),
            "recall": float(right[i] / n_acted[i]),
            "precision": float(right[i] / max(n_answered[i], 1)),
        }
        for i, emotion in enumerate(emotions)
        if n_acted[i]
    }
    return Scores(
        emotions=tuple(emotions),
        n_clips=len(acted),
        n_unanswered=int(confusion[:, -1].sum()),
        wa=float(right.sum() / len(acted)),
        ua=float(np.mean([one["recall"] for one in by_emotion.values()])),
        confusion=confusion[:, :-1].tolist(),
        by_emotion=by_emotion,
        by_corpus=_by_corpus(acted, answered, corpora),
    )


def _by_corpus(
    acted: Sequence[str], answered: Sequence[str], corpora: Sequence[str]
) -> dict[str, dict[str, float]]:
    """Clips, WA and UA of each corpus, in the order of their first clips."""
    right: dict[str, dict[str, list[bool]]] = {}
    for truth, answer, corpus in zip(acted, answered, corpora, strict=True):
        right.setdefault(corpus, {}).setdefault(truth, []).append(truth == answer)
    return {
        corpus: {
            "n_clips": sum(map(len, emotions.values())),
            "wa": float(np.mean([one for ones in emotions.values() for one in ones])),
            "ua": float(np.mean([np.mean(ones) for ones in emotions.values()])),
        }
        for corpus, emotions in right.items()
    }
