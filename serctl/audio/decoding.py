"""From a file to mono samples at a model's rate, in blocks and windows.

`read_windows` decodes a recording block by block, mixes its channels to one (their mean), resamples
it (soxr, quality HQ, as librosa does), and hands it over in windows of fixed length, so that a
recording of any length passes through in the memory of one window.

What cannot be decoded raises AudioError with the path and what to do, and what cannot be read
OSError; nothing else stands in for it. Of a recording that breaks off, that has a hole, or whose
header is wrong, what can be decoded is handed over, and ``reason`` says so.
"""

import atexit
import functools
import math
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass

import numpy as np
import soxr
from numpy.typing import NDArray

from serctl.audio.mixing import Mixer
from serctl.audio.opening import open_recording
from serctl.audio.sources import Source
from serctl.errors import AudioError
from serctl.timing import DECODE, OPEN, RESAMPLE, Timer

BLOCK_FRAMES = 1 << 20  # read at a time, of all channels: 22 s at 48 kHz in mono
BLOCK_S = 120  # and no more, since a low rate makes many samples of few
LOUDEST_PEAK = 2.0**31  # 32-bit integers taken for full scale; powers of what is louder overflow
SILENT_PEAK = 1 / 32768  # a step of 16 bits; what never reaches it is silence
MAX_WHOLE_S = 120.0  # of a recording that is held whole, to be drawn
MOST_RATES = 8  # whose resamplers are kept; those of odd rates hold a megabyte or so


@dataclass
class Recording:
    """What is known of one recording; the counts grow while its windows are read.

    Attributes
    ----------
    path : str
        As it is shown to the user.
    rate_hz, n_channels : int
        Of the file; the most channels, if that changes within it.
    n_frames : int
        Decoded so far, at ``rate_hz``.
    peak : float
        Largest absolute sample of the mix so far, 1.0 being full scale.
    reason : str
        What is wrong with it, although it could be decoded: "truncated: " and how much came, among
        others. Known when all windows are read.
    expected_s : float
        Its duration, as its header promises or its size suggests; 0 if it cannot be told.
    """

    path: str
    rate_hz: int
    n_channels: int
    n_frames: int = 0
    peak: float = 0.0
    reason: str = ""
    expected_s: float = 0.0

    @property
    def duration_s(self) -> float:
        """Seconds decoded so far."""
        return self.n_frames / self.rate_hz

    def share_at(self, seconds: float) -> float:
        """Which share of it, in [0, 1], lies before a moment; 0 if its length cannot be told."""
        return min(seconds / self.expected_s, 1.0) if self.expected_s else 0.0


def read_windows(
    path: str, rate_hz: int, window_s: float, channel: int | None = None
) -> tuple[Recording, Iterator[NDArray[np.float32]]]:
    """Open a recording and iterate over its windows.

    Parameters
    ----------
    path : str
        Of the recording.
    rate_hz : int
        To resample to.
    window_s : float
        Length of a window; the last one is shorter.
    channel : int, optional
        Take this channel alone, counted from 1, in place of the mean of all channels.

    Returns
    -------
    recording : Recording
        Its counts are complete when the windows are.
    windows : iterator of float32 [n_samples]
        Mono, full scale at 1.0, at ``rate_hz``; ceil(n_frames * rate_hz / the file's rate) samples
        in all. None for a file without frames.

    Raises
    ------
    AudioError
        Here or while iterating: if the file cannot be decoded, has invalid samples (NaN or out of
        range), or has no such channel.
    OSError
        Here or while iterating: if the disk or the network share fails.
    """
    with Timer(OPEN):
        source = open_recording(path)
    recording = Recording(path, source.rate_hz, source.n_channels)
    recording.expected_s = source.n_expected / source.rate_hz
    if channel is not None and channel > source.n_channels:
        source.close()
        raise AudioError(
            f"Has {source.n_channels} channels; channel {channel} is needed. Use --channels mix.",
            path,
        )
    mixer = Mixer(None if channel is None else channel - 1)
    return recording, _windows(source, recording, mixer, rate_hz, round(window_s * rate_hz))


def read_whole(
    path: str, rate_hz: int, on_window: Callable[[], None] | None = None
) -> tuple[NDArray[np.float32], str]:
    """Samples of a recording that is short enough to be drawn, and what is wrong with it.

    Parameters
    ----------
    path : str
        Of the recording.
    rate_hz : int
        To resample to.
    on_window : callable, optional
        Called once it is decoded.

    Returns
    -------
    samples : float32 [n_samples]
        Mono, full scale at 1.0; at least one.
    reason : str
        As `Recording.reason`.

    Raises
    ------
    AudioError, OSError
        As `read_windows`; AudioError also if there are no samples, or more than `MAX_WHOLE_S`.
    """
    recording, windows = read_windows(path, rate_hz, MAX_WHOLE_S)
    samples = next(windows, np.empty(0, np.float32))
    if on_window is not None:
        on_window()
    if not len(samples):
        raise AudioError("0 samples; at least one is needed. Is the file complete?", path)
    if next(windows, None) is not None:
        raise AudioError(
            f"Longer than {MAX_WHOLE_S:g} s, too long for a figure. Cut out the part to plot.", path
        )
    return samples, recording.reason


