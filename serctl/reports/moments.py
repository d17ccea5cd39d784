"""What to look at: the stretches with the most of an emotion, and recordings by how much they have.

Both read segments files (`serctl.results.segments`). An emotion that a program infers is no
evidence of anything: these are lists of what to listen to.
"""

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from serctl.errors import UsageError
from serctl.results.segments import Segment

# Who ranks by emotion must know it; shown with every list, and in the help.
NOTICE = (
    "A label is a guess about how speech sounds, and no evidence. Inferring emotions at work and in "
    "education is forbidden in the European Union (Regulation 2024/1689, article 5)."
)

# Calls that turn angry are told from others by their angriest half minute better than by the mean,
# which is one of a speaker's habits more than of what changes (docs/long-recordings.md).
PEAK_S = 30.0


@dataclass(frozen=True)
class Moment:
    """A segment, and its probability of the emotion that was asked for.

    Attributes
    ----------
    segment : Segment
        Where it is.
    emotion : str
        Asked for, or the segment's own.
    probability : float
        In [0, 1].
    """

    segment: Segment
    emotion: str
    probability: float


@dataclass(frozen=True)
class Ranked:
    """A recording, and how much of its speech has an emotion.

    Attributes
    ----------
    path : str
        Of the recording.
    channel : int or None
        If its channels were classified by themselves: the one that all of this is of.
    emotion_s, speech_s : float
        Seconds of speech with the emotion, and of all speech in segments.
    peak_probability : float
        Mean of the emotion over the `PEAK_S` of speech with the most of it, in [0, 1].
    mean_probability, highest_probability : float
        Of the emotion: mean over speech, and in the segment with the most, in [0, 1].
    first_s : float or None
        When the first segment with the emotion begins.
    """

    path: str
    channel: int | None
    emotion_s: float
    speech_s: float
    peak_probability: float
    mean_probability: float
    highest_probability: float
    first_s: float | None

    @property
    def share(self) -> float:
        """Share of speech with the emotion, in [0, 1]."""
        return self.emotion_s / self.speech_s if self.speech_s else 0.0


def find_moments(
    segments: Iterable[Segment], emotions: Sequence[str], n_moments: int, emotion: str | None = None
) -> list[Moment]:
    """Segments with the highest probability.

    Parameters
    ----------
    segments : iterable of Segment
        Of any recordings.
    emotions : sequence of str
        In the order of their probabilities.
    n_moments : int
        At most so many.
    emotion : str, optional
        Only segments of this emotion; by default of all.

    Returns
    -------
    list of Moment
        The most probable first; of equal ones, in the order of the file.

    Raises
    ------
    UsageError
        If the emotion is unknown.
    """
    _check(emotion, emotions)
    found = (
        Moment(segment, segment.emotion, segment.confidence)
        for segment in segments
        if segment.confidence is not None and emotion in (None, segment.emotion)
    )
    return heapq.nlargest(n_moments, found, key=lambda moment: moment.probability)


def rank_recordings(
    segments: Iterable[Segment], emotions: Sequence[str], emotion: str, threshold: float = 0.0
) -> list[Ranked]:
    """Recordings by how much of their speech has an emotion.

    Parameters
    ----------
    segments : iterable of Segment
        Of any recordings.
    emotions : sequence of str
        In the order of their probabilities.
    emotion : str
        One of them.
    threshold : float
        Segments of the emotion count from this probability on.

    Returns
    -------
    list of Ranked
        One for each recording that has segments, the highest `Ranked.peak_probability` first; of
        its channels, the one where that is highest.

    Raises
    ------
    UsageError
        If the emotion is unknown.
    """
    _check(emotion, emotions)
    column = list(emotions).index(emotion)
    held: dict[tuple[str, int | None], list[Segment]] = {}
    for segment in segments:
        if segment.probabilities:
            held.setdefault((segment.path, segment.channel), []).append(segment)
    ranked = []
    for (path, channel), of_it in held.items():
        weights = [_speech_s(segment) for segment in of_it]
        shares = [segment.probabilities[column] for segment in of_it]
        counted = [
            segment.emotion == emotion and share >= threshold
            for segment, share in zip(of_it, shares, strict=True)
        ]
        speech_s = sum(weights)
        starts = [s.start_s for s, counts in zip(of_it, counted, strict=True) if counts]
        ranked.append(
            Ranked(
                path,
                channel,
                sum(weight for weight, counts in zip(weights, counted, strict=True) if counts),
                speech_s,
                _peak(shares, weights),
                sum(w * p for w, p in zip(weights, shares, strict=True)) / speech_s,
                max(shares),
                min(starts, default=None),
            )
        )
    best: dict[str, Ranked] = {}
    for one in ranked:
        if one.path not in best or _score(one) > _score(best[one.path]):
            best[one.path] = one
    return sorted(best.values(), key=_score, reverse=True)


def _score(recording: Ranked) -> tuple[float, float]:
    """What recordings are ranked by; of equal ones, by all of their speech."""
    return recording.peak_probability, recording.mean_probability


def _peak(shares: Sequence[float], weights: Sequence[float]) -> float:
    """Mean over the `PEAK_S` of speech with the highest; what is missing to them counts as 0."""
    left_s, total = PEAK_S, 0.0
    for share, seconds in sorted(zip(shares, weights, strict=True), reverse=True):
        total += share * min(seconds, left_s)
        left_s -= min(seconds, left_s)
    return total / PEAK_S


def _speech_s(segment: Segment) -> float:
    return max(segment.speech_s or segment.end_s - segment.start_s, 1e-3)


def _check(emotion: str | None, emotions: Sequence[str]) -> None:
    if emotion is not None and emotion not in emotions:
        raise UsageError(
            f"{emotion}: not an emotion of these segments, which have {', '.join(emotions)}."
        )
