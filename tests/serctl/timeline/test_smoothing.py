"""Smoothing: the best path is the best of all, and pauses count for nothing."""

from itertools import product

import numpy as np
import pytest

from serctl.timeline.smoothing import SPEECH_WEIGHT, moving_mean, smooth


def probabilities_of(n_frames, n_emotions, seed):
    drawn = np.random.default_rng(seed).random((n_frames, n_emotions)) ** 3 + 1e-3
    return drawn / drawn.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("cost", [0.0, 0.3, 1.0, 50.0])
def test_the_path_is_the_best_of_all(cost):
    probabilities = probabilities_of(7, 3, seed=round(cost))
    counted = np.array([0, 1, 1, 0, 1, 1, 1], bool)

    def score(path):
        counts = [emotion for emotion, counts in zip(path, counted, strict=True) if counts]
        said = SPEECH_WEIGHT * np.log(probabilities)[counted, counts].sum()
        return said - cost * np.count_nonzero(np.diff(counts))

    found = smooth(probabilities, counted, cost)
    assert score(found) == pytest.approx(max(map(score, product(range(3), repeat=7))))
    assert found[0] == found[1]
    assert found[3] == found[2]


def test_without_a_cost_every_frame_is_by_itself():
    probabilities = probabilities_of(50, 6, seed=1)
    found = smooth(probabilities, np.ones(50, bool), 0.0)
    assert np.array_equal(found, probabilities.argmax(axis=1))


def test_a_window_that_disagrees_is_smoothed_away_and_a_run_is_not():
    angry, sad = (0.8, 0.2), (0.2, 0.8)
    blip = np.array([angry] * 100 + [sad] * 10 + [angry] * 100)
    run = np.array([angry] * 100 + [sad] * 100)
    assert set(smooth(blip, np.ones(len(blip), bool))) == {0}
    assert smooth(run, np.ones(len(run), bool)).tolist() == [0] * 100 + [1] * 100


def test_without_speech_there_is_nothing_to_smooth():
    assert smooth(probabilities_of(5, 3, 0), np.zeros(5, bool)).tolist() == [0] * 5


def test_a_mean_counts_speech_alone():
    probabilities = np.array([[1.0], [100.0], [3.0], [5.0], [7.0]])
    counted = np.array([1, 0, 1, 1, 0], bool)
    assert moving_mean(probabilities, counted, 3)[:, 0].tolist() == [1, 2, 4, 4, 5]
