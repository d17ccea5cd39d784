from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from serctl.audio.decoding import read_windows
from serctl.errors import CorporaError
from serctl.train.robustness.corruptions import (
    CORRUPTIONS,
    DIRECT_TO_REVERBERANT_DB,
    N_TALKERS,
    T60_S,
    Corruption,
    Samples,
    Sound,
    add_noise,
    babble,
    read_clip,
    reverberate,
    room_response,
)

MODEL_RATES_HZ = (16000, 22050)
NAMES = [corruption.name for corruption in CORRUPTIONS]


def corruption(name: str) -> Corruption:
    """The corruption whose name begins so."""
    (found,) = (one for one in CORRUPTIONS if one.name.startswith(name))
    return found


def sound(
    samples: NDArray[np.floating], rate_hz: int = 16000, others: Sequence[Sequence[str]] = ()
) -> Sound:
    return Sound(samples.astype(np.float32), rate_hz, np.random.default_rng(1), others)


def speech(duration_s: float, rate_hz: int, level: float = 0.1) -> Samples:
    time_s = np.arange(round(duration_s * rate_hz)) / rate_hz
    voice = sum(np.sin(2 * np.pi * 150 * k * time_s) / k for k in range(1, 30))
    return (level * np.abs(np.sin(2 * np.pi * 2 * time_s)) * voice).astype(np.float32)


def tone(frequency_hz: float, rate_hz: int) -> Samples:
    time_s = np.arange(rate_hz) / rate_hz
    return (0.5 * np.sin(2 * np.pi * frequency_hz * time_s)).astype(np.float32)


def power_db(samples: NDArray[np.floating]) -> float:
    return float(10 * np.log10(np.mean(np.square(samples, dtype=np.float64))))


@pytest.fixture
def others(write_recording: Callable[..., str]) -> list[list[str]]:
    """Two recordings each of seven speakers, at rates of their own, of very different levels."""
    return [
        [
            write_recording(
                f"{speaker}-{i}.wav",
                np.random.default_rng(10 * speaker + i).standard_normal(4000) / 10**speaker,
                rate_hz=8000 + 1000 * speaker,
                subtype="FLOAT",
            )
            for i in range(2)
        ]
        for speaker in range(N_TALKERS + 1)
    ]


def test_there_is_a_row_for_each_condition_once() -> None:
    assert len(NAMES) == len(set(NAMES)) == 14


# Noise


