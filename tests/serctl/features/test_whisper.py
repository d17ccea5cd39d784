"""The front end of Whisper's encoder, against librosa in float64."""

import numpy as np
import pytest
from support.references import librosa_mel

from serctl.errors import AudioError
from serctl.features.speech import speech_of
from serctl.features.whisper import LEVEL_RMS, WHISPER_SPEC, whisper_log_mel


@pytest.fixture
def speech(make_signal):
    return make_signal("speech", 32_000, 16_000)[:, 0].astype(np.float32)


def test_it_is_the_logarithm_of_librosas_mel_spectrogram(speech, monkeypatch):
    unfiltered = lambda *_: lambda samples: samples  # noqa: E731
    monkeypatch.setattr("serctl.features.speech.HighPass", unfiltered)
    trimmed = speech_of(speech, WHISPER_SPEC)
    level = LEVEL_RMS / np.sqrt(np.mean(np.square(trimmed, dtype=np.float64)))
    mel = np.log10(np.maximum(librosa_mel(trimmed * level, WHISPER_SPEC), 1e-10)).T
    expected = (np.maximum(mel, mel.max() - 8) + 4) / 4
    found = whisper_log_mel(speech, WHISPER_SPEC)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-3)


@pytest.mark.parametrize("change", ["gain", "offset", "silence around"])
def test_level_offset_and_silence_around_change_little(speech, change):
    changed = {
        "gain": speech * np.float32(0.01),
        "offset": speech + np.float32(0.2),
        "silence around": np.pad(speech, 1600),
    }[change]
    expected, found = whisper_log_mel(speech, WHISPER_SPEC), whisper_log_mel(changed, WHISPER_SPEC)
    assert abs(len(found) - len(expected)) <= 6
    assert np.abs(found.mean(axis=0) - expected.mean(axis=0)).max() < 0.05


@pytest.mark.parametrize("n_samples", [1, 2, 399, 400, 401, 1000])
def test_windows_of_any_length(n_samples):
    frames = whisper_log_mel(np.ones(n_samples, np.float32) * 0.1, WHISPER_SPEC)
    assert frames.shape[1] == 80
    assert 1 <= len(frames) <= 1 + n_samples // 160
    assert np.isfinite(frames).all()


@pytest.mark.parametrize("samples", [[], [np.nan, 0.1], [np.inf]])
def test_what_is_no_window_is_refused(samples):
    with pytest.raises(AudioError, match="samples, finite ones are needed"):
        whisper_log_mel(np.array(samples, np.float32), WHISPER_SPEC)
