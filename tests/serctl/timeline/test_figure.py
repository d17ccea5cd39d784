"""Figures of long recordings: hours stay readable, and so does a minute of them."""

import numpy as np
import pytest

from serctl.results.segments import Segment
from serctl.timeline.figure import MOST_BARS, MOST_POINTS, MOST_TICKS, draw_timeline
from serctl.timeline.outline import Outline, thinned

EMOTIONS = ("angry", "sad")
HOURS_S = 3 * 3600


def window(start_s, shares, end_s=None, channel=None):
    emotion = EMOTIONS[int(np.argmax(shares))]
    end_s = start_s + 4.0 if end_s is None else end_s
    return Segment("a.wav", channel, "", start_s, end_s, 2.0, emotion, max(shares), shares)


def outline(duration_s=HOURS_S, step_s=0.3):
    peaks = np.linspace(0, 1, round(duration_s / step_s), dtype=np.float32)
    return Outline(peaks, step_s, [(1.0, 2.0)], "")


def drawn(segments, *part):
    return draw_timeline("a.wav", EMOTIONS, segments, *part, read=lambda n: [outline()] * len(n))


def corners(collection):
    return np.concatenate([path.vertices for path in collection.get_paths()])


@pytest.mark.parametrize("part", [(), (3600, 3660), (10, 11.5)])
def test_there_are_few_points_and_ticks(part):
    windows = [window(float(start), (0.25, 0.75)) for start in range(HOURS_S - 4)]
    waveform, probabilities = drawn(windows, *part).axes
    assert len(corners(waveform.collections[0])) <= 6 * MOST_POINTS
    assert all(len(corners(one)) <= 10 * MOST_BARS for one in probabilities.collections)
    low, high = probabilities.get_xlim()
    ticks = [tick for tick in probabilities.get_xticks() if low <= tick <= high]
    assert 2 <= len(ticks) <= MOST_TICKS + 1


def test_probabilities_are_stacked_where_windows_are():
    # Overlapping windows reach to the next; nothing is drawn between 6 and 20 s.
    windows = [
        window(0.0, (0.25, 0.75)),
        window(1.0, (0.5, 0.5)),
        window(2.0, (1.0, 0.0)),
        window(20.0, (0.0, 1.0)),
    ]
    angry, sad = drawn(windows, 0, 30).axes[1].collections
    for path in (*angry.get_paths(), *sad.get_paths()):
        times = path.vertices[:, 0]
        assert times.max() <= 6 or times.min() >= 20
    at_half = corners(angry)[np.isclose(corners(angry)[:, 1], 0.5), 0]
    assert (at_half.min(), at_half.max()) == (1, 2)
    assert corners(sad)[:, 1].max() == 1


def test_neighbours_of_many_windows_are_averaged():
    n = 4 * MOST_BARS
    shares = np.tile([[1.0, 0.0], [0.0, 1.0]], (n // 2, 1))
    windows = [window(float(i), tuple(one)) for i, one in enumerate(shares.tolist())]
    angry, _ = drawn(windows).axes[1].collections
    assert set(np.round(corners(angry)[:, 1], 6)) == {0.0, 0.5}


def test_a_part_of_hours_shows_its_own_waveform():
    waveform, _ = drawn([window(0.0, (1.0, 0.0))], 5400, 5460).axes
    points = corners(waveform.collections[0])
    assert len(np.unique(points[:, 0])) >= 60 / 0.3
    assert 5399 <= points[:, 0].min() < 5401 < 5459 < points[:, 0].max() <= 5461
    assert points[:, 1].max() == pytest.approx(0.5, abs=0.01)


def test_every_channel_has_its_rows():
    windows = [window(0.0, (1.0, 0.0), channel=1), window(5.0, (0.0, 1.0), channel=2)]
    labels = [axes.get_ylabel() for axes in drawn(windows).axes]
    assert labels == ["channel 1", "probability", "channel 2", "probability"]


def test_a_thinned_waveform_keeps_its_peaks():
    peaks = np.array([0, 3, 1, 0, 2, 5, 1], np.float32)
    found, joined = thinned(peaks, 3)
    assert (found.tolist(), joined) == ([3, 1, 5, 1], 2)
    assert thinned(peaks, 100)[0].tolist() == peaks.tolist()