@settings(deadline=None)
@given(
    st.integers(1, 3000),
    st.floats(-10, 40),
    st.floats(1e-4, 1),
    st.floats(1e-3, 1e3),
    st.integers(0),
)
def test_noise_has_its_power_over_the_clips_own(
    n_samples: int, snr_db: float, level: float, noise_level: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    clip = (level * rng.uniform(0.5, 1, n_samples)).astype(np.float32)
    noise = noise_level * rng.uniform(0.5, 1, n_samples)
    added = add_noise(clip, noise, snr_db).astype(np.float64) - clip
    # Samples are rounded to float32.
    assert power_db(clip) - power_db(added) == pytest.approx(snr_db, abs=0.02)
    assert np.corrcoef(added, noise)[0, 1] > 0.99 if n_samples > 2 else True


def test_a_silent_clip_stays_silent() -> None:
    silence = np.zeros(100, np.float32)
    assert not add_noise(silence, np.ones(100), 10).any()
    for one in CORRUPTIONS:
        if "babble" not in one.name:
            assert not one.apply(sound(silence)).any(), one.name


@pytest.mark.parametrize("snr_db", [20, 10, 0])
@pytest.mark.parametrize("kind", ["white noise", "babble of 6 voices"])
def test_rows_of_noise_have_the_ratio_of_their_names(
    kind: str, snr_db: int, others: list[list[str]]
) -> None:
    clip = speech(1.3, 16000)
    noisy = corruption(f"{kind} at {snr_db} dB").apply(sound(clip, others=others))
    assert power_db(clip) - power_db(noisy - clip) == pytest.approx(snr_db, abs=0.01)
    assert noisy.dtype == np.float32


def test_white_noise_is_white() -> None:
    clip = speech(4, 16000)
    noise = corruption("white noise at 0 dB").apply(sound(clip)) - clip
    power = np.abs(np.fft.rfft(noise)) ** 2
    bands = power[1:].reshape(8, -1).mean(axis=1)
    assert np.ptp(10 * np.log10(bands)) < 1


# Babble


def test_voices_of_babble_are_equally_loud(others: list[list[str]]) -> None:
    total = babble(sound(speech(1, 16000), others=others))
    assert total.shape == (16000,)
    # Voices are independent, each with a power of 1; the levels of their files differ by 120 dB.
    assert np.mean(total**2) == pytest.approx(N_TALKERS, rel=0.2)


def test_silent_recordings_are_no_voices(
    others: list[list[str]], write_recording: Callable[..., str]
) -> None:
    silent = [[write_recording(f"silent{i}.wav", np.zeros(100))] for i in range(20)]
    clip = sound(speech(1, 16000), others=[*silent, *others])
    assert np.mean(babble(clip) ** 2) == pytest.approx(N_TALKERS, rel=0.2)


def test_babble_needs_enough_speakers(others: list[list[str]]) -> None:
    with pytest.raises(CorporaError, match="6 speakers other than a clip's; 5 found"):
        babble(sound(speech(1, 16000), others=others[:5]))


def test_a_voice_shorter_than_the_clip_goes_round(write_recording: Callable[..., str]) -> None:
    short = [
        [write_recording(f"{i}.wav", 0.1 * np.sin(np.arange(100) + i), subtype="FLOAT")]
        for i in range(N_TALKERS)
    ]
    total = babble(sound(speech(0.5, 16000), others=short))
    np.testing.assert_allclose(total[:7900], total[100:], atol=1e-5)


# Telephone


@pytest.mark.parametrize(
    ("frequency_hz", "lowest_db", "highest_db"),
    [
        (60, -200, -60),
        (150, -200, -30),
        (300, -4, -2),
        (500, -0.5, 0.5),
        (1000, -0.5, 0.5),
        (3000, -0.5, 0.5),
        (3400, -4, -2),
        (3800, -200, -20),
    ],
)
def test_the_telephone_has_its_band(
    frequency_hz: float, lowest_db: float, highest_db: float
) -> None:
    telephone = corruption("telephone")
    assert telephone.rate_hz == 8000
    clip = tone(frequency_hz, 8000)
    steady = slice(4000, None)
    change_db = power_db(telephone.apply(sound(clip, 8000))[steady]) - power_db(clip[steady])
    assert lowest_db <= change_db <= highest_db


# Rooms


@pytest.mark.parametrize("rate_hz", MODEL_RATES_HZ)
@pytest.mark.parametrize("seed", range(3))
def test_a_room_falls_by_60_db_in_its_time(rate_hz: int, seed: int) -> None:
    response = room_response(rate_hz, np.random.default_rng(seed))
    assert response[0] == 1
    ratio_db = -10 * np.log10(np.sum(response[1:] ** 2))
    assert ratio_db == pytest.approx(DIRECT_TO_REVERBERANT_DB, abs=1e-6)
    # Schroeder's backward integration, from -5 to -25 dB, as ISO 3382 has T20.
    left_db = 10 * np.log10(np.cumsum(response[:0:-1] ** 2)[::-1])
    left_db -= left_db[0]
    t5, t25 = (np.argmax(left_db < level) / rate_hz for level in (-5, -25))
    assert 3 * (t25 - t5) == pytest.approx(T60_S, rel=0.1)


def test_reverberation_keeps_level_and_length() -> None:
    clip = speech(1, 16000)
    wet = reverberate(sound(clip))
    assert wet.shape == clip.shape
    assert power_db(wet) == pytest.approx(power_db(clip), abs=0.01)
    assert abs(np.corrcoef(wet, clip)[0, 1]) < 0.95


# Level and length


def test_louder_is_clipped_at_full_scale() -> None:
    clip = speech(1, 16000, level=0.08)
    louder = corruption("20 dB louder").apply(sound(clip))
    expected = 10 * clip.astype(np.float64)
    assert np.abs(expected).max() > 1.2
    step = 1 / 32768
    np.testing.assert_allclose(louder, np.clip(expected, -1, 1 - step), atol=0.51 * step)
    quieter = corruption("20 dB quieter").apply(sound(clip))
    np.testing.assert_allclose(quieter, clip / 10, atol=0.51 * step)
    for noisy in (louder, quieter):
        np.testing.assert_array_equal(noisy / step, np.rint(noisy / step))


@pytest.mark.parametrize("rate_hz", MODEL_RATES_HZ)
@pytest.mark.parametrize("duration_s", [0.5, 1.5, 2.5])
def test_cuts_and_silence_have_their_lengths(rate_hz: int, duration_s: float) -> None:
    clip = speech(duration_s, rate_hz)
    for seconds in (1, 2):
        cut = corruption(f"the first {seconds} s").apply(sound(clip, rate_hz))
        np.testing.assert_array_equal(cut, clip[: seconds * rate_hz])
    padded = corruption("0.5 s of silence").apply(sound(clip, rate_hz))
    around = round(0.5 * rate_hz)
    np.testing.assert_array_equal(padded[around:-around], clip)
    assert not padded[:around].any()
    assert not padded[-around:].any()


@pytest.mark.parametrize("name", [n for n in NAMES if not n.startswith(("0.5 s", "the first"))])
def test_all_others_keep_the_length(name: str, others: list[list[str]]) -> None:
    clip = speech(0.7, 16000)
    assert corruption(name).apply(sound(clip, others=others)).shape == clip.shape


# Files


def written(one: Corruption, samples: Samples, rate_hz: int, folder: Path) -> Path:
    path = folder / "copy"
    soundfile.write(path, samples, one.rate_hz or rate_hz, **one.file_format)
    return path


@pytest.mark.parametrize("name", NAMES)
def test_a_file_holds_what_was_made(name: str, tmp_path: Path) -> None:
    one = corruption(name)
    rate_hz = one.rate_hz or 16000
    clip = speech(1, rate_hz)
    copy = read_clip(str(written(one, clip, rate_hz, tmp_path)), rate_hz)
    if one.file_format["subtype"] == "FLOAT":
        np.testing.assert_array_equal(copy, clip)
    elif one.file_format["subtype"] == "ULAW":  # steps are a part of the sample
        np.testing.assert_allclose(copy, clip, rtol=0.04, atol=1e-3)


def test_loud_sums_are_not_clipped_by_the_file(tmp_path: Path) -> None:
    path = written(corruption("white noise at 0 dB"), np.full(9, 3, np.float32), 16000, tmp_path)
    assert read_clip(str(path), 16000).max() == 3


@pytest.mark.parametrize("rate_hz", MODEL_RATES_HZ)
def test_mp3_has_32_kbit_a_second(rate_hz: int, tmp_path: Path) -> None:
    clip = speech(10, rate_hz)
    path = written(corruption("MP3"), clip, rate_hz, tmp_path)
    # Frames have 576 samples, and as many bytes each, up to one; the decoder leaves some out.
    n_frames = soundfile.info(path).frames / 576
    assert n_frames == pytest.approx(len(clip) / 576, abs=5)
    assert path.stat().st_size == pytest.approx(n_frames * 576 / rate_hz * 32000 / 8, rel=0.01)
    sync, layer, rate_index = path.read_bytes()[:3]
    assert (sync, layer & 0xFE) == (0xFF, 0xF2)  # MPEG-2, layer III
    assert rate_index >> 4 == 4  # of 8, 16, 24 and 32 kbit/s
    decoded = read_clip(str(path), rate_hz)
    delay = int(np.argmax(np.correlate(decoded[:4000], clip[1000:2000], "valid"))) - 1000
    assert 0 <= delay <= 0.1 * rate_hz
    aligned = decoded[delay : delay + 150_000]
    assert np.corrcoef(aligned, clip[: len(aligned)])[0, 1] > 0.8


def test_a_clip_is_read_as_classify_reads_it(write_recording: Callable[..., str]) -> None:
    path = write_recording("a.wav", "speech", 2.0, 24414, 2)
    _, windows = read_windows(path, 16000, 30.0)
    np.testing.assert_array_equal(read_clip(path, 16000), np.concatenate(list(windows)))
