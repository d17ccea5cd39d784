"""The three kinds of input; those with frames against librosa in float64."""

import librosa
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.references import librosa_mel, trimmed_speech

from serctl.audio import decoding
from serctl.errors import AudioError
from serctl.features.mel import MelSpec, clip_statistics
from serctl.models.inputs import (
    CLIP_STATISTICS,
    FRAMES,
    LOG_MEL,
    WHISPER_LOG_MEL,
    Normalization,
    log_mel,
    mel_and_mfcc,
    normalized_floor,
    statistics_in_db,
)
from serctl.models.networks import NETWORKS

SPEC = MelSpec()
CNN_SPEC = MelSpec(rate_hz=16000, n_fft=512, hop_samples=160, n_mels=64, n_mfcc=20, top_db=70.0)
KINDS = {kind.name: kind for kind in (CLIP_STATISTICS, FRAMES, LOG_MEL)}

# Of a band within 50 dB of the loudest, of an MFCC, and of the mean over frames. A float32 FFT adds
# rounding noise of some -140 dB to each band, which 70 dB below the loudest is heard a little.
TOLERANCE_DB = 2e-3
QUIET_TOLERANCE_DB = 1e-2


def samples_of(path, spec):
    """All of a file at a spec's rate."""
    (samples,) = decoding.read_windows(str(path), spec.rate_hz, 1000.0)[1]
    return samples


def librosa_log_mel(samples, spec):
    """What `log_mel` is to give, float64 [n_frames, n_mels]."""
    mel = librosa_mel(trimmed_speech(samples, spec), spec).T
    relative = 10 * np.log10(np.maximum(mel, 1e-10)) - 10 * np.log10(max(mel.mean(), 1e-10))
    return np.maximum(relative, -spec.top_db)


def librosa_mel_and_mfcc(samples, spec):
    """What `mel_and_mfcc` is to give, float64 [n_frames, n_mels + n_mfcc]."""
    decibels = librosa.power_to_db(librosa_mel(samples, spec), top_db=spec.top_db)
    return np.concatenate([decibels, librosa.feature.mfcc(S=decibels, n_mfcc=spec.n_mfcc)]).T


def assert_close(found, expected, n_mels):
    """The first ``n_mels`` columns are mel bands, in dB."""
    is_quiet = expected < expected[:, :n_mels].max() - 50
    is_quiet[:, n_mels:] = False
    assert np.abs(found - expected).max() <= QUIET_TOLERANCE_DB
    assert np.abs(found - expected)[~is_quiet].max() <= TOLERANCE_DB
    assert (
        np.abs(found.mean(axis=0, dtype=np.float64) - expected.mean(axis=0)).max() <= TOLERANCE_DB
    )


def assert_as_librosa(samples):
    for function, reference in (
        (log_mel, librosa_log_mel),
        (mel_and_mfcc, librosa_mel_and_mfcc),
    ):
        for spec in (SPEC, CNN_SPEC):
            found, expected = function(samples, spec), reference(samples, spec)
            assert (found.dtype, found.shape) == (np.float32, expected.shape)
            assert_close(found, expected, spec.n_mels)


def test_every_network_has_its_kind_of_input():
    kinds = {network.inputs for network in NETWORKS.values()}
    assert kinds == {*KINDS.values(), WHISPER_LOG_MEL}


@pytest.mark.parametrize("kind", ["noise", "tone", "chirp", "speech", "click", "silence"])
@pytest.mark.parametrize("n_samples", [1, 2, 511, 4097, 30000])
def test_frames_are_librosas(make_signal, kind, n_samples):
    assert_as_librosa(make_signal(kind, n_samples, 16000)[:, 0].astype(np.float32))


@pytest.mark.parametrize("level_db", [-96, -60, 0, 40])
def test_frames_of_any_level_are_librosas(make_signal, level_db):
    samples = make_signal("speech", 30000, 16000)[:, 0] * 10 ** (level_db / 20)
    assert_as_librosa(samples.astype(np.float32))


@settings(deadline=None, max_examples=50)
@given(n_samples=st.integers(1, 80 * 512))
@example(n_samples=64 * 512 - 1)  # blocks of the FFT are of 64 frames
@example(n_samples=64 * 512)
def test_frames_of_any_length_are_librosas(n_samples):
    samples = np.random.default_rng(n_samples).uniform(-1, 1, n_samples).astype(np.float32)
    assert_as_librosa(samples)


def test_frames_of_real_speech_are_librosas(fold0, recordings):
    clips = sorted(path for path in fold0.rglob("*") if path.is_file())[::113]
    for path in (*clips, *sorted(recordings.rglob("*.wav"))):
        assert_as_librosa(samples_of(path, SPEC))


