"""Opening recordings: from a path to a file that can be decoded.

What a file holds says its format; its name never does. Whatever is no file, is empty, cannot be
decoded or has an impossible sample rate raises AudioError with the path and what to do, and nothing
is waited for: not a named pipe, not a device.
"""

import io
import os
import stat

import soundfile

from serctl.audio import integrity
from serctl.audio.scan import UNDECODABLE_EXTENSIONS
from serctl.errors import AudioError

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


def open_recording(path: str) -> soundfile.SoundFile:
    """Open a recording for reading.

    Parameters
    ----------
    path : str
        Of an audio file in any format that libsndfile decodes, under whatever extension.

    Returns
    -------
    soundfile.SoundFile
        To be closed by the caller.

    Raises
    ------
    AudioError
        If the file cannot be opened, is no file or empty, is in no such format, or has a sample
        rate that no recording has.
    """
    try:
        _check_is_file(path, os.stat(path))
        file = _opened(path)
    except (OSError, ValueError) as error:  # ValueError: a zero byte within the path
        found = error.strerror if isinstance(error, OSError) else None
        raise AudioError(f"{found or error}. Check that it can be read.", path) from error
    if not MIN_RATE_HZ <= file.samplerate <= MAX_RATE_HZ:
        rate_hz = file.samplerate
        file.close()
        raise AudioError(
            f"A sample rate of {rate_hz} Hz; {MIN_RATE_HZ} to {MAX_RATE_HZ} Hz are taken. Its "
            "header is damaged, or it is no recording of sound; export it again.",
            path,
        )
    return file


def _check_is_file(path: str, known: os.stat_result) -> None:
    # What would block or has no end is refused, and an empty file.
    if not stat.S_ISREG(known.st_mode):
        kind = NO_FILES.get(stat.S_IFMT(known.st_mode), "Not a file")
        raise AudioError(f"{kind}; a file is needed. Save the sound to one.", path)
    if known.st_size == 0:
        raise AudioError("0 bytes. The file is empty; copy or export it again.", path)


class _ForwardFile(soundfile.SoundFile):
    """A file that is read from front to back.

    soundfile seeks after every read where it can, which fails in a FLAC file that does not say its
    length, as streams are saved.
    """

    source: io.FileIO | None = None  # that libsndfile reads through, to be closed with this

    def seekable(self) -> bool:
        return False

    def close(self) -> None:
        super().close()
        if self.source is not None:
            self.source.close()


class _FileFrom(io.FileIO):
    """The file at ``path``, as if it began at byte ``start``."""

    def __init__(self, path: str, start: int) -> None:
        super().__init__(path)
        self._start = start
        self.seek(0)

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        if whence == os.SEEK_SET:
            offset = max(offset, 0) + self._start
        return super().seek(offset, whence) - self._start

    def tell(self) -> int:
        return super().tell() - self._start


def _opened(path: str) -> soundfile.SoundFile:
    # By its path, libsndfile would go by the extension where it knows no better, so that a text
    # named .au is sound, and refuse a path of 1024 bytes. It closes the descriptor, also when it
    # fails. Where it does not take one (Windows), the path will do.
    source: int | bytes = os.fsencode(path)
    if os.name == "posix":
        source = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    try:
        return _ForwardFile(source)
    except soundfile.LibsndfileError as error:
        extension = os.path.splitext(path)[1].lower()
        if extension in integrity.MP3_EXTENSIONS and (start := integrity.mp3_start(path)):
            return _opened_from(path, start)
        if extension in UNDECODABLE_EXTENSIONS:
            advice = f"Convert it first, for example: ffmpeg -i NAME{extension} NAME.wav"
        else:
            advice = "Not audio, or damaged: try to play it, or export it again as wav or flac."
        what = error.error_string.rstrip(".") or "Cannot be decoded"
        raise AudioError(f"{what}. {advice}", path) from error


def _opened_from(path: str, start: int) -> soundfile.SoundFile:
    source = _FileFrom(path, start)
    try:
        file = _ForwardFile(source)
    except soundfile.LibsndfileError as error:
        source.close()
        raise AudioError(
            f"Begins with {start} bytes that are no MP3, and cannot be decoded after them "
            f"({error.error_string.rstrip('.')}). Export it again as wav or flac.",
            path,
        ) from error
    file.source = source
    return file
