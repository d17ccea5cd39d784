"""What FFmpeg decodes: whole, whatever its name; damage costs itself; no other file is opened."""

import ctypes
import os
import re
import subprocess
import sys

import av
import numpy as np
import pytest
import soundfile
from support.encoded_audio import ENCODED, LOSSLESS, encoded, flac_of_32_bits

from serctl.audio import decoding
from serctl.audio.ffmpeg import FfmpegSource
from serctl.audio.formats.kinds import HEADERLESS, Kind
from serctl.audio.formats.packets import samples_of
from serctl.audio.formats.views import FileView
from serctl.errors import AudioError

RATE_HZ = 16000


def read(path):
    """Recording, and its samples at 16 kHz."""
    recording, windows = decoding.read_windows(str(path), RATE_HZ, 30.0)
    return recording, np.concatenate([np.empty(0, np.float32), *windows])


@pytest.fixture(scope="module")
def speech(make_signal):
    """Three seconds of speech, float64."""
    return make_signal("speech", 3 * RATE_HZ, RATE_HZ)[:, 0]


@pytest.fixture
def encode(tmp_path, speech):
    """Give a function that encodes the speech, and returns the path."""

    def write(name, edit=bytes, options=None):
        path = tmp_path / name
        path.write_bytes(edit(encoded(name, speech, RATE_HZ, options)))
        return path

    return write


@pytest.mark.parametrize("name", ENCODED)
def test_every_format_is_read_whole(encode, speech, name):
    recording, samples = read(encode(name))
    assert recording.duration_s == pytest.approx(3.0, abs=0.13)  # coders put some before and after
    assert recording.reason == ""
    if name in LOSSLESS:
        np.testing.assert_allclose(samples[: len(speech)], speech, rtol=0, atol=1e-4)
    else:
        levels = [np.sqrt(np.mean(np.square(x[RATE_HZ : 2 * RATE_HZ]))) for x in (samples, speech)]
        assert levels[0] == pytest.approx(levels[1], rel=0.15)


def test_flac_of_32_bits_is_read_whole(tmp_path):
    samples = np.random.default_rng(0).integers(-(2**31), 2**31, 2 * RATE_HZ, np.int32)
    content = flac_of_32_bits(samples, RATE_HZ)
    bits_less_one = (content[20] & 1) << 4 | content[21] >> 4
    assert bits_less_one == 31
    (tmp_path / "a.flac").write_bytes(content)
    recording, found = read(tmp_path / "a.flac")
    assert (recording.n_frames, recording.reason) == (2 * RATE_HZ, "")
    np.testing.assert_allclose(found, samples / 2**31, rtol=0, atol=1e-7)


@pytest.mark.parametrize("name", [n for n in ENCODED if f".{n.split('.')[1]}" not in HEADERLESS])
def test_the_name_does_not_matter(encode, name):
    path = encode(name)
    expected = read(path)[1]
    for other in ("a.wav", "a", "a.ulaw"):
        os.rename(path, path := path.parent / other)
        np.testing.assert_array_equal(read(path)[1], expected)


@pytest.mark.parametrize("name", ["adts.aac", "cbr.mp3", "aac.ts", "flac.oga"])
def test_a_hole_costs_itself(encode, name):
    def spoil(content):
        middle = len(content) // 2
        return content[:middle] + bytes(500) + content[middle + 500 :]

    whole = read(encode(name))[0]
    recording = read(encode(name, spoil))[0]
    assert whole.duration_s - 1.1 < recording.duration_s < whole.duration_s + 0.1


@pytest.mark.parametrize("form", ["fltp", "s16p", "u8p", "flt", "s32", "dbl"])
def test_a_frame_of_more_than_8_channels_has_no_more(form):
    layout = "22.2"  # 24 channels
    frame = av.AudioFrame(form, layout, samples=160)
    for i, plane in enumerate(frame.planes[:24]):
        plane.update(bytes([i]) * plane.buffer_size)
    samples = samples_of(frame)
    assert samples.shape == (160, 24)
    assert (samples == samples[0]).all()


def test_a_stream_that_begins_within_the_file_ends_nothing(encode, monkeypatch):
    class Container:
        def __init__(self, container):
            self._container = container

        def __getattr__(self, name):
            return getattr(self._container, name)

        def demux(self, stream):
            yield from self._container.demux(stream)
            raise IndexError(
                "list index out of range"
            )  # as PyAV, of a stream that it does not know

    path, opened = encode("aac.ts"), av.open
    monkeypatch.setattr(av, "open", lambda *args, **options: Container(opened(*args, **options)))
    recording, _ = read(path)
    assert (recording.duration_s, recording.reason) == (pytest.approx(3.0, abs=0.13), "")


