"""One channel beside the others: what it only overhears, and what their mean knows better."""

import numpy as np
import pytest

from serctl.audio.mixing import Mixer, other_channels


@pytest.mark.parametrize("dtype", [np.int16, np.float32, np.float64])
@pytest.mark.parametrize("n_channels", [2, 3])
def test_a_mix_is_the_mean_to_the_last_bit(dtype, n_channels):
    numbers = np.random.default_rng(0).uniform(-1, 1, (1000, n_channels))
    frames = (numbers * (32767 if dtype == np.int16 else 1)).astype(dtype)
    frames[:2] = [[32767] * n_channels, [-32768] * n_channels] if dtype == np.int16 else 1e-30
    scale = np.float32(1 / 32768) if dtype == np.int16 else 1
    mean = (frames.mean(axis=1, dtype=np.float64) * scale).astype(np.float32)
    np.testing.assert_array_equal(Mixer().mix(frames), mean)


def test_a_louder_channel_is_overheard():
    levels = np.array([[-20, -31], [-20, -29], [-50, -20]], np.float32)
    own = np.full(3, 0.5, np.float32)
    nothing = np.zeros(3, np.float32)
    assert other_channels(levels, nothing, 1).correct(own, 0).tolist() == [0.5, 0.5, 0]
    assert other_channels(levels, nothing, 2).correct(own, 0).tolist() == [0, 0.5, 0.5]


def test_where_a_channel_is_louder_the_mean_knows_better():
    levels = np.array([[-20, -31], [-20, -29], [-20, -31], [-20, -60]], np.float32)
    of_mean = np.array([0.9, 0.9, 0.1, 0.8, 0.7], np.float32)  # a last frame that is not whole
    others = other_channels(levels, of_mean, 1)
    found = others.correct(np.full(3, 0.25, np.float32), 0)
    assert np.allclose(found, [0.9, 0.25, 0.25])
    # Block by block, and beyond the levels: what the channel says by itself.
    assert np.allclose(others.correct(np.full(3, 0.25, np.float32), 3), [0.8, 0.25, 0.25])
    assert np.allclose(
        other_channels(levels, of_mean[:1], 1).correct(np.zeros(4), 0), [0.9, 0, 0, 0]
    )
