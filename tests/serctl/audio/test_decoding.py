import math
import os
import re
import struct
from pathlib import Path

import librosa
import numpy as np
import pytest
import soundfile
import soxr

from serctl.audio import decoding
from serctl.audio.formats import integrity
from serctl.audio.formats.views import FileView
from serctl.audio.scan import scan
from serctl.errors import AudioError

RATE_HZ = 22050


def read(path, rate_hz=RATE_HZ, window_s=30.0):
    """Recording and list of its windows."""
    recording, windows = decoding.read_windows(path, rate_hz, window_s)
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
    monkeypatch.setattr(decoding, "BLOCK_FRAMES", 1000)
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
    # FFmpeg's Opus is another implementation than libsndfile's, and rounds otherwise.
    atol = 3e-3 if name.endswith("opus") else 1e-6
    np.testing.assert_allclose(at_once, one_shot(path), rtol=0, atol=atol)
    monkeypatch.setattr(decoding, "BLOCK_FRAMES", 1000)
    _, (in_blocks,) = read(path)
    np.testing.assert_array_equal(in_blocks, at_once)


def test_blocks_are_bounded_in_channels_and_in_seconds(monkeypatch, tmp_path):
    asked = []
    original = soundfile.SoundFile.read

    def spy(file, out):
        asked.append(len(out))
        return original(file, out=out)

    monkeypatch.setattr(soundfile.SoundFile, "read", spy)
    monkeypatch.setattr(decoding, "BLOCK_FRAMES", 1000)
    soundfile.write(tmp_path / "many.wav", np.full((100, 256), 0.5), 8000)
    soundfile.write(tmp_path / "slow.wav", np.full(4000, 0.5), 1000)
    recording, _ = read(tmp_path / "many.wav")
    assert recording.n_frames == 100
    assert set(asked) == {1000 // 256}
    asked.clear()
    monkeypatch.setattr(decoding, "BLOCK_FRAMES", 3000)
    monkeypatch.setattr(decoding, "BLOCK_S", 2)
    recording, windows = read(tmp_path / "slow.wav", window_s=600.0)
    assert recording.n_frames == 4000
    assert sum(map(len, windows)) == 4 * RATE_HZ
    assert set(asked) == {2000}


def test_windows_of_a_file_at_the_models_rate_are_its_samples(write_recording):
    path = write_recording("a.wav", "noise", 1.0, RATE_HZ)
    _, windows = read(path, window_s=0.4)
    np.testing.assert_array_equal(np.concatenate(windows), soundfile.read(path, dtype="float32")[0])
    assert [len(window) for window in windows] == [8820, 8820, 4410]


def test_a_whole_number_of_windows_leaves_no_rest(write_recording):
    _, windows = read(write_recording("a.wav", duration_s=2.0, rate_hz=16000), window_s=0.5)
    assert [len(window) for window in windows] == [11025] * 4


def test_resamplers_that_were_used_before_change_nothing(monkeypatch, write_recording):
    one, other = (write_recording(f"{i}.wav", "noise", 2.345 + i) for i in range(2))
    monkeypatch.setattr(decoding, "BLOCK_FRAMES", 5000)
    decoding._idle_streams.cache_clear()
    expected = {path: np.concatenate(read(path)[1]) for path in (one, other)}
    _, left_off = decoding.read_windows(other, RATE_HZ, 0.5)
    next(left_off)
    for _ in range(2):
        both = [decoding.read_windows(path, RATE_HZ, 0.5)[1] for path in (one, other)]
        windows = [[], []]
        for _ in range(8):  # by turns
            for those, iterator in zip(windows, both, strict=True):
                those.append(next(iterator, np.empty(0, np.float32)))
        for path, those in zip((one, other), windows, strict=True):
            np.testing.assert_array_equal(np.concatenate(those), expected[path])


def test_counts_grow_with_the_windows(monkeypatch, write_recording):
    monkeypatch.setattr(decoding, "BLOCK_FRAMES", 8000)
    samples = np.concatenate([np.full(24000, 0.25), np.full(8000, -0.75)])
    path = write_recording("a.wav", samples, rate_hz=16000)
    recording, windows = decoding.read_windows(path, 16000, 0.5)
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


@pytest.mark.parametrize("subtype", ["FLOAT", "PCM_16"])
def test_of_channels_of_opposite_sign_one_is_taken_and_it_is_said(write_recording, subtype):
    samples = np.random.default_rng(0).uniform(-0.9, 0.9, 4000)
    frames = np.stack([0.9 * samples, -samples], 1)
    path = write_recording("a.wav", frames, rate_hz=RATE_HZ, subtype=subtype)
    recording, (mixed,) = read(path)
    np.testing.assert_allclose(mixed, -samples, rtol=0, atol=1e-4)
    assert recording.reason.endswith("channel 2 of 2 was taken alone.")


def test_channels_of_which_one_is_silent_are_mixed(write_recording):
    samples = np.random.default_rng(0).uniform(-0.9, 0.9, 4000)
    frames = np.stack([samples, np.zeros(4000)], 1)
    recording, (mixed,) = read(write_recording("a.wav", frames, rate_hz=RATE_HZ))
    np.testing.assert_allclose(mixed, samples / 2, rtol=0, atol=1e-4)
    assert recording.reason == ""


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
@pytest.mark.parametrize("block_frames", [decoding.BLOCK_FRAMES, 8000, 4096, 1000])
def test_of_a_truncated_flac_all_that_came_is_kept(
    monkeypatch, write_recording, keep, block_frames
):
    monkeypatch.setattr(decoding, "BLOCK_FRAMES", block_frames)
    path = write_recording("a.flac", "noise", 3.0)
    samples, rate_hz = soundfile.read(path, dtype="float32")
    os.truncate(path, int(os.path.getsize(path) * keep))
    recording, windows = read(path, rate_hz)
    came = np.concatenate(windows)
    # A frame is 4096 samples, and the last one that begins is lost.
    assert 0.95 * keep * len(samples) - 8192 < len(came) <= keep * len(samples)
    np.testing.assert_array_equal(came, samples[: len(came)])
    assert recording.n_frames == len(came)
    assert recording.reason.startswith("truncated: decoding broke off after ")


def test_a_flac_that_ends_after_a_whole_frame_is_truncated_too(write_recording):
    path = write_recording("a.flac", "noise", 3.0)
    with open(path, "r+b") as file:  # total samples: the last 36 of 64 bits from byte 18 on
        file.seek(22)
        file.write(struct.pack(">I", 96000))
    recording, _ = read(path)
    assert recording.n_frames == 48000
    assert recording.reason.startswith("truncated: ")


def test_a_flac_of_which_nothing_comes_is_told_with_its_path(write_recording):
    path = write_recording("a.flac", "noise", 1.0)
    os.truncate(path, os.path.getsize(path) // 50)
    with pytest.raises(AudioError, match=r"a\.flac: Decoding broke off at once .*damaged"):
        read(path)


TRUNCATED = {
    "a.wav": None,
    "a.aiff": None,
    "a.au": None,
    "a.w64": None,
    "a.rf64": None,
    "ima.wav": "IMA_ADPCM",
    "ms.wav": "MS_ADPCM",
    "alaw.wav": "ALAW",
    "a.mp3": None,
}


@pytest.mark.parametrize("name", TRUNCATED)
@pytest.mark.parametrize("keep", [0.3, 0.9])
def test_less_than_the_header_promises_is_told(write_recording, name, keep):
    path = write_recording(name, "speech", 3.0, subtype=TRUNCATED[name])
    whole, (samples,) = read(path)
    assert whole.reason == ""
    os.truncate(path, int(os.path.getsize(path) * keep))
    recording, (came,) = read(path)
    # MP3 and ADPCM promise whole frames, and what stands before and after the sound.
    assert re.fullmatch(
        rf"truncated: {recording.duration_s:.1f} s came of 3\.[012] s that its header promises\.",
        recording.reason,
    )
    assert len(came) == pytest.approx(keep * len(samples), rel=0.15)
    n_same = len(came) - 2000  # the last block of ADPCM is in part made up
    np.testing.assert_allclose(came[:n_same], samples[:n_same], rtol=0, atol=1e-4)


@pytest.mark.parametrize("size", [0x7FFFF000, 0x7FFFFFFF, 0xFFFFFFFF, 0xFFFFFFDB, 32004])
def test_a_wav_written_before_its_length_was_known_is_whole(write_recording, size):
    path = write_recording("a.wav")
    with open(path, "r+b") as file:
        file.seek(4)
        file.write(struct.pack("<I", size))
        file.seek(40)
        file.write(struct.pack("<I", size))
    recording, _ = read(path)
    assert recording.n_frames == 16000
    assert recording.reason == ""


def test_an_mp3_that_does_not_say_its_length_is_not_truncated(recordings):
    # libsndfile's estimate of its length is too long.
    path = str(recordings / "podcast/garden walk.mp3")
    recording, _ = read(path)
    assert recording.n_frames < soundfile.info(path).frames
    assert recording.reason == ""


@pytest.mark.parametrize(
    ("extension", "subtype"), [("ogg", "VORBIS"), ("ogg", "OPUS"), ("mp3", "MPEG_LAYER_III")]
)
def test_of_recordings_joined_to_one_file_all_come(write_recording, extension, subtype):
    paths = [
        write_recording(f"{kind}.{extension}", kind, 1.5, 48000, subtype=subtype)
        for kind in ("speech", "noise")
    ]
    first, second = (Path(path).read_bytes() for path in paths)
    alone, _ = read(paths[0])
    assert alone.reason == ""
    Path(paths[0]).write_bytes(first + second)
    joined, _ = read(paths[0])
    assert joined.duration_s == pytest.approx(3.0, abs=0.1)
    assert joined.reason == ""
    # What players put behind the sound is none.
    Path(paths[0]).write_bytes(first + b"TAG" + bytes(125))
    assert read(paths[0])[0].reason == ""


def test_an_mp3_joined_on_behind_tags_and_a_picture_is_read(write_recording):
    path = Path(write_recording("a.mp3", "noise", 1.5, 48000, subtype="MPEG_LAYER_III"))
    sound = path.read_bytes()
    size = bytes([0, 30, 0, 0])  # 0.5 MB in seven bits a byte
    picture = b"ID3\4\0\0" + size + bytes(30 << 14)
    path.write_bytes(sound + b"TAG" + bytes(125) + picture + sound)
    assert read(str(path))[0].duration_s == pytest.approx(3.0, abs=0.1)


def test_a_page_of_ogg_that_ends_in_the_next_block_is_found(write_recording, monkeypatch):
    path = write_recording("a.ogg", "noise", 1.0)
    assert not integrity.is_chained_ogg(FileView(path))
    Path(path).write_bytes(2 * Path(path).read_bytes())
    for n_bytes in (1000, 1001, 1002, 1003, 1004, 1005, 1006):
        monkeypatch.setattr(integrity, "OGG_BLOCK_BYTES", n_bytes)
        assert integrity.is_chained_ogg(FileView(path))


def test_the_projects_own_recordings_are_whole(recordings):
    for path in scan([recordings]):
        assert read(path)[0].reason == ""


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e20, -3e38])
@pytest.mark.parametrize("n_channels", [1, 2])
def test_samples_that_are_no_sound_are_refused(write_recording, value, n_channels):
    samples = np.zeros((1000, n_channels), np.float32)
    samples[500, -1] = value
    path = write_recording("a.wav", samples, subtype="FLOAT")
    with pytest.raises(AudioError, match=r"a\.wav: Invalid samples: (nan|inf|\d)"):
        read(path)


