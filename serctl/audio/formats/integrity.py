"""What the headers of audio files promise, and whether streams of Ogg are joined.

libsndfile corrects a header that promises more than follows, and does not say so, except in its
log; `promised_frames` finds it there. Nothing here decodes, and nothing here raises for what a file
holds: a header that promises nothing is one that promises no more than came.
"""

import re

import soundfile

from serctl.audio.formats.headers import UNKNOWN_SIZES
from serctl.audio.formats.views import FileView

# As libsndfile 1.2 logs it for WAV, AIFF, AU and W64. The sizes of the whole (RIFF, FORM) are often
# wrong where the sound is complete, except in W64, which logs no other.
SIZE_CORRECTED = re.compile(
    r"^\s*(?:data|SSND|Data Size|riff)\s*: (\d+) \(should be (\d+)\)", re.MULTILINE
)
FRAMES_CORRECTED = re.compile(
    r"Calculated frame count \d+ does not match value from 'ds64' chunk of (\d+)"
)
SLOPPY_S = 0.01  # sizes that are off by less, by the size of a header say, are no loss
OGG_BLOCK_BYTES = 1 << 20
# Pages of Ogg begin so (RFC 3533); the second bit says that a stream begins with this one.
OGG_PAGE = re.compile(rb"OggS\0([\0-\7])")
OGG_BEGINS = 2


def promised_frames(file: soundfile.SoundFile, n_frames: int) -> int:
    """Frames that a file's header promises.

    Parameters
    ----------
    file : soundfile.SoundFile
        Open, and read to its end.
    n_frames : int
        That came.

    Returns
    -------
    int
        More than ``n_frames`` if the header promises more, as far as it can be known: in WAV, RF64,
        W64, AIFF, AU, FLAC, and MP3 with a tag that says how long they are.
    """
    promised = 0
    if file.format in ("FLAC", "MP3"):
        # libsndfile gives 2**63 - 1 for a stream that does not say its length.
        promised = file.frames if file.frames < 1 << 62 else 0
    elif "should be" in (log := file.extra_info) or "does not match" in log:
        for size, real_size in SIZE_CORRECTED.findall(log):
            if not any(int(size) in sizes for sizes in UNKNOWN_SIZES):
                promised = n_frames * int(size) // max(int(real_size), 1)
        for frames in FRAMES_CORRECTED.findall(log):
            promised = int(frames)
    return promised if promised - n_frames > SLOPPY_S * file.samplerate else n_frames


def is_chained_ogg(view: FileView) -> bool:
    """Whether a stream of Ogg begins after pages that began none.

    Recordings in Ogg are joined so by right; libsndfile stops at the end of the first.

    Parameters
    ----------
    view : FileView
        Of the file; read to its end.
    """
    has_begun = False
    view.seek(0)
    kept = b""
    while block := view.read(OGG_BLOCK_BYTES):
        block = kept + block
        for page in OGG_PAGE.finditer(block):
            begins = page[1][0] & OGG_BEGINS
            if begins and has_begun:
                return True
            has_begun |= not begins
        kept = block[-5:]  # of a page that begins in it and ends in the next
    return False
