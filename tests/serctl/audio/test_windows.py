"""Windows: where they lie."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serctl.audio.windows import Windowing, cut_windows, window_starts
from serctl.errors import UsageError


@pytest.mark.parametrize(
    ("n_samples", "expected"),
    [(0, [0]), (40, [0]), (41, [0, 1]), (50, [0, 10]), (55, [0, 10, 15]), (60, [0, 10, 20])],
)
def test_the_last_window_ends_with_the_recording(n_samples, expected):
    assert window_starts(n_samples, 40, 10) == expected


@settings(deadline=None)
@given(st.lists(st.integers(0, 30), max_size=8), st.integers(1, 20), st.integers(1, 20))
def test_a_stream_is_cut_as_the_whole(lengths, window, hop):
    samples = np.arange(sum(lengths), dtype=np.float32)
    blocks = np.split(samples, np.cumsum(lengths[:-1])) if lengths else []
    found = [(start, part.tolist()) for start, part in cut_windows(blocks, window, hop)]
    starts = window_starts(len(samples), window, hop) if len(samples) else []
    assert found == [(start, samples[start : start + window].tolist()) for start in starts]


@pytest.mark.parametrize(
    ("values", "match"),
    [
        ({"speech": "on"}, "one of auto, off"),
        ({"window_s": 0.1}, "at least 0.25 s"),
        ({"window_s": float("nan")}, "windows of nan s"),
        ({"hop_s": 0.0}, "above 0"),
        ({"window_s": 2.0, "hop_s": 2.5}, "no more than the window's 2 s"),
    ],
)
def test_values_out_of_range_are_refused(values, match):
    with pytest.raises(UsageError, match=match):
        Windowing(**values)
