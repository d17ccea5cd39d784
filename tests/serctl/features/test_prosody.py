"""Praat's measures of signals whose values are known."""

import librosa
import numpy as np
import pytest
import soundfile

pytest.importorskip("parselmouth")

from serctl.features.prosody import NAMES, PROSODY, RATE_HZ

TIME_S = np.arange(2 * RATE_HZ) / RATE_HZ


def measured(samples, tmp_path, rate_hz=RATE_HZ):
    path = str(tmp_path / "a.wav")
    soundfile.write(path, samples, rate_hz, subtype="FLOAT")
    description = PROSODY.describe(path, lambda: None)
    assert description.status == "ok", description.reason
    return dict(zip(NAMES, description.values.tolist(), strict=True))


def pulses(periods_s, amplitudes=(1.0,)):
    """Band-limited pulses at intervals, with heights, that repeat."""
    at_s, samples = 0.01, np.zeros(len(TIME_S))
    for i in range(10_000):
        if at_s > TIME_S[-1] - 0.01:
            return 0.3 * samples / np.abs(samples).max()
        near = np.abs(TIME_S - at_s) < 0.002
        pulse = np.exp(-(((TIME_S[near] - at_s) / 0.0004) ** 2))
        samples[near] += amplitudes[i % len(amplitudes)] * pulse
        at_s += periods_s[i % len(periods_s)]
    raise AssertionError


def test_a_tone_has_its_pitch_and_level(tmp_path):
    values = measured(0.5 * np.sin(2 * np.pi * 200 * TIME_S), tmp_path)
    for name in ("mean", "low", "median", "high"):
        assert values[f"pitch_hz_{name}"] == pytest.approx(200, rel=1e-3)
    assert values["pitch_semitones_deviation"] < 0.01
    assert values["voiced_share"] > 0.98
    assert values["intensity_dbfs_mean"] == pytest.approx(20 * np.log10(0.5 / np.sqrt(2)), abs=0.1)
    assert values["jitter_local"] < 1e-4
    assert values["shimmer_local"] < 1e-3


def test_noise_beside_a_tone_is_the_harmonics_to_noise_ratio(tmp_path):
    tone = 0.1 * np.sin(2 * np.pi * 150 * TIME_S)
    noise = np.random.default_rng(0).standard_normal(len(tone)) * 0.1 / np.sqrt(2)
    for snr_db in (10, 20):
        values = measured(tone + noise * 10 ** (-snr_db / 20), tmp_path)
        assert values["hnr_db_mean"] == pytest.approx(snr_db, abs=1)


def test_periods_that_alternate_are_jitter(tmp_path):
    """The mean difference of two periods in a row over the mean period."""
    values = measured(pulses((0.0081, 0.0079)), tmp_path)
    assert values["jitter_local"] == pytest.approx(0.0002 / 0.008, rel=0.05)
    assert values["pitch_hz_mean"] == pytest.approx(125, rel=0.02)


def test_amplitudes_that_alternate_are_shimmer(tmp_path):
    values = measured(pulses((0.008,), (1.0, 0.9)), tmp_path)
    assert values["shimmer_local"] == pytest.approx(0.1 / 0.95, rel=0.1)


def test_pitch_of_a_voice_is_that_of_librosa(make_signal, tmp_path):
    samples = make_signal("speech", 2 * RATE_HZ, RATE_HZ)[:, 0]
    values = measured(samples, tmp_path)
    pitch_hz, is_voiced, _ = librosa.pyin(samples.astype(np.float32), fmin=75, fmax=600, sr=RATE_HZ)
    assert values["pitch_hz_median"] == pytest.approx(np.median(pitch_hz[is_voiced]), rel=0.02)


def test_syllables_are_counted(tmp_path):
    gate = 0.02 + 0.98 * np.sin(np.pi * 4 * TIME_S) ** 2  # four a second
    values = measured(0.3 * gate * np.sin(2 * np.pi * 200 * TIME_S), tmp_path)
    assert values["syllables_per_s"] == pytest.approx(4, abs=0.5)
    gate = (TIME_S % 0.5) < 0.25
    values = measured(0.3 * gate * np.sin(2 * np.pi * 200 * TIME_S), tmp_path)
    assert values["voiced_stretches_per_s"] == pytest.approx(2, abs=0.1)
    assert values["voiced_stretch_s_mean"] == pytest.approx(0.25, abs=0.05)


def test_blocks_of_a_long_recording_are_one(tmp_path):
    tone = np.tile(0.2 * np.sin(2 * np.pi * 200 * TIME_S), 31)  # 62 s
    values = measured(np.concatenate([tone, np.zeros(RATE_HZ)]), tmp_path)
    assert values["pitch_hz_mean"] == pytest.approx(200, rel=1e-3)
    assert values["voiced_share"] == pytest.approx(62 / 63, abs=0.01)


def test_noise_has_no_pitch(tmp_path):
    values = measured(0.1 * np.random.default_rng(0).standard_normal(len(TIME_S)), tmp_path)
    assert values["voiced_share"] < 0.1
    assert np.isfinite(values["intensity_dbfs_mean"])


@pytest.mark.parametrize(
    ("samples", "status"),
    [(np.zeros(RATE_HZ), "silent"), (np.ones(100), "too_short"), (np.empty(0), "too_short")],
)
def test_what_has_no_prosody_says_so(tmp_path, samples, status):
    path = str(tmp_path / "a.wav")
    soundfile.write(path, samples, RATE_HZ)
    description = PROSODY.describe(path, lambda: None)
    assert (description.status, len(description.values)) == (status, 0)
    (tmp_path / "a.wav").write_text("no audio")
    assert PROSODY.describe(path, lambda: None).status == "unreadable"
