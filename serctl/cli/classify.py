"""``serctl classify``: recordings in, a table of emotions out."""

import os
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from serctl.cli import options
from serctl.cli.classify_options import OUTPUT, WORK, OutputOptions, WorkOptions
from serctl.cli.terminal.printing import after_files
from serctl.cli.terminal.profile import Stopwatch, print_profile
from serctl.cli.timeline_options import TIMELINE, TimelineOptions
from serctl.errors import RunError

if TYPE_CHECKING:
    from serctl.audio.finding.skipped import Skipped
    from serctl.engine.run import Run
    from serctl.results.schema import Result
    from serctl.results.summary import Summary

STANDARD_OUTPUT = "-"
MAX_ROWS_SHOWN = 24  # results of at most so many recordings are printed one by one

EXAMPLES = """\b
Examples:
  serctl classify ./recordings
  serctl classify ./calls ./talk.mp3 -o calls.jsonl
  serctl classify ./calls --emotions angry,sad -o - | head
  serctl classify ./calls --resume
  serctl classify ./calls --update
  serctl classify ./archive --exclude '*.mp3' --exclude drafts --dry-run
  serctl classify ./speakers --model whisper --voices folder
  serctl classify --files-from manifest.csv --shard 3/16 -o shard-3.csv
  find . -name '*.wav' -newer last.csv -print0 | serctl classify --files-from - -0

With --voices or --same-room, a row depends on the other recordings of its voice or room. This helps if
they have many emotions, and harms if they all have the same one.

The model whisper takes about three times as long as cnn, the default. Use it for recordings unlike
the corpora: other rooms, microphones and speakers.
"""


@click.command(epilog=EXAMPLES)
@click.argument("paths", nargs=-1)
@options.SELECTION
@click.option("--dry-run", is_flag=True, help="Only list the recordings that would be classified.")
@OUTPUT
@TIMELINE
@options.MODEL
@WORK
@click.option(
    "--profile",
    is_flag=True,
    hidden=not options.IN_CHECKOUT,
    help="Print the time spent in each stage.",
)
def classify(
    paths: tuple[str, ...],
    selection: options.SelectionOptions,
    dry_run: bool,
    to: OutputOptions,
    timeline: TimelineOptions,
    model: options.ModelOptions,
    work: WorkOptions,
    profile: bool,
) -> int:
    """Classify the emotion of speech recordings.

    PATHS are recordings (wav, flac, mp3, m4a, opus, the sound of videos and most other formats) and
    folders, which are searched at any depth. Each recording gets a row in the results, even if it
    cannot be read. The exit status is 1 if recordings or folders could not be read.

    In a PATTERN, * matches any text. A PATTERN with a / is matched against the path below the
    argument, one without against the file name; one that ends with a / matches folders.
    """
    selection.require(paths)
    from serctl.audio.finding.skipped import Skipped
    from serctl.engine.run import Run
    from serctl.engine.workers.messages import Request
    from serctl.results.destination import Destination
    from serctl.text import printable
    from serctl.timeline.export_files import parse_formats

    skipped = Skipped()
    if dry_run:
        scanned, unlisted = selection.find(paths, skipped)
        recordings, _ = work.select(scanned, selection.sizes)
        _print_paths(recordings, selection.zero)
        _print_skipped(skipped, stderr=True)
        options.warn_unlisted(unlisted)
        return 1 if unlisted else 0
    timeline.check(work.shard)
    given = None
    if timeline.segments_from is not None:
        from serctl.timeline.matching import GivenSegments

        given = GivenSegments(timeline.segments_from, timeline.tier)
    voices = timeline.voice_source()
    began = datetime.now(UTC)
    request = Request(
        model.model,
        model.emotions,
        model.device,
        work.batch_size,
        work.workers,
        timeline.speech,
        timeline.window_s,
        timeline.hop_s,
        timeline.channels,
        timeline.min_segment_s,
        timeline.windows_output is not None,
        given.sha256 if given else None,
        timeline.min_confidence,
        voices is not None,
        timeout_s=work.timeout,
    )
    destination = Destination(
        to.output,
        to.overwrite,
        to.resume or to.retries,
        to.retries,
        to.dialect,
        timeline.segments_output,
        timeline.windows_output,
        formats=parse_formats(timeline.segment_formats) if timeline.segment_formats else (),
        exports=timeline.segments_dir,
    )
    stopwatch = Stopwatch()
    with Run(request, destination, given, voices) as run:
        scanned, unlisted = selection.find(paths, skipped)
        recordings, shard = work.select(scanned, selection.sizes)
        stopwatch.end("find recordings")
        n_workers = run.description["workers"]
        stopwatch.end("start")
        folders = list(filter(os.path.isdir, paths))
        summary, few = _classify(run, recordings, folders, to, stopwatch)
        for warning in run.warnings:
            click.echo(f"Warning: {printable(warning)}", err=True)
        seconds_by_stage = run.seconds_by_stage() if profile else {}
        record = _run_record(run.description, began, summary)
        found = {"n_found": len(recordings), "not_listed": list(map(str, unlisted))}
        found |= {"skipped": dict(skipped.kinds), "skipped_files": sorted(skipped.files)}
        if run.together is not None:
            found["voices"] = run.together.record()
        run.finish(record | {"arguments": list(paths)} | found | shard)
    to_stdout = to.output == STANDARD_OUTPUT
    n_rows = summary.total.n - run.n_other_channels
    _check_row_count(len(recordings), n_rows)
    with after_files():
        if not to.quiet:
            _print_summary(summary, few, stderr=to_stdout)
            n_found = len(recordings)
            click.echo(
                f"\nRecordings found and in the results: {n_found} of {n_found}.", err=to_stdout
            )
            _print_skipped(skipped, stderr=to_stdout)
        if to.update and not to.quiet:
            click.echo(
                f"Update: {run.n_classified} classified (new, changed or failed before), "
                f"{len(recordings) - run.n_classified} kept, {run.n_gone} gone and left out."
            )
        if run.together is not None and not to.quiet:
            click.echo(printable(str(run.together)))
        if profile:
            print_profile(stopwatch, seconds_by_stage, n_workers, to_stdout)
    options.warn_unlisted(unlisted)
    return 1 if unlisted or summary.by_status.keys() & {"unreadable", "failed"} else 0


