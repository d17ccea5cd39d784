"""Cases of the hostile-input suite: what is in the files."""

import io
import struct
import zipfile
from functools import reduce

import numpy as np
from support.hostile_cases import (
    RECORDINGS,
    Case,
    around,
    cut,
    edited,
    holding,
    put,
    written,
)

TRUNCATED = r"truncated: \d\.\d s came of [23]\.\d s that its header promises\."
BROKEN_OFF = r"truncated: decoding broke off after \d\.\d s \(.*\)\."
HOLE = r"(damaged|truncated): .* came.*\."
HEADER = r"damaged header: it promises \d\.\d s; all \d\.\d s that follow it were read\."
NOT_AUDIO = r".+\. Not audio, or damaged: try to play it, or export it again as wav or flac\."
INVALID = r"Invalid samples: .*, where full scale is 1\. Export it again as .*"

WAV, MP3, FLAC = written("h.wav"), written("h.mp3"), written("h.flac")
FLOAT = written("h.wav", "FLOAT")
ID3 = b"ID3\x03\0\0\0\0\x10\0" + bytes(0x800)
APE = b"APETAGEX" + struct.pack("<4I", 2000, 32, 1, 1 << 31) + bytes(2000)
RANDOM = np.random.default_rng(0).bytes(20000)
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + RANDOM[:500]
APPLE_DOUBLE = b"\0\5\x16\7\0\2\0\0Mac OS X        \0\2\0\0\0\t\0\0\0\x32" + bytes(4000)


