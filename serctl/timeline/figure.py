"""A figure of a long recording: waveform, speech, probabilities and segments over time.

Channels that were classified by themselves stand one above the other.
"""

import os
from collections.abc import Callable, Sequence
from itertools import cycle

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter

from serctl.errors import UsageError
from serctl.results.segments import Segment
from serctl.timeline.outline import Outline, read_outlines

# Okabe and Ito's colours, which people with colour vision deficiency can tell apart.
PALETTE = ("#D55E00", "#009E73", "#CC79A7", "#E69F00", "#0072B2", "#999999", "#56B4E9", "#F0E442")


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
        held = [s for s in segments if s.channel == number and s.probabilities]
        _draw_waveform(rows[2 * i], channel, held, colours)
        rows[2 * i].set_ylabel("waveform" if number is None else f"channel {number}")
        _draw_probabilities(rows[2 * i + 1], held, emotions, colours)
    rows[0].set_title(os.path.basename(path), parse_math=False)
    rows[-1].set_xlim(from_s, to_s)
    rows[-1].xaxis.set_major_formatter(FuncFormatter(lambda x, _: _clock(x)))
    rows[-1].set_xlabel("time")
    handles = [Patch(color=colours[emotion], label=emotion) for emotion in emotions]
    handles.append(Patch(color="black", label="speech"))
    figure.legend(handles=handles, loc="outside right upper", frameon=False)
    return figure


def _draw_waveform(
    axes: Axes, channel: Outline, segments: Sequence[Segment], colours: dict[str, str]
) -> None:
    times = (np.arange(len(channel.peaks)) + 0.5) * channel.step_s
    axes.fill_between(times, -channel.peaks, channel.peaks, color="#555555", linewidth=0)
    limit = max(float(channel.peaks.max(initial=0)), 1e-3) * 1.1
    axes.set_ylim(-1.5 * limit, limit)
    bars = [(start_s, end_s - start_s) for start_s, end_s in channel.speech_s]
    axes.broken_barh(bars, (-1.45 * limit, 0.2 * limit), color="black", linewidth=0)
    for segment in segments:
        colour = colours.get(segment.emotion, "#999999")
        axes.axvspan(segment.start_s, segment.end_s, color=colour, alpha=0.25, linewidth=0)
    axes.set_yticks([])


def _draw_probabilities(
    axes: Axes, segments: Sequence[Segment], emotions: Sequence[str], colours: dict[str, str]
) -> None:
    """Stacked probabilities, as bars from start to end; where windows overlap, up to the next."""
    starts = np.array([segment.start_s for segment in segments])
    ends = np.array([segment.end_s for segment in segments])
    if len(starts):
        ends[:-1] = np.minimum(ends[:-1], starts[1:])
        shares = np.array([segment.probabilities for segment in segments])
        below = np.zeros(len(starts))
        for column, emotion in enumerate(emotions):
            axes.bar(
                starts,
                shares[:, column],
                ends - starts,
                below,
                align="edge",
                color=colours[emotion],
                linewidth=0,
            )
            below += shares[:, column]
    axes.set_ylim(0, 1)
    axes.set_ylabel("probability")


def _clock(seconds: float) -> str:
    whole = round(seconds)
    hours = f"{whole // 3600}:" if whole >= 3600 else ""
    return f"{hours}{whole // 60 % 60:02d}:{whole % 60:02d}"
