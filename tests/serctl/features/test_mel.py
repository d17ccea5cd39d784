"""Features against librosa in float64, along the way that a recording takes."""

import librosa
import numpy as np
import pytest
import soundfile
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.references import librosa_mel

from serctl.audio import decoding
from serctl.errors import AudioError
from serctl.features import mel as features
from serctl.features.mel import MelSpec

SPEC = MelSpec()
LONGER_THAN_ANY_S = 1000.0

# What must hold (DESIGN.md): of the clip's largest band, and absolute.
MEL_TOLERANCE = 1e-6
MFCC_TOLERANCE = 1e-3


def librosa_statistics(path):
    """Means of the mel spectrogram and of the MFCC of a file, all in float64."""
    samples, rate_hz = soundfile.read(path, dtype="float64", always_2d=True)
    mono = samples.mean(axis=1)
    mel = librosa_mel(
        librosa.resample(mono, orig_sr=rate_hz, target_sr=SPEC.rate_hz, res_type="soxr_hq"), SPEC
    )
    decibels = librosa.power_to_db(mel, top_db=SPEC.top_db)
    return mel.mean(axis=1), librosa.feature.mfcc(S=decibels, n_mfcc=SPEC.n_mfcc).mean(axis=1)


def assert_as_librosa(path):
    _, windows = decoding.read_windows(str(path), SPEC.rate_hz, LONGER_THAN_ANY_S)
    (samples,) = windows
    statistics = features.clip_statistics(samples, SPEC)
    assert statistics.dtype == np.float32
    mel, mfcc = librosa_statistics(path)
    mel_error = np.abs(statistics[: SPEC.n_mels] - mel).max()
    mfcc_error = np.abs(statistics[SPEC.n_mels :] - mfcc).max()
    assert mel_error <= MEL_TOLERANCE * mel.max(), path
    assert mfcc_error <= MFCC_TOLERANCE, path


@pytest.mark.parametrize("kind", ["noise", "tone", "chirp", "speech", "click", "silence"])
@pytest.mark.parametrize("n_frames", [1, 2, 511, 4097, 30000])
def test_statistics_are_librosas(write_recording, make_signal, rate_hz, n_frames, kind):
    n_channels = 1 + n_frames % 2
    path = write_recording("a.wav", make_signal(kind, n_frames, rate_hz, n_channels), 0, rate_hz)
    assert_as_librosa(path)


@pytest.mark.parametrize("kind", ["noise", "chirp", "speech", "click"])
@pytest.mark.parametrize("rate_hz", [8000, 48000])
def test_statistics_of_a_minute_are_librosas(write_recording, rate_hz, kind):
    assert_as_librosa(write_recording("a.wav", kind, 60.0, rate_hz, 2))


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_24", "FLOAT", "DOUBLE"])
def test_statistics_of_any_sample_format_are_librosas(write_recording, subtype):
    for n_channels in (1, 2, 6):
        path = write_recording("a.wav", "speech", 1.3, 44100, n_channels, subtype)
        assert_as_librosa(path)


@pytest.mark.parametrize("level_db", [-96, -60, 0, 40])
def test_statistics_of_any_level_are_librosas(write_recording, make_signal, level_db):
    samples = make_signal("speech", 30000, 16000) * 10 ** (level_db / 20)
    assert_as_librosa(write_recording("a.wav", samples, subtype="FLOAT"))


def test_what_the_resampler_removes_stays_removed(write_recording):
    # 43 kHz cannot be in 22.05 kHz; in stereo, what is left of it is rounding noise, or should be.
    time_s = np.arange(100000) / 96000
    tone = 0.9 * np.sin(2 * np.pi * 43200 * time_s)
    samples = np.stack([tone, 0.5 * np.roll(tone, 7)], 1)
    assert_as_librosa(write_recording("a.wav", samples, rate_hz=96000, subtype="DOUBLE"))


def test_statistics_of_real_speech_are_librosas(fold0):
    clips = sorted(path for path in fold0.rglob("*") if path.is_file())
    assert len(clips) == 2258
    for path in clips[::11][:200]:
        assert_as_librosa(path)


