"""What a file is, by its first bytes, and what to do about those that hold no sound to decode.

A name says nothing: phones write M4A into files named .mp3, and browsers WebM into .wav. Only
streams without any header (`HEADERLESS`) are known by their extension, since nothing else tells.
"""

import codecs
import re
from dataclasses import dataclass
from typing import NamedTuple

from serctl.audio.formats.mpeg import starts_with_frames

HEAD_BYTES = 1 << 12  # read of a file to know its kind
CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")  # that no text has; some have escapes


@dataclass(frozen=True)
class Kind:
    """A kind of file.

    Attributes
    ----------
    name : str
        As it is called in messages.
    demuxer : str
        What reads it in FFmpeg.
    by_libsndfile : bool
        Whether libsndfile reads it, whole and faster, and is tried first.
    """

    name: str
    demuxer: str
    by_libsndfile: bool = False


WAV, AIFF, AU = Kind("WAV", "wav", True), Kind("AIFF", "aiff", True), Kind("AU", "au", True)
W64, FLAC, CAF = Kind("W64", "w64", True), Kind("FLAC", "flac", True), Kind("CAF", "caf", True)
VORBIS, OGG, MP3 = Kind("Ogg Vorbis", "ogg", True), Kind("Ogg", "ogg"), Kind("MP3", "mp3")
MP4, MATROSKA, ASF = Kind("MP4", "mov"), Kind("Matroska or WebM", "matroska"), Kind("WMA", "asf")
AAC, AC3, EAC3 = Kind("AAC", "aac"), Kind("AC-3", "ac3"), Kind("E-AC-3", "eac3")

# Bytes at the beginning, in which a dot stands for any byte.
MAGIC: tuple[tuple[bytes, Kind], ...] = (
    (rb"(RIFF|RIFX|RF64|BW64)....WAVE", WAV),
    (rb"RIFF....AVI ", Kind("AVI", "avi")),
    (rb"RIFF....QLCM", Kind("QCP", "qcp")),
    (rb"FORM....AIF[FC]", AIFF),
    (rb"\.snd|dns\.", AU),
    (rb"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\0\0", W64),
    (rb"fLaC", FLAC),
    (rb"OggS\0.{23}\x01vorbis", VORBIS),
    (rb"OggS\0", OGG),
    (rb"caff\0\x01", CAF),
    (rb"....(ftyp|moov|mdat|wide|free|skip|pnot)", MP4),
    (rb"\x1a\x45\xdf\xa3", MATROSKA),
    (rb"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\0\xaa\0\x62\xce\x6c", ASF),
    (rb"#!AMR(-WB)?\n", Kind("AMR", "amr")),
    (rb"MAC [\0-\xff]", Kind("Monkey's Audio", "ape")),
    (rb"wvpk", Kind("WavPack", "wv")),
    (rb"TTA[12]", Kind("TTA", "tta")),
    (rb"MP\+[\x07\x17]", Kind("Musepack", "mpc")),
    (rb"MPCK", Kind("Musepack", "mpc8")),
    (rb"\.RMF\0|\.ra\xfd\0", Kind("RealAudio", "rm")),
    (rb"FLV\x01", Kind("FLV", "flv")),
    (rb"ajkg", Kind("Shorten", "shn")),
    (rb"DSD .{24}fmt ", Kind("DSF", "dsf")),
    (rb"FRM8.{8}DSD ", Kind("DFF", "iff")),
    (rb"\x02dss|\x03dss", Kind("DSS", "dss")),
    (rb"\x06\x0e\x2b\x34\x02\x05\x01\x01\x0d\x01\x02", Kind("MXF", "mxf")),
    (rb"\xb7\xd8\x00\x20\x37\x49\xda\x11\xa6\x4e", Kind("WTV", "wtv")),
    (rb"\x00\x00\x01\xba", Kind("MPEG", "mpeg")),
    (rb"\x7f\xfe\x80\x01|\xfe\x7f\x01\x80|\x1f\xff\xe8\0|\xff\x1f\0\xe8", Kind("DTS", "dts")),
    (rb"\x47.{187}\x47.{187}\x47", Kind("MPEG transport stream", "mpegts")),
    (rb"\x56[\xe0-\xff].{6,}?\x56[\xe0-\xff]", Kind("AAC (LATM)", "loas")),
)


class Headerless(NamedTuple):
    """How a stream without a header is read: a subtype of libsndfile, or a demuxer of FFmpeg."""

    subtype: str
    demuxer: str
    rate_hz: int


