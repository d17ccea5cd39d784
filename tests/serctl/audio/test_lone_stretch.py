"""Recordings whose speech fits into one window."""

import numpy as np
import pytest

from serctl.audio.lone_stretch import PAD_S, LoneStretch
from serctl.audio.speech import FRAME_S
from serctl.audio.windows import window_starts

RATE_HZ = 1000
WINDOW, HOP, LONGEST = 4 * RATE_HZ, RATE_HZ, 8 * RATE_HZ


def pass_through(samples, speech_s, hop=HOP):
    """Windows that come out, and those that hold speech; speech is given by its beginnings and ends."""
    lone = LoneStretch(LONGEST, RATE_HZ)
    out, counted = [], []
    for start in window_starts(len(samples), WINDOW, hop):
        window = samples[start : start + WINDOW]
        counts = any(a * RATE_HZ < start + WINDOW and b * RATE_HZ > start for a, b in speech_s)
        if counts:
            counted.append((start, window))
        out += lone.add(start, window, counts)
    speech = np.zeros(round(len(samples) / RATE_HZ / FRAME_S), bool)
    for a, b in speech_s:
        speech[round(a / FRAME_S) : round(b / FRAME_S)] = True
    return out + lone.finish(speech), counted


def samples_of(duration_s):
    """Samples that all differ, as loud everywhere."""
    return (0.1 + np.arange(duration_s * RATE_HZ) * 1e-7).astype(np.float32)


@pytest.mark.parametrize("hop", [HOP, WINDOW, 300])
@pytest.mark.parametrize(
    "speech_s", [[(20, 23)], [(0, 3)], [(27, 30)], [(12.4, 13)], [(11, 12), (15, 17)]]
)
def test_speech_that_fits_into_one_window_is_one(speech_s, hop):
    samples = samples_of(30)
    windows, _ = pass_through(samples, speech_s, hop)
    ((start, window),) = windows
    first_s, end_s = max(speech_s[0][0] - PAD_S, 0), min(speech_s[-1][1] + PAD_S, 30)
    assert start / RATE_HZ == pytest.approx(first_s, abs=FRAME_S)
    assert (start + len(window)) / RATE_HZ == pytest.approx(end_s, abs=FRAME_S)
    assert np.array_equal(window, samples[start : start + len(window)])


def test_speech_that_just_fits_has_less_around_it():
    samples = samples_of(30)
    ((start, window),), _ = pass_through(samples, [(20, 27)])
    assert start / RATE_HZ == pytest.approx(19.5, abs=FRAME_S)
    assert len(window) / RATE_HZ == pytest.approx(8, abs=2 * FRAME_S)
    assert len(window) <= LONGEST


@pytest.mark.parametrize("duration_s", [20, 60])
@pytest.mark.parametrize(
    "speech_s", [[(3, 12)], [(0, 1), (9, 10)], [(0, 20)], [(4, 5), (18, 19)], []]
)
def test_windows_of_more_speech_stay_as_they_are(speech_s, duration_s):
    out, counted = pass_through(samples_of(duration_s), speech_s)
    assert [start for start, _ in out] == [start for start, _ in counted]
    for (_, window), (_, expected) in zip(out, counted, strict=True):
        assert np.array_equal(window, expected)


@pytest.mark.parametrize("offset", [0.0, 0.5])
def test_it_begins_and_ends_where_it_is_louder_than_the_room(offset):
    noise = np.random.default_rng(0).standard_normal(30 * RATE_HZ).astype(np.float32)
    noise[: 20 * RATE_HZ] *= 0.01
    noise[23 * RATE_HZ :] *= 0.01
    # The detector finds the speech late, and ends early.
    ((start, window),), _ = pass_through(noise + np.float32(offset), [(20.3, 22.5)])
    assert start / RATE_HZ == pytest.approx(20, abs=0.02)
    assert (start + len(window)) / RATE_HZ == pytest.approx(23, abs=0.02)  # the filter rings


def test_a_room_as_loud_as_the_speech_leaves_all_of_the_padding():
    noise = np.random.default_rng(0).standard_normal(30 * RATE_HZ).astype(np.float32)
    noise[21 * RATE_HZ : 21 * RATE_HZ + 100] *= 3  # a click is no speech
    ((start, window),), _ = pass_through(noise, [(20.3, 22.5)])
    assert start / RATE_HZ == pytest.approx(20.3 - PAD_S, abs=FRAME_S)
    assert (start + len(window)) / RATE_HZ == pytest.approx(22.5 + PAD_S, abs=FRAME_S)


def test_few_windows_are_held():
    lone = LoneStretch(LONGEST, RATE_HZ)
    samples = samples_of(100)
    released = [
        len(lone.add(start, samples[start : start + WINDOW], True))
        for start in window_starts(len(samples), WINDOW, HOP)
    ]
    assert released[:13] == [0] * 13
    assert released[13] == 14  # 17 s: more than twice a window beside the longest stretch
    assert set(released[14:]) == {1}
