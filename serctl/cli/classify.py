"""``serctl classify``: recordings to a labelled table."""

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from serctl.cli import options
from serctl.cli.terminal.profile import Stopwatch, print_profile
from serctl.errors import RunError, UsageError

if TYPE_CHECKING:
    from serctl.audio.patterns import Selection
    from serctl.engine.run import Run
    from serctl.results.schema import Result
    from serctl.results.summary import Summary

STANDARD_OUTPUT = "-"
MAX_ROWS_SHOWN = 24  # so many recordings are listed one by one

EXAMPLES = """\b
Examples:
  serctl classify ./recordings
  serctl classify ./calls ./talk.mp3 -o calls.jsonl
  serctl classify ./calls --emotions angry,sad -o - | head
  serctl classify ./calls --resume
  serctl classify ./calls --retry-failed
  serctl classify ./archive --exclude '*.mp3' --exclude drafts --dry-run
  find . -name '*.wav' -newer last.csv -print0 | serctl classify --files-from - -0
"""


@click.command(epilog=EXAMPLES)
@click.argument("paths", nargs=-1)
@click.option(
    "--files-from",
    type=click.File("rb"),
    metavar="FILE|-",
    help="Also take the paths in a list, one a line; - is standard input.",
)
@click.option(
    "-0", "zero", is_flag=True, help="Paths in that list, and of --dry-run, end with zero bytes."
)
@click.option(
    "--include",
    multiple=True,
    metavar="PATTERN",
    help="Take only recordings whose name, or path below PATHS, matches; may be repeated.",
)
@click.option(
    "--exclude",
    multiple=True,
    metavar="PATTERN",
    help="Leave out recordings and folders that match; may be repeated.",
)
@click.option("--follow-symlinks", is_flag=True, help="Follow links to folders.")
@click.option("--dry-run", is_flag=True, help="List the recordings found, and do no more.")
@click.option(
    "-o",
    "--output",
    default="serctl-results.csv",
    show_default=True,
    help="Results file: .csv, .json or .jsonl; - streams CSV to standard output.",
)
@click.option("--overwrite", is_flag=True, help="Replace the results file if there is one.")
@click.option("--resume", is_flag=True, help="Go on with a run that did not finish.")
@click.option(
    "--retry-failed",
    is_flag=True,
    help="Do unreadable and failed recordings of a run again, finished or not.",
)
@options.MODEL
@click.option(
    "--emotions", default=None, metavar="A,B,...", help="Choose between these emotions alone."
)
@options.DEVICE
@options.WORKERS
@click.option(
    "--batch-size",
    type=click.IntRange(min=1),
    default=64,
    show_default=True,
    help="Windows that the network hears at a time on a GPU; on a CPU it hears one.",
)
@click.option("--profile", is_flag=True, help="Say at the end where the time went, by stage.")
def classify(
    paths: tuple[str, ...],
    files_from: BinaryIO | None,
    zero: bool,
    include: tuple[str, ...],
    exclude: tuple[str, ...],
    follow_symlinks: bool,
    dry_run: bool,
    output: str,
    overwrite: bool,
    resume: bool,
    retry_failed: bool,
    model: str | None,
    emotions: str | None,
    device: str,
    workers: int | None,
    batch_size: int,
    profile: bool,
) -> int:
    """Label the emotion of every recording.

    PATHS are recordings and folders of recordings: wav, flac, ogg, opus, mp3, aiff and whatever else
    libsndfile decodes. Every recording gets a row in the results, whatever became of it. The exit
    status is 0 if all could be read and 1 if some, or some folders, could not.

    In a PATTERN, * stands for anything. One with a / is compared with the path below the argument,
    another with the name; a / at its end makes it one of folders.
    """
    if not paths and files_from is None:
        raise UsageError("no PATHS: give recordings or folders of them, or a list by --files-from.")
    from serctl.audio.patterns import Selection
    from serctl.engine.process import Request
    from serctl.engine.run import Destination, Run

    selection = Selection(include, exclude, follow_symlinks)
    if dry_run:
        recordings, unlisted = _find(paths, files_from, zero, selection)
        _print_paths(recordings, zero)
        _print_unlisted(unlisted)
        return 1 if unlisted else 0
    began = datetime.now(UTC)
    request = Request(model, emotions, device, batch_size, workers)
    destination = Destination(output, overwrite, resume or retry_failed, retry_failed)
    stopwatch = Stopwatch()
    with Run(request, destination) as run:
        recordings, unlisted = _find(paths, files_from, zero, selection)
        stopwatch.end("find recordings")
        n_workers = run.description["workers"]
        stopwatch.end("start")
        summary, few = _classify(run, recordings, output, stopwatch)
        seconds_by_stage = run.seconds_by_stage() if profile else {}
        record = _run_record(run.description, began, summary)
        found = {"n_found": len(recordings), "not_listed": list(map(str, unlisted))}
        run.finish(record | {"arguments": list(paths)} | found)
    to_stdout = output == STANDARD_OUTPUT
    _print_summary(summary, few, stderr=to_stdout)
    _check_accounts(len(recordings), summary.total.n, stderr=to_stdout)
    if profile:
        print_profile(stopwatch, seconds_by_stage, n_workers, to_stdout)
    _print_unlisted(unlisted)
    return 1 if unlisted or summary.by_status.keys() & {"unreadable", "failed"} else 0


