"""Recordings that follow each other in one file, as ``cat`` joins them, read as one."""

from typing import Any

from numpy.typing import NDArray

from serctl.audio.formats.headers import Part
from serctl.audio.formats.kinds import Kind
from serctl.audio.sndfile import SndfileSource
from serctl.errors import AudioError


class JoinedSource:
    """Recordings that follow each other in one file, or one whose header is wrong.

    Parameters
    ----------
    path : str
        Of the file.
    kind : Kind
        What they are.
    parts : list of Part
        At least one, of `serctl.audio.formats.headers.parts_of`.

    Attributes
    ----------
    rate_hz, n_channels, n_frames, n_expected, ended, reason
        As in `Source`.

    Raises
    ------
    AudioError
        If the first cannot be decoded.
    OSError
        If the file cannot be read.
    """

    def __init__(self, path: str, kind: Kind, parts: list[Part]) -> None:
        self._path, self._kind, self._parts = path, kind, parts
        self._n_opened, self._n_read = 1, 0
        self._source = self._opened(parts[0])
        self.rate_hz, self.n_channels = self._source.rate_hz, self._source.n_channels
        self.n_frames = self.n_expected = 0
        self.ended, self.reason = False, ""

    def _opened(self, part: Part) -> SndfileSource:
        return SndfileSource(self._path, self._kind, part.start, part.stop, part.samples)

    def read(self, n_frames: int) -> NDArray[Any]:
        """Read on, as `Source.read`."""
        frames = self._source.read(n_frames)
        self.n_channels = frames.shape[1]
        self._n_read += len(frames)
        if self._source.ended:
            self._next()
        return frames

    def _next(self) -> None:
        """Open the next recording, or say what there was."""
        found, stop = self._source.reason, ""
        while self._n_opened < len(self._parts):
            part = self._parts[self._n_opened]
            try:
                following = self._opened(part)
            except AudioError as error:
                stop = f"one that cannot be decoded ({error.reason.rstrip('.')})"
                break
            if following.rate_hz != self.rate_hz:
                stop = f"one of {following.rate_hz} Hz"
                following.close()
                break
            self._source.close()
            self._source = following
            self._n_opened += 1
            return
        self.ended = True
        came_s = self._n_read / self.rate_hz
        last = self._parts[self._n_opened - 1]
        if stop:
            self.reason = (
                f"truncated: {came_s:.1f} s came, up to where another recording is joined on: "
                f"{stop}."
            )
        elif len(self._parts) > 1:
            self.reason = (
                f"joined: {len(self._parts)} recordings in one file, {came_s:.1f} s in all."
            )
        elif last.samples is not None:
            self.reason = (
                f"damaged header: it promises {last.promised_s:.1f} s; all {came_s:.1f} s that "
                "follow it were read."
            )
        self.reason = f"{self.reason} {found}".strip()

    def close(self) -> None:
        """Close the file."""
        self._source.close()
