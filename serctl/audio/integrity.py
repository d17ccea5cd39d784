"""What the headers of audio files promise, where an MP3 begins, and whether several are joined.

libsndfile corrects a header that promises more than follows, and does not say so, except in its
log; `promised_frames` finds it there. Nothing here decodes, and nothing here raises for what a file
holds: a header that promises nothing is one that promises no more than came.
"""

import re
from contextlib import suppress
from pathlib import Path

import soundfile

# As libsndfile 1.2 logs it for WAV, AIFF, AU and W64. The sizes of the whole (RIFF, FORM) are often
# wrong where the sound is complete, except in W64, which logs no other.
SIZE_CORRECTED = re.compile(
    r"^\s*(?:data|SSND|Data Size|riff)\s*: (\d+) \(should be (\d+)\)", re.MULTILINE
)
FRAMES_CORRECTED = re.compile(
    r"Calculated frame count \d+ does not match value from 'ds64' chunk of (\d+)"
)
# What programs write that do not know the length yet: ffmpeg and sox to a pipe, among others.
UNKNOWN_SIZES = (range(0x7FFFF000, 0x80000001), range(0xFFFFF000, 0x100000000))
SLOPPY_S = 0.01  # sizes that are off by less, by the size of a header say, are no loss

MP3_EXTENSIONS = frozenset((".mp3", ".mp2", ".mpga"))
MP3_SEARCHED_BYTES = 1 << 20
MP3_FRAMES_IN_A_ROW = 3  # one or two look like frames by chance
MP3_LENGTH_WITHIN_BYTES = 64  # of the first frame, stand the tags that say how long the file is
KBIT_S = {  # by MPEG version 1 or not, and layer
    (True, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
ID3V1_BYTES = 128  # of the tag that ends a file, which begins with "TAG"
XING_BYTES = 1 << 1  # flag of the Xing tag: it says how many bytes there are; before it stands
XING_FRAMES = 1 << 0  # how many frames, if this one is set
OGG_BLOCK_BYTES = 1 << 20
# Pages of Ogg begin so (RFC 3533); the second bit says that a stream begins with this one.
OGG_PAGE = re.compile(rb"OggS\0([\0-\7])")
OGG_BEGINS = 2
RATES_HZ = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}


def promised_frames(file: soundfile.SoundFile, path: str, n_frames: int) -> int:
    """Frames that a file's header promises.

    Parameters
    ----------
    file : soundfile.SoundFile
        Open, and read to its end.
    path : str
        Of the file.
    n_frames : int
        That came.

    Returns
    -------
    int
        More than ``n_frames`` if the header promises more, as far as it can be known: in WAV, RF64,
        W64, AIFF, AU, FLAC, and those MP3 that say how long they are.
    """
    promised = 0
    if file.format == "FLAC":
        # libsndfile gives 2**63 - 1 for a stream that does not say its length.
        promised = file.frames if file.frames < 1 << 62 else 0
    elif file.format == "MP3":
        # Without a Xing header, libsndfile gives an estimate of the length.
        if file.frames > n_frames and _mp3_says_its_length(path):
            promised = file.frames
    elif "should be" in (log := file.extra_info) or "does not match" in log:
        for size, real_size in SIZE_CORRECTED.findall(log):
            if not any(int(size) in sizes for sizes in UNKNOWN_SIZES):
                promised = n_frames * int(size) // max(int(real_size), 1)
        for frames in FRAMES_CORRECTED.findall(log):
            promised = int(frames)
    return promised if promised - n_frames > SLOPPY_S * file.samplerate else n_frames


def is_joined(file: soundfile.SoundFile, path: str) -> bool:
    """Whether another recording stands behind the one that libsndfile decodes.

    Recordings in Ogg are joined so by right (a chained stream), those in MP3 by ``cat``; libsndfile
    stops at the end of the first, if that says how long it is. A file that is gone by now counts as
    one.

    Parameters
    ----------
    file : soundfile.SoundFile
        Open.
    path : str
        Of the file.
    """
    looks = {"OGG": _is_chained_ogg, "MP3": _mp3_goes_on}.get(file.format)
    with suppress(OSError):
        return looks is not None and looks(path)
    return False


def _is_chained_ogg(path: str) -> bool:
    """Whether a stream begins after pages that began none."""
    has_begun = False
    with open(path, "rb") as file:
        kept = b""
        while block := file.read(OGG_BLOCK_BYTES):
            block = kept + block
            for page in OGG_PAGE.finditer(block):
                begins = page[1][0] & OGG_BEGINS
                if begins and has_begun:
                    return True
                has_begun |= not begins
            kept = block[-5:]  # of a page that begins in it and ends in the next
    return False


def _mp3_goes_on(path: str) -> bool:
    """Whether there are frames behind the bytes that the Xing tag counts."""
    found = _first_mp3_frame(path)
    if found is None:
        return False
    start, frame = found
    tag = max(frame.find(b"Xing"), frame.find(b"Info"))
    flags = int.from_bytes(frame[tag + 4 : tag + 8], "big")
    if tag < 0 or not flags & XING_BYTES:
        return False
    place = tag + (12 if flags & XING_FRAMES else 8)
    end = start + int.from_bytes(frame[place : place + 4], "big")
    if not start < end < Path(path).stat().st_size:
        return False
    with open(path, "rb") as file:
        file.seek(end)
        has_tag = file.read(3) == b"TAG"
    return _first_mp3_frame(path, end + ID3V1_BYTES * has_tag) is not None


def mp3_start(path: str) -> int | None:
    """Byte at which the frames of an MP3 begin, after whatever stands before them.

    Parameters
    ----------
    path : str
        Of the file; ID3 tags are skipped, and 1 MiB after them is searched.

    Returns
    -------
    int or None
        None if there are no three frames in a row.
    """
    found = _first_mp3_frame(path)
    return found[0] if found else None


def _first_mp3_frame(path: str, skipped: int = 0) -> tuple[int, bytes] | None:
    """Give the start of the first frame behind some bytes, and what it begins with."""
    with open(path, "rb") as file:
        file.seek(skipped)
        while len(tag := file.read(10)) == 10 and tag[:3] == b"ID3":
            # Its size has 7 bits a byte, and leaves out these ten bytes.
            skipped += 10 + sum((tag[9 - i] & 0x7F) << 7 * i for i in range(4))
            file.seek(skipped)
        file.seek(skipped)
        content = file.read(MP3_SEARCHED_BYTES)
    start = content.find(0xFF)
    while start >= 0:
        if _has_mp3_frames(content, start):
            return skipped + start, content[start : start + MP3_LENGTH_WITHIN_BYTES]
        start = content.find(0xFF, start + 1)
    return None


def _has_mp3_frames(content: bytes, start: int) -> bool:
    first = None
    for _ in range(MP3_FRAMES_IN_A_ROW):
        found = _mp3_frame(content[start : start + 4])
        if found is None or first not in (None, found[0]):
            return False
        first, start = found[0], start + found[1]
    return True


def _mp3_frame(header: bytes) -> tuple[tuple[int, int, int], int] | None:
    """Give what does not change from frame to frame (version, layer, rate), and bytes in this."""
    if len(header) < 4 or header[1] < 0xE0:
        return None
    version, layer = header[1] >> 3 & 3, 4 - (header[1] >> 1 & 3)
    bitrate, rate = header[2] >> 4, header[2] >> 2 & 3
    if version == 1 or layer == 4 or bitrate in (0, 15) or rate == 3:
        return None
    rate_hz = RATES_HZ[version][rate]
    bit_s = 1000 * KBIT_S[version == 3, layer][bitrate - 1]
    padding = header[2] >> 1 & 1
    if layer == 1:
        n_bytes = (12 * bit_s // rate_hz + padding) * 4
    else:  # layer III has half the samples in a frame in versions 2 and 2.5
        n_bytes = (72 if layer == 3 and version != 3 else 144) * bit_s // rate_hz + padding
    return (version, layer, rate_hz), n_bytes


def _mp3_says_its_length(path: str) -> bool:
    found = _first_mp3_frame(path)
    return found is not None and any(name in found[1] for name in (b"Xing", b"Info", b"VBRI"))
