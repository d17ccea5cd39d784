"""``serctl classify``: recordings in, a table of emotions out."""

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from serctl.cli import options
from serctl.cli.classify_options import OUTPUT, WORK, OutputOptions, WorkOptions
from serctl.cli.terminal.classified import (
    STANDARD_OUTPUT,
    print_end,
    print_paths,
    print_skipped,
    print_summary,
)
from serctl.cli.terminal.printing import after_files
from serctl.cli.terminal.profile import Stopwatch, print_profile
from serctl.cli.timeline_options import TIMELINE, TimelineOptions
from serctl.cli.watch_options import WATCH, Watch, WatchOptions
from serctl.errors import RunError

if TYPE_CHECKING:
    from serctl.engine.run import Run
    from serctl.engine.workers.messages import Request
    from serctl.results.destination import Destination
    from serctl.results.schema import Result
    from serctl.results.summary import Summary

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
  serctl classify s3://bucket/calls -o calls.csv
  serctl classify --files-from manifest.csv --shard 3/16 -o shard-3.csv
  find . -name '*.wav' -newer last.csv -print0 | serctl classify --files-from - -0

With --voices or --same-room, a row depends on the other recordings of its voice or room. This helps if
they have many emotions, and harms if they all have the same one.

The model whisper takes about three times as long as cnn, the default, and is more accurate on new
speakers. In other rooms, on other microphones, try both on some recordings of your own.
"""


@click.command(epilog=EXAMPLES)
@click.argument("paths", nargs=-1)
@options.SELECTION
@click.option("--dry-run", is_flag=True, help="Only list the recordings that would be classified.")
@OUTPUT
@TIMELINE
@options.MODEL
@WORK
@WATCH
def classify(
    paths: tuple[str, ...],
    selection: options.SelectionOptions,
    dry_run: bool,
    to: OutputOptions,
    timeline: TimelineOptions,
    model: options.ModelOptions,
    work: WorkOptions,
    watching: WatchOptions,
) -> int:
    """Classify the emotion of speech recordings.

    PATHS are recordings (wav, flac, mp3, m4a, opus, the sound of videos and most other formats) and
    folders, which are searched at any depth. Each recording gets a row in the results, even if it
    cannot be read. The exit status is 1 if recordings or folders could not be read.

    In a PATTERN, * matches any text. A PATTERN with a / is matched against the path below the
    argument, one without against the file name; one that ends with a / matches folders.
    """
    selection.require(paths)
    if dry_run:
        return _list(paths, selection, work)
    from serctl.audio.scan import check_paths
    from serctl.weights import find_model

    with watching.start(to.output, timeline.segments_output, timeline.windows_output) as watch:
        # What is asked for is checked before what would be written.
        check_paths(paths)
        if model.model is not None:
            find_model(model.model)
        timeline.check(work.shard)
        to.check(timeline.is_grouped, work.shard)
        if work.engine == "ray":
            from serctl.cli.cluster import classify_on_ray

            status = classify_on_ray(paths, selection, to, work, watch)
        else:
            options.refuse_unused("address", "n_shards", because="is for --engine ray")
            status = _run(paths, selection, to, timeline, model, work, watch)
        watch.info(f"Exit status {status}.")
        return status


def _list(paths: tuple[str, ...], selection: options.SelectionOptions, work: WorkOptions) -> int:
    """Print the recordings that would be classified."""
    from serctl.audio.finding.skipped import Skipped

    skipped = Skipped()
    scanned, unlisted = selection.find(paths, skipped)
    recordings, _ = work.select(scanned, selection.sizes)
    print_paths(recordings, selection.zero)
    print_skipped(skipped, stderr=True)
    options.warn_unlisted(unlisted)
    return 1 if unlisted else 0


def _run(
    paths: tuple[str, ...],
    selection: options.SelectionOptions,
    to: OutputOptions,
    timeline: TimelineOptions,
    model: options.ModelOptions,
    work: WorkOptions,
    watch: Watch,
) -> int:
    """Classify recordings, and print what is in the results; return the exit status."""
    from serctl.audio.finding.skipped import Skipped
    from serctl.engine.run import Run

    skipped = Skipped()
    given = None
    if timeline.segments_from is not None:
        from serctl.timeline.matching import GivenSegments

        given = GivenSegments(timeline.segments_from, timeline.tier)
    voices = timeline.voice_source()
    began = datetime.now(UTC)
    request = _request(timeline, model, work, given.sha256 if given else None, voices is not None)
    stopwatch = Stopwatch()
    destination = _destination(to, timeline)
    with Run(request, destination, given, voices) as run:
        scanned, unlisted = selection.find(paths, skipped)
        recordings, shard = work.select(scanned, selection.sizes)
        stopwatch.end("find recordings")
        n_workers = run.description["workers"]
        stopwatch.end("start")
        watch.begin(run.description["model"], len(recordings), to.output)
        folders = list(filter(os.path.isdir, paths))
        summary, few = _classify(run, recordings, folders, to.output, watch, stopwatch)
        for warning in run.warnings:
            watch.warn(warning)
        seconds_by_stage = run.seconds_by_stage() if watch.profile else {}
        record = _run_record(run.description, began, summary)
        found = {"n_found": len(recordings), "not_listed": list(map(str, unlisted))}
        found |= {"skipped": dict(skipped.kinds), "skipped_files": sorted(skipped.files)}
        if to.keep_missing:
            found["n_missing"] = run.n_missing
        if run.together is not None:
            found["voices"] = run.together.record()
        run.finish(record | {"arguments": list(paths)} | found | shard)
    to_stdout = to.output == STANDARD_OUTPUT
    n_rows = summary.total.n_rows - run.n_other_channels - run.n_missing
    _check_row_count(len(recordings), n_rows)
    with after_files():
        if not watch.quiet:
            print_summary(summary, few, stderr=to_stdout)
            print_end(run, len(recordings), skipped, to, destination.segments_path)
        if watch.profile:
            print_profile(stopwatch, seconds_by_stage, n_workers, to_stdout)
    for error in unlisted:
        watch.warn(str(error))
    watch.end(run.n_classified, {status: tally.n for status, tally in summary.by_status.items()})
    return 1 if unlisted or summary.by_status.keys() & {"unreadable", "failed"} else 0


def _request(
    timeline: TimelineOptions,
    model: options.ModelOptions,
    work: WorkOptions,
    given_sha256: str | None,
    grouped: bool,
) -> "Request":
    """What the worker does."""
    from serctl.engine.workers.messages import Request

    return Request(
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
        given_sha256,
        timeline.min_confidence,
        grouped,
        timeout_s=work.timeout,
    )


def _destination(to: OutputOptions, timeline: TimelineOptions) -> "Destination":
    """Where results go."""
    from serctl.results.destination import Destination
    from serctl.timeline.export_files import parse_formats

    return Destination(
        to.output,
        to.overwrite,
        to.resume or to.retries,
        to.retries,
        to.dialect,
        timeline.segments_output,
        timeline.windows_output,
        formats=parse_formats(timeline.segment_formats) if timeline.segment_formats else (),
        exports=timeline.segments_dir,
        keep_missing=to.keep_missing,
    )


def _classify(
    run: "Run",
    recordings: list[str],
    folders: list[str],
    output: str,
    watch: Watch,
    stopwatch: Stopwatch,
) -> tuple["Summary", list["Result"]]:
    """Classify and show progress; return the summary, and the results if there are only a few."""
    from serctl.results.summary import Summary

    where = "standard output" if output == STANDARD_OUTPUT else output
    summary = Summary((where,), tuple(run.description["emotions"]))
    few: list[Result] = []
    results = run.results(
        recordings, lambda done, n_left: watch.recordings(done, n_left, run.watch), folders
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
