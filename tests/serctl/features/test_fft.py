import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from serctl.features import fft
from serctl.features.kernels import LANES
from serctl.features.mel import hann_window


def powers(samples, n_fft, hop_samples, n_frames):
    """Power of each bin [n_frames, n_bins]: mel bands of one bin each."""
    n_bins = n_fft // 2 + 1
    bins = np.arange(n_bins)
    mel = np.full((n_frames, n_bins), np.nan, np.float32)
    weights = np.eye(n_bins, dtype=np.float32)
    window = hann_window(n_fft)
    bands = bins, bins + 1, weights
    fft.mel_of_frames(samples, window, hop_samples, *fft.tables(n_fft), *bands, mel)
    return mel


def powers_twin(samples, n_fft, hop_samples, n_frames):
    """Powers by NumPy in float64, with zeros beyond the ends."""
    padded = np.pad(samples.astype(np.float64), n_fft + n_frames * hop_samples)
    starts = n_fft // 2 + n_frames * hop_samples + hop_samples * np.arange(n_frames)
    frames = padded[starts[:, None] + np.arange(n_fft)] * hann_window(n_fft)
    return np.abs(np.fft.rfft(frames)) ** 2


@settings(deadline=None)
@given(
    n_fft=st.sampled_from([8, 16, 32, 64, 128, 256]),
    hop_samples=st.integers(1, 300),
    n_frames=st.integers(1, 3 * LANES),
    n_samples=st.integers(1, 3000),
)
@example(n_fft=2048, hop_samples=512, n_frames=LANES + 1, n_samples=30000)
@example(n_fft=4096, hop_samples=1000, n_frames=LANES, n_samples=40000)
@example(n_fft=16, hop_samples=1, n_frames=LANES, n_samples=1)
def test_powers_are_the_twins(n_fft, hop_samples, n_frames, n_samples):
    samples = np.random.default_rng(n_samples).standard_normal(n_samples).astype(np.float32)
    expected = powers_twin(samples, n_fft, hop_samples, n_frames)
    found = powers(samples, n_fft, hop_samples, n_frames)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6 * expected.max())


def test_a_frame_is_the_same_wherever_it_stands():
    samples = np.random.default_rng(0).standard_normal(64 * 3 * LANES).astype(np.float32)
    whole = powers(samples, 256, 64, 3 * LANES)
    later = powers(samples[64 * 7 :], 256, 64, 3 * LANES - 7)
    np.testing.assert_array_equal(later[2:], whole[9:])  # two frames reach before its beginning


@pytest.mark.parametrize("n_fft", [8, 16, 512, 2048])
def test_each_bin_has_its_place(n_fft):
    _, places = fft.tables(n_fft)
    assert sorted(places) == list(range(n_fft // 2))