def sample(value):
    """Give a change that puts one sample into the middle."""

    def change(frames):
        frames[len(frames) // 2] = value
        return frames

    return change


def zipped() -> bytes:
    """A zip that holds a recording as it is."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.write(RECORDINGS / "calls/train-times.wav")
    return content.getvalue()


def flipped(content: bytes) -> bytes:
    """Damage in the middle."""
    middle = len(content) // 2
    return (
        content[:middle]
        + bytes(byte ^ 0x55 for byte in content[middle:][:40])
        + content[middle + 40 :]
    )


def chunks_around(content: bytes) -> bytes:
    """A WAV with chunks that nobody knows before and after its sound."""
    chunk = b"bext" + struct.pack("<I", 602) + bytes(602) + b"LIST" + struct.pack("<I", 4) + b"INFO"
    body = content[8:36] + chunk + content[36:] + chunk
    return b"RIFF" + struct.pack("<I", len(body)) + body


ENCODINGS = [
    Case(f"{what}", written(name, subtype), "ok")
    for what, name, subtype in [
        ("8 bit", "h.wav", "PCM_U8"),
        ("16 bit", "h.wav", "PCM_16"),
        ("24 bit", "h.wav", "PCM_24"),
        ("32 bit", "h.wav", "PCM_32"),
        ("float", "h.wav", "FLOAT"),
        ("double", "h.wav", "DOUBLE"),
        ("mu-law", "h.wav", "ULAW"),
        ("A-law", "h.wav", "ALAW"),
        ("IMA ADPCM", "h.wav", "IMA_ADPCM"),
        ("MS ADPCM", "h.wav", "MS_ADPCM"),
        ("GSM 6.10 in a WAV", "h.wav", "GSM610"),
        ("G.721 in an AU", "h.au", "G721_32"),
        ("AIFF of 8 bit", "h.aiff", "PCM_S8"),
        ("AIFF of float", "h.aiff", "FLOAT"),
        ("CAF", "h.caf", "PCM_16"),
        ("W64", "h.w64", "PCM_16"),
        ("RF64", "h.rf64", "PCM_16"),
    ]
]
CHANNELS = [
    Case(f"{n} channels", written("h.wav", n_channels=n), "ok") for n in (2, 3, 4, 5, 6, 7, 8)
]
RATES = [
    Case(f"{rate_hz} Hz", written("h.wav", rate_hz=rate_hz), "ok")
    for rate_hz in (8000, 11025, 22050, 44100, 96000, 192000)
]
SIGNALS = [
    Case("DC offset", written("h.wav", change=lambda x: x * 0.5 + 0.4), "ok"),
    Case("clipped", written("h.wav", change=lambda x: np.clip(40 * x, -1, 1)), "ok"),
    Case("floats beyond full scale", written("h.wav", "FLOAT", change=lambda x: 50 * x), "ok"),
    Case(
        "a voice at -80 dBFS",
        written("h.wav", "PCM_24", change=lambda x: x * 5e-4),
        "no_speech",
        r"No speech was found\..*",
    ),
    Case(
        "silence", written("h.wav", change=np.zeros_like), "silent", r"No sample reaches 1/32768.*"
    ),
    Case(
        "two channels that cancel",
        written("h.wav", change=lambda x: np.hstack([x, -x]), subtype="FLOAT"),
        "ok",
        r"channels cancel: their mean is nearly silent; channel 1 of 2 was taken alone\.",
    ),
    Case(
        "a single sample",
        written("h.wav", change=lambda x: x[:1] + 0.5),
        "too_short",
        r"0\.000 s; at least 0\.25 s are needed\.",
    ),
    Case(
        "no sample",
        written("h.wav", change=lambda x: x[:0]),
        "too_short",
        r"0\.000 s; at least 0\.25 s are needed\.",
    ),
    Case("not a number", written("h.wav", "FLOAT", change=sample(np.nan)), "unreadable", INVALID),
    Case("infinity", written("h.wav", "FLOAT", change=sample(np.inf)), "unreadable", INVALID),
    Case(
        "minus infinity in a double",
        written("h.wav", "DOUBLE", change=sample(-np.inf)),
        "unreadable",
        INVALID,
    ),
    Case("a sample of 1e30", written("h.wav", "FLOAT", change=sample(1e30)), "unreadable", INVALID),
]
LENGTHS = [
    *(
        Case(f"{name} cut off", edited(written(f"h.{name}"), cut(0.6)), "ok", TRUNCATED)
        for name in ("wav", "aiff", "au", "w64", "rf64", "mp3")
    ),
    Case("FLAC cut off", edited(FLAC, cut(0.6)), "ok", BROKEN_OFF),
    Case("FLAC damaged in the middle", edited(FLAC, flipped), "ok", HOLE),
    Case("FLAC that does not say its length", edited(FLAC, put(22, ">I", 0)), "ok"),
    Case("FLAC that promises more", edited(FLAC, put(22, ">I", 48000)), "ok", r"truncated: .*"),
    Case("OGG cut off", edited(written("h.ogg"), cut(0.7)), "ok"),
    Case("MP3 damaged in the middle", edited(MP3, flipped), "ok"),
    Case("WAV damaged in the middle", edited(WAV, flipped), "ok"),
    Case(
        "WAV cut off within the first tenth of a second",
        edited(WAV, cut(0.02)),
        "too_short",
        r"0\.\d+ s; at least 0\.25 s are needed\. truncated: .*",
    ),
    Case(
        "WAV that promises 1 GB",
        edited(WAV, put(40, "<I", 1 << 30)),
        "ok",
        r"truncated: 2\.0 s came of \d+\.\d s that its header promises\.",
    ),
    Case("WAV saved from a stream", edited(WAV, put(40, "<I", 0xFFFFFFFF)), "ok"),
    Case(
        "WAV that was never closed",
        edited(WAV, lambda content: put(40, "<I", 0)(put(4, "<I", 8)(content))),
        "ok",
        HEADER,
    ),
    Case("WAV with chunks before and after", edited(WAV, chunks_around), "ok"),
    Case("WAV with junk after", edited(WAV, around(b"", RANDOM)), "ok"),
]
OTHER_NAMES = [
    Case("AIFF named .wav", edited(written("h.aiff"), bytes, "h.wav"), "ok"),
    Case("FLAC named .wav", edited(FLAC, bytes, "h.wav"), "ok"),
    Case("MP3 named .wav", edited(MP3, bytes, "h.wav"), "ok"),
    Case("OGG named .mp3", edited(written("h.ogg"), bytes, "h.mp3"), "ok"),
    Case("WAV named .mp3", edited(WAV, bytes, "h.mp3"), "ok"),
    Case("WAV named .m4a", edited(WAV, bytes, "h.m4a"), "ok"),
]
JUNK = [
    Case("MP3 after an ID3 tag", edited(MP3, around(ID3)), "ok"),
    Case("MP3 after two ID3 tags", edited(MP3, around(ID3 + ID3)), "ok"),
    Case("MP3 after an APE tag", edited(MP3, around(APE)), "ok"),
    Case("MP3 after zeros", edited(MP3, around(bytes(3000))), "ok"),
    Case("MP3 after a text", edited(MP3, around(b"HTTP/1.1 200 OK\r\n\r\n")), "ok"),
    Case("MP3 after random bytes", edited(MP3, around(RANDOM)), "ok"),
    Case("MP3 before random bytes", edited(MP3, around(b"", RANDOM)), "ok"),
    Case("MP3 before APE and ID3 tags", edited(MP3, around(b"", APE + b"TAG" + bytes(125))), "ok"),
    Case("FLAC after an ID3 tag", edited(FLAC, around(ID3)), "ok"),
]
NO_AUDIO = [
    Case("0 bytes", holding("h.wav", b""), "unreadable", r"0 bytes\. The file is empty; .*"),
    Case("1 byte", holding("h.wav", b"R"), "unreadable", NOT_AUDIO),
    *(
        Case(f"{what} named .{extension}", holding(f"h.{extension}", content), "unreadable", reason)
        for what, extension, content, reason in [
            ("text", "wav", b"Dear diary, this is no sound.\n" * 50, r"A text, not audio\..*"),
            ("text", "au", b"Dear diary, this is no sound.\n" * 50, r"A text, not audio\..*"),
            ("German text", "mp3", "Grüße aus Köln, ohne Ton.\n".encode() * 300, r"A text, not.*"),
            ("UTF-16 text", "wav", "Grüße, ohne Ton.\n".encode("utf-16") * 300, r"A text, not.*"),
            ("a web page", "mp3", b"<!DOCTYPE html><h1>404 Not Found</h1>" * 40, r"A web page.*"),
            ("an image", "wav", PNG, r"A picture, not audio\."),
            ("a zip", "wav", zipped(), r"A ZIP archive.*"),
            ("a zip", "mp3", zipped(), r"A ZIP archive.*"),
            ("random bytes", "wav", RANDOM, NOT_AUDIO),
            ("random bytes", "mp3", RANDOM, NOT_AUDIO),
            ("random bytes", "gsm", RANDOM, NOT_AUDIO),
            ("zeros", "flac", bytes(5000), r"Begins with nothing but zeros.*"),
            ("an AppleDouble", "wav", APPLE_DOUBLE, r"An AppleDouble file.*"),
            ("M4A", "m4a", b"\0\0\0\x20ftypM4A " + RANDOM, NOT_AUDIO),
            ("WMA", "WMA", b"\x30\x26\xb2\x75" + RANDOM, NOT_AUDIO),
        ]
    ),
]
HEADERS = [
    Case(f"WAV {what}", edited(WAV, edit), "unreadable", reason)
    for what, edit, reason in [
        ("of which the first 20 bytes came", lambda content: content[:20], NOT_AUDIO),
        ("without its data", lambda content: content[:36], NOT_AUDIO),
        ("of 0 channels", put(22, "<H", 0), NOT_AUDIO),
        ("of 65535 channels", put(22, "<H", 65535), NOT_AUDIO),
        ("at 0 Hz", put(24, "<I", 0), r"(.*sample rate.*|.+ Not audio, or damaged: .*)"),
        ("at 1 Hz", put(24, "<I", 1), r"A sample rate of 1 Hz; 1000 to 1000000 Hz are taken.*"),
        ("at 2147483647 Hz", put(24, "<I", 2**31 - 1), r"A sample rate of 2147483647 Hz; .*"),
        ("of a codec that nobody has", put(20, "<H", 0x7777), NOT_AUDIO),
        ("of 7777 bits", put(34, "<H", 7777), NOT_AUDIO),
    ]
]
HEADERS += [
    Case("FLAC cut off in its header", edited(FLAC, cut(0.001)), "unreadable", r".+"),
    Case("FLAC with metadata of 16 MB", edited(FLAC, put(5, ">B", 255)), "unreadable", r".+"),
    Case(
        "OGG of which the header came",
        edited(written("h.ogg"), lambda content: content[:60]),
        "unreadable",
        NOT_AUDIO,
    ),
    Case("MP3 of 10 bytes", edited(MP3, lambda content: content[:10]), "unreadable", NOT_AUDIO),
]


AUDIO_CASES: list[Case] = reduce(
    list.__add__,
    [ENCODINGS, CHANNELS, RATES, SIGNALS, LENGTHS, OTHER_NAMES, JUNK, NO_AUDIO, HEADERS],
)