def test_samples_beyond_full_scale_are_taken(write_recording):
    samples = np.full(1000, -(2.0**31))
    recording, _ = read(write_recording("a.wav", samples, subtype="FLOAT"))
    assert recording.peak == 2.0**31


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.wav", b"Dear diary, this is no sound at all.", "A text, not audio"),
        ("a.wav", b"RIFF\x24\0\0\0WAVEfmt ", "Not audio, or damaged: try to play it"),
        ("a.wav", b"", "0 bytes. The file is empty"),
        ("a.m4a", b"\0\0\0\x20ftypM4A " + bytes(400), r"\(MP4\)\. Its index is missing"),
        ("a.WMA", b"\x30\x26\xb2\x75" + bytes(400), r"Not audio, or damaged"),
        ("a.m4a", b"", "0 bytes. The file is empty"),
    ],
)
def test_what_cannot_be_decoded_says_why_and_what_to_do(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(AudioError, match=message) as caught:
        decoding.open_recording(str(path))
    assert str(caught.value) == f"{path}: {caught.value.reason}"


def test_a_wav_under_the_name_of_a_format_that_is_not_decoded_is_decoded(write_recording):
    path = write_recording("a.wav")
    os.rename(path, path := path.replace(".wav", ".m4a"))
    assert read(path)[0].n_frames == 16000


def test_a_file_that_has_gone_is_told(tmp_path):
    with pytest.raises(AudioError, match=r"a\.wav: No such file or directory\. Check that"):
        decoding.open_recording(str(tmp_path / "a.wav"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_told(write_recording):
    path = write_recording("a.wav")
    os.chmod(path, 0)
    with pytest.raises(AudioError, match=r"a\.wav: "):
        decoding.open_recording(path)


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.wav")
    with pytest.raises(AudioError, match=r"a\.wav: A named pipe; a file is needed"):
        decoding.open_recording(str(tmp_path / "a.wav"))


@pytest.mark.parametrize(("path", "found"), [("/dev/zero", "A device"), ("/", "A folder")])
def test_what_is_no_file_is_named(path, found):
    with pytest.raises(AudioError, match=f"{path}: {found}; a file is needed"):
        decoding.open_recording(path)


def test_no_descriptor_is_left_open(tmp_path, write_recording):
    good = write_recording("good.wav")
    (tmp_path / "text.wav").write_bytes(b"Dear diary, this is no sound at all.")
    (tmp_path / "junk.mp3").write_bytes(b"Dear diary, this is no sound at all." * 100)
    n_open = len(os.listdir("/dev/fd"))
    for _ in range(20):
        read(good)
        for name in ("text.wav", "junk.mp3"):
            with pytest.raises(AudioError):
                decoding.open_recording(str(tmp_path / name))
    assert len(os.listdir("/dev/fd")) == n_open


@pytest.mark.parametrize("name", ["a.au", "a.snd", "a.gsm", "a.vox", "a.raw", "a.wav"])
def test_a_text_is_no_sound_whatever_its_name(tmp_path, name):
    path = tmp_path / name
    path.write_text("This is a text, and long enough to be taken for sound.\n" * 100)
    with pytest.raises(AudioError, match="A text, not audio"):
        decoding.open_recording(str(path))


def test_a_path_as_long_as_the_system_allows_is_opened(tmp_path, monkeypatch, write_recording):
    path = write_recording("a.wav")
    monkeypatch.chdir(tmp_path)
    deep = os.path.join(*["d" * 250] * 15)
    os.makedirs(deep)
    os.rename(path, os.path.join(deep, "a.wav"))
    assert read(os.path.join(deep, "a.wav"))[0].n_frames == 16000


JUNK = {
    "zeros": bytes(1000),
    "text": b"Content-Type: audio/mpeg\r\n\r\n",
    "an APE tag": b"APETAGEX" + struct.pack("<4I", 2000, 32, 1, 1 << 31) + bytes(2000),
    "bytes": np.random.default_rng(0).bytes(5000),
    "syncs": b"\xff\xfb\x90\x64" * 3 + b"\xff" * 50,
    "an ID3 tag": b"ID3\x03\0\0\0\0\x10\0" + bytes(0x800),
    "an ID3 tag and zeros": b"ID3\x03\0\0\0\0\x10\0" + bytes(0x800 + 700),
}


@pytest.mark.parametrize("junk", JUNK)
@pytest.mark.parametrize("rate_hz", [16000, 44100])
@pytest.mark.parametrize("bitrate_mode", ["CONSTANT", "VARIABLE"])
def test_an_mp3_is_found_between_junk(write_recording, junk, rate_hz, bitrate_mode):
    path = write_recording("a.mp3", "speech", 1.0, rate_hz)
    recording, windows = read(path)
    with open(path, "rb") as file:
        content = file.read()
    with open(path, "wb") as file:
        file.write(JUNK[junk] + content + JUNK[junk])
    found, windows_found = read(path)
    assert found == recording
    np.testing.assert_array_equal(np.concatenate(windows_found), np.concatenate(windows))


def test_an_mp3_within_something_else_is_not_looked_for(write_recording, tmp_path):
    with open(write_recording("a.mp3"), "rb") as file:
        (tmp_path / "a.wav").write_bytes(b"PK\x03\x04" + bytes(30) + file.read())
    with pytest.raises(AudioError, match="A ZIP archive"):
        decoding.open_recording(str(tmp_path / "a.wav"))


def test_names_that_are_no_utf_8_are_opened(write_recording, tmp_path):
    path = os.fsencode(write_recording("a.wav"))
    odd = os.path.join(os.fsencode(tmp_path), b"caf\xe9 \xff.wav")
    os.rename(path, odd)
    recording, _ = read(os.fsdecode(odd))
    assert recording.n_frames == 16000


@pytest.mark.parametrize("rate_hz", [1000, 4000, 192000, 768000])
def test_any_sample_rate_is_resampled(write_recording, rate_hz):
    samples = np.full(20, 0.5, np.float32)
    recording, windows = read(write_recording("a.wav", samples, rate_hz=rate_hz), window_s=60.0)
    assert recording.rate_hz == rate_hz
    expected = soxr.resample(samples, rate_hz, RATE_HZ, quality="HQ")
    np.testing.assert_array_equal(np.concatenate(windows)[: len(expected)], expected)


@pytest.mark.parametrize("rate_hz", [1, 999, 1_000_001, 2**31 - 1])
def test_a_rate_that_no_recording_has_is_refused(write_recording, rate_hz):
    path = write_recording("a.wav", np.zeros(20), rate_hz=rate_hz)
    message = rf"a\.wav: A sample rate of {rate_hz} Hz; 1000 to 1000000 Hz are taken"
    with pytest.raises(AudioError, match=message):
        decoding.open_recording(path)


MIXED = {"a.wav": ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW"]}
MIXED["a.wav"] += ["IMA_ADPCM", "MS_ADPCM"]
MIXED["a.aiff"] = ["PCM_S8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW"]


@pytest.mark.parametrize(("name", "subtype"), [(n, s) for n, some in MIXED.items() for s in some])
@pytest.mark.parametrize("rate_hz", [8000, 192000])
def test_every_encoding_gives_the_same_sound(write_recording, name, subtype, rate_hz):
    exact = read(write_recording("exact.wav", "tone", 0.5, rate_hz, subtype="DOUBLE"))[1][0]
    recording, (samples,) = read(write_recording(name, "tone", 0.5, rate_hz, subtype=subtype))
    assert recording.rate_hz == rate_hz
    error = samples[: len(exact)] - exact
    # ADPCM has 4 bits a sample, and needs some to find its step.
    assert np.abs(error[1000:]).max() < (0.06 if "ADPCM" in subtype else 0.02)
    assert recording.reason == ""
