"""Where the sound of WAV, AIFF and AU lies, and where their headers are wrong about it.

A recorder that was killed leaves a header that promises nothing, or the first second; above 4 GiB
sizes wrap round; ``cat`` joins files whose headers know nothing of each other. `parts_of` compares
what the header promises with what follows, and says how to read all of it. Nothing here decodes,
and nothing raises for what a file holds: a header that makes no sense gives no parts, and whatever
decodes it then says so.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace

from serctl.audio.formats.views import FileView

FOLLOWS_S = 1.0  # less than this behind the sound is some program's mark, and not worth a word
MOST_PARTS = 10_000
CHUNKS = 10_000  # more are no recording's
TAGS = (b"TAG", b"ID3", b"APETAGEX", b"LYRICSBEGIN")  # of players, behind the sound
# What programs write that do not know the length yet: ffmpeg and sox to a pipe, among others.
UNKNOWN_SIZES = (range(0x7FFFF000, 0x80000001), range(0xFFFFF000, 0x100000000))

WAV_SUBTYPES = {
    (1, 8): "PCM_U8",
    (1, 16): "PCM_16",
    (1, 24): "PCM_24",
    (1, 32): "PCM_32",
    (3, 32): "FLOAT",
    (3, 64): "DOUBLE",
    (6, 8): "ALAW",
    (7, 8): "ULAW",
}
AIFF_SUBTYPES = {8: "PCM_S8", 16: "PCM_16", 24: "PCM_24", 32: "PCM_32"}
AIFC_SUBTYPES = {
    b"fl32": "FLOAT",
    b"fl64": "DOUBLE",
    b"alaw": "ALAW",
    b"ulaw": "ULAW",
}
AU_SUBTYPES = {
    1: ("ULAW", 8),
    2: ("PCM_S8", 8),
    3: ("PCM_16", 16),
    4: ("PCM_24", 24),
    5: ("PCM_32", 32),
    6: ("FLOAT", 32),
    7: ("DOUBLE", 64),
    27: ("ALAW", 8),
}


@dataclass(frozen=True)
class Samples:
    """Samples as libsndfile reads them without a header.

    Attributes
    ----------
    subtype, endian : str
        In soundfile's words.
    rate_hz, n_channels, frame_bytes : int
        As the header has them.
    """

    subtype: str
    endian: str
    rate_hz: int
    n_channels: int
    frame_bytes: int


@dataclass(frozen=True)
class Part:
    """One recording within a file.

    Attributes
    ----------
    start, stop : int
        Bytes of the file that it takes, with its header; of the sound alone, if ``samples`` is set.
    samples : Samples or None
        How to read it past its header, which promises too little; None to go by the header.
    promised_s : float
        What such a header promises.
    """

    start: int
    stop: int
    samples: Samples | None = None
    promised_s: float = 0.0


@dataclass(frozen=True)
class _Sound:
    """What a header says: how samples lie, and from where to where."""

    samples: Samples | None
    start: int
    n_bytes: int


def parts_of(view: FileView) -> list[Part]:
    """Recordings that follow each other in a WAV, AIFF or AU file.

    Parameters
    ----------
    view : FileView
        Of the whole file.

    Returns
    -------
    list of Part
        Empty if its header is to be trusted, or no such header is found.
    """
    parts: list[Part] = []
    start = 0
    while len(parts) < MOST_PARTS:
        sound = _sound_at(view, start)
        if sound is None:
            break
        end, is_known = _end_of(view, start, sound)
        samples = sound.samples
        if is_known or samples is None:
            parts.append(Part(start, end))
        else:
            byte_s = samples.rate_hz * samples.frame_bytes
            follows_s = (len(view) - end) / byte_s
            if follows_s >= FOLLOWS_S:
                promised_s = sound.n_bytes / byte_s
                parts.append(Part(sound.start, len(view), samples, promised_s))
                break
            parts.append(Part(start, len(view)))
            break
        if end >= len(view):
            break
        start = end
    if parts and not parts[0].samples and len(parts) == 1:
        return []
    if parts and parts[-1].stop < len(view):  # what follows the last belongs to it
        parts[-1] = replace(parts[-1], stop=len(view))
    return parts


def _sound_at(view: FileView, start: int) -> _Sound | None:
    view.seek(start)
    head = view.read(40)
    if head[:4] in (b"RIFF", b"RIFX", b"RF64", b"BW64") and head[8:12] == b"WAVE":
        return _wav(view, start, "BIG" if head[:4] == b"RIFX" else "LITTLE")
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return _aiff(view, start)
    if head[:4] == b".snd" and len(head) >= 24:
        return _au(view, start, head)
    return None


def _chunks(view: FileView, place: int, endian: str) -> Iterator[tuple[bytes, int, int]]:
    """Name, place of the content, and size of each chunk, as far as they make sense."""
    for _ in range(CHUNKS):
        view.seek(place)
        head = view.read(8)
        if len(head) < 8 or not _is_name(head[:4]):
            return
        (size,) = struct.unpack(">I" if endian == "BIG" else "<I", head[4:])
        yield head[:4], place + 8, size
        place += 8 + size + size % 2


def _is_name(name: bytes) -> bool:
    return all(32 <= byte < 127 for byte in name)


def _wav(view: FileView, start: int, endian: str) -> _Sound | None:
    order = ">" if endian == "BIG" else "<"
    samples, long_size = None, 0
    for name, place, size in _chunks(view, start + 12, endian):
        view.seek(place)
        if name == b"ds64" and len(content := view.read(16)) == 16:
            (long_size,) = struct.unpack("<Q", content[8:])
        elif name == b"fmt " and len(content := view.read(40)) >= 16:
            tag, n_channels, rate_hz, _, frame_bytes, bits = struct.unpack(
                order + "HHIIHH", content[:16]
            )
            if tag == 0xFFFE and len(content) >= 26:  # what it is stands in the extension
                (tag,) = struct.unpack(order + "H", content[24:26])
            subtype = WAV_SUBTYPES.get((tag, bits))
            if subtype and frame_bytes == n_channels * bits // 8 and rate_hz and n_channels:
                samples = Samples(subtype, endian, rate_hz, n_channels, frame_bytes)
        elif name == b"data":
            if size == 0xFFFFFFFF and long_size:
                size = long_size
            return _Sound(samples, place, size)
    return None


def _aiff(view: FileView, start: int) -> _Sound | None:
    samples = None
    for name, place, size in _chunks(view, start + 12, "BIG"):
        view.seek(place)
        if name == b"COMM" and len(content := view.read(22)) >= 18:
            n_channels, _, bits = struct.unpack(">HIH", content[:8])
            exponent, mantissa = struct.unpack(">HQ", content[8:18])  # 80 bits of a float
            rate_hz = mantissa >> max(63 - (exponent - 16383), 0) if exponent < 16448 else 0
            coding = content[18:22].lower() if size >= 22 else b"none"
            endian = "LITTLE" if coding == b"sowt" else "BIG"
            subtype = AIFC_SUBTYPES.get(coding)
            if coding in (b"none", b"twos", b"sowt"):
                subtype = AIFF_SUBTYPES.get(bits)
            width = {"ALAW": 1, "ULAW": 1, "FLOAT": 4, "DOUBLE": 8}.get(subtype or "", bits // 8)
            if subtype and rate_hz and n_channels:
                samples = Samples(subtype, endian, rate_hz, n_channels, n_channels * width)
        elif name == b"SSND":
            # Two numbers come first, and are counted; both are nearly always zero.
            return _Sound(samples, place + 8, max(size - 8, 0))
    return None


def _au(view: FileView, start: int, head: bytes) -> _Sound:
    offset, size, coding, rate_hz, n_channels = struct.unpack(">5I", head[4:24])
    subtype, bits = AU_SUBTYPES.get(coding, ("", 0))
    samples = None
    if subtype and rate_hz and 0 < n_channels < 1 << 10:
        samples = Samples(subtype, "BIG", rate_hz, n_channels, n_channels * bits // 8)
    return _Sound(samples, start + offset, size)


def _end_of(view: FileView, start: int, sound: _Sound) -> tuple[int, bool]:
    """Where a recording ends by its header, and whether what follows is known and no sound."""
    if any(sound.n_bytes in sizes for sizes in UNKNOWN_SIZES):
        return len(view), True
    end = sound.start + sound.n_bytes
    if end >= len(view):
        return len(view), True
    view.seek(start)
    is_au = view.read(4) == b".snd"
    view.seek(start)
    endian = "BIG" if view.read(4) in (b"RIFX", b"FORM") else "LITTLE"
    place = end if is_au else end + sound.n_bytes % 2
    for _ in range(CHUNKS):
        view.seek(place)
        head = view.read(12)
        if len(head) < 8 or head.startswith(TAGS):
            return len(view), True
        if _sound_at(view, place) is not None:
            return place, True
        (size,) = struct.unpack(">I" if endian == "BIG" else "<I", head[4:8])
        if is_au or not _is_name(head[:4]) or place + 8 + size > len(view) + 1:
            break
        place += 8 + size + size % 2
    view.seek(place)
    rest = view.read(1 << 20)
    return place, sound.n_bytes > 0 and not rest.strip(b"\0")
