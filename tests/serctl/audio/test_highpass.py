import numpy as np
import pytest
import scipy.signal

from serctl.audio.decoding import read_windows
from serctl.audio.highpass import HighPass, remove_offset
from serctl.models.classifier import Classifier

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


def spoken(level, background):
    """Two seconds of noise at 16 kHz, the first of them quiet."""
    noise = np.random.default_rng(0).standard_normal(32000)
    noise[:16000] *= background
    noise[16000:] *= level * 2**0.5
    return noise.astype(np.float32)


@pytest.mark.parametrize(
    ("offset", "level", "background"), [(0.04, 0.12, 0.0007), (0.002, 0.01, 0.0001)]
)
def test_an_offset_that_training_clips_have_stays(offset, level, background):
    for sign in (1, -1):
        samples = spoken(level, background) + np.float32(sign * offset)
        assert remove_offset(samples, 16000) is samples


@pytest.mark.parametrize(
    ("offset", "level", "background"),
    [
        (0.06, 0.12, 0.0007),  # larger than that of any training clip
        (0.04, 0.033, 0.0007),  # larger beside the level
        (0.04, 0.12, 0.004),  # in a louder room
        (0.04, 0.12, 0.00001),  # in a quieter one
        (0.04, 0.02, 0.0007),  # of a quieter recording
        (0.3, 0.02, 0.0001),
    ],
)
def test_any_other_offset_is_removed(offset, level, background):
    samples = spoken(level, background)
    removed = remove_offset(samples + np.float32(offset), 16000)
    assert removed[0] == removed[-1] == 0
    np.testing.assert_allclose(removed[80:-80], (samples - samples.mean())[80:-80], atol=1e-6)


@pytest.mark.parametrize("n_samples", [1, 2, 100, 511, 513])
def test_an_offset_of_few_samples_is_removed(n_samples):
    assert abs(remove_offset(np.full(n_samples, 0.5, np.float32), 16000)).max() < 1e-6


def test_a_small_offset_stays():
    samples = spoken(0.1, 0.01)
    samples += np.float32(0.0009 - samples.mean())
    assert remove_offset(samples, 16000) is samples


def test_no_clip_of_fold_0_is_changed(fold0):
    for path in sorted((fold0 / "SAVEE").rglob("*.wav"))[::4]:
        for rate_hz in (16000, 22050):
            (samples,) = read_windows(str(path), rate_hz, 30.0)[1]
            assert remove_offset(samples, rate_hz) is samples


@pytest.mark.parametrize(("model", "offset"), [("cnn", -0.02), ("paper-cnn", 0.1)])
def test_an_offset_changes_no_label(model, offset, recordings, write_recording):
    classifier = Classifier(model, device="cpu")
    for i, path in enumerate(sorted(recordings.glob("calls/*.wav"))):
        samples = next(read_windows(str(path), 16000, 4.0)[1]) * np.float32(0.8)
        without = classifier.classify(write_recording(f"{i}.wav", samples))
        with_offset = classifier.classify(write_recording(f"{i} dc.wav", samples + offset))
        assert with_offset.emotion == without.emotion
