"""Tables of what to listen to: moments, and recordings by emotion."""

import json
import os
from collections.abc import Iterator, Sequence
from typing import Any

import click

from serctl.cli.terminal.tables import plain_console, print_table
from serctl.errors import ResultsError
from serctl.reports.moments import (
    NOTICE,
    PEAK_S,
    Moment,
    Ranked,
    find_moments,
    rank_recordings,
)
from serctl.results.dialects import csv_line
from serctl.results.segments import SEGMENTS, Segment, read_segments
from serctl.text import escape_markdown, markdown_table, printable

HEADERS = {"mean_probability": "Mean"}  # shorter in the terminal, to leave room for the path


def print_moments(files: Sequence[str], n_moments: int, emotion: str | None, form: str) -> None:
    """Print the segments with the highest probability.

    Parameters
    ----------
    files : sequence of str
        Results files, with their segments files beside them.
    n_moments : int
        At most so many.
    emotion : str or None
        Of these segments; None for all.
    form : str
        ``table``, ``markdown``, ``csv`` or ``json``.
    """
    emotions, segments = read_segments_of(files)
    moments = find_moments(segments, emotions, n_moments, emotion)
    names = ("path", "channel", "start", "end", "emotion", "confidence")
    _print(f"Moments{_of(emotion)}", names, [_moment_row(moment) for moment in moments], form)


def print_ranked(files: Sequence[str], emotion: str, threshold: float, form: str) -> None:
    """Print recordings by an emotion in their speech; as `print_moments`."""
    emotions, segments = read_segments_of(files)
    ranked = rank_recordings(segments, emotions, emotion, threshold)
    names = ("path", "channel", "peak", "speech", "share", "mean_probability", "highest", "first")
    _print(f"Recordings by {emotion}", names, [_ranked_row(one) for one in ranked], form)
    if form == "table":
        click.echo(
            f"Peak: mean probability of {printable(emotion)} in the {PEAK_S:.0f} s of speech that have "
            f"most of it. First: when the first {printable(emotion)} segment begins.",
            err=True,
        )


def read_segments_of(files: Sequence[str]) -> tuple[tuple[str, ...], Iterator[Segment]]:
    """Emotions and segments of results files, from the segments files beside them.

    Raises
    ------
    PathError, UsageError, ResultsError
        As `read_segments`; ResultsError if the files have different emotions.
    """
    # A shard of short recordings alone has none.
    files = [file for file in files if os.path.exists(file + SEGMENTS)] or files
    read = [read_segments(file + SEGMENTS) for file in files]
    emotions = read[0][0]
    for file, (others, _) in zip(files, read, strict=True):
        if others != emotions:
            raise ResultsError(
                f"{file}{SEGMENTS}: has the emotions {', '.join(others)}, and {files[0]}{SEGMENTS} "
                f"{', '.join(emotions)}. Classify both with the same model."
            )
    return emotions, (segment for _, segments in read for segment in segments)


def _moment_row(moment: Moment) -> tuple[Any, ...]:
    segment = moment.segment
    times = (_clock(segment.start_s), _clock(segment.end_s))
    who = segment.speaker or segment.channel or ""
    return (segment.path, who, *times, moment.emotion, round(moment.probability, 3))


def _ranked_row(one: Ranked) -> tuple[Any, ...]:
    first = "" if one.first_s is None else _clock(one.first_s)
    figures = (
        round(one.share, 3),
        round(one.mean_probability, 3),
        round(one.highest_probability, 3),
    )
    peak = round(one.peak_probability, 3)
    return (one.path, one.channel or "", peak, _clock(one.emotion_s), *figures, first)


def _print(title: str, names: Sequence[str], rows: list[tuple[Any, ...]], form: str) -> None:
    if form == "csv":
        text = "".join(csv_line([str(cell) for cell in row]) for row in (tuple(names), *rows))
        click.echo(text.encode("utf-8", "surrogateescape"), nl=False)
        return
    if form == "json":
        click.echo(json.dumps([dict(zip(names, row, strict=True)) for row in rows], indent=2))
        return
    headers = [HEADERS.get(name, name.capitalize()) for name in names]
    cells = [[printable(str(cell)) for cell in row] for row in rows]
    if form == "markdown":
        cells = [[escape_markdown(cell) for cell in row] for row in cells]
        click.echo(markdown_table(headers, cells))
    else:
        print_table(plain_console(), title, headers, cells)
    click.echo(f"\n{NOTICE}", err=True)


def _of(emotion: str | None) -> str:
    return f" of {emotion}" if emotion else ""


def _clock(seconds: float) -> str:
    whole = int(seconds)
    hours = f"{whole // 3600}:" if whole >= 3600 else ""
    return f"{hours}{whole // 60 % 60:02d}:{whole % 60:02d}"
