"""Clips: segments cut out of their recordings, as WAV files of 16 bits at the recording's rate."""

import os
from collections.abc import Sequence
from contextlib import closing

import numpy as np
import soundfile

from serctl.audio.decoding import read_windows
from serctl.audio.opening import open_recording
from serctl.audio.windows import cut_stretches
from serctl.errors import UsageError
from serctl.files.downloads import local_file
from serctl.files.folders import lock_folder
from serctl.files.outputs import atomic_write
from serctl.results.segments import Segment

BLOCK_S = 30.0


def write_clips(
    segments: Sequence[Segment], folder: str, pad_s: float, overwrite: bool = False
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
        _write_all(segments, paths, pad_s, overwrite)
    return paths


def _write_all(
    segments: Sequence[Segment], paths: Sequence[str], pad_s: float, overwrite: bool
) -> None:
    for path in paths:
        if os.path.lexists(path) and not overwrite:
            raise UsageError(f"{path}: exists already. Choose another folder, or use --overwrite.")
    of_recording: dict[tuple[str, int | None], list[int]] = {}
    for i, segment in enumerate(segments):
        of_recording.setdefault((segment.path, segment.channel), []).append(i)
    for (recording, channel), places in of_recording.items():
        places.sort(key=lambda i: segments[i].start_s)
        times_s = [(segments[i].start_s - pad_s, segments[i].end_s + pad_s) for i in places]
        with local_file(recording) as file:
            _cut(file.path, channel, times_s, [paths[i] for i in places])


def _cut(
    recording: str,
    channel: int | None,
    times_s: Sequence[tuple[float, float]],
    paths: Sequence[str],
) -> None:
    """Write the clips of one recording, in the order of their beginnings."""
    with closing(open_recording(recording)) as source:
        rate_hz = source.rate_hz
    plan = []
    for start_s, end_s in times_s:
        start = max(round(start_s * rate_hz), 0)
        plan.append((start, round(end_s * rate_hz) - start))
    _, blocks = read_windows(recording, rate_hz, BLOCK_S, channel)
    for place, samples in cut_stretches(blocks, plan):
        _write(paths[place], samples, rate_hz)


def _write(path: str, samples: np.ndarray, rate_hz: int) -> None:
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
