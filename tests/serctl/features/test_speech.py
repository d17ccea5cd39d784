"""Filtering and trimming of a window, against SciPy and NumPy."""

import numpy as np
import pytest
import scipy.signal
from support.references import trimmed_speech

from serctl.audio.highpass import HIGH_PASS_HZ
from serctl.features.mel import MelSpec
from serctl.features.speech import speech_bounds, speech_of

SPEC = MelSpec(rate_hz=16_000, n_fft=512, hop_samples=160, n_mels=64)


def test_silence_at_the_ends_is_trimmed_and_not_within():
    samples = np.zeros(16_000, np.float32)
    samples[4000:5000] = samples[9000:10_000] = 0.5
    start, end = speech_bounds(samples, 400, 160)
    assert 3600 <= start <= 4000
    assert 10_000 <= end <= 10_400


@pytest.mark.parametrize("samples", [np.zeros(1000), np.ones(100), np.zeros(0)])
def test_without_silence_or_without_sound_all_is_kept(samples):
    assert speech_bounds(samples.astype(np.float32), 400, 100) == (0, len(samples))


@pytest.mark.parametrize("kind", ["noise", "speech", "chirp", "click"])
@pytest.mark.parametrize("n_samples", [1, 511, 512, 513, 30_000])
def test_it_is_scipys_filter_and_what_numpy_trims(make_signal, kind, n_samples):
    samples = np.pad(make_signal(kind, n_samples, 16_000)[:, 0], 700).astype(np.float32)
    found, expected = speech_of(samples, SPEC), trimmed_speech(samples, SPEC)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)


def test_an_offset_and_rumble_are_no_speech():
    """Half an octave below the corner a second-order filter leaves a fifth."""
    times = np.arange(32_000) / 16_000
    rumble = np.sin(2 * np.pi * 25 * times).astype(np.float32)
    left = scipy.signal.detrend(speech_of(rumble + np.float32(0.3), SPEC)[8000:])
    assert np.abs(left).max() == pytest.approx((25 / HIGH_PASS_HZ) ** 2, rel=0.06)
    assert np.abs(speech_of(np.full(8000, 0.3, np.float32), SPEC)).max() < 1e-6
