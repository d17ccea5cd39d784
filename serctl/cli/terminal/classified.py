"""What ``serctl classify`` prints: recordings that it finds, and a summary of the results."""

import os
import sys
from typing import TYPE_CHECKING

import click

from serctl.cli.classify_options import OutputOptions
from serctl.text import printable

if TYPE_CHECKING:
    from serctl.audio.finding.skipped import Skipped
    from serctl.engine.run import Run
    from serctl.results.schema import Result
    from serctl.results.summary import Summary

STANDARD_OUTPUT = "-"


def print_summary(summary: "Summary", few: list["Result"], stderr: bool) -> None:
    """Print the summary, and each result if there are only a few."""
    from serctl.cli.terminal import tables

    tables.print_summary(summary, stderr=stderr)
    if few:
        _print_rows(few, stderr=stderr)


def _print_rows(results: list["Result"], stderr: bool) -> None:
    """Print a table with one row per recording, or per channel of it."""
    from serctl.cli.terminal.tables import plain_console, print_table

    has_channels = any(result.channel is not None for result in results)
    print_table(
        plain_console(stderr),
        "Recordings",
        ("Path", *(["Channel"] if has_channels else []), "Emotion", "Confidence", "Seconds"),
        (
            (
                printable(result.path),
                *([str(result.channel or "")] if has_channels else []),
                result.emotion or result.status,
                "" if result.confidence is None else f"{result.confidence:.3f}",
                "" if result.duration_s is None else f"{result.duration_s:.1f}",
            )
            for result in results
        ),
        text=(0, 2 if has_channels else 1),
    )


def print_end(
    run: "Run", n_found: int, skipped: "Skipped", to: OutputOptions, segments: str | None
) -> None:
    """Print how many rows there are, where they come from, and which file has the segments."""
    to_stdout = to.output == STANDARD_OUTPUT
    click.echo(f"\nRecordings found and in the results: {n_found} of {n_found}.", err=to_stdout)
    print_skipped(skipped, stderr=to_stdout)
    if segments is not None and os.path.exists(segments):
        click.echo(f"Segments of long recordings: {printable(segments)}", err=to_stdout)
    if to.update:
        gone = (
            f"{run.n_missing} gone and kept"
            if to.keep_missing
            else f"{run.n_gone} gone and left out"
        )
        click.echo(
            f"Update: {run.n_classified} classified (new, changed or failed before), "
            f"{n_found - run.n_classified} kept, {gone}."
        )
    if run.together is not None:
        click.echo(printable(str(run.together)))


def print_skipped(skipped: "Skipped", stderr: bool) -> None:
    """Print what the folders hold and was not classified, in a line."""
    if shown := str(skipped):
        click.echo(f"Skipped: {printable(shown)}. --all-files tries them too.", err=stderr)


def print_paths(recordings: list[str], zero: bool) -> None:
    """Print paths, for a reader or, unchanged, for another program."""
    if sys.stdout.isatty() and not zero:
        click.echo("".join(f"{printable(path)}\n" for path in recordings), nl=False)
    else:
        # Unchanged, for another program to read.
        end = b"\0" if zero else b"\n"
        click.echo(b"".join(os.fsencode(path) + end for path in recordings), nl=False)
    click.echo(f"{len(recordings)} recordings found.", err=True)