def test_a_hole_is_said(encode):
    path = encode("cbr.mp3", lambda c: c[:9000] + bytes(3000) + c[12000:])
    assert re.match(r"(damaged|truncated): .*", read(path)[0].reason)


@pytest.mark.parametrize("name", ["opus.webm", "wma2.wma", "cbr.mp3", "tta.tta"])
def test_what_is_cut_off_is_said(encode, name):
    recording = read(encode(name, lambda content: content[: len(content) * 6 // 10]))[0]
    assert 1.0 < recording.duration_s < 2.2
    assert recording.reason.startswith("truncated: ")
    assert "that its header promises" in recording.reason


def test_an_mp4_without_its_index_says_so(encode):
    path = encode("aac.m4a", lambda content: content[: len(content) * 6 // 10])
    with pytest.raises(AudioError, match=r"\(MP4\)\. Its index is missing: .*"):
        read(path)


def test_an_mp3_that_counts_too_few_frames_is_read_whole(encode):
    def count_30(content):
        tag = content.find(b"Info") if b"Info" in content else content.find(b"Xing")
        return content[: tag + 8] + (30).to_bytes(4, "big") + content[tag + 12 :]

    assert read(encode("cbr.mp3", count_30))[0].duration_s == pytest.approx(3.0, abs=0.1)


def test_an_mp3_of_variable_rate_without_a_tag_is_read_whole(tmp_path, speech):
    quiet_first = np.concatenate([np.zeros(20 * RATE_HZ), speech, speech])
    path = tmp_path / "a.mp3"
    soundfile.write(path, quiet_first, RATE_HZ, bitrate_mode="VARIABLE", compression_level=0.9)
    content = path.read_bytes()
    tag = content.find(b"Xing")
    path.write_bytes(content[:tag] + b"none" + content[tag + 4 :])
    assert read(path)[0].duration_s == pytest.approx(26.0, abs=0.2)


def test_mp3_of_other_channels_joined_on_are_read(tmp_path, speech):
    path = tmp_path / "a.mp3"
    soundfile.write(tmp_path / "mono.mp3", speech, RATE_HZ)
    soundfile.write(tmp_path / "stereo.mp3", np.stack([speech, speech], 1), RATE_HZ)
    path.write_bytes((tmp_path / "mono.mp3").read_bytes() + (tmp_path / "stereo.mp3").read_bytes())
    recording, samples = read(path)
    assert recording.duration_s == pytest.approx(6.0, abs=0.25)
    assert recording.n_channels == 2
    assert np.abs(samples[-RATE_HZ:]).max() > 0.1


def test_a_recording_of_another_rate_joined_on_is_said(tmp_path, speech):
    soundfile.write(tmp_path / "b.mp3", speech, 44100)
    soundfile.write(path := tmp_path / "a.mp3", speech, RATE_HZ)
    path.write_bytes(path.read_bytes() + (tmp_path / "b.mp3").read_bytes())
    recording = read(path)[0]
    assert recording.duration_s == pytest.approx(3.0, abs=0.2)
    assert "a recording of 44100 Hz is joined on" in recording.reason


def test_packets_that_an_ogg_gives_no_time_are_read(encode):
    """As WhatsApp and others write them: every page says that it ends at sample 0."""

    def no_granules(content):
        pages = content.split(b"OggS")
        return b"OggS".join(
            page if i < 3 else _with_checksum(page[:2] + bytes(8) + page[10:])
            for i, page in enumerate(pages)
        )

    recording = read(encode("opus.opus", no_granules))[0]
    assert recording.duration_s == pytest.approx(3.0, abs=0.1)


def _with_checksum(page):
    """A page of Ogg, without its first four bytes, with the CRC that it should have (RFC 3533)."""
    page = page[:18] + bytes(4) + page[22:]
    crc = 0
    for byte in b"OggS" + page:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ 0x04C11DB7 if crc >> 31 else crc << 1) & 0xFFFFFFFF
    return page[:18] + crc.to_bytes(4, "little") + page[22:]


def test_blocks_join_without_a_seam(encode, monkeypatch):
    path = encode("aac.m4a")
    expected = read(path)[1]
    monkeypatch.setattr(decoding, "BLOCK_FRAMES", 1000)
    np.testing.assert_array_equal(read(path)[1], expected)


def test_a_video_without_sound_says_so(tmp_path):
    import av

    with av.open(str(tmp_path / "a.mp4"), "w") as output:
        stream = output.add_stream("mpeg4", rate=25)
        stream.width = stream.height = 64
        frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), "rgb24")
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    with pytest.raises(AudioError, match="MP4 with pictures and no sound"):
        read(tmp_path / "a.mp4")


class Opened:
    """Whether a file is opened while this is the context, by inotify."""

    IN_OPEN = 0x20

    def __init__(self, path):
        self._path = os.fsencode(path)

    def __enter__(self):
        libc = ctypes.CDLL(None)
        self._file = libc.inotify_init1(os.O_NONBLOCK)
        assert libc.inotify_add_watch(self._file, self._path, self.IN_OPEN) >= 0
        return self

    def __exit__(self, *_):
        os.close(self._file)

    def __bool__(self):
        try:
            return bool(os.read(self._file, 4096))
        except BlockingIOError:
            return False


LISTS = {
    "a.mp3": "#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\n{canary}\n#EXT-X-ENDLIST\n",
    "a.m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\nfile://{canary}\n#EXT-X-ENDLIST\n",
    "a.wav": "ffconcat version 1.0\nfile '{canary}'\n",
    "a.txt": "file '{canary}'\n",
    "a.sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 9 RTP/AVP 0\n",
    "a.m4a": "subfile,,start,0,end,0,,:{canary}",
    "a.mpd": '<?xml version="1.0"?><MPD><BaseURL>{canary}</BaseURL></MPD>',
}


@pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux's")
@pytest.mark.parametrize("name", LISTS)
def test_no_list_opens_another_file(tmp_path, encode, name):
    canary = encode("aac.m4a")
    os.rename(canary, canary := tmp_path / "canary.m4a")
    path = tmp_path / name
    path.write_text(LISTS[name].format(canary=canary))
    with Opened(canary) as opened:
        assert not opened
        with pytest.raises(AudioError):
            read(path)
        assert not opened
        read(canary)
        assert opened


@pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux's")
@pytest.mark.parametrize("demuxer", ["hls", "concat", "sdp", "dash", "imf", "webvtt"])
def test_formats_that_open_others_are_refused_if_asked_for(tmp_path, encode, demuxer):
    import av

    if demuxer not in av.formats_available:
        pytest.skip(f"this FFmpeg has no {demuxer}")
    canary = encode("aac.m4a")
    path = tmp_path / "list"
    path.write_text("ffconcat version 1.0\n" + f"#EXTM3U\nfile '{canary}'\n{canary}\n")
    with Opened(canary) as opened:
        with pytest.raises(AudioError):
            FfmpegSource(str(path), Kind("list", demuxer), FileView(str(path)))
        assert not opened


def test_a_library_may_not_open_a_further_file():
    from serctl.audio import ffmpeg

    with pytest.raises(PermissionError, match="may not open another file"):
        ffmpeg._refuse("http://127.0.0.1/", 1, {})


@pytest.mark.parametrize("name", ["aac.m4a", "cbr.mp3", "opus.opus", "alac.m4a"])
def test_an_error_of_the_disk_is_raised(encode, monkeypatch, name):
    path = encode(name)
    original, n_read = os.read, 0

    def read_faultily(file, n_bytes):
        nonlocal n_read
        n_read += n_bytes
        if n_read > 25000:
            raise OSError(5, "Input/output error")
        return original(file, n_bytes)

    monkeypatch.setattr(os, "read", read_faultily)
    with pytest.raises(OSError, match="Input/output error"):
        read(path)


def test_no_descriptor_is_left_open(encode, tmp_path):
    good, bad = encode("aac.m4a"), tmp_path / "bad.m4a"
    bad.write_bytes(good.read_bytes()[:3000])
    read(good)
    n_open = len(os.listdir("/dev/fd"))
    for _ in range(5):
        read(good)
        with pytest.raises(AudioError):
            read(bad)
    assert len(os.listdir("/dev/fd")) == n_open


def test_wav_needs_no_ffmpeg(write_recording):
    path = write_recording("a.wav")
    code = (
        "import sys; from serctl.audio.decoding import read_windows; "
        f"print(len(list(read_windows({path!r}, 16000, 9.0)[1])), 'av' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["1", "False"]
