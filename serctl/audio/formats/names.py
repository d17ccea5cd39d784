"""What names say: extensions of audio, and files that stand for a recording and are none.

A folder is searched by extension, so that a document beside the recordings gives no row that cannot
be read. A file of another extension, or of none, is taken if its first bytes are those of a
recording: ``c5.wav.1`` and ``noext`` are as good as ``c5.wav``.
"""

import os
import re

from serctl.audio.formats import kinds
from serctl.audio.formats.views import FileView

# What libsndfile 1.2 decodes and recordings come as. It knows more (.mat, .raw, ...), whose
# extensions say nothing about audio.
SNDFILE_EXTENSIONS = frozenset(
    ".wav .wave .bwf .rf64 .bw64 .w64 .flac .ogg .oga .opus .mp3 .mp2 .aif .aiff .aifc .au .snd .caf "
    ".voc .sph .nist .avr .paf .svx .8svx".split()
)
# What phones, dictaphones, meeting software and players write, and FFmpeg reads, mostly.
OTHER_EXTENSIONS = frozenset(
    ".m4a .m4b .m4r .m4v .aac .mp4 .mov .qta .mkv .mka .webm .weba .3gp .3g2 .wma .wmv .asf .amr "
    ".awb .ac3 .eac3 .dts .ape .wv .tta .mpc .mpga .mpa .mp1 .ogx .ogv .spx .ra .rm .dss .ds2 .dsf "
    ".dff .qcp .shn .avi .flv .f4v .f4a .ts .mts .m2ts .mpg .mpeg .vob .loas .latm .aax".split()
)
AUDIO_EXTENSIONS = SNDFILE_EXTENSIONS | OTHER_EXTENSIONS | kinds.HEADERLESS.keys()

PARTIAL = re.compile(
    r".*\.(part|partial|crdownload|download|opdownload|!ut|aria2|tmp|filepart)", re.I
)
PLACEHOLDER = re.compile(r"\..+\.icloud|.*\.(cloud|cloudf|gdoc|gsheet|gslides|odrive)", re.I)
HIDDEN, PLACEHOLDERS, PARTIALS = "hidden", "cloud placeholder", "partial download"
NOT_AUDIO = "not audio"
SPECIAL = "pipe, socket or device"


def reason_to_skip(name: str) -> str:
    """Why a file that a folder holds is skipped for its name; empty if it is not.

    Parameters
    ----------
    name : str
        Of the file, without its folder.

    Returns
    -------
    str
        `PLACEHOLDERS`, `HIDDEN`, `PARTIALS`, or `NOT_AUDIO` for an extension of no recording.
    """
    if PLACEHOLDER.fullmatch(name):
        return PLACEHOLDERS
    if name.startswith("."):
        return HIDDEN
    if PARTIAL.fullmatch(name):
        return PARTIALS
    return "" if os.path.splitext(name)[1].lower() in AUDIO_EXTENSIONS else NOT_AUDIO


def begins_as_audio(path: str) -> bool:
    """Whether the first bytes of a file are those of a recording; not if it cannot be read."""
    try:
        with FileView(path) as view:
            return kinds.kind_of(view.read(kinds.HEAD_BYTES)) is not None
    except (OSError, ValueError):
        return False
