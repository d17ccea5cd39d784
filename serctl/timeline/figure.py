"""A figure of a long recording: waveform, speech, probabilities and segments over time.

Channels that were classified by themselves stand one above the other.
"""

import math
import os
from collections.abc import Callable, Sequence
from itertools import cycle

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MultipleLocator
from numpy.typing import NDArray

from serctl.errors import UsageError
from serctl.figures import title_of
from serctl.results.segments import Segment
from serctl.text import printable
from serctl.timeline.outline import Outline, read_outlines, thinned

# Okabe and Ito's colours, which people with colour vision deficiency can tell apart.
PALETTE = ("#D55E00", "#009E73", "#CC79A7", "#E69F00", "#0072B2", "#999999", "#56B4E9", "#F0E442")
MOST_POINTS = 2000  # of a waveform; more are not visible
MOST_BARS = 500  # of probabilities; more are too thin to see, and are averaged
MOST_TICKS = 12
TICKS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600)

# From the numbers of channels to the outline of each.
ReadOutlines = Callable[[Sequence[int | None]], Sequence[Outline]]


def draw_timeline(
    path: str,
    emotions: Sequence[str],
    segments: Sequence[Segment],
    from_s: float = 0.0,
    to_s: float | None = None,
    read: ReadOutlines | None = None,
) -> Figure:
    """Draw the timeline of a recording.

    Parameters
    ----------
    path : str
        Of the recording.
    emotions : sequence of str
        In the order of the segments' probabilities.
    segments : sequence of Segment
        Of the recording: segments, or windows, which show more of how probabilities change.
    from_s, to_s : float
        Part to draw, in seconds; by default all of it.
    read : callable, optional
        What reads channels, such as `serctl.engine.workers.isolated.outline_isolated`; this process by
        default.

    Raises
    ------
    UsageError
        If the part is empty.
    AudioError, OSError
        If the recording cannot be read.
    """
    numbers = sorted({s.channel for s in segments}, key=lambda n: n or 0) or [None]
    channels = read_outlines(path, numbers) if read is None else read(numbers)
    end_s = max(len(channel.peaks) * channel.step_s for channel in channels)
    to_s = end_s if to_s is None else min(to_s, end_s)
    if not 0 <= from_s < to_s:
        raise UsageError(f"{path}: from {from_s:g} to {to_s:g} s is no part of its {end_s:.1f} s.")
    figure = Figure(figsize=(12, 1.2 + 2.6 * len(channels)), layout="constrained")
    rows = figure.subplots(
        2 * len(channels), 1, sharex=True, squeeze=False, height_ratios=[1.1, 1] * len(channels)
    )[:, 0]
    colours = dict(zip(emotions, cycle(PALETTE), strict=False))  # a user's labels may be more
    for i, (number, channel) in enumerate(zip(numbers, channels, strict=True)):
        held = [
            s
            for s in segments
            if s.channel == number and s.probabilities and s.start_s < to_s and s.end_s > from_s
        ]
        _draw_waveform(rows[2 * i], channel, held, colours, (from_s, to_s))
        rows[2 * i].set_ylabel("waveform" if number is None else f"channel {number}")
        _draw_probabilities(rows[2 * i + 1], held, emotions, colours)
    name = printable(os.path.basename(path))
    rows[0].set_title(title_of(name, channels[0].reason), parse_math=False)
    rows[-1].set_xlim(from_s, to_s)
    rows[-1].xaxis.set_major_locator(MultipleLocator(_tick_s(to_s - from_s)))
    rows[-1].xaxis.set_major_formatter(FuncFormatter(lambda x, _: _clock(x)))
    rows[-1].set_xlabel("time")
    handles = [Patch(color=colours[emotion], label=emotion) for emotion in emotions]
    handles.append(Patch(color="black", label="speech"))
    figure.legend(handles=handles, loc="outside right upper", frameon=False)
    return figure


