"""Intervals of scores over speakers, beside those over clips, and of each emotion's recall.

Clips of one speaker are alike: what would other speakers of the same kind give? An interval over
speakers says so, if every clip's speaker is known. `cautions` says in words what makes scores mean
less than they seem to.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from serctl.text import count, printable
from serctl.train.evaluation.scores import count_clips, counts_of, measure
from serctl.train.evaluation.statistics.speakers import LEVEL, score_interval, share_interval

MIN_CLIPS = 20  # of an emotion, for its recall to say something
MAX_SHARE = 0.2  # of the clips that one speaker may have
MAX_NAMED = 5
NORMAL_QUANTILE = NormalDist().inv_cdf((1 + LEVEL) / 2)


@dataclass(frozen=True)
class ScoreIntervals:
    """95% intervals, each [low, high] in [0, 1], or None if it cannot be known.

    Attributes
    ----------
    n_speakers : int
        0 if the speaker of any clip is not known.
    speakers : dict
        Of ``wa``, ``ua`` and ``macro_f1``, over speakers; empty if speakers are not known.
    recall_clips, recall_speakers : dict
        Of each reference emotion's recall, over clips and over speakers; the last empty if speakers
        are not known.
    """

    n_speakers: int
    speakers: dict[str, list[float] | None] = field(default_factory=dict)
    recall_clips: dict[str, list[float]] = field(default_factory=dict)
    recall_speakers: dict[str, list[float] | None] = field(default_factory=dict)


def intervals_of(
    references: Sequence[str],
    predictions: Sequence[str],
    speakers: Sequence[str],
    emotions: Sequence[str],
) -> ScoreIntervals:
    """Intervals of scores.

    Parameters
    ----------
    references, predictions, emotions : sequence of str
        As `serctl.train.evaluation.scores.score` takes them.
    speakers : sequence of str [n]
        The speaker of each clip; empty where it is not known.

    Returns
    -------
    ScoreIntervals
    """
    names = sorted(set(speakers))
    known = all(names) and bool(names)
    table = count_clips(references, predictions, emotions, speakers if known else ())
    whole = table.sum(axis=0)
    right, n_references, _ = counts_of(whole)
    present = [i for i, n in enumerate(n_references) if n]
    recall_clips = {
        emotions[i]: score_interval(right[i] / n_references[i], n_references[i], NORMAL_QUANTILE)
        for i in present
    }
    if not known:
        return ScoreIntervals(0, recall_clips=recall_clips)
    without = whole - table
    n_clips = table.sum(axis=(1, 2))
    measured = measures_without(without, whole)
    recall = recalls_without(without)
    return ScoreIntervals(
        n_speakers=len(names),
        speakers={
            name: share_interval(float(value), measured[name], n_clips)
            for name, value in measure(whole).items()
        },
        recall_clips=recall_clips,
        recall_speakers={
            emotions[i]: share_interval(
                right[i] / n_references[i], recall[:, i], table[:, i].sum(axis=1)
            )
            for i in present
        },
    )


def measures_without(
    without: NDArray[np.int64], whole: NDArray[np.int64]
) -> dict[str, NDArray[np.float64]]:
    """WA, UA and macro F1 without each speaker.

    Parameters
    ----------
    without : int [n_speakers, n_emotions, n_emotions + 1]
        Clips of all other speakers, as `serctl.train.evaluation.scores.count_clips` counts them.
    whole : int [n_emotions, n_emotions + 1]
        Of all.

    Returns
    -------
    dict of float [n_speakers]
        UA and macro F1 are NaN where a speaker alone has all clips of an emotion, since they would
        be means over fewer emotions.
    """
    n_left = without.sum(axis=-1)
    lacks = ((n_left == 0) & (whole.sum(axis=-1) > 0)).any(axis=-1)
    is_empty = n_left.sum(axis=-1) == 0  # without the only speaker
    measured = measure(np.where(is_empty[:, None, None], whole, without))
    return {
        name: np.where(is_empty if name == "wa" else lacks, np.nan, values)
        for name, values in measured.items()
    }


def recalls_without(without: NDArray[np.int64]) -> NDArray[np.float64]:
    """Recalls [n_speakers, n_emotions] without each speaker; NaN where no clip is left."""
    right, n_references, _ = counts_of(without)
    return np.where(n_references > 0, right / np.maximum(n_references, 1), np.nan)


def cautions(references: Sequence[str], speakers: Sequence[str]) -> list[str]:
    """What makes scores of some clips mean less, in words.

    Parameters
    ----------
    references, speakers : sequence of str [n]
        Emotion and speaker of each clip; the last empty where it is not known.

    Returns
    -------
    list of str
        Of emotions with fewer than `MIN_CLIPS` clips, speakers with more than `MAX_SHARE` of all
        clips, emotions of one speaker alone, and clips without a speaker beside others with one.
    """
    said = []
    few = {one: n for one, n in Counter(references).items() if n < MIN_CLIPS}
    if few:
        listed = ", ".join(f"{emotion} ({n})" for emotion, n in few.items())
        said.append(
            f"Fewer than {MIN_CLIPS} clips of {listed}: the recall of so few says little. "
            "Label more."
        )
    n_unknown = sum(not speaker for speaker in speakers)
    if n_unknown == len(speakers):
        return said
    if n_unknown:
        said.append(
            f"{count(n_unknown, 'clip')} without a speaker: there are no intervals over speakers. "
            "Give the speaker of every clip."
        )
        return said
    heavy = {one: n for one, n in Counter(speakers).most_common() if n > MAX_SHARE * len(speakers)}
    if heavy:
        listed = _listed([f"{one} ({n / len(speakers):.0%})" for one, n in heavy.items()])
        said.append(
            f"More than a fifth of all clips are of one speaker: {listed}. The scores depend "
            "much on that voice."
        )
    spoken: dict[str, set[str]] = {}
    for emotion, speaker in zip(references, speakers, strict=True):
        spoken.setdefault(emotion, set()).add(speaker)
    alone = [f"{one} ({next(iter(who))})" for one, who in spoken.items() if len(who) == 1]
    if alone:
        said.append(
            f"Of one speaker alone: {_listed(alone)}. What other speakers would give cannot be "
            "known, so UA and macro F1 have no interval over speakers."
        )
    return said


def _listed(items: Sequence[str]) -> str:
    more = f" and {len(items) - MAX_NAMED} more" if len(items) > MAX_NAMED else ""
    return printable(", ".join(items[:MAX_NAMED]) + more)
