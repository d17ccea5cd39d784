"""Decoding with FFmpeg's libraries, through PyAV, of what libsndfile does not read.

The libraries read one file through Python and nothing else: their formats and codecs are those of
sound (`kinds`), every protocol is refused, and so is every further file that a format may ask for,
so that no playlist, stream description or reference within a video opens anything. Sound comes in
blocks, in the memory of one. What a damaged packet holds is left out, and said.

PyAV takes a moment to load, and is loaded when the first such file comes.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from serctl.audio.formats import allowed
from serctl.audio.formats.kinds import Kind
from serctl.audio.formats.packets import keep_end, samples_of
from serctl.audio.formats.views import FileView
from serctl.errors import AudioError

if TYPE_CHECKING:
    import av
    from av.container import InputContainer

BUFFER_BYTES = 1 << 16
# Of these, the length that the container gives was promised when it was written, and is no guess.
PROMISE = frozenset("mov matroska asf wav w64 aiff ape wv tta flac avi flv".split())
SLOPPY_S = 0.1  # clocks that are rounded, and encoders' delays, which in MP3 are some frames
MP3_DELAY_FRAMES = 2500
LEFT_BYTES = 1 << 16  # at the end, and unread: indexes and tags are smaller, or known

Option = dict[str, str]


class FfmpegSource:
    """The first audio stream of a file.

    Parameters
    ----------
    path : str
        Of the file.
    kind : Kind
        What it is.
    view : FileView
        Of what is to be read; closed with this.
    options : dict, optional
        For the format: the rate of a stream without a header.
    n_frames : int, optional
        That the file promises, if it is known; 0 if it promises none. By default, what the container
        says, where that is no guess.

    Attributes
    ----------
    rate_hz, n_channels, n_frames, n_expected : int
        At the beginning of the stream; as in `Source`.
    ended : bool
        Whether all was read.
    reason : str
        What is wrong with the file; complete when all was read.

    Raises
    ------
    AudioError
        If there is no sound in it, or none that FFmpeg decodes.
    OSError
        If the file cannot be read.
    """

    def __init__(
        self,
        path: str,
        kind: Kind,
        view: FileView,
        options: Option | None = None,
        n_frames: int | None = None,
    ) -> None:
        import av

        self._path, self._kind, self._view = path, kind, view
        self._n_bad = self._n_packets = self._n_read = 0
        self._changed = ""
        self.ended, self.reason = False, ""
        self._container: InputContainer | None = None
        try:
            self._container = av.open(
                view,
                "r",
                format=kind.demuxer,
                container_options={
                    "format_whitelist": allowed.demuxers(),
                    "codec_whitelist": allowed.DECODERS,
                    "protocol_whitelist": "none",
                    **(options or {}),
                },
                buffer_size=BUFFER_BYTES,
                io_open=_refuse,
                metadata_errors="replace",  # a name of its artist is no reason to fail
            )
            self._stream = self._first_stream()
            first = next(self._frames_of_packets(), None)
        except (av.error.FFmpegError, IndexError) as error:  # of streams that a damaged file lacks
            self.close()
            self._view.raise_error()
            raise AudioError(f"{_words(error)} ({kind.name}).{_hint(kind)}", path) from error
        except BaseException:
            self.close()
            raise
        if first is None:
            self.close()
            raise AudioError(f"No sound can be decoded from it ({kind.name}).", path)
        self.rate_hz, self.n_channels = first.sample_rate, first.layout.nb_channels
        self.n_expected = self._expected_frames() if n_frames is None else n_frames
        self.n_frames = self.n_expected
        if n_frames is None and kind.demuxer not in PROMISE:
            self.n_frames = 0
        self._frames = self._of_one_rate(first)

    def _first_stream(self) -> "av.AudioStream":
        from av.stream import Discard

        assert self._container is not None
        streams = self._container.streams
        if not streams.audio:
            what = "pictures and no sound" if streams.video else "no sound"
            raise AudioError(f"{self._kind.name} with {what}.", self._path)
        chosen = streams.audio[0]
        if chosen.codec_context is None:
            raise AudioError(
                f"{self._kind.name} with sound in a codec that FFmpeg does not decode. "
                "Export it again as wav, flac, mp3 or m4a.",
                self._path,
            )
        for stream in streams:
            if stream is not chosen:
                stream.discard = Discard.all
        chosen.codec_context.thread_count = (
            1  # recordings are decoded side by side, not their parts
        )
        return chosen

    def _expected_frames(self) -> int:
        assert self._container is not None
        duration_s = 0.0
        if self._stream.duration is not None and self._stream.time_base is not None:
            duration_s = float(self._stream.duration * self._stream.time_base)
        elif self._container.duration is not None and len(self._container.streams) == 1:
            duration_s = self._container.duration / 1e6
        return round(duration_s * self.rate_hz)

    def _packets(self) -> "Iterator[av.Packet[Any]]":
        """Packets of the stream; an Ogg's last page alone may cut off its end."""
        import av

        assert self._container is not None
        held = None
        try:
            for packet in self._container.demux(self._stream):
                if self._kind.demuxer != "ogg":
                    yield packet
                    continue
                if held is not None:
                    if packet.size:
                        keep_end(held)
                    yield held
                held = packet
        except IndexError:  # PyAV's own, at the end, of a stream that began within the file
            pass
        except av.error.FFmpegError as error:
            self._view.raise_error()
            self._changed = self._changed or f"the file breaks off ({_words(error)})"
        if held is not None:
            yield held

    def _frames_of_packets(self) -> "Iterator[av.AudioFrame]":
        import av

        if not hasattr(self, "_iterator"):
            self._iterator = self._packets()
        n_bad = 0
        for packet in self._iterator:
            self._n_packets += packet.size > 0
            try:
                frames = cast("list[av.AudioFrame]", packet.decode())
            except av.error.FFmpegError as error:
                if isinstance(error, MemoryError):
                    raise
                n_bad += packet.size > 0
                continue
            if frames:
                # Those at the end are no hole, but what was cut off, or no sound.
                self._n_bad, n_bad = self._n_bad + n_bad, 0
            yield from frames

    def _of_one_rate(self, first: "av.AudioFrame") -> "Iterator[av.AudioFrame]":
        yield first
        for frame in self._frames_of_packets():
            if frame.sample_rate != self.rate_hz:
                self._changed = f"a recording of {frame.sample_rate} Hz is joined on"
                return
            yield frame

    def read(self, n_frames: int) -> NDArray[np.float32]:
        """Read on.

        Parameters
        ----------
        n_frames : int
            At least so many, until the end or a change in the number of channels.

        Returns
        -------
        float32 [n_frames, n_channels]
            Full scale at 1.0.

        Raises
        ------
        OSError
            If the file cannot be read on.
        """
        held: list[NDArray[np.float32]] = []
        n_held, is_last = 0, False
        for frame in self._frames:
            samples = samples_of(frame)
            held.append(samples)
            n_held += len(samples)
            n_channels = samples.shape[1]
            if n_channels != self.n_channels:
                self.n_channels = n_channels
                if len(held) > 1:
                    self._frames = _after(held.pop(), self._frames)
                    n_held -= len(samples)
                break
            if n_held >= n_frames:
                break
        else:
            is_last = True
        self._n_read += n_held
        if is_last:
            self._end()
        if not held:
            return np.empty((0, self.n_channels), np.float32)
        return np.concatenate(held)

    def _end(self) -> None:
        self.ended = True
        self._view.raise_error()
        read_s, promised_s = self._n_read / self.rate_hz, self.n_frames / self.rate_hz
        left_bytes = len(self._view) - self._view.tell()
        sloppy_s = SLOPPY_S
        if self._kind.demuxer == "mp3":
            sloppy_s = MP3_DELAY_FRAMES / self.rate_hz
        reasons = []
        if self._changed:
            reasons.append(f"truncated: {read_s:.1f} s came, up to where {self._changed}.")
        elif promised_s - read_s > sloppy_s:
            reasons.append(
                f"truncated: {read_s:.1f} s came of {promised_s:.1f} s that its header promises."
            )
        elif self._kind.demuxer not in ("mov", "matroska") and left_bytes > LEFT_BYTES:
            reasons.append(
                f"truncated: {read_s:.1f} s came, and {left_bytes / 1e6:.1f} MB more behind that "
                "could not be decoded."
            )
        if self._n_bad:
            reasons.append(
                f"damaged: {self._n_bad} of {self._n_packets} packets could not be decoded, and were "
                "left out."
            )
        self.reason = " ".join(reasons)

    def close(self) -> None:
        """Close the file."""
        if self._container is not None:
            self._container.close()
        self._view.close()


def _after(samples: NDArray[np.float32], frames: Iterator[Any]) -> Iterator[Any]:
    yield samples
    yield from frames


def _refuse(url: str, flags: int, options: dict[str, str]) -> Callable[..., Any]:
    raise PermissionError("a recording may not open another file")


def _hint(kind: Kind) -> str:
    if kind.demuxer != "mov":
        return ""
    return (
        " Its index is missing: the recording was cut off before it was finished, or the copy was."
    )


def _words(error: Exception) -> str:
    words = str(getattr(error, "strerror", "") or error)
    return words[:1].upper() + words[1:]
