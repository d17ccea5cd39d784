import numpy as np
import pytest
import scipy.signal

from serctl.audio.highpass import HighPass

CORNER_HZ = 50.0


@pytest.mark.parametrize("rate_hz", [16000, 22050])
def test_it_is_scipys_butterworth(rate_hz):
    samples = np.random.default_rng(0).standard_normal(5000).astype(np.float32)
    sections = scipy.signal.butter(2, CORNER_HZ, "highpass", fs=rate_hz, output="sos")
    start = samples[0] * scipy.signal.sosfilt_zi(sections)
    expected, _ = scipy.signal.sosfilt(sections, samples.astype(np.float64), zi=start)
    np.testing.assert_allclose(HighPass(rate_hz, CORNER_HZ)(samples), expected, rtol=0, atol=1e-6)


def test_blocks_change_nothing():
    samples = np.random.default_rng(0).standard_normal(5000).astype(np.float32)
    in_blocks = HighPass(16000, CORNER_HZ)
    parts = [in_blocks(part) for part in np.split(samples, [0, 1, 2, 7, 1000, 1000, 4999])]
    np.testing.assert_array_equal(np.concatenate(parts), HighPass(16000, CORNER_HZ)(samples))


def test_an_offset_is_taken_away_from_the_first_sample_on():
    samples = np.random.default_rng(0).standard_normal(5000).astype(np.float32)
    without = HighPass(16000, CORNER_HZ)(samples)
    np.testing.assert_allclose(
        HighPass(16000, CORNER_HZ)(samples + np.float32(0.3)), without, atol=1e-5
    )


@pytest.mark.parametrize(("tone_hz", "gain_db"), [(12.5, -24), (50, -3), (100, -0.3), (200, 0)])
def test_its_response(tone_hz, gain_db):
    samples = np.sin(2 * np.pi * tone_hz * np.arange(32000) / 16000).astype(np.float32)
    power = np.mean(np.square(HighPass(16000, CORNER_HZ)(samples)[16000:]))
    assert 10 * np.log10(2 * power) == pytest.approx(gain_db, abs=0.2)