# Of telephones and dictation machines, always mono; their extension alone says what they are.
HEADERLESS = {
    **dict.fromkeys((".ulaw", ".ul", ".mulaw"), Headerless("ULAW", "", 8000)),
    **dict.fromkeys((".alaw", ".al"), Headerless("ALAW", "", 8000)),
    ".sln": Headerless("PCM_16", "", 8000),  # of Asterisk, which writes other rates into the name
    **{f".sln{k}": Headerless("PCM_16", "", 1000 * k) for k in (12, 16, 24, 32, 44, 48, 96, 192)},
    ".gsm": Headerless("GSM610", "", 8000),
    ".vox": Headerless("VOX_ADPCM", "", 8000),  # of Dialogic
    ".g722": Headerless("", "g722", 16000),
    **dict.fromkeys((".g723", ".g723_1"), Headerless("", "g723_1", 8000)),
    ".g726": Headerless("", "g726le", 8000),  # 32 kbit/s, with the order of bits of RFC 3551
}
HEADERLESS[".sln44"] = Headerless("PCM_16", "", 44100)
GSM_FRAME_BYTES = 33


def kind_of(head: bytes) -> Kind | None:
    """Kind of a file.

    Parameters
    ----------
    head : bytes
        What it begins with, behind ID3 tags.

    Returns
    -------
    Kind or None
        None if nothing in it is known.
    """
    for pattern, kind in MAGIC:
        if re.match(pattern, head, re.DOTALL):
            return kind
    if _has_aac_frames(head):
        return AAC
    if head[:2] in (b"\x0b\x77", b"\x77\x0b"):
        # The sixth byte begins with the version of the bit stream: above 10, it is E-AC-3.
        return EAC3 if len(head) > 5 and head[5] >> 3 > 10 else AC3
    return MP3 if starts_with_frames(head) else None


def _has_aac_frames(head: bytes) -> bool:
    """Whether two frames of ADTS follow each other (ISO 13818-7)."""
    start = 0
    for _ in range(2):
        header = head[start : start + 7]
        if len(header) < 7 or header[0] != 0xFF or header[1] & 0xF6 != 0xF0:
            return False
        n_bytes = (header[3] & 3) << 11 | header[4] << 3 | header[5] >> 5
        if n_bytes < 7:
            return False
        start += n_bytes
    return True


def is_gsm(head: bytes) -> bool:
    """Whether frames of GSM 6.10 follow each other, each of which begins with the bits 1101."""
    frames = range(0, len(head), GSM_FRAME_BYTES)
    return bool(head) and all(head[place] >> 4 == 0xD for place in frames)


def is_text(head: bytes) -> bool:
    """Whether the beginning of a file is text, in UTF-8 or UTF-16, which no stream of sound is."""
    encoding = "utf-16" if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8"
    try:  # the head may end within a character
        text = codecs.getincrementaldecoder(encoding)().decode(head)
    except UnicodeDecodeError:
        return False
    return not CONTROLS.search(text)


