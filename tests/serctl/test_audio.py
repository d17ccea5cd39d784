import math
import os

import librosa
import numpy as np
import pytest
import soundfile
import soxr

from serctl import audio
from serctl.errors import AudioError

RATE_HZ = 22050


def read(path, rate_hz=RATE_HZ, window_s=30.0):
    """Recording and list of its windows."""
    recording, windows = audio.read_windows(path, rate_hz, window_s)
    return recording, list(windows)


def one_shot(path, rate_hz=RATE_HZ):
    """What librosa makes of the whole file in float64."""
    samples, file_rate_hz = soundfile.read(path, dtype="float64", always_2d=True)
    mono = samples.mean(axis=1)
    return librosa.resample(mono, orig_sr=file_rate_hz, target_sr=rate_hz, res_type="soxr_hq")


@pytest.mark.parametrize("duration_s", [0.01, 0.5, 2.345])
def test_windows_are_the_one_shot_resample(write_recording, rate_hz, n_channels, duration_s):
    path = write_recording("a.wav", "noise", duration_s, rate_hz, n_channels)
    _, windows = read(path, window_s=0.5)
    expected = one_shot(path)
    joined = np.concatenate(windows)
    assert joined.dtype == np.float32
    assert joined.shape == expected.shape
    np.testing.assert_allclose(joined, expected, rtol=0, atol=1e-6)
    assert {len(window) for window in windows[:-1]} <= {RATE_HZ // 2}
    assert 0 < len(windows[-1]) <= RATE_HZ // 2


@pytest.mark.parametrize("n_frames", [1, 2, 3, 999, 1000, 1001, 2000, 5000])
def test_block_boundaries_change_nothing(monkeypatch, write_recording, rate_hz, n_frames):
    path = write_recording("a.wav", "noise", n_frames / rate_hz, rate_hz)
    whole, (at_once,) = read(path)
    monkeypatch.setattr(audio, "BLOCK_FRAMES", 1000)
    blocks, (in_blocks,) = read(path)
    np.testing.assert_array_equal(in_blocks, at_once)
    assert blocks == whole
    assert blocks.n_frames == n_frames
    assert len(in_blocks) == math.ceil(n_frames * RATE_HZ / rate_hz)


@pytest.mark.parametrize("name", ["a.mp3", "a.ogg", "a.opus", "a.flac", "a.aiff"])
def test_blocks_of_compressed_formats_join_without_a_seam(monkeypatch, write_recording, name):
    subtype = "OPUS" if name.endswith("opus") else None
    path = write_recording("a.ogg" if subtype else name, "speech", 1.0, 48000, 2, subtype)
    _, (at_once,) = read(path)
    np.testing.assert_allclose(at_once, one_shot(path), rtol=0, atol=1e-6)
    monkeypatch.setattr(audio, "BLOCK_FRAMES", 1000)
    _, (in_blocks,) = read(path)
    np.testing.assert_array_equal(in_blocks, at_once)


def test_blocks_are_bounded_in_channels_and_in_seconds(monkeypatch, tmp_path):
    asked = []
    original = soundfile.SoundFile.read

    def spy(file, frames, **options):
        asked.append(frames)
        return original(file, frames, **options)

    monkeypatch.setattr(soundfile.SoundFile, "read", spy)
    monkeypatch.setattr(audio, "BLOCK_FRAMES", 1000)
    soundfile.write(tmp_path / "many.wav", np.full((100, 256), 0.5), 8000)
    soundfile.write(tmp_path / "slow.wav", np.full(400, 0.5), 1)
    recording, _ = read(tmp_path / "many.wav")
    assert recording.n_frames == 100
    assert set(asked) == {1000 // 256}
    asked.clear()
    recording, windows = read(tmp_path / "slow.wav", window_s=600.0)
    assert recording.n_frames == 400
    assert sum(map(len, windows)) == 400 * RATE_HZ
    assert set(asked) == {audio.BLOCK_S}


def test_windows_of_a_file_at_the_models_rate_are_its_samples(write_recording):
    path = write_recording("a.wav", "noise", 1.0, RATE_HZ)
    _, windows = read(path, window_s=0.4)
    np.testing.assert_array_equal(np.concatenate(windows), soundfile.read(path, dtype="float32")[0])
    assert [len(window) for window in windows] == [8820, 8820, 4410]


def test_a_whole_number_of_windows_leaves_no_rest(write_recording):
    _, windows = read(write_recording("a.wav", duration_s=2.0, rate_hz=16000), window_s=0.5)
    assert [len(window) for window in windows] == [11025] * 4


def test_counts_grow_with_the_windows(monkeypatch, write_recording):
    monkeypatch.setattr(audio, "BLOCK_FRAMES", 8000)
    samples = np.concatenate([np.full(24000, 0.25), np.full(8000, -0.75)])
    path = write_recording("a.wav", samples, rate_hz=16000)
    recording, windows = audio.read_windows(path, 16000, 0.5)
    assert (recording.rate_hz, recording.n_channels, recording.n_frames) == (16000, 1, 0)
    next(windows)
    assert (recording.n_frames, recording.duration_s, recording.peak) == (8000, 0.5, 0.25)
    assert len(list(windows)) == 3
    assert (recording.n_frames, recording.duration_s, recording.peak) == (32000, 2.0, 0.75)


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT", "DOUBLE"])
def test_channels_are_mixed_to_their_mean(write_recording, subtype):
    samples = np.random.default_rng(0).uniform(-0.9, 0.9, (4000, 3))
    path = write_recording("a.wav", samples, rate_hz=RATE_HZ, subtype=subtype)
    recording, (mixed,) = read(path)
    expected = soundfile.read(path, dtype="float64")[0].mean(axis=1)
    np.testing.assert_array_equal(mixed, expected.astype(np.float32))
    assert recording.n_channels == 3
    assert recording.peak == pytest.approx(np.abs(expected).max())


def test_channels_of_opposite_sign_are_silence(write_recording):
    samples = np.random.default_rng(0).uniform(-0.9, 0.9, 4000)
    path = write_recording("a.wav", np.stack([samples, -samples], 1), subtype="FLOAT")
    recording, _ = read(path)
    assert recording.peak == 0.0


def test_a_file_without_frames_has_no_windows(write_recording):
    recording, windows = read(write_recording("a.wav", np.empty(0)))
    assert windows == []
    assert (recording.n_frames, recording.duration_s, recording.peak) == (0, 0.0, 0.0)


def test_a_flac_that_does_not_say_its_length_is_read_to_its_end(write_recording):
    path = write_recording("a.flac", "speech", 1.0, 16000)
    with open(path, "r+b") as file:  # total samples: the last 36 of 64 bits from byte 18 on
        file.seek(21)
        (bits,) = file.read(1)
        file.seek(21)
        file.write(bytes([bits & 0xF0, 0, 0, 0, 0]))
    assert soundfile.info(path).frames > 1 << 60
    recording, (samples,) = read(path)
    assert recording.n_frames == 16000
    assert len(samples) == RATE_HZ


@pytest.mark.parametrize("keep", [0.1, 0.5, 0.95])
def test_a_truncated_flac_is_told_with_its_path(write_recording, keep):
    path = write_recording("a.flac", "noise", 3.0)
    os.truncate(path, int(os.path.getsize(path) * keep))
    with pytest.raises(AudioError, match=r"a\.flac: Decoding broke off after 0\.0 s .*damaged"):
        read(path)


def test_damage_further_on_is_told_with_where(monkeypatch, write_recording):
    monkeypatch.setattr(audio, "BLOCK_FRAMES", 8000)
    path = write_recording("a.flac", "noise", 3.0)
    os.truncate(path, int(os.path.getsize(path) * 0.5))
    recording, windows = audio.read_windows(path, RATE_HZ, 0.25)
    next(windows)
    with pytest.raises(AudioError, match=r"Decoding broke off after 1\.[05] s") as caught:
        list(windows)
    assert recording.duration_s in (1.0, 1.5)
    assert str(caught.value) == f"{path}: {caught.value.reason}"


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e20, -3e38])
@pytest.mark.parametrize("n_channels", [1, 2])
def test_samples_that_are_no_sound_are_refused(write_recording, value, n_channels):
    samples = np.zeros((1000, n_channels), np.float32)
    samples[500, -1] = value
    path = write_recording("a.wav", samples, subtype="FLOAT")
    with pytest.raises(AudioError, match=r"a\.wav: Holds samples that are no sound: (nan|inf|\d)"):
        read(path)