def _classify(
    run: "Run", recordings: list[str], output: str, stopwatch: Stopwatch
) -> tuple["Summary", list["Result"]]:
    """Classify with progress; give the summary, and the results if they are few."""
    from serctl.progress import progress
    from serctl.results.summary import Summary

    where = "standard output" if output == STANDARD_OUTPUT else output
    summary = Summary((where,), tuple(run.description["emotions"]))
    few: list[Result] = []
    results = run.results(
        recordings, lambda done, n_left: progress(done, n_left, "Classifying", "recording")
    )
    for i, result in enumerate(results):
        if i == 0 and output != STANDARD_OUTPUT:  # which is written while it is classified
            stopwatch.end("classify")
        summary.add(result)
        if len(recordings) <= MAX_ROWS_SHOWN:
            few.append(result)
    stopwatch.end("classify" if output == STANDARD_OUTPUT else "write results")
    return summary, few


def _find(
    paths: tuple[str, ...], files_from: BinaryIO | None, zero: bool, selection: "Selection"
) -> tuple[list[str], list[RunError]]:
    """Recordings, and an error for every folder that could not be listed."""
    from serctl.audio.patterns import read_list
    from serctl.audio.scan import scan

    listed = read_list(files_from.read(), b"\0" if zero else b"\n") if files_from else []
    unlisted: list[RunError] = []
    return scan(paths, selection, unlisted.append, listed), unlisted


def _check_accounts(n_found: int, n_rows: int, stderr: bool) -> None:
    """Say that there is a row for every recording found; a RunError if there is not."""
    if n_rows != n_found:
        raise RunError(
            f"{n_found} recordings found and {n_rows} rows written: this is a defect of serctl. "
            "Please report it, and classify the folder again."
        )
    click.echo(f"\nFound and in the results: {n_found} of {n_found}.", err=stderr)


def _print_paths(recordings: list[str], zero: bool) -> None:
    # As bytes, since a path need not be text that the terminal knows.
    end = b"\0" if zero else b"\n"
    click.echo(b"".join(os.fsencode(path) + end for path in recordings), nl=False)
    click.echo(f"{len(recordings)} recordings found.", err=True)


def _print_unlisted(unlisted: list[RunError]) -> None:
    from serctl.text import printable

    for error in unlisted:
        click.echo(f"Warning: {printable(str(error))}", err=True)


def _run_record(description: dict[str, Any], began: datetime, summary: "Summary") -> dict[str, Any]:
    """Everything that made the results, for ``<output>.run.json``."""
    from serctl import __version__
    from serctl.results.schema import STATUSES

    counts = {status: tally.n for status, tally in summary.by_status.items()}
    return {
        "serctl_version": __version__,
        **description,
        "counts": {status: counts.get(status, 0) for status in STATUSES},
        "began": began.isoformat(timespec="milliseconds"),
        "ended": datetime.now(UTC).isoformat(timespec="milliseconds"),
    }


def _print_summary(summary: "Summary", few: list["Result"], stderr: bool) -> None:
    """Print the summary, and what was heard if recordings are few."""
    from serctl.cli.terminal.tables import print_summary

    print_summary(summary, stderr=stderr)
    if few:
        _print_rows(few, stderr=stderr)


def _print_rows(results: list["Result"], stderr: bool) -> None:
    """Print what was heard in each of a few recordings."""
    from serctl.cli.terminal.tables import plain_console, print_table
    from serctl.text import printable

    print_table(
        plain_console(stderr),
        "Recordings",
        ("Path", "Emotion", "Confidence", "Seconds"),
        (
            (
                printable(result.path),
                result.emotion or result.status,
                "" if result.confidence is None else f"{result.confidence:.3f}",
                "" if result.duration_s is None else f"{result.duration_s:.1f}",
            )
            for result in results
        ),
        text=(0, 1),
    )
