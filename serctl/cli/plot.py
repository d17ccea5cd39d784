"""``serctl plot``: figures of recordings."""

import os
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import click

from serctl.cli import options
from serctl.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from serctl.figures import ReadAll
    from serctl.timeline.outline import Outline

EXAMPLES = """\b
Examples:
  serctl plot talk.wav
  serctl plot interview.wav --timeline serctl-results.csv -o interview.png
  serctl plot angry.wav sad.wav -o angry-and-sad.svg
  serctl plot ./calls --include 'monday-*.wav' -o monday.png
"""


@dataclass(frozen=True)
class TimelineOptions:
    """Timeline of one long recording.

    Attributes
    ----------
    results : str or None
        Results file with segments beside it, or a file of segments or windows.
    from_s, to_s : float or None
        Part to draw, in seconds.
    """

    results: str | None
    from_s: float | None
    to_s: float | None


TIMELINE = options.option_group(
    "timeline",
    TimelineOptions,
    click.option(
        "--timeline",
        "results",
        metavar="RESULTS",
        help="Plot the segments of one recording in RESULTS, or in a --windows-output.",
    ),
    click.option(
        "--from", "from_s", type=click.FloatRange(0), metavar="S", help="Start, in seconds."
    ),
    click.option("--to", "to_s", type=click.FloatRange(0), metavar="S", help="End, in seconds."),
)


@click.command(epilog=EXAMPLES)
@click.argument("paths", nargs=-1)
@options.SELECTION
@click.option(
    "-o",
    "--output",
    default="serctl-plot.png",
    show_default=True,
    metavar="IMAGE",
    help="Image file: .png or .svg.",
)
@click.option("--overwrite", is_flag=True, help="Replace an existing image.")
@TIMELINE
@options.TIMEOUT
def plot(
    paths: tuple[str, ...],
    selection: options.SelectionOptions,
    output: str,
    overwrite: bool,
    timeline: TimelineOptions,
    timeout: float | None,
) -> int:
    """Plot recordings side by side.

    Plots waveform, mel spectrogram and MFCC of one to six recordings on the same scales, for
    comparison. With --timeline, plots the segments of one long recording, of any length. PATHS are
    recordings and folders.
    """
    selection.require(paths)
    from serctl.audio.scan import check_paths
    from serctl.cli.terminal.tables import plain_console
    from serctl.engine.workers.isolated import decode_isolated
    from serctl.figures import check_figure, draw_recordings, save_figure
    from serctl.files.outputs import lock_output, private_folder
    from serctl.text import printable

    check_paths(paths)
    check_figure(output, overwrite)
    reasons: dict[str, str] = {}
    with lock_output(output):
        recordings, unlisted = selection.find(paths)
        if timeline.results is None:
            with private_folder(output) as folder:
                read_all = partial(decode_isolated, folder=folder, timeout_s=timeout)
                figure = draw_recordings(recordings, read_all=_noting(read_all, reasons))
        else:
            figure = _timeline_figure(recordings, timeline, timeout, reasons)
        save_figure(figure, output)
    for path, reason in reasons.items():
        click.echo(f"Warning: {printable(path)}: {printable(reason)}", err=True)
    plain_console().print(f"Figure: {printable(output)}", soft_wrap=True)
    options.warn_unlisted(unlisted)
    return 1 if unlisted else 0


def _noting(read_all: "ReadAll", reasons: dict[str, str]) -> "ReadAll":
    """The same reader; what is wrong with each recording goes into ``reasons``, by path."""

    def read(paths: "Sequence[str]") -> "Iterator[tuple[NDArray[np.float32], str]]":
        for path, (samples, reason) in zip(paths, read_all(paths), strict=True):
            if reason:
                reasons[path] = reason
            yield samples, reason

    return read


def _timeline_figure(
    recordings: list[str],
    timeline: TimelineOptions,
    timeout_s: float | None,
    reasons: dict[str, str],
) -> "Figure":
    """Figure of the timeline of one recording; what is wrong with it goes into ``reasons``."""
    from serctl.engine.workers.isolated import outline_isolated
    from serctl.files.stamps import RealPaths
    from serctl.results.segments import SEGMENTS, read_segments
    from serctl.timeline.figure import draw_timeline

    assert timeline.results is not None
    if len(recordings) != 1:
        raise UsageError(
            f"{len(recordings)} recordings: --timeline plots one. Name a single recording."
        )
    beside = timeline.results + SEGMENTS
    emotions, segments = read_segments(beside if os.path.exists(beside) else timeline.results)
    real_path = RealPaths()
    found = real_path(recordings[0])
    held = [segment for segment in segments if real_path(segment.path) == found]
    if not held:
        raise UsageError(
            f"{recordings[0]}: no segments in {timeline.results}. Was it longer than a window, and "
            "classified with the same path?"
        )

    def read(channels: "Sequence[int | None]") -> "list[Outline]":
        outlines = outline_isolated(recordings[0], channels, timeout_s=timeout_s)
        if outlines[0].reason:
            reasons[recordings[0]] = outlines[0].reason
        return outlines

    return draw_timeline(
        recordings[0],
        emotions,
        held,
        timeline.from_s or 0.0,
        timeline.to_s,
        read,
    )