def read_levels(path: str, frame_s: float) -> NDArray[np.float32]:
    """Power of every channel of a recording, frame by frame.

    Parameters
    ----------
    path : str
        Of the recording.
    frame_s : float
        Length of a frame.

    Returns
    -------
    float32 [n_frames, n_channels]
        In dB of full scale, at least -120. Without a last frame that is not whole.

    Raises
    ------
    AudioError, OSError
        As `read_windows`.
    """
    levels: list[NDArray[np.float32]] = []
    with closing(open_recording(path)) as source:
        n_channels, n_seen = source.n_channels, 0
        held = np.zeros((0, n_channels))
        while not source.ended:
            with Timer(DECODE):
                block = source.read(max(1, BLOCK_FRAMES // n_channels))
            scale = 1 / 32768 if block.dtype == np.int16 else 1.0
            held = np.concatenate([held, block[:, :n_channels] * scale])
            # Bounds are rounded from the start, so that frames do not drift.
            n_frames = int((n_seen + len(held)) / source.rate_hz / frame_s) - round(
                n_seen / source.rate_hz / frame_s
            )
            first = round(n_seen / source.rate_hz / frame_s)
            bounds = np.round(np.arange(first, first + n_frames + 1) * frame_s * source.rate_hz)
            bounds = bounds.astype(np.int64) - n_seen
            bounds = bounds[bounds <= len(held)]
            if len(bounds) > 1:
                sums = np.add.reduceat(np.square(held[: bounds[-1]]), bounds[:-1], axis=0)
                power = sums / np.diff(bounds)[:, None]
                levels.append((10 * np.log10(np.maximum(power, 1e-12))).astype(np.float32))
                held, n_seen = held[bounds[-1] :], n_seen + int(bounds[-1])
    return np.concatenate([np.zeros((0, n_channels), np.float32), *levels])


def _windows(
    source: Source, recording: Recording, mixer: Mixer, rate_hz: int, window_samples: int
) -> Iterator[NDArray[np.float32]]:
    held: list[NDArray[np.float32]] = []
    n_held = n_total = 0
    with closing(source):
        for samples in _resampled(source, recording, mixer, rate_hz):
            held.append(samples)
            n_held += len(samples)
            n_total += len(samples)
            while n_held >= window_samples:
                joined = np.concatenate(held) if len(held) > 1 else held[0]
                yield joined[:window_samples]
                held, n_held = [joined[window_samples:]], n_held - window_samples
    # The resampler may round the last sample off; librosa and we round the count up, with a zero.
    n_missing = math.ceil(recording.n_frames * rate_hz / recording.rate_hz) - n_total
    if n_missing > 0:
        held.append(np.zeros(n_missing, np.float32))
    joined = np.concatenate(held) if len(held) > 1 else held[0]
    joined = joined[: len(joined) + min(n_missing, 0)]
    if len(joined):
        yield joined


def _resampled(
    source: Source, recording: Recording, mixer: Mixer, rate_hz: int
) -> Iterator[NDArray[np.float32]]:
    stream = None
    if recording.rate_hz != rate_hz:
        idle = _idle_streams(recording.rate_hz, rate_hz)
        stream = idle.pop() if idle else _new_stream(recording.rate_hz, rate_hz)
    n_frames = min(BLOCK_FRAMES // recording.n_channels, BLOCK_S * recording.rate_hz)
    if source.n_frames:
        # One more than there should be shows the end; memory that is not read into costs time too.
        n_frames = min(n_frames, source.n_frames + 1)
    n_frames = max(1, n_frames)
    while not source.ended:
        with Timer(DECODE):
            mono = _read_mono(source, recording, mixer, n_frames)
        if stream is not None and recording.n_frames:
            with Timer(RESAMPLE):
                mono = stream.resample_chunk(mono, last=source.ended)
        yield mono
    if stream is not None:
        with Timer(RESAMPLE):
            stream.clear()
        idle.append(stream)
    recording.reason = f"{mixer.reason} {source.reason}".strip()


@functools.lru_cache(MOST_RATES)
def _idle_streams(from_hz: int, to_hz: int) -> list[soxr.ResampleStream]:
    """Resamplers at rest, which a thread takes and puts back: a new one costs a third of a clip."""
    return []


atexit.register(_idle_streams.cache_clear)  # else soxr's binding complains that they are left


def _new_stream(from_hz: int, to_hz: int) -> soxr.ResampleStream:
    return soxr.ResampleStream(from_hz, to_hz, 1, dtype="float32", quality="HQ")


def _read_mono(
    source: Source, recording: Recording, mixer: Mixer, n_frames: int
) -> NDArray[np.float32]:
    """Read the next block, mix its channels to one, and count it."""
    frames = source.read(n_frames)
    recording.n_channels = max(recording.n_channels, frames.shape[1])
    mono = mixer.mix(frames)
    if len(mono):
        peak = peak_of(mono)
        if not peak <= LOUDEST_PEAK:  # or not a number
            raise AudioError(
                f"Invalid samples: {peak:g}, where full scale is 1. Export it "
                "again as 16-bit wav or flac.",
                recording.path,
            )
        recording.peak = max(recording.peak, peak)
    recording.n_frames += len(mono)
    return mono


def peak_of(samples: NDArray[np.floating]) -> float:
    """Largest absolute sample, of at least one; no number if there is such a one among them."""
    return float(max(samples.max(), -samples.min()))