@pytest.mark.parametrize("gain_db", [-20, -6, 6, 20])
def test_gain_does_not_change_a_log_mel_spectrogram(make_signal, gain_db):
    samples = make_signal("speech", 48000, 16000)[:, 0].astype(np.float32)
    louder = (samples * 10 ** (gain_db / 20)).astype(np.float32)
    decibels = log_mel(samples, CNN_SPEC)
    assert np.ptp(decibels) > 60
    assert_close(log_mel(louder, CNN_SPEC), decibels, CNN_SPEC.n_mels)


@pytest.mark.parametrize("function", [log_mel, mel_and_mfcc])
@pytest.mark.parametrize("samples", [[], [0.0, np.nan], [np.inf]])
def test_no_samples_and_no_numbers_are_refused(function, samples):
    with pytest.raises(AudioError, match=f"{len(samples)} samples, finite ones are needed"):
        function(np.array(samples, np.float32), CNN_SPEC)


@pytest.mark.parametrize(
    ("kind", "spec", "shape"),
    [
        (CLIP_STATISTICS, SPEC, (148,)),
        (FRAMES, SPEC, (1 + 30000 // 512, 148)),
        (LOG_MEL, CNN_SPEC, (64, 192)),  # 1 + 30000 // 160 is 188
    ],
    ids=list(KINDS),
)
def test_inputs_have_their_shape_and_are_scaled_by_columns(make_signal, kind, spec, shape):
    samples = make_signal("speech", 30000, 16000)[:, 0].astype(np.float32)
    raw = kind.extract(samples, spec)
    columns = kind.columns(raw, spec)
    n_columns = kind.n_columns(spec)
    assert raw.dtype == np.float32
    assert columns.shape == (*columns.shape[:-1], n_columns)
    normalization = Normalization(
        tuple(np.arange(n_columns) - 70.0), tuple(np.arange(n_columns) + 1.0)
    )
    window = kind.normalize(raw, normalization, spec)
    assert (window.dtype, window.shape) == (np.float32, shape)
    expected = (columns - normalization.mean) / normalization.std
    found = window.T[: len(columns)] if kind is LOG_MEL else window
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize(("n_frames", "n_filled"), [(1, 16), (15, 16), (16, 16), (17, 32)])
def test_a_log_mel_window_is_filled_up_with_the_floor(n_frames, n_filled):
    normalization = Normalization(tuple(np.arange(64.0)), tuple(np.arange(1.0, 65.0)))
    frames = np.random.default_rng(0).normal(-20, 10, (n_frames, 64)).astype(np.float32)
    window = LOG_MEL.normalize(frames, normalization, CNN_SPEC)
    assert window.shape == (64, n_filled)
    floor = normalized_floor(normalization, CNN_SPEC)
    np.testing.assert_allclose(floor, (-70 - np.arange(64.0)) / np.arange(1.0, 65.0), rtol=1e-6)
    np.testing.assert_array_equal(
        window[:, n_frames:], np.tile(floor[:, None], n_filled - n_frames)
    )


def test_scaling_is_of_decibels_floored_relative_to_the_clip(tiny_config):
    statistics = np.zeros(148, np.float32)
    statistics[[0, 1, 2]] = (100.0, 1e-3, 1e-7)
    statistics[128:] = np.arange(20)
    columns = statistics_in_db(statistics, SPEC)
    assert columns.dtype == np.float64
    np.testing.assert_allclose(columns[[0, 1, 2, 3]], [20, -30, -60, -60], rtol=0, atol=1e-6)
    np.testing.assert_array_equal(columns[128:], np.arange(20))
    scaled = CLIP_STATISTICS.normalize(statistics, tiny_config.normalization, SPEC)
    assert scaled.dtype == np.float32
    expected = [(20 + 30) / 15, 0, -2, -2]
    np.testing.assert_allclose(scaled[[0, 1, 2, 3]], expected, rtol=0, atol=1e-6)
    np.testing.assert_allclose(scaled[[128, 147]], [3, 19 / 30], rtol=1e-6)


def test_the_mean_over_frames_is_the_clip_statistics_mfcc(make_signal):
    samples = make_signal("speech", 30000, 22050)[:, 0].astype(np.float32)
    mean = mel_and_mfcc(samples, SPEC)[:, SPEC.n_mels :].mean(axis=0, dtype=np.float64)
    statistics = clip_statistics(samples, SPEC)[SPEC.n_mels :]
    np.testing.assert_allclose(mean, statistics, rtol=0, atol=1e-3)
