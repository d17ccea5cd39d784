"""Segments: their times, their pauses, and how right they are on recordings that are known."""

import numpy as np
import pytest

from serctl.timeline.segments import (
    NO_EMOTION,
    Timeline,
    TimelineSpec,
    find_segments,
    timeline_of,
)

SPEC = TimelineSpec(min_segment_s=0.3, max_pause_s=0.2, change_cost_nats=0.0)


def timeline(text):
    """Timeline of two emotions, a frame a letter; a dot is a pause."""
    emotions = np.array(["ab".find(letter) for letter in text])
    probabilities = np.full((len(text), 2), 0.5)
    for i, emotion in enumerate(emotions):
        if emotion != NO_EMOTION:
            probabilities[i] = np.eye(2)[emotion] * 0.6 + 0.2
    return Timeline(probabilities, emotions != NO_EMOTION, emotions)


def segments(text, spec=SPEC):
    return [
        (found.start_s, found.end_s, found.speech_s, "ab"[found.emotion])
        for found in find_segments(timeline(text), spec)
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("....", []),
        ("aaa", [(0, 0.3, 0.3, "a")]),
        (".aa", []),  # too short
        (".aa..a.", [(0.1, 0.6, 0.3, "a")]),  # a short pause is bridged
        ("aaa...aaa", [(0, 0.3, 0.3, "a"), (0.6, 0.9, 0.3, "a")]),  # a long one is not
        ("aaabbb", [(0, 0.3, 0.3, "a"), (0.3, 0.6, 0.3, "b")]),
        ("aaa.bbb", [(0, 0.3, 0.3, "a"), (0.4, 0.7, 0.3, "b")]),
        ("aaabaaa", [(0, 0.3, 0.3, "a"), (0.4, 0.7, 0.3, "a")]),
    ],
)
def test_segments_of_a_timeline(text, expected):
    assert segments(text) == expected


def test_probabilities_are_the_mean_over_speech():
    (found,) = find_segments(timeline("a.aa"), SPEC)
    assert found.probabilities == pytest.approx((0.8, 0.2))


def test_a_timeline_ends_with_its_recording_and_needs_windows():
    speech = (np.ones(100, bool), 0.032)
    found = timeline_of(np.array([[0.9, 0.1]]), np.array([0.0]), np.array([3.05]), speech, SPEC)
    assert len(found.speech) == 30  # the middle of the next would be 3.05 s
    assert found.speech.all()
    none = timeline_of(np.zeros((0, 2)), np.zeros(0), np.zeros(0), speech, SPEC)
    assert not none.speech.any()
    assert find_segments(none, SPEC) == []


def test_a_window_that_is_mostly_pause_counts_less():
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8]])
    starts_s = np.array([0.0, 2.0])
    flags = np.arange(60) < 30  # speech until 3 s: 3/4 of the first window, 1/4 of the second
    found = timeline_of(probabilities, starts_s, starts_s + 4, (flags, 0.1), SPEC)
    expected = np.average(probabilities[:, 0], weights=[0.75**2, 0.25**2])
    assert found.probabilities[25, 0] == pytest.approx(expected)
    assert found.probabilities[10, 0] == pytest.approx(0.9)


def test_a_mean_instead_of_a_cost():
    probabilities = np.array([[0.9, 0.1], [0.4, 0.6], [0.9, 0.1]])
    starts_s = np.array([0.0, 1.0, 2.0])
    speech = (np.ones(100, bool), 0.032)
    spec = TimelineSpec(min_segment_s=0, change_cost_nats=0.0, mean_s=3.0)
    found = timeline_of(probabilities, starts_s, starts_s + 1, speech, spec)
    assert set(found.emotions.tolist()) == {0}
