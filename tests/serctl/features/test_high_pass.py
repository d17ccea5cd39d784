import numpy as np
import pytest
import scipy.signal

from serctl.features.high_pass import high_pass

RATE_HZ = 16_000


@pytest.mark.parametrize("n_samples", [0, 1, 2, 5000])
@pytest.mark.parametrize("cutoff_hz", [20.0, 50.0, 300.0])
def test_it_is_scipys_butterworth(n_samples, cutoff_hz):
    samples = np.random.default_rng(0).normal(0.3, 0.1, n_samples).astype(np.float32)
    filtered = high_pass(samples, RATE_HZ, cutoff_hz)
    assert filtered.dtype == np.float32
    if n_samples:
        sections = scipy.signal.butter(2, cutoff_hz, "highpass", fs=RATE_HZ, output="sos")
        state = scipy.signal.sosfilt_zi(sections) * samples[0]
        expected, _ = scipy.signal.sosfilt(sections, samples, zi=state)
        np.testing.assert_allclose(filtered, expected, rtol=0, atol=1e-6)


def test_a_dc_offset_leaves_nothing():
    np.testing.assert_allclose(high_pass(np.full(800, 0.5, np.float32), RATE_HZ, 50), 0, atol=1e-9)
