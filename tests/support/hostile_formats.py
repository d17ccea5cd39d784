"""Cases of the hostile-input suite: formats of FFmpeg, broken headers, and what holds no sound."""

import struct

from support.encoded_audio import ENCODED, encoded
from support.hostile_audio import FLAC, HEADER, MP3, RANDOM, WAV
from support.hostile_cases import NO_ROW, Case, around, cut, edited, holding, put, voice, written


def as_format(name: str, named: str = "", edit=bytes):
    """Give a builder that encodes the voice as one of `ENCODED`, under another name perhaps."""

    def build(folder):
        samples, rate_hz = voice()
        path = folder / (named or name)
        path.write_bytes(edit(encoded(name, samples, rate_hz)))
        return path

    return build


def promise_little(content: bytes) -> bytes:
    """An AIFF whose sound has 3200 bytes by its header."""
    place = content.index(b"SSND") + 4
    return content[:place] + struct.pack(">I", 3208) + content[place + 4 :]


def joined(content: bytes) -> bytes:
    """A recording, and itself behind it."""
    return content + content


def zeros_in(content: bytes) -> bytes:
    """A hole in the middle."""
    middle = len(content) // 2
    return content[:middle] + bytes(1000) + content[middle + 1000 :]


FORMAT_CASES: list[Case] = [
    Case(f"{name.split('.')[0]} in {name.split('.')[1]}", as_format(name), "ok") for name in ENCODED
]
FORMAT_CASES += [
    Case("WebM named .wav", as_format("opus.webm", "h.wav"), "ok"),
    Case("M4A named .mp3", as_format("aac.m4a", "h.mp3"), "ok"),
    Case("a recording without an extension", edited(WAV, bytes, "h"), "ok"),
    Case("a recording named .wav.1", edited(WAV, bytes, "h.wav.1"), "ok"),
    Case("a partial download", edited(WAV, bytes, "h.wav.crdownload"), NO_ROW),
    Case("a placeholder of iCloud", holding(".h.wav.icloud", b"bplist00 "), NO_ROW),
    Case(
        "M4A cut off before its index",
        as_format("aac.m4a", edit=cut(0.6)),
        "unreadable",
        r".*\(MP4\)\. Its index is missing: .*",
    ),
    Case("WebM cut off", as_format("opus.webm", edit=cut(0.6)), "ok", r"truncated: .*"),
    Case(
        "MP3 with a hole", as_format("cbr.mp3", edit=zeros_in), "ok", r"((damaged|truncated): .*)?"
    ),
    Case(
        "AAC with a hole", as_format("adts.aac", edit=zeros_in), "ok", r"((damaged|truncated): .*)?"
    ),
    Case(
        "WAV that promises a tenth of a second",
        edited(WAV, put(40, "<I", 3200)),
        "ok",
        HEADER,
    ),
    Case(
        "AIFF that promises a tenth of a second",
        edited(
            written("h.aiff"),
            lambda c: c.replace(c[c.index(b"SSND") + 4 :][:4], b"\0\0\x0c\x80", 1),
        ),
        "ok",
        HEADER,
    ),
    Case("AU of which the size is 1000", edited(written("h.au"), put(8, ">I", 1000)), "ok", HEADER),
    Case("BW64", edited(written("h.rf64"), lambda c: b"BW64" + c[4:], "h.wav"), "ok"),
    Case("FLAC before an ID3v1 tag", edited(FLAC, around(b"", b"TAG" + bytes(125))), "ok"),
    Case("two WAV in one file", edited(WAV, joined), "ok", r"joined: 2 recordings in one file.*"),
    Case("two MP3 in one file", edited(MP3, joined), "ok"),
    Case("two OGG in one file", edited(written("h.ogg"), joined), "ok"),
    *(
        Case(f"{what} named .{extension}", holding(f"h.{extension}", content), "unreadable", reason)
        for what, extension, content, reason in [
            (
                "a Git LFS pointer",
                "wav",
                b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
                r"A Git LFS pointer.*git lfs pull",
            ),
            ("a playlist", "m4a", b"#EXTM3U\nfile:///etc/passwd\n", r"A playlist.*"),
            (
                "a list for FFmpeg",
                "mp3",
                b"ffconcat version 1.0\nfile h.wav\n",
                r"A list of files.*",
            ),
            ("SDP", "opus", b"v=0\no=- 0 0 IN IP4 127.0.0.1\n", r"A description of a stream.*"),
            ("PDF", "mp3", b"%PDF-1.7\n" + RANDOM, r"A PDF document.*"),
            ("tar", "wav", b"h.wav".ljust(257, b"\0") + b"ustar\0" + RANDOM, r"A tar archive.*"),
            ("HEIC", "m4a", b"\0\0\0\x18ftypheic\0\0\0\0" + RANDOM, r"A picture.*"),
            (
                "a Word document",
                "wav",
                b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + RANDOM,
                r"An Office.*",
            ),
            (
                "an Audacity project",
                "wav",
                b"SQLite format 3\0".ljust(68, b"\0") + b"AUDY" + RANDOM,
                r"An Audacity project.*",
            ),
            ("a database", "wav", b"SQLite format 3\0".ljust(99, b"\0") + RANDOM, r"A database.*"),
            ("a Praat object", "wav", b"ooBinaryFile\x05Sound" + RANDOM, r"An object of Praat.*"),
            ("a Praat text", "wav", b'File type = "ooTextFile"\n' * 9, r"An object of Praat.*"),
            ("NumPy", "wav", b"\x93NUMPY\x01\0v\0" + RANDOM, r"An array of NumPy.*"),
            ("a shortcut", "wav", b"L\0\0\0\x01\x14\x02\0\0" + RANDOM, r"A shortcut.*"),
            ("base64", "wav", b"data:audio/wav;base64,UklGRg" + b"A" * 999, r"A recording writ.*"),
            (
                "a comment",
                "wav",
                b"//use strict; a text of a program\n" * 9,
                r"A text, not audio.*",
            ),
            ("HTML with a BOM", "mp3", b"\xef\xbb\xbf<!DOCTYPE html>" * 9, r"A web page.*"),
            ("a placeholder of iCloud", "wav", b"bplist00\xd4", r"A placeholder of iCloud.*"),
            ("gzip", "wav", b"\x1f\x8b\x08" + RANDOM, r"Compressed with gzip.*"),
            ("SILK", "amr", b"\x02#!SILK_V3" + RANDOM, r"SILK.*"),
            (
                "SPHERE with shorten",
                "sph",
                b"NIST_1A\n   1024\nsample_coding -s26 pcm,embedded-shorten-v2.00\nend_head\n"
                + bytes(1000)
                + RANDOM,
                r"NIST SPHERE compressed with shorten.*sph2pipe.*",
            ),
        ]
    ),
]