# What is no sound, or none that anybody decodes, and what to do.
ADVICE: tuple[tuple[bytes, str], ...] = (
    (
        rb"version https://git-lfs\.github\.com/spec/",
        "A Git LFS pointer: the file stands for the recording, which was not downloaded. "
        "Run: git lfs pull",
    ),
    (
        rb"\.\./.{0,200}\.git/annex/objects|/annex/objects/",
        "A git-annex pointer: the recording was not downloaded. Run: git annex get NAME",
    ),
    (
        rb"\s*(<!doctype html|<html|<head|<\?xml[^>]*>\s*<!doctype html)",
        "A web page (HTML): the download gave an error or a sign-in page in place of the "
        "recording. Open it in a browser, and download the recording again.",
    ),
    (rb"\s*<\?xml", "An XML text, not audio. Look for the recording that it describes."),
    (rb"\s*#EXTM3U", "A playlist: it names recordings and holds none. Name those instead."),
    (
        rb"\s*\[playlist\]",
        "A playlist: it names recordings and holds none. Name those instead.",
    ),
    (
        rb"ffconcat version|\s*file '",
        "A list of files for FFmpeg: it holds no sound. Name the files in it instead.",
    ),
    (
        rb"v=0\r?\n",
        "A description of a stream (SDP): it holds no sound. Record the stream to a file first.",
    ),
    (rb"\s*\{", "A JSON text, not audio. Look for the recording that it belongs to."),
    (rb"PK\x03\x04|PK\x05\x06", "A ZIP archive. Unpack it: unzip NAME"),
    (rb"\x1f\x8b", "Compressed with gzip. Unpack it: gunzip NAME"),
    (rb"7z\xbc\xaf\x27\x1c", "A 7-Zip archive. Unpack it: 7z x NAME"),
    (rb"Rar!\x1a\x07", "A RAR archive. Unpack it: unrar x NAME"),
    (rb"BZh[1-9]1AY", "Compressed with bzip2. Unpack it: bunzip2 NAME"),
    (rb"\xfd7zXZ\0", "Compressed with xz. Unpack it: unxz NAME"),
    (rb"\x28\xb5\x2f\xfd", "Compressed with Zstandard. Unpack it: unzstd NAME"),
    (rb".{257}ustar", "A tar archive. Unpack it: tar xf NAME"),
    (rb"%PDF-", "A PDF document, not audio."),
    (rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "An Office document or an e-mail, not audio."),
    (rb"\x89PNG|\xff\xd8\xff|GIF8[79]a|....ftyp(heic|heix|mif1|avif)", "A picture, not audio."),
    (
        rb"bplist00",
        "A placeholder of iCloud, or settings of macOS: it holds no sound. If the recording is in "
        "iCloud, download it first.",
    ),
    (
        rb"\x00\x05\x16\x07",
        "An AppleDouble file, which macOS writes beside a recording and which holds no sound. "
        "The recording has the same name without the leading ._",
    ),
    (rb"-----BEGIN PGP|\x85.\x03", "Encrypted with PGP. Decrypt it: gpg --decrypt NAME"),
    (rb"Salted__", "Encrypted with OpenSSL. Decrypt it first."),
    (rb"age-encryption\.org/", "Encrypted with age. Decrypt it first: age --decrypt"),
    (
        rb"\x02?#!SILK_V3",
        "SILK, of WeChat or Skype, which nothing here decodes. Export it again as mp3 or m4a.",
    ),
    (rb"\x03ds2", "DS2 of a dictation machine, whose codec is not public. Export it as wav."),
    (
        rb"SQLite format 3\0.{52}AUDY",
        "An Audacity project, not audio. Open it in Audacity, and export it as wav.",
    ),
    (
        rb"ooBinaryFile|(File type = )?.?ooTextFile",
        "An object of Praat, not audio. If it is a sound, save it in Praat as a WAV file.",
    ),
    (rb"\x93NUMPY", "An array of NumPy, not audio. Write it as wav with soundfile.write."),
    (
        rb"\x4c\0\0\0\x01\x14\x02\0|book\0\0\0\0mark|\s*\[InternetShortcut\]",
        "A shortcut: it points to another file or page. Name the recording itself.",
    ),
    (
        rb"\s*(data:audio/|(?-i:UklGR|SUQz|//u[QS]|T2dnU|ZkxhQ))",
        "A recording written as text (base64). Decode it: base64 -d NAME > NEW_NAME, without what "
        "stands before the comma.",
    ),
    (rb"MThd", "A MIDI file: notes, not sound."),
    (rb"SQLite format 3\0", "A database (SQLite), not audio."),
    (
        rb"NIST_1A.{0,1024}?sample_coding[^\n]*shorten",
        "NIST SPHERE compressed with shorten, which libsndfile and FFmpeg do not read. "
        "Convert it with sph2pipe: sph2pipe -f wav NAME.sph NAME.wav",
    ),
    (
        rb"....ftyp(aax |aaxc)|....aavd",
        "An Audible book, which is encrypted. It cannot be decoded.",
    ),
)
# Within what is MP4: how the sound is coded, where it is protected.
PROTECTED = re.compile(rb"(drms|enca|aavd)....\0\0\0\0\0\0", re.DOTALL)


def advice_for(head: bytes) -> str:
    """Say what a file is that holds no sound to decode, and what to do.

    Parameters
    ----------
    head : bytes
        What it begins with.

    Returns
    -------
    str
        Empty if the file's beginning says nothing of the sort.
    """
    if head and not head.strip(b"\0"):
        return (
            "Begins with nothing but zeros: the download or the copy of it was not finished, or a "
            "disk lost it. Copy it again."
        )
    head = head.removeprefix(codecs.BOM_UTF8)
    for pattern, advice in ADVICE:
        if re.match(pattern, head, re.DOTALL | re.IGNORECASE):
            return advice
    if PROTECTED.search(head):
        return "Protected (DRM): its sound is encrypted, and only its shop's own player decodes it."
    if len(head) > 20 and is_text(head):
        return "A text, not audio. Is it the right file?"
    return ""
