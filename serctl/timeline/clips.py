"""Clips: segments cut out of their recordings, as WAV files of 16 bits at the recording's rate."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass

import numpy as np
import soundfile
from numpy.typing import NDArray

from serctl.audio.decoding import read_windows
from serctl.audio.opening import open_recording
from serctl.audio.windows import cut_stretches
from serctl.errors import UsageError
from serctl.files.folders import lock_folder
from serctl.files.outputs import atomic_write, private_folder
from serctl.results.segments import Segment

BLOCK_S = 30.0


Span = tuple[int | None, float, float]  # channel, counted from 1 or None for their mean; seconds


@dataclass(frozen=True)
class Cut:
    """A stretch that was cut out of a recording.

    Attributes
    ----------
    path : str
        Of the recording.
    place : int
        Of the stretch, among those of the recording.
    samples : float32 [n_samples]
        Mono, full scale at 1.0.
    rate_hz : int
        Of the recording.
    """

    path: str
    place: int
    samples: NDArray[np.float32]
    rate_hz: int


def cut_spans(
    path: str, spans: Sequence[Span], on_window: Callable[[], None] | None = None
) -> Iterator[Cut]:
    """Cut stretches out of a recording, in the memory of a block and a stretch.

    Parameters
    ----------
    path : str
        Of the recording.
    spans : sequence of tuple
        Channel, and the seconds at which each stretch begins and ends; what lies before the
        recording or behind it is left out.
    on_window : callable, optional
        Called for each decoded block.

    Yields
    ------
    Cut
        One for each of ``spans``, channel by channel.

    Raises
    ------
    AudioError, OSError
        If the recording cannot be read.
    """
    with closing(open_recording(path)) as source:
        rate_hz = source.rate_hz
    of_channel: dict[int | None, list[int]] = {}
    for i, (channel, *_) in enumerate(spans):
        of_channel.setdefault(channel, []).append(i)
    for channel, places in of_channel.items():
        places.sort(key=lambda i: spans[i][1])
        plan = []
        for i in places:
            _, start_s, end_s = spans[i]
            start = max(round(start_s * rate_hz), 0)
            plan.append((start, round(end_s * rate_hz) - start))
        _, blocks = read_windows(path, rate_hz, BLOCK_S, channel)
        for place, samples in cut_stretches(_watched(blocks, on_window), plan):
            yield Cut(path, places[place], samples, rate_hz)


def _watched(
    blocks: Iterator[NDArray[np.float32]], on_window: Callable[[], None] | None
) -> Iterator[NDArray[np.float32]]:
    for block in blocks:
        if on_window is not None:
            on_window()
        yield block


def write_clips(
    segments: Sequence[Segment],
    folder: str,
    pad_s: float,
    overwrite: bool,
    cut_all: Callable[[Mapping[str, Sequence[Span]], str], Iterator[Cut]],
) -> list[str]:
    """Write a clip for each segment.

    Parameters
    ----------
    segments : sequence of Segment
        In the order in which they are numbered.
    folder : str
        It is made if it is not there.
    pad_s : float
        Seconds before and after each segment.
    overwrite : bool
        Whether existing files may be replaced.
    cut_all : callable
        Cuts stretches out of recordings; its arguments are the stretches of each, and a private
        folder for what it likes.

    Returns
    -------
    list of str
        Paths, in the order of ``segments``: ``01-angry-0.93-talk-00m12s.wav``.

    Raises
    ------
    UsageError
        If a file exists and may not be replaced.
    AudioError, OSError, ResultsError
        If a recording cannot be read, or a clip not be written.
    """
    paths = [
        os.path.join(folder, _name(number, segment, len(segments)))
        for number, segment in enumerate(segments, start=1)
    ]
    with lock_folder(folder):
        for path in paths:
            if os.path.lexists(path) and not overwrite:
                raise UsageError(
                    f"{path}: exists already. Choose another folder, or use --overwrite."
                )
        of_recording: dict[str, list[int]] = {}
        for i, segment in enumerate(segments):
            of_recording.setdefault(segment.path, []).append(i)
        spans_of = {
            path: [
                (segments[i].channel, segments[i].start_s - pad_s, segments[i].end_s + pad_s)
                for i in places
            ]
            for path, places in of_recording.items()
        }
        with private_folder(os.path.join(folder, "clips")) as spool:
            for cut in cut_all(spans_of, spool):
                _write(paths[of_recording[cut.path][cut.place]], cut.samples, cut.rate_hz)
    return paths


def _write(path: str, samples: NDArray[np.float32], rate_hz: int) -> None:
    with atomic_write(path) as partial, open(partial, "wb") as file:
        soundfile.write(file, samples.clip(-1, 1), rate_hz, "PCM_16", format="WAV")


def _name(number: int, segment: Segment, n_segments: int) -> str:
    stem = os.path.splitext(os.path.basename(segment.path))[0]
    channel = f"-channel{segment.channel}" if segment.channel else ""
    at_s = int(segment.start_s)
    return (
        f"{number:0{max(len(str(n_segments)), 2)}d}-{segment.emotion}-{segment.confidence or 0:.2f}-"
        f"{stem}{channel}-{at_s // 60:02d}m{at_s % 60:02d}s.wav"
    )
