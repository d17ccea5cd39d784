"""Segments: stretches of a recording with one emotion, from the probabilities of its windows.

`timeline_of` averages the windows over frames of 0.1 s and smooths them. `find_segments` joins speech
of one emotion across pauses of up to `MAX_PAUSE_S`. Whatever is shorter than the shortest segment is
left out: half of such stretches are wrong. Parameters are in `TimelineSpec`; their defaults were
chosen on validation recordings (docs/long-recordings.md).
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from serctl.audio import speech
from serctl.models.extraction import Extraction
from serctl.results.segments import Segment
from serctl.timeline.frames import FRAME_S, at_frames, frame_probabilities, speech_shares
from serctl.timeline.smoothing import CHANGE_COST_NATS, moving_mean, smooth
from serctl.timing import SMOOTHING, Timer

MAX_PAUSE_S = 8.0
MIN_SEGMENT_S = 8.0
LEAST_SHARE = 0.02  # of speech in a window
NO_EMOTION = -1


@dataclass(frozen=True)
class TimelineSpec:
    """How segments are made of windows.

    Attributes
    ----------
    min_segment_s : float
        Shorter segments are left out.
    max_pause_s : float
        A pause that is longer ends a segment.
    change_cost_nats : float
        Of `serctl.timeline.smoothing.smooth`.
    mean_s : float
        Probabilities are averaged over so many seconds before; 0 for not at all.
    """

    min_segment_s: float = MIN_SEGMENT_S
    max_pause_s: float = MAX_PAUSE_S
    change_cost_nats: float = CHANGE_COST_NATS
    mean_s: float = 0.0


@dataclass(frozen=True)
class Stretch:
    """One segment, before it has a path.

    Attributes
    ----------
    start_s, end_s : float
        Of its first and after its last speech, in seconds.
    speech_s : float
        Seconds of speech in it.
    emotion : int
        Index of its emotion.
    probabilities : tuple of float
        Mean over its speech, in [0, 1].
    """

    start_s: float
    end_s: float
    speech_s: float
    emotion: int
    probabilities: tuple[float, ...]


@dataclass(frozen=True)
class Timeline:
    """The frames of a recording, `FRAME_S` each.

    Attributes
    ----------
    probabilities : float64 [n_frames, n_emotions]
        Mean over the windows that cover each frame, weighted by the square of their shares of
        speech.
    speech : bool [n_frames]
        Whether somebody speaks, and a window that holds speech covers the frame.
    emotions : int64 [n_frames]
        Index of the emotion after smoothing; `NO_EMOTION` where nobody speaks.
    """

    probabilities: NDArray[np.float64]
    speech: NDArray[np.bool_]
    emotions: NDArray[np.int64]


def timeline_of(
    probabilities: NDArray[np.float64],
    starts_s: NDArray[np.float64],
    ends_s: NDArray[np.float64],
    speech: tuple[NDArray[np.bool_], float],
    spec: TimelineSpec,
) -> Timeline:
    """Timeline of a recording.

    Parameters
    ----------
    probabilities : float64 [n_windows, n_emotions]
        Of the windows that hold speech.
    starts_s, ends_s : float64 [n_windows]
        When they begin and end.
    speech : bool [n] and float
        Whether each frame of the speech detector is speech, and seconds a frame.
    spec : TimelineSpec
        Parameters.
    """
    flags, flag_s = speech
    ends = [len(flags) * flag_s, *ends_s[-1:]] if len(ends_s) else [len(flags) * flag_s]
    n_frames = math.ceil(round(min(ends) / FRAME_S - 0.5, 6))  # those whose middle is in it
    # A window that is half pause says less, and is wrong more often.
    weights = np.square(np.maximum(speech_shares(flags, flag_s, starts_s, ends_s), LEAST_SHARE))
    means, covered = frame_probabilities(probabilities, starts_s, ends_s, weights, n_frames)
    counted = at_frames(flags, flag_s, n_frames) & covered
    if spec.mean_s:
        means = moving_mean(means, counted, max(round(spec.mean_s / FRAME_S), 1))
    emotions = smooth(means, counted, spec.change_cost_nats)
    return Timeline(means, counted, np.where(counted, emotions, NO_EMOTION))


def find_segments(timeline: Timeline, spec: TimelineSpec) -> list[Stretch]:
    """Segments of a timeline, in the order of time; they do not overlap."""
    found = []
    for first, end in _runs(timeline, round(spec.max_pause_s / FRAME_S)):
        if (end - first) * FRAME_S < spec.min_segment_s - FRAME_S / 2:
            continue
        speech = timeline.speech[first:end]
        found.append(
            Stretch(
                start_s=round(first * FRAME_S, 3),
                end_s=round(end * FRAME_S, 3),
                speech_s=round(int(speech.sum()) * FRAME_S, 3),
                emotion=int(timeline.emotions[first]),
                probabilities=tuple(
                    timeline.probabilities[first:end][speech].mean(axis=0).tolist()
                ),
            )
        )
    return found


def segments_of(
    extraction: Extraction,
    probabilities: NDArray[np.float64],
    emotions: Sequence[str],
    rate_hz: int,
    spec: TimelineSpec,
) -> list[Segment]:
    """Segments of one recording.

    Parameters
    ----------
    extraction : Extraction
        Of a recording, once all of it is classified.
    probabilities : float64 [n_windows, n_emotions]
        Of all of its windows.
    emotions : sequence of str
        Names, in the order of the probabilities.
    rate_hz : int
        Of the model, in which windows are counted.
    spec : TimelineSpec
        Parameters.
    """
    with Timer(SMOOTHING):
        starts_s, ends_s = _times_of(extraction, rate_hz)
        if extraction.speech is not None:
            flags = (extraction.speech, speech.FRAME_S)
        else:
            n_frames = math.ceil(ends_s.max(initial=0) / FRAME_S)
            flags = (np.ones(n_frames, np.bool_), FRAME_S)
        timeline = timeline_of(probabilities, starts_s, ends_s, flags, spec)
        return [
            Segment(
                extraction.path,
                extraction.channel,
                "",
                found.start_s,
                found.end_s,
                None if extraction.speech is None else found.speech_s,
                emotions[found.emotion],
                found.probabilities[found.emotion],
                found.probabilities,
            )
            for found in find_segments(timeline, spec)
        ]


def given_segments_of(
    extraction: Extraction,
    probabilities: NDArray[np.float64],
    emotions: Sequence[str],
    rate_hz: int,
) -> list[Segment]:
    """Segments of the stretches that were given, in their order; without speaker and text.

    Parameters are as in `segments_of`. One that is too short or beyond the end has no emotion.
    """
    lengths = np.array(extraction.lengths)
    places = np.array(extraction.given_places)
    found = []
    for place, (start_s, end_s) in enumerate(extraction.given or ()):
        inside = places == place
        emotion, confidence, shares = "", None, ()
        if inside.any():
            mean = np.average(probabilities[inside], axis=0, weights=lengths[inside])
            best = int(mean.argmax())
            emotion, confidence, shares = emotions[best], float(mean[best]), tuple(mean.tolist())
        speech_s = _speech_s(extraction, start_s, end_s)
        found.append(
            Segment(
                extraction.path,
                extraction.channel,
                "",
                start_s,
                end_s,
                speech_s,
                emotion,
                confidence,
                shares,
            )
        )
    return found


def _speech_s(extraction: Extraction, start_s: float, end_s: float) -> float | None:
    """Seconds of speech between two times; None without speech detection."""
    if extraction.speech is None:
        return None
    first, end = round(start_s / speech.FRAME_S), round(end_s / speech.FRAME_S)
    seconds = float(np.count_nonzero(extraction.speech[first:end]) * speech.FRAME_S)
    return min(seconds, end_s - start_s)


def windows_of(
    extraction: Extraction,
    probabilities: NDArray[np.float64],
    emotions: Sequence[str],
    rate_hz: int,
) -> list[Segment]:
    """Windows of one recording that hold speech, as segments; parameters are as in `segments_of`."""
    starts_s, ends_s = _times_of(extraction, rate_hz)
    found = []
    for start_s, end_s, shares in zip(
        starts_s.tolist(), ends_s.tolist(), probabilities, strict=True
    ):
        speech_s = _speech_s(extraction, start_s, end_s)
        best = int(shares.argmax())
        found.append(
            Segment(
                extraction.path,
                extraction.channel,
                "",
                start_s,
                end_s,
                speech_s,
                emotions[best],
                float(shares[best]),
                tuple(shares.tolist()),
            )
        )
    return found


def _times_of(
    extraction: Extraction, rate_hz: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Seconds at which each window begins and ends."""
    starts = np.array(extraction.starts, np.float64)
    return starts / rate_hz, (starts + np.array(extraction.lengths, np.float64)) / rate_hz


def _runs(timeline: Timeline, max_pause: int) -> Iterator[tuple[int, int]]:
    """First frame, and the one after the last, of speech of one emotion with short pauses."""
    which = np.flatnonzero(timeline.speech)
    if not len(which):
        return
    emotions = timeline.emotions[which]
    new = (np.diff(which) - 1 > max_pause) | (np.diff(emotions) != 0)
    firsts = np.concatenate([[0], np.flatnonzero(new) + 1])
    lasts = np.concatenate([np.flatnonzero(new), [len(which) - 1]])
    for first, last in zip(which[firsts].tolist(), which[lasts].tolist(), strict=True):
        yield first, last + 1
