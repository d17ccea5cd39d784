"""The three kinds of input, against librosa in float64."""

import numpy as np

from serctl.features import MelSpec
from serctl.inputs import CLIP_STATISTICS, statistics_in_db


def test_scaling_is_of_decibels_floored_relative_to_the_clip(tiny_config):
    spec = MelSpec()
    statistics = np.zeros(148, np.float32)
    statistics[[0, 1, 2]] = (100.0, 1e-3, 1e-7)
    statistics[128:] = np.arange(20)
    columns = statistics_in_db(statistics, spec)
    assert columns.dtype == np.float64
    np.testing.assert_allclose(columns[[0, 1, 2, 3]], [20, -30, -60, -60], rtol=0, atol=1e-6)
    np.testing.assert_array_equal(columns[128:], np.arange(20))
    scaled = CLIP_STATISTICS.scaled(statistics, tiny_config.scaling, spec)
    assert scaled.dtype == np.float32
    expected = [(20 + 30) / 15, 0, -2, -2]
    np.testing.assert_allclose(scaled[[0, 1, 2, 3]], expected, rtol=0, atol=1e-6)
    np.testing.assert_allclose(scaled[[128, 147]], [3, 19 / 30], rtol=1e-6)
