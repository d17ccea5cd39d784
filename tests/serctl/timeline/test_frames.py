"""Frames: what windows say of each."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from serctl.audio.windows import window_starts
from serctl.timeline.frames import at_frames, frame_probabilities, speech_shares


def test_a_frame_is_the_mean_of_the_windows_that_cover_its_middle():
    probabilities = np.array([[1.0, 0.0], [0.0, 1.0]])
    means, covered = frame_probabilities(
        probabilities, np.array([0.1, 0.3]), np.array([0.5, 0.66]), np.ones(2), 8
    )
    assert covered.tolist() == [False, True, True, True, True, True, True, False]
    assert means[:, 0].tolist() == [0.5, 1, 1, 0.5, 0.5, 0, 0, 0.5]


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 60), st.integers(1, 30), st.integers(40, 600))
def test_times_do_not_drift(window, hop, n_frames):
    """Windows of whole frames cover exactly their frames, however far from the start."""
    starts = np.array(window_starts(n_frames, window, hop))
    which = np.eye(len(starts))
    weights = np.random.default_rng(n_frames).uniform(4e-4, 1, len(starts))
    means, covered = frame_probabilities(
        which, starts / 10, (starts + window) / 10, weights, n_frames
    )
    frames = np.arange(n_frames)[:, None]
    expected = (frames >= starts) & (frames < starts + window)
    assert np.array_equal(covered, expected.any(axis=1))
    assert np.array_equal(means[covered] > 1e-9, expected[covered])


def test_windows_count_by_their_weights():
    probabilities = np.array([[1.0, 0.0], [0.0, 1.0]])
    times = np.array([0.0, 0.0]), np.array([0.2, 0.1])
    means, _ = frame_probabilities(probabilities, *times, np.array([0.25, 0.75]), 2)
    np.testing.assert_allclose(means, [[0.25, 0.75], [1, 0]])


def test_the_share_of_speech_in_windows():
    flags = np.array([0, 0, 1, 1, 1, 0], bool)
    starts_s, ends_s = np.array([0.0, 0.2, 0.4, 0.6]), np.array([0.4, 0.5, 9.0, 9.0])
    found = speech_shares(flags, 0.1, starts_s, ends_s)
    np.testing.assert_allclose(found, [0.5, 1.0, 0.5, 0.0])


def test_flags_of_other_frames_are_taken_by_their_middles():
    flags = np.array([1, 1, 1, 1, 0, 0, 0, 0, 0, 0], bool)  # 32 ms each: speech until 0.128 s
    assert at_frames(flags, 0.032, 4).tolist() == [True, False, False, False]
    assert at_frames(np.zeros(0, bool), 0.032, 2).tolist() == [False, False]
