"""``serctl classify``: recordings to a labelled table."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from serctl.classifier import Classifier
    from serctl.results import Result

MAX_ROWS_SHOWN = 24  # so many recordings are listed one by one

EXAMPLES = """\b
Examples:
  serctl classify ./recordings
  serctl classify ./calls ./talk.mp3 -o calls.jsonl
  serctl classify ./calls --emotions angry,sad -o - | head
"""


@click.command(epilog=EXAMPLES)
@click.argument("paths", nargs=-1, required=True)
@click.option(
    "-o",
    "--output",
    default="serctl-results.csv",
    show_default=True,
    help="Results file: .csv, .json or .jsonl; - streams CSV to standard output.",
)
@click.option("--overwrite", is_flag=True, help="Replace the results file if there is one.")
@click.option(
    "--model",
    default=None,
    metavar="NAME|FOLDER",
    help="A bundled model or a folder of weights.  [default: paper-cnn]",
)
@click.option(
    "--emotions", default=None, metavar="A,B,...", help="Choose between these emotions alone."
)
@click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda", "mps"]),
    default="auto",
    show_default=True,
    help="Where the network runs; auto takes a GPU if there is one.",
)
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=None,
    help="Threads that read recordings.  [default: one a core]",
)
@click.option(
    "--batch-size",
    type=click.IntRange(min=1),
    default=64,
    show_default=True,
    help="Windows that the network sees at a time.",
)
def classify(
    paths: tuple[str, ...],
    output: str,
    overwrite: bool,
    model: str | None,
    emotions: str | None,
    device: str,
    workers: int | None,
    batch_size: int,
) -> int:
    """Label the emotion of every recording.

    PATHS are recordings and folders of recordings: wav, flac, ogg, opus, mp3, aiff and whatever else
    libsndfile decodes. Every recording gets a row in the results, whatever became of it. The exit
    status is 0 if all could be read and 1 if some could not.
    """
    from serctl import results, scan

    results.check_output(output, overwrite)
    recordings = scan.scan(paths)

    from serctl import pipeline
    from serctl.classifier import Classifier
    from serctl.cli.progress import progress
    from serctl.cli.tables import print_summary
    from serctl.models import DEFAULT_MODEL
    from serctl.report import Summary
    from serctl.threads import n_cores

    classifier = Classifier(model or DEFAULT_MODEL, emotions, device, batch_size)
    n_workers = workers or n_cores()
    began = datetime.now(UTC)
    to_stdout = output == results.STANDARD_OUTPUT
    summary = Summary(("standard output" if to_stdout else output,), classifier.emotions)
    few: list[Result] = []
    with results.ResultsWriter(output, classifier.emotions, overwrite) as writer:
        classified = pipeline.classify_recordings(recordings, classifier, n_workers)
        for result in progress(classified, len(recordings), "Classifying", "recording"):
            writer.write(result)
            summary.add(result)
            if len(recordings) <= MAX_ROWS_SHOWN:
                few.append(result)
    counts = {status: tally.n for status, tally in summary.by_status.items()}
    if not to_stdout:
        record = _run_record(classifier, n_workers, began, counts)
        results.write_run(output, record | {"arguments": list(paths)})
    print_summary(summary, stderr=to_stdout)
    if few:
        _print_rows(few, stderr=to_stdout)
    return 1 if counts.keys() & {"unreadable", "failed"} else 0


def _run_record(
    classifier: "Classifier", n_workers: int, began: datetime, counts: dict[str, int]
) -> dict[str, Any]:
    """Everything that made the results, for ``<output>.run.json``."""
    from serctl import __version__
    from serctl.results import STATUSES

    return {
        "serctl_version": __version__,
        "model": classifier.config.name,
        "model_sha256": classifier.config.sha256,
        "emotions": classifier.emotions,
        "device": str(classifier.device),
        "batch_size": classifier.batch_size,
        "workers": n_workers,
        "counts": {status: counts.get(status, 0) for status in STATUSES},
        "began": began.isoformat(timespec="seconds"),
        "ended": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _print_rows(results: list["Result"], stderr: bool) -> None:
    """Print what was heard in each of a few recordings."""
    from serctl.cli.tables import plain_console, print_table
    from serctl.report_tables import printable

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