def _draw_waveform(
    axes: Axes,
    channel: Outline,
    segments: Sequence[Segment],
    colours: dict[str, str],
    part_s: tuple[float, float],
) -> None:
    first = int(part_s[0] / channel.step_s)
    end = max(math.ceil(part_s[1] / channel.step_s), first + 1)
    peaks, joined = thinned(channel.peaks[first:end], MOST_POINTS)
    times = (first + (np.arange(len(peaks)) + 0.5) * joined) * channel.step_s
    axes.fill_between(times, -peaks, peaks, color="#555555", linewidth=0)
    limit = max(float(peaks.max(initial=0)), 1e-3) * 1.1
    axes.set_ylim(-1.5 * limit, limit)
    bars = [(start_s, end_s - start_s) for start_s, end_s in channel.speech_s]
    axes.broken_barh(bars, (-1.45 * limit, 0.2 * limit), color="black", linewidth=0)
    starts, ends = _spans(segments)
    for emotion in dict.fromkeys(segment.emotion for segment in segments):
        own = np.array([segment.emotion == emotion for segment in segments])
        spans = list(zip(starts[own], (ends - starts)[own], strict=True))
        colour = colours.get(emotion, "#999999")
        # Behind the waveform and the speech.
        axes.broken_barh(
            spans, (-1.5 * limit, 2.5 * limit), color=colour, alpha=0.25, linewidth=0, zorder=0
        )
    axes.set_yticks([])


def _spans(segments: Sequence[Segment]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Start and end of each; where windows overlap, one ends where the next begins."""
    starts = np.array([segment.start_s for segment in segments], np.float64)
    ends = np.array([segment.end_s for segment in segments], np.float64)
    ends[:-1] = np.minimum(ends[:-1], starts[1:])
    return starts, ends


def _draw_probabilities(
    axes: Axes, segments: Sequence[Segment], emotions: Sequence[str], colours: dict[str, str]
) -> None:
    """Stacked probabilities, level from the start to the end of each segment."""
    if segments:
        starts, ends = _spans(segments)
        shares = np.array([segment.probabilities for segment in segments])
        starts, ends, shares = _averaged(starts, ends, shares)
        # A third point, which is no number, where nothing follows at once.
        is_drawn = np.ones((len(starts), 3), bool)
        is_drawn[:-1, 2] = starts[1:] > ends[:-1]
        times = np.column_stack([starts, ends, ends])[is_drawn]
        edges = np.concatenate([np.zeros((len(shares), 1)), shares.cumsum(axis=1)], axis=1)
        for column, emotion in enumerate(emotions):
            below, above = (
                np.column_stack([edge, edge, np.full(len(edge), np.nan)])[is_drawn]
                for edge in (edges[:, column], edges[:, column + 1])
            )
            axes.fill_between(times, below, above, color=colours[emotion], linewidth=0)
    axes.set_ylim(0, 1)
    axes.set_ylabel("probability")


def _averaged(
    starts: NDArray[np.float64], ends: NDArray[np.float64], shares: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Means over so many neighbours that `MOST_BARS` are left."""
    n = -(-len(starts) // MOST_BARS)
    firsts = np.arange(0, len(starts), n)
    # Neighbours with a pause of their own length between them stay apart.
    apart = np.flatnonzero(starts[1:] - ends[:-1] > n * np.median(ends - starts)) + 1
    firsts = np.union1d(firsts, apart).astype(np.int64)
    lasts = np.append(firsts[1:], len(starts)) - 1
    sums = np.add.reduceat(shares, firsts, axis=0)
    return starts[firsts], ends[lasts], sums / (lasts - firsts + 1)[:, None]


def _tick_s(duration_s: float) -> int:
    """Seconds between ticks, so that there are few, at times that are read easily."""
    return next((step for step in TICKS_S if duration_s / step <= MOST_TICKS), TICKS_S[-1])


def _clock(seconds: float) -> str:
    whole = round(seconds)
    hours = f"{whole // 3600}:" if whole >= 3600 else ""
    return f"{hours}{whole // 60 % 60:02d}:{whole % 60:02d}"
