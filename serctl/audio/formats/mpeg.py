"""Frames of MP3: where they begin behind tags and junk, and whether a tag says how many there are.

Nothing here decodes, and nothing raises for what a file holds.
"""

from serctl.audio.formats.views import FileView

MP3_EXTENSIONS = frozenset((".mp3", ".mp2", ".mpga"))
SEARCHED_BYTES = 1 << 20
TAG_BYTES = 10  # of the header of an ID3v2 tag
TAG_BLOCK_BYTES = 1 << 12
FRAMES_IN_A_ROW = 3  # one or two look like frames by chance
LENGTH_WITHIN_BYTES = 64  # of the first frame, stand the tags that say how long the file is
KBIT_S = {  # by MPEG version 1 or not, and layer
    (True, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
XING_FRAMES, XING_BYTES = 1, 2  # flags of the Xing tag: which of the two numbers it has, in order
ID3V1_BYTES = 128  # of the tag that ends a file, which begins with "TAG"
RATES_HZ = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}


def skip_id3(file: FileView, skipped: int = 0) -> int:
    """Byte behind the ID3v2 tags that begin at byte ``skipped``."""
    content, begin = b"", skipped  # read in blocks, since empty tags may be many
    while True:
        at = skipped - begin
        tag = content[at : at + TAG_BYTES]
        if len(tag) < TAG_BYTES:
            file.seek(skipped)
            content, begin = file.read(TAG_BLOCK_BYTES), skipped
            tag = content[:TAG_BYTES]
        if len(tag) < TAG_BYTES or tag[:3] != b"ID3":
            return skipped
        # Its size has 7 bits a byte, and leaves out these ten bytes.
        skipped += TAG_BYTES + sum((tag[9 - i] & 0x7F) << 7 * i for i in range(4))


def first_frame(file: FileView, skipped: int = 0) -> tuple[int, bytes] | None:
    """Find the first frame of an MP3.

    Parameters
    ----------
    file : FileView
        Of the file.
    skipped : int
        Where to begin; ID3 tags there are skipped, and 1 MiB after them is searched.

    Returns
    -------
    tuple of int and bytes, or None
        Byte at which it begins, and what it begins with; None if there are no three in a row.
    """
    skipped = skip_id3(file, skipped)
    file.seek(skipped)
    content = file.read(SEARCHED_BYTES)
    start = content.find(0xFF)
    while start >= 0:
        if starts_with_frames(content, start):
            return skipped + start, content[start : start + LENGTH_WITHIN_BYTES]
        start = content.find(0xFF, start + 1)
    return None


def starts_with_frames(content: bytes, start: int = 0) -> bool:
    """Whether there are frames of one version, layer and rate in a row."""
    first = None
    for _ in range(FRAMES_IN_A_ROW):
        found = _frame(content[start : start + 4])
        if found is None or first not in (None, found[0]):
            return False
        first, start = found[0], start + found[1]
    return True


def _frame(header: bytes) -> tuple[tuple[int, int, int], int] | None:
    """Give what does not change from frame to frame (version, layer, rate), and bytes in this."""
    if len(header) < 4 or header[0] != 0xFF or header[1] < 0xE0:
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


def promised_frames(first: bytes) -> int:
    """Samples of each channel that a Xing tag promises; 0 if there is none.

    Parameters
    ----------
    first : bytes
        What the first frame begins with, of `first_frame`.
    """
    tag = max(first.find(b"Xing"), first.find(b"Info"))
    found = _frame(first[:4])
    if tag < 0 or found is None or not first[tag + 7] & XING_FRAMES:
        return 0
    version, layer, _ = found[0]
    frame_samples = 384 if layer == 1 else 576 if layer == 3 and version != 3 else 1152
    return int.from_bytes(first[tag + 8 : tag + 12], "big") * frame_samples


def end_of_frames(view: FileView, start: int, first: bytes) -> int | None:
    """Byte at which an MP3 ends by its Xing tag, if no other is joined on.

    Parameters
    ----------
    view : FileView
        Of the file.
    start, first : int, bytes
        Of `first_frame`.

    Returns
    -------
    int or None
        None if there is no such tag, if the file ends before, or if there are frames behind it.
    """
    tag = max(first.find(b"Xing"), first.find(b"Info"))
    flags = int.from_bytes(first[tag + 4 : tag + 8], "big")
    if tag < 0 or not flags & XING_BYTES:
        return None
    place = tag + (12 if flags & XING_FRAMES else 8)
    end = start + int.from_bytes(first[place : place + 4], "big")
    if not start < end < len(view):
        return None
    view.seek(end)
    behind = end + ID3V1_BYTES * (view.read(3) == b"TAG")
    return end if first_frame(view, behind) is None else None
