"""Opening recordings: from a path to a source of samples.

What a file holds says its format; its name never does, but for streams without a header
(`kinds.HEADERLESS`). libsndfile reads what it reads whole and fast: WAV, AIFF, AU, W64, FLAC, CAF
with PCM, and Ogg Vorbis. FFmpeg reads all else, and goes on where libsndfile fails. Whatever is no
file, is empty, cannot be decoded or has an impossible sample rate raises AudioError with the path
and what to do, and nothing is waited for: not a named pipe, not a device.
"""

import os
import stat
from typing import NamedTuple

from serctl.audio.ffmpeg import FfmpegSource
from serctl.audio.formats import headers, integrity, kinds, mpeg
from serctl.audio.formats.joined import JoinedSource
from serctl.audio.formats.kinds import Kind
from serctl.audio.formats.views import FileView
from serctl.audio.sndfile import SndfileSource
from serctl.audio.sources import Source
from serctl.errors import AudioError
from serctl.files.objects import is_remote

# Speech is recorded at 8 to 192 kHz. A rate beyond these is a damaged header, and would turn a small
# file into days of samples, or a resampler of gigabytes.
MIN_RATE_HZ, MAX_RATE_HZ = 1000, 1_000_000
NO_FILES = {
    stat.S_IFIFO: "A named pipe",
    stat.S_IFSOCK: "A socket",
    stat.S_IFCHR: "A device",
    stat.S_IFBLK: "A device",
    stat.S_IFDIR: "A folder",
}
NOT_AUDIO = "Not audio, or damaged: try to play it, or export it again as wav or flac."
WHO_DOWNLOADS = "Only serctl classify, features, plot and clips read objects; copy it to a file."
UNKNOWN = Kind("unknown", "")


class _Beginning(NamedTuple):
    """What a file begins with, behind ID3 tags of ``start`` bytes, and its kind."""

    start: int
    head: bytes
    kind: Kind | None


def open_recording(path: str) -> Source:
    """Open a recording for reading.

    Parameters
    ----------
    path : str
        Of an audio file in any format that libsndfile or FFmpeg decodes, under whatever extension;
        of a video, the first audio stream is taken.

    Returns
    -------
    Source
        To be closed by the caller.

    Raises
    ------
    AudioError
        If the file cannot be opened, is no file or empty, is in no such format, or has a sample
        rate that no recording has.
    OSError
        If reading it fails: an error of the disk or of the network share.
    """
    if is_remote(path):
        raise AudioError(f"An object, not a file. {WHO_DOWNLOADS}", path)
    try:
        _check_is_file(path, os.stat(path))
        view = FileView(path)
    except (OSError, ValueError) as error:  # ValueError: a zero byte within the path
        found = error.strerror if isinstance(error, OSError) else None
        raise AudioError(f"{found or error}. Check that it can be read.", path) from error
    with view:
        try:
            source = _opened(path, view)
        finally:
            view.raise_error()
    if not MIN_RATE_HZ <= source.rate_hz <= MAX_RATE_HZ:
        rate_hz = source.rate_hz
        source.close()
        raise AudioError(
            f"A sample rate of {rate_hz} Hz; {MIN_RATE_HZ} to {MAX_RATE_HZ} Hz are taken. Its "
            "header is damaged, or it is no recording of sound; export it again.",
            path,
        )
    return source


def _check_is_file(path: str, known: os.stat_result) -> None:
    # What would block or has no end is refused, and an empty file.
    if not stat.S_ISREG(known.st_mode):
        kind = NO_FILES.get(stat.S_IFMT(known.st_mode), "Not a file")
        raise AudioError(f"{kind}; a file is needed. Save the sound to one.", path)
    if known.st_size == 0:
        raise AudioError("0 bytes. The file is empty; copy or export it again.", path)


def _opened(path: str, view: FileView) -> Source:
    begins = _beginning(path, view)
    kind = begins.kind
    if kind is None:
        return _opened_without_magic(path, begins)
    if kind in (kinds.WAV, kinds.AIFF, kinds.AU) and (parts := headers.parts_of(view)):
        return JoinedSource(path, kind, parts)
    if _reads_whole(view, begins):
        try:
            return SndfileSource(path, kind, start=begins.start)
        except AudioError:
            pass
    return _opened_by_ffmpeg(path, view, begins)


def _beginning(path: str, view: FileView) -> _Beginning:
    """Read what a file begins with; of an MP3 behind something else, behind that."""
    view.seek(0)
    head = view.read(kinds.HEAD_BYTES)
    start = 0
    if head.startswith(b"ID3"):
        start = mpeg.skip_id3(view)
        view.seek(start)
        head = view.read(kinds.HEAD_BYTES)
    kind = kinds.kind_of(head)
    extension = os.path.splitext(path)[1].lower()
    if kind is None and (start or extension in mpeg.MP3_EXTENSIONS):
        found = mpeg.first_frame(view, start)
        if found is not None:
            return _Beginning(found[0], head, kinds.MP3)
    return _Beginning(start, head, kind)


def _reads_whole(view: FileView, begins: _Beginning) -> bool:
    """Whether libsndfile can be trusted to read all of it."""
    if begins.kind is kinds.VORBIS:
        return not integrity.is_chained_ogg(view)
    return begins.kind is not None and begins.kind.by_libsndfile


def _opened_by_ffmpeg(path: str, view: FileView, begins: _Beginning) -> Source:
    assert begins.kind is not None
    promised = stop = None
    start = begins.start
    if begins.kind is kinds.MP3 and (found := mpeg.first_frame(view, start)) is not None:
        start, first = found
        promised = mpeg.promised_frames(first)
        stop = mpeg.end_of_frames(view, start, first)
    view = FileView(path, start, stop)
    try:
        return FfmpegSource(path, begins.kind, view, n_frames=promised)
    except AudioError as error:
        advice = kinds.advice_for(begins.head)
        raise AudioError(advice or f"{error.reason} {NOT_AUDIO}", path) from error


def _opened_without_magic(path: str, begins: _Beginning) -> Source:
    """Open what libsndfile knows beyond our kinds, or a stream without a header, or say why not."""
    try:
        return SndfileSource(path, UNKNOWN)
    except AudioError as error:
        what = error.reason
    if advice := kinds.advice_for(begins.head):
        raise AudioError(advice, path)
    extension = os.path.splitext(path)[1].lower()
    stream = kinds.HEADERLESS.get(extension)
    if stream is None or (stream.subtype == "GSM610" and not kinds.is_gsm(begins.head)):
        raise AudioError(f"{what} {NOT_AUDIO}", path)
    kind = Kind(f"headerless {extension[1:]}", stream.demuxer)
    if stream.subtype:
        samples = headers.Samples(stream.subtype, "LITTLE", stream.rate_hz, 1, 1)
        return SndfileSource(path, kind, samples=samples)
    return FfmpegSource(path, kind, FileView(path), {"sample_rate": str(stream.rate_hz)}, 0)
