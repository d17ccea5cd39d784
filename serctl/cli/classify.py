"""``serctl classify``: recordings to a labelled table."""

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from serctl.results import Result

MAX_PROBLEMS_SHOWN = 10

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
    from serctl.models import DEFAULT_MODEL

    classifier = Classifier(model or DEFAULT_MODEL, emotions, device, batch_size)
    n_workers = workers or pipeline.n_cores()
    began = datetime.now(UTC)
    counts: Counter[str] = Counter()
    heard: Counter[str] = Counter()
    problems: list[Result] = []
    with results.ResultsWriter(output, classifier.emotions, overwrite) as writer:
        classified = pipeline.classify_recordings(recordings, classifier, n_workers)
        for result in progress(classified, len(recordings), "Classifying", "recording"):
            writer.write(result)
            counts[result.status] += 1
            heard[result.emotion] += result.status == "ok"
            if result.status in ("unreadable", "failed") and len(problems) < MAX_PROBLEMS_SHOWN:
                problems.append(result)
    ended = datetime.now(UTC)
    if output != results.STANDARD_OUTPUT:
        record = _run_record(classifier, n_workers, began, ended, counts)
        results.write_run(output, record | {"arguments": list(paths)})
    seconds = (ended - began).total_seconds()
    _summarise(output, classifier.emotions, counts, heard, problems, seconds)
    return 1 if counts["unreadable"] or counts["failed"] else 0


def _run_record(
    classifier: Any, n_workers: int, began: datetime, ended: datetime, counts: Counter[str]
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
        "counts": {status: counts[status] for status in STATUSES},
        "began": began.isoformat(timespec="seconds"),
        "ended": ended.isoformat(timespec="seconds"),
    }


def _summarise(
    output: str,
    emotions: tuple[str, ...],
    counts: Counter[str],
    heard: Counter[str],
    problems: list["Result"],
    seconds: float,
) -> None:
    """Print what was heard, and what could not be read; on standard error if rows went to output."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(stderr=output == "-", highlight=False)
    table = Table("emotion", title="Emotions heard", title_justify="left")
    table.add_column("recordings", justify="right")
    table.add_column("share", justify="right")
    for emotion in emotions:
        share = heard[emotion] / counts["ok"] if counts["ok"] else 0.0
        table.add_row(emotion, f"{heard[emotion]}", f"{share:.1%}")
    console.print(table)
    others = [f"{n} {status}" for status, n in counts.items() if status != "ok"]
    n_problems = counts["unreadable"] + counts["failed"]
    said = ", ".join([f"{counts['ok']} classified", *sorted(others)])
    console.print(f"{said} in {seconds:.1f} s")
    for problem in problems:
        console.print(Text(f"  {problem.path}: {problem.reason}"))
    if n_problems > len(problems):
        console.print(f"  ... and {n_problems - len(problems)} more, in the results")
    if output != "-":
        console.print(Text(f"Results: {output}"))