def _classify(
    run: "Run", recordings: list[str], folders: list[str], to: OutputOptions, stopwatch: Stopwatch
) -> tuple["Summary", list["Result"]]:
    """Classify and show progress; return the summary, and the results if there are only a few."""
    from serctl.progress import progress
    from serctl.results.summary import Summary

    output = to.output
    where = "standard output" if output == STANDARD_OUTPUT else output
    summary = Summary((where,), tuple(run.description["emotions"]))
    few: list[Result] = []
    results = run.results(
        recordings,
        lambda done, n_left: (
            done if to.quiet else progress(done, n_left, "Classifying", "recording", run.watch)
        ),
        folders,
    )
    for i, result in enumerate(results):
        if i == 0 and output != STANDARD_OUTPUT:  # a file is written after all is classified
            stopwatch.end("classify")
        summary.add(result)
        if len(recordings) <= MAX_ROWS_SHOWN:
            few.append(result)
    stopwatch.end("classify" if output == STANDARD_OUTPUT else "write results")
    return summary, few


def _check_row_count(n_found: int, n_rows: int) -> None:
    """Raise RunError unless each recording found has a row."""
    if n_rows != n_found:
        raise RunError(
            f"{n_found} recordings found, but {n_rows} rows written: this is a bug in serctl. "
            "Please report it, and classify the folder again."
        )


def _print_skipped(skipped: "Skipped", stderr: bool) -> None:
    """Print what the folders hold and was not classified, in a line."""
    from serctl.text import printable

    if shown := str(skipped):
        click.echo(f"Skipped: {printable(shown)}. --all-files tries them too.", err=stderr)


def _print_paths(recordings: list[str], zero: bool) -> None:
    from serctl.text import printable

    if sys.stdout.isatty() and not zero:
        click.echo("".join(f"{printable(path)}\n" for path in recordings), nl=False)
    else:
        # Unchanged, for another program to read.
        end = b"\0" if zero else b"\n"
        click.echo(b"".join(os.fsencode(path) + end for path in recordings), nl=False)
    click.echo(f"{len(recordings)} recordings found.", err=True)


def _run_record(description: dict[str, Any], began: datetime, summary: "Summary") -> dict[str, Any]:
    """Everything that the results depend on, for ``<output>.run.json``."""
    from serctl import __version__
    from serctl.citations import cite_run
    from serctl.results.schema import STATUSES

    counts = {status: tally.n for status, tally in summary.by_status.items()}
    return {
        "serctl_version": __version__,
        **description,
        "counts": {status: counts.get(status, 0) for status in STATUSES},
        "began": began.isoformat(timespec="milliseconds"),
        "ended": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "citation": cite_run(description["model"], description["model_sha256"]),
    }


def _print_summary(summary: "Summary", few: list["Result"], stderr: bool) -> None:
    """Print the summary, and each result if there are only a few."""
    from serctl.cli.terminal.tables import print_summary

    print_summary(summary, stderr=stderr)
    if few:
        _print_rows(few, stderr=stderr)


def _print_rows(results: list["Result"], stderr: bool) -> None:
    """Print a table with one row per recording."""
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
