"""Decoding with libsndfile, and with FFmpeg from where that gives up.

libsndfile ends at a hole in a FLAC, and at the end of what its header promises, also where much is
left behind it. FFmpeg finds its way after a hole, and reads on.
"""

import os
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from serctl.audio.formats import integrity
from serctl.audio.formats.headers import Samples
from serctl.audio.formats.kinds import Kind
from serctl.audio.formats.views import FileView
from serctl.audio.sources import Source
from serctl.errors import AudioError
from serctl.system import CAN_SHARE_DESCRIPTORS, READ

LEFT_BYTES = 1 << 16  # at the end, and unread: more than libraries read ahead, and tags hold


class _ForwardFile(soundfile.SoundFile):  # type: ignore[misc]  # soundfile has no types
    """A file that is read from front to back.

    soundfile seeks after every read where it can, which fails in a FLAC file that does not say its
    length, as streams are saved.
    """

    def seekable(self) -> bool:
        return False


class SndfileSource:
    """A recording that libsndfile decodes.

    Parameters
    ----------
    path : str
        Of the file.
    kind : Kind
        What it is; FFmpeg goes on by it.
    start, stop : int
        Bytes of the file that it takes; all by default.
    samples : Samples, optional
        How they lie, if there is no header to go by.

    Attributes
    ----------
    rate_hz, n_channels, n_frames, n_expected, ended, reason
        As in `Source`.

    Raises
    ------
    AudioError
        If it cannot be decoded.
    OSError
        If the file cannot be read.
    """

    def __init__(
        self,
        path: str,
        kind: Kind,
        start: int = 0,
        stop: int | None = None,
        samples: Samples | None = None,
    ) -> None:
        self._path, self._kind, self._start, self._stop = path, kind, start, stop
        self._view: FileView | None = None
        self._place: int | None = None  # a descriptor that shares its place with libsndfile's
        self._rest: Source | None = None
        self._n_read = 0
        self.ended, self.reason = False, ""
        self._file = self._opened(samples)
        self.rate_hz, self.n_channels = self._file.samplerate, self._file.channels
        # libsndfile gives 2**63 - 1 for a stream that does not say its length.
        self.n_frames = self._file.frames if self._file.frames < 1 << 62 else 0
        self.n_expected = self.n_frames
        # NumPy makes numbers of 16-bit integers in a fifth of the time that libsndfile takes; the
        # mean of several channels is taken in float64, and rounded once.
        dtype = "float32" if self.n_channels == 1 else "float64"
        self._dtype = "int16" if self._file.subtype == "PCM_16" else dtype

    def _opened(self, samples: Samples | None) -> soundfile.SoundFile:
        # By its path, libsndfile would go by the extension where it knows no better, so that a text
        # named .au is sound, and refuse a path of 1024 bytes. It closes the descriptor, also when it
        # fails. Where it does not take one (Windows), it reads through Python.
        source: int | FileView
        is_whole = not self._start and self._stop is None and samples is None
        if not (is_whole and CAN_SHARE_DESCRIPTORS):
            source = self._view = FileView(self._path, self._start, self._stop)
        else:
            source = os.open(self._path, READ)
            self._place = os.dup(source)
        try:
            if samples is None:
                return _ForwardFile(source)
            return _ForwardFile(
                source,
                samplerate=samples.rate_hz,
                channels=samples.n_channels,
                format="RAW",
                subtype=samples.subtype,
                endian=samples.endian,
            )
        except soundfile.LibsndfileError as error:
            self._close_descriptors()
            if self._view is not None:
                self._view.raise_error()
            what = error.error_string.removeprefix("Error : ").rstrip(".")
            raise AudioError(f"{what or 'Cannot be decoded'}.", self._path) from error

    def read(self, n_frames: int) -> NDArray[Any]:
        """Read on, as `Source.read`; OSError if the disk or the network share fails."""
        if self._rest is not None:
            return self._read_rest(n_frames)
        frames = np.empty((n_frames, self.n_channels), self._dtype)
        error = ""
        try:
            frames = self._file.read(out=frames)
        except soundfile.LibsndfileError as caught:
            frames = frames[: self._n_before_error()]
            error = caught.error_string.removeprefix("Error : ").rstrip(".")
        self._n_read += len(frames)
        if error or len(frames) < n_frames:
            self._end(error)
        return frames

    def _n_before_error(self) -> int:
        """Frames that came before the error in the read that failed; it counts them all the same."""
        try:
            return max(int(self._file.tell()) - self._n_read, 0)
        except soundfile.LibsndfileError:
            return 0

    def _end(self, error: str) -> None:
        """Say what is missing, and go on with FFmpeg where there may be more."""
        promised = integrity.promised_frames(self._file, self._n_read)
        if error or promised > self._n_read or self._n_read < self.n_frames:
            self._check_readable()
        came_s = self._n_read / self.rate_hz
        if promised > self._n_read:
            self.reason = (
                f"truncated: {came_s:.1f} s came of {promised / self.rate_hz:.1f} s that its header "
                "promises."
            )
        if error and not 0 < self.n_frames <= self._n_read:
            self.reason = f"truncated: decoding broke off after {came_s:.1f} s ({error})."
        if error or self._n_left_bytes() > LEFT_BYTES:
            self._rest = self._opened_rest()
        self.ended = self._rest is None
        if self.ended and error and not self._n_read:
            raise AudioError(
                f"Decoding broke off at once ({error}). The file is damaged; copy or export it "
                "again.",
                self._path,
            )

    def _n_left_bytes(self) -> int:
        """Bytes of a FLAC that were not read; of others, their headers and tags tell."""
        if self._place is None or self._file.format != "FLAC":
            return 0
        return os.fstat(self._place).st_size - os.lseek(self._place, 0, os.SEEK_CUR)

    def _opened_rest(self) -> Source | None:
        """FFmpeg, behind what was read; None if it gives nothing more."""
        from serctl.audio.ffmpeg import FfmpegSource

        if not self._kind.demuxer:
            return None
        try:
            rest = FfmpegSource(
                self._path, self._kind, FileView(self._path, self._start, self._stop)
            )
        except AudioError:
            return None
        if (rest.rate_hz, rest.n_channels) == (self.rate_hz, self.n_channels):
            n_left = self._n_read
            while not rest.ended:
                frames = rest.read(max(n_left, 1))
                if len(frames) > n_left:
                    self._first_of_rest = frames[n_left:]
                    return rest
                n_left -= len(frames)
        rest.close()
        return None

    def _read_rest(self, n_frames: int) -> NDArray[Any]:
        assert self._rest is not None
        frames: NDArray[Any] = self._first_of_rest
        self._first_of_rest = frames[:0]
        if not len(frames):
            frames = self._rest.read(n_frames)
        self.n_channels = frames.shape[1]
        self._n_read += len(frames)
        self.ended = self._rest.ended
        if self.ended:
            came_s = self._n_read / self.rate_hz
            self.reason = self._rest.reason or (
                f"damaged: its header or a part of it is wrong; {came_s:.1f} s could be decoded."
            )
        return frames

    def _check_readable(self) -> None:
        """Raise OSError if it is the disk that gave no more, and not the file."""
        if self._view is not None:
            self._view.raise_error()
        if self._place is not None:
            place = os.lseek(self._place, 0, os.SEEK_CUR)
            for start in (place, max(os.fstat(self._place).st_size - LEFT_BYTES, 0)):
                os.pread(self._place, LEFT_BYTES, start)

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        self._close_descriptors()
        if self._rest is not None:
            self._rest.close()

    def _close_descriptors(self) -> None:
        if self._view is not None:
            self._view.close()
        if self._place is not None:
            os.close(self._place)
            self._place = None
