"""Descriptors against librosa in float64, along the way that a recording takes."""

import warnings

import librosa
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from serctl.audio import decoding
from serctl.features import descriptors
from serctl.features import mel as features
from serctl.features.descriptors import CURVES, MOMENTS, describe, frame_blocks, value_names
from serctl.features.mel import MelSpec

SPEC = MelSpec()
N_MEANS = SPEC.n_mels + SPEC.n_mfcc

MEL_TOLERANCE = 1e-6  # of the recording's largest band
MFCC_TOLERANCE = 1e-3
CURVE_TOLERANCE = 1e-4  # relative


@pytest.fixture(autouse=True)
def short_clips():
    """Let librosa warn of clips shorter than a frame."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "n_fft=.* is too large")
        yield


def samples_of(path):
    _, windows = decoding.read_windows(str(path), SPEC.rate_hz, 1000.0)
    return next(windows).astype(np.float64)


def librosa_frames(samples):
    """Mel power, MFCC, and the three curves [3, n_frames], of samples float64."""
    mel = librosa.feature.melspectrogram(y=samples, sr=SPEC.rate_hz)
    mfcc = librosa.feature.mfcc(S=librosa.power_to_db(mel))
    curves = [
        librosa.feature.zero_crossing_rate(samples),
        librosa.feature.spectral_centroid(y=samples, sr=SPEC.rate_hz),
        librosa.feature.spectral_rolloff(y=samples, sr=SPEC.rate_hz),
    ]
    return mel, mfcc, np.concatenate(curves)


def assert_as_librosa(path, mfcc_too=True):
    description = describe(str(path), SPEC)
    values = description.values
    assert values.dtype == np.float32
    mel, mfcc, curves = librosa_frames(samples_of(path))
    mel_error = np.abs(values[: SPEC.n_mels] - mel.mean(axis=1)).max()
    assert mel_error <= MEL_TOLERANCE * mel.mean(axis=1).max(), path
    if mfcc_too:
        mfcc_error = np.abs(values[SPEC.n_mels : N_MEANS] - mfcc.mean(axis=1)).max()
        assert mfcc_error <= MFCC_TOLERANCE, path
    means, deviations = values[N_MEANS:].astype(float).reshape(len(CURVES), len(MOMENTS)).T
    np.testing.assert_allclose(means, curves.mean(axis=1), rtol=CURVE_TOLERANCE, err_msg=path)
    # What does not vary has a deviation of rounding noise.
    for mean, deviation, expected in zip(means, deviations, curves.std(axis=1), strict=True):
        assert deviation == pytest.approx(expected, rel=CURVE_TOLERANCE, abs=1e-9 * mean), path
    return description


@pytest.mark.parametrize("kind", ["noise", "tone", "chirp", "speech", "click", "silence"])
@pytest.mark.parametrize("n_frames", [1, 2, 511, 4097, 30000])
def test_values_are_librosas(write_recording, make_signal, rate_hz, n_frames, kind):
    n_channels = 1 + n_frames % 2
    path = write_recording("a.wav", make_signal(kind, n_frames, rate_hz, n_channels), 0, rate_hz)
    assert_as_librosa(path)


@pytest.mark.parametrize("tone_hz", [30, 60, 220])
def test_values_of_low_tones_are_librosas(write_recording, tone_hz):
    # Rounding noise is as loud at 11 kHz as at 30 Hz, and moves a low centroid most.
    time_s = np.arange(66150) / 22050
    samples = 0.5 * np.sin(2 * np.pi * tone_hz * time_s) * (time_s > 0.1)
    assert_as_librosa(write_recording("a.wav", samples, 0, 22050, subtype="FLOAT"))


@pytest.mark.parametrize("level_db", [-180, -60, 40])
def test_values_of_any_level_are_librosas(write_recording, make_signal, level_db):
    samples = make_signal("speech", 30000, 16000) * 10 ** (level_db / 20)
    assert_as_librosa(write_recording("a.wav", samples, subtype="FLOAT"))


def test_values_of_real_speech_are_librosas(fold0):
    clips = sorted(path for path in fold0.rglob("*") if path.is_file())
    for path in clips[::45]:
        assert_as_librosa(path)


@pytest.mark.parametrize("kind", ["noise", "chirp", "speech"])
@pytest.mark.parametrize("duration_s", [30.0, 30.01, 65.3])
def test_values_of_long_recordings_are_librosas(write_recording, kind, duration_s):
    path = write_recording("a.wav", kind, duration_s, 16000, 2)
    # Above 8 kHz there is only what the floor of the decibels cuts off, which is that of a window.
    assert_as_librosa(path, mfcc_too=duration_s == 30.0)


@pytest.mark.parametrize("loud_first", [True, False])
def test_decibels_are_floored_below_the_largest_so_far(write_recording, make_signal, loud_first):
    samples = make_signal("noise", 70 * 8000, 8000)[:, 0] * 1e-5
    loud = slice(0, 8000) if loud_first else slice(-8000, None)
    samples[loud] *= 1e5
    path = write_recording("a.wav", samples, rate_hz=8000, subtype="FLOAT")
    mfcc = describe(path, SPEC).values[SPEC.n_mels : N_MEANS]
    expected = librosa_frames(samples_of(path))[1].mean(axis=1)
    assert (np.abs(mfcc - expected).max() <= MFCC_TOLERANCE) == loud_first


def test_values_hold_the_networks_input(write_recording):
    path = write_recording("a.wav", "speech", 3.0)
    expected = features.clip_statistics(samples_of(path).astype(np.float32), SPEC)
    values = describe(path, SPEC).values[:N_MEANS]
    np.testing.assert_allclose(values, expected, rtol=1e-5, atol=1e-6 * expected.max())


@settings(deadline=None, max_examples=40)
@given(lengths=st.lists(st.integers(1, 3000), min_size=1, max_size=8))
@example(lengths=[1024, 1])
@example(lengths=[1, 1023, 512, 511, 1])
@example(lengths=[1535, 1, 40000])
def test_frames_are_the_same_however_a_recording_is_cut(lengths):
    samples = np.random.default_rng(len(lengths)).uniform(-1, 1, sum(lengths)).astype(np.float32)
    (whole,) = frame_blocks([samples], SPEC)
    blocks = list(frame_blocks(np.split(samples, np.cumsum(lengths)[:-1]), SPEC))
    assert all(len(block.mel) for block in blocks)
    np.testing.assert_array_equal(np.concatenate([block.mel for block in blocks]), whole.mel)
    np.testing.assert_array_equal(np.concatenate([block.curves for block in blocks]), whole.curves)
    assert len(whole.mel) == 1 + len(samples) // SPEC.hop_samples


def test_frames_are_librosas(write_recording):
    path = write_recording("a.wav", "speech", 2.0)
    mels, mfccs = [], []
    description = describe(path, SPEC, lambda mel, mfcc: (mels.append(mel), mfccs.append(mfcc)))
    (mel,), (mfcc,) = mels, mfccs
    expected_mel, expected_mfcc, _ = librosa_frames(samples_of(path))
    assert mel.dtype == mfcc.dtype == np.float32
    np.testing.assert_allclose(mel, expected_mel.T, rtol=0, atol=MEL_TOLERANCE * expected_mel.max())
    np.testing.assert_allclose(mfcc, expected_mfcc.T, rtol=0, atol=MFCC_TOLERANCE)
    means = np.concatenate([mel.mean(axis=0), mfcc.mean(axis=0)])
    np.testing.assert_allclose(description.values[:N_MEANS], means, rtol=1e-4, atol=1e-5)


def test_there_are_no_frames_without_windows():
    assert list(frame_blocks([], SPEC)) == []


def test_names_say_what_values_are():
    names = value_names(SPEC)
    assert names[0] == "mel_1"
    assert names[127:129] == ("mel_128", "mfcc_1")
    assert names[147:] == (
        "mfcc_20",
        "zero_crossing_rate_mean",
        "zero_crossing_rate_deviation",
        "spectral_centroid_hz_mean",
        "spectral_centroid_hz_deviation",
        "spectral_rolloff_hz_mean",
        "spectral_rolloff_hz_deviation",
    )


def test_values_of_a_tone_are_what_their_names_say(write_recording):
    time_s = np.arange(22050 * 4) / 22050
    path = write_recording("a.wav", 0.5 * np.sin(2 * np.pi * 1000 * time_s), rate_hz=22050)
    values = dict(zip(value_names(SPEC), describe(path, SPEC).values, strict=True))
    assert values["zero_crossing_rate_mean"] == pytest.approx(2 * 1000 / 22050, rel=0.02)
    assert values["spectral_centroid_hz_mean"] == pytest.approx(1000, rel=0.02)
    assert values["spectral_rolloff_hz_mean"] == pytest.approx(1000, abs=3 * 22050 / 2048)
    bands = [values[f"mel_{i}"] for i in range(1, 129)]
    assert np.argmax(bands) == np.argmax(features.mel_filters(SPEC)[:, round(1000 * 2048 / 22050)])


@pytest.mark.parametrize(
    ("samples", "level_dbfs"),
    [
        (np.tile([1.0, 1.0, -1.0, -1.0], 5000), 0.0),
        (np.full(5000, 0.1), -20.0),
        (0.5 * np.sin(np.arange(20000) * 0.1), 20 * np.log10(0.5) - 3.0103),
        (np.zeros(5000), None),
    ],
)
def test_level_is_the_root_mean_square_in_db_of_full_scale(write_recording, samples, level_dbfs):
    path = write_recording("a.wav", samples, rate_hz=22050, subtype="FLOAT")
    level = describe(path, SPEC).level_dbfs
    assert level == (None if level_dbfs is None else pytest.approx(level_dbfs, abs=0.01))


def test_a_recording_is_described(write_recording):
    description = describe(write_recording("a.wav", "speech", 1.25, 44100, 2), SPEC)
    assert (description.status, description.reason) == ("ok", "")
    assert description.duration_s == 1.25
    assert (description.sample_rate_hz, description.channels) == (44100, 2)


@pytest.mark.parametrize("amplitude", [0.0, 1 / 40000])
def test_silence_has_values(write_recording, amplitude):
    path = write_recording("a.wav", np.full(8000, amplitude), subtype="FLOAT")
    description = describe(path, SPEC)
    assert description.status == "silent"
    assert description.reason == "No sample reaches 1/32768 of full scale."
    assert np.isfinite(description.values).all()
    assert len(description.values) == len(value_names(SPEC))


def test_a_recording_without_samples_is_too_short(write_recording):
    description = describe(write_recording("a.wav", np.empty((0, 1))), SPEC)
    assert description.status == "too_short"
    assert "0 samples; at least one is needed" in description.reason
    assert (description.duration_s, description.sample_rate_hz) == (0.0, 16000)
    assert len(description.values) == 0


def test_what_cannot_be_read_says_why(tmp_path):
    (tmp_path / "a.wav").write_text("not sound")
    description = describe(str(tmp_path / "a.wav"), SPEC)
    assert description.status == "unreadable"
    assert "Not audio, or damaged" in description.reason
    assert len(description.values) == 0


def test_what_breaks_off_is_described_as_far_as_it_goes(write_recording, tmp_path):
    path = write_recording("a.flac", "noise", 100.0)
    with open(path, "r+b") as file:
        file.truncate(1_000_000)
    description = describe(path, SPEC)
    assert (description.status, description.reason[:11]) == ("ok", "truncated: ")
    assert 0 < description.duration_s < 100
    assert len(description.values) == len(value_names(SPEC))


def test_a_fault_is_told_and_not_raised(write_recording, monkeypatch):
    def fail(*arguments):
        raise MemoryError("too little")

    monkeypatch.setattr(descriptors, "_describe", fail)
    description = describe(write_recording("a.wav"), SPEC)
    assert (description.status, description.reason) == ("failed", "MemoryError: too little")
