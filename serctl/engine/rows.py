"""The row of a recording on its way from the worker to the journal: with its segments and windows."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from serctl.engine.voices.second_pass import packed
from serctl.engine.workers.messages import Request
from serctl.models.classifier import Classifier
from serctl.models.extraction import Extraction
from serctl.results.schema import (
    CHANNELS_KEY,
    EMBEDDING_KEY,
    SEGMENTS_KEY,
    UNCERTAIN,
    WINDOWS_KEY,
    row_of,
)
from serctl.results.segments import Segment
from serctl.timeline.habit import against_habit
from serctl.timeline.segments import TimelineSpec, given_segments_of, segments_of, windows_of


def channel_row(
    classifier: Classifier,
    extraction: Extraction,
    probabilities: NDArray[np.float64],
    request: Request,
) -> dict[str, Any]:
    """Row of a recording, or of one channel of it.

    Parameters
    ----------
    classifier : Classifier
        What classified it.
    extraction : Extraction
        Of the recording.
    probabilities : float64 [n_windows, n_emotions]
        Of the windows that the extraction left.
    request : Request
        Whether windows are wanted, and the shortest segment.

    Returns
    -------
    dict
        As `serctl.results.schema.row_of`, with the packed segments of a recording that is longer
        than a window, and its windows and its embedding if they are wanted.
    """
    row: dict[str, Any] = row_of(classifier.result(extraction, probabilities), classifier.emotions)
    if row["status"] == "ok" and row["confidence"] < request.min_confidence:
        row["emotion"] = UNCERTAIN
    if request.grouped and extraction.embedding is not None:
        row[EMBEDDING_KEY] = packed(extraction.embedding)
    if extraction.status != "ok" or not (extraction.is_long or extraction.given):
        return row
    every = np.array([*extraction.probabilities, *probabilities])
    rate_hz = classifier.config.features.rate_hz
    own = against_habit(classifier, extraction, every)
    if extraction.given is not None:
        segments = given_segments_of(extraction, own, classifier.emotions, rate_hz)
        row[SEGMENTS_KEY] = _packed(segments, request)
        return row
    spec = TimelineSpec(min_segment_s=request.min_segment_s)
    segments = segments_of(extraction, own, classifier.emotions, rate_hz, spec)
    row[SEGMENTS_KEY] = _packed(segments, request)
    if request.windows:
        windows = windows_of(extraction, every, classifier.emotions, rate_hz)
        row[WINDOWS_KEY] = _packed(windows, request)
    return row


def _packed(segments: Sequence[Segment], request: Request) -> list[Any]:
    """Packed segments; those below the least confidence are uncertain."""
    return [
        replace(
            segment,
            emotion=UNCERTAIN
            if segment.confidence is not None and segment.confidence < request.min_confidence
            else segment.emotion,
        ).packed()
        for segment in segments
    ]


def joined_row(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Rows of one recording's channels as one: that of the first, which holds the others."""
    first, *others = rows
    return first | {CHANNELS_KEY: others} if others else first