def test_samples_beyond_full_scale_are_taken(write_recording):
    samples = np.full(1000, -(2.0**31))
    recording, _ = read(write_recording("a.wav", samples, subtype="FLOAT"))
    assert recording.peak == 2.0**31


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.wav", b"Dear diary, this is no sound at all.", "Format not recognised. Not audio"),
        ("a.wav", b"RIFF\x24\0\0\0WAVEfmt ", "Not audio, or damaged: try to play it"),
        ("a.wav", b"", "0 bytes. The file is empty"),
        ("a.m4a", b"\0\0\0\x20ftypM4A " + bytes(400), r"ffmpeg -i NAME\.m4a NAME\.wav"),
        ("a.WMA", b"\x30\x26\xb2\x75" + bytes(400), r"ffmpeg -i NAME\.wma NAME\.wav"),
        ("a.m4a", b"", "0 bytes. The file is empty"),
    ],
)
def test_what_cannot_be_decoded_says_why_and_what_to_do(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(AudioError, match=message) as caught:
        audio.open_recording(str(path))
    assert str(caught.value) == f"{path}: {caught.value.reason}"


def test_a_wav_under_the_name_of_a_format_that_is_not_decoded_is_decoded(write_recording):
    path = write_recording("a.wav")
    os.rename(path, path := path.replace(".wav", ".m4a"))
    assert read(path)[0].n_frames == 16000


def test_a_file_that_has_gone_is_told(tmp_path):
    with pytest.raises(AudioError, match=r"a\.wav: No such file or directory\. Check that"):
        audio.open_recording(str(tmp_path / "a.wav"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_told(write_recording):
    path = write_recording("a.wav")
    os.chmod(path, 0)
    with pytest.raises(AudioError, match=r"a\.wav: "):
        audio.open_recording(path)


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.wav")
    with pytest.raises(AudioError, match="0 bytes"):
        audio.open_recording(str(tmp_path / "a.wav"))


def test_names_that_are_no_utf_8_are_opened(write_recording, tmp_path):
    path = os.fsencode(write_recording("a.wav"))
    odd = os.path.join(os.fsencode(tmp_path), b"caf\xe9 \xff.wav")
    os.rename(path, odd)
    recording, _ = read(os.fsdecode(odd))
    assert recording.n_frames == 16000


@pytest.mark.parametrize("rate_hz", [1, 100, 4000, 192000, 768000])
def test_any_sample_rate_is_resampled(write_recording, rate_hz):
    samples = np.full(20, 0.5, np.float32)
    recording, windows = read(write_recording("a.wav", samples, rate_hz=rate_hz), window_s=60.0)
    assert recording.rate_hz == rate_hz
    expected = soxr.resample(samples, rate_hz, RATE_HZ, quality="HQ")
    np.testing.assert_array_equal(np.concatenate(windows)[: len(expected)], expected)