@settings(deadline=None, max_examples=50)
@given(n_samples=st.integers(1, 80 * 512))
@example(n_samples=62 * 512)  # 63, 64 and 65 frames: blocks of the FFT are of 64
@example(n_samples=63 * 512)
@example(n_samples=64 * 512 - 1)
@example(n_samples=64 * 512)
@example(n_samples=128 * 512)
def test_mel_spectrogram_is_librosas(n_samples):
    samples = np.random.default_rng(n_samples).uniform(-1, 1, n_samples).astype(np.float32)
    mel = features.mel_spectrogram(samples, SPEC)
    assert mel.shape == (1 + n_samples // SPEC.hop_samples, SPEC.n_mels)
    expected = librosa_mel(samples, SPEC).T
    np.testing.assert_allclose(mel, expected, rtol=0, atol=MEL_TOLERANCE * expected.max())


@pytest.mark.parametrize("n_fft", [512, 400])
def test_spectrograms_of_other_specs_are_librosas(n_fft):
    spec = MelSpec(rate_hz=16000, n_fft=n_fft, hop_samples=160, n_mels=64)
    samples = np.random.default_rng(0).uniform(-1, 1, 20000).astype(np.float32)
    expected = librosa_mel(samples, spec).T
    mel = features.mel_spectrogram(samples, spec)
    np.testing.assert_allclose(mel, expected, rtol=0, atol=MEL_TOLERANCE * expected.max())


@pytest.mark.parametrize(
    "spec",
    [
        SPEC,
        MelSpec(rate_hz=16000, n_fft=512, n_mels=64),
        MelSpec(rate_hz=44100, n_mels=40),
        MelSpec(rate_hz=1600, n_fft=256, n_mels=10),  # wholly on the linear part of the scale
    ],
)
def test_mel_filters_are_librosas(spec):
    expected = librosa.filters.mel(
        sr=spec.rate_hz, n_fft=spec.n_fft, n_mels=spec.n_mels, dtype=np.float64
    )
    filters = features.mel_filters(spec)
    assert filters.dtype == np.float32
    np.testing.assert_allclose(filters, expected, rtol=0, atol=1e-8)


@pytest.mark.parametrize("n_fft", [4, 512, 2048])
def test_the_window_is_librosas(n_fft):
    expected = librosa.filters.get_window("hann", n_fft)
    np.testing.assert_allclose(features.hann_window(n_fft), expected, rtol=0, atol=6e-8)


POWERS = st.lists(st.floats(0, 1e12), min_size=1, max_size=20).map(np.array)


@settings(deadline=None)  # librosa is imported by the first example
@given(power=POWERS, top_db=st.floats(0, 200))
def test_decibels_are_librosas(power, top_db):
    decibels = features.power_to_db(power, top_db)
    expected = librosa.power_to_db(power, top_db=top_db)
    np.testing.assert_allclose(decibels, expected, rtol=0, atol=1e-9)
    assert decibels.max() - decibels.min() <= top_db + 1e-9
    assert features.power_to_db(power.astype(np.float32), top_db).dtype == np.float32


def test_louder_by_ten_is_a_hundred_times_the_power_and_the_same_higher_mfcc():
    samples = np.random.default_rng(0).uniform(-0.05, 0.05, 30000).astype(np.float32)
    quiet, loud = (features.clip_statistics(clip, SPEC) for clip in (samples, 10 * samples))
    n_mels = SPEC.n_mels
    np.testing.assert_allclose(loud[:n_mels], 100 * quiet[:n_mels], rtol=1e-5)
    np.testing.assert_allclose(loud[n_mels + 1 :], quiet[n_mels + 1 :], rtol=0, atol=1e-3)
    # 20 dB in each of 128 bands, times 1 / sqrt(128), is what the zeroth coefficient gains.
    assert loud[n_mels] - quiet[n_mels] == pytest.approx(20 * 128**0.5, abs=1e-2)


def test_samples_of_another_layout_are_taken():
    samples = np.random.default_rng(0).uniform(-1, 1, 5000).astype(np.float32)
    expected = features.clip_statistics(samples, SPEC)
    strided = np.stack([samples, samples], 1)[:, 0]
    np.testing.assert_array_equal(features.clip_statistics(strided, SPEC), expected)
    float64 = samples.astype(np.float64)
    np.testing.assert_array_equal(features.clip_statistics(float64, SPEC), expected)


@pytest.mark.parametrize("samples", [[], [0.0, np.nan], [np.inf], [0.0, -np.inf, 0.0]])
@pytest.mark.parametrize("function", [features.mel_spectrogram, features.clip_statistics])
def test_no_samples_and_no_numbers_are_refused(function, samples):
    message = f"{len(samples)} samples, finite ones are needed. Is the file complete"
    with pytest.raises(AudioError, match=message):
        function(np.array(samples, np.float32), SPEC)
