"""Recordings by an emotion: by their half minute with the most of it."""

from serctl.reports.moments import rank_recordings
from serctl.results.segments import Segment


def segment(path, channel, start_s, speech_s, angry):
    shares = (angry, 1 - angry)
    emotion = "angry" if angry > 0.5 else "sad"
    return Segment(path, channel, "", start_s, start_s + 40, speech_s, emotion, max(shares), shares)


def test_a_recording_has_the_row_of_its_channel_with_the_most():
    segments = [
        segment("a", 1, 0, 40, 0.4),
        segment("a", 2, 0, 20, 0.9),
        segment("a", 2, 50, 30, 0.1),
        segment("b", 1, 0, 600, 0.45),
        segment("c", 1, 0, 3, 1.0),
    ]
    ranked = rank_recordings(segments, ("angry", "sad"), "angry")
    assert [(one.path, one.channel, round(one.peak_probability, 4)) for one in ranked] == [
        ("a", 2, round((20 * 0.9 + 10 * 0.1) / 30, 4)),
        ("b", 1, 0.45),
        ("c", 1, 0.1),
    ]
    assert (ranked[0].emotion_s, ranked[0].speech_s, ranked[0].first_s) == (20, 50, 0)
    assert (ranked[1].emotion_s, ranked[1].first_s) == (0, None)
