"""``serctl features``: a table of acoustic features."""

import os
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING

import click

from serctl.cli import options
from serctl.cli.terminal.printing import after_files

if TYPE_CHECKING:
    from serctl.features.table import Label

MAX_FAILURES_SHOWN = 10
FAILURES = ("unreadable", "failed")

EXAMPLES = """\b
Examples:
  serctl features ./recordings -o features.csv
  serctl features ./corpora --labels corpora -o corpora.parquet
  serctl features ./calls --frames -o spectrograms.npz
  serctl features ./archive --exclude '*.mp3' -o features.csv
"""


@click.command(epilog=EXAMPLES)
@click.argument("paths", nargs=-1)
@options.SELECTION
@click.option(
    "-o",
    "--output",
    required=True,
    metavar="FILE",
    help="Table: .csv, .npz, or .parquet (needs serctl[parquet]).",
)
@click.option("--overwrite", is_flag=True, help="Replace an existing table.")
@click.option(
    "--labels",
    type=click.Choice(["corpora"]),
    help="Add emotion, speaker and corpus from the corpora's file names.",
)
@click.option(
    "--frames", is_flag=True, help="Also save whole mel spectrograms and MFCC; .npz only."
)
@options.WORKERS
@options.TIMEOUT
def features(
    paths: tuple[str, ...],
    selection: options.SelectionOptions,
    output: str,
    overwrite: bool,
    labels: str | None,
    frames: bool,
    workers: int | None,
    timeout: float | None,
) -> int:
    """Extract acoustic features.

    PATHS are recordings and folders. Each recording gets a row: duration, level, time averages of
    128 mel bands and 20 MFCC, and mean and standard deviation of zero-crossing rate, spectral
    centroid and spectral rolloff. The values are those of librosa with its default settings, for
    the mono mix at 22050 Hz. The exit status is 1 if recordings or folders could not be read.
    """
    selection.require(paths)
    from serctl.engine.isolated import describe_isolated
    from serctl.features.table import check_feature_output, write_features
    from serctl.files.outputs import lock_output
    from serctl.progress import progress

    check_feature_output(output, overwrite, frames)
    click.get_current_context().with_resource(lock_output(output))
    describe_all = partial(describe_isolated, timeout_s=timeout)
    recordings, unlisted = selection.find(paths)
    label = _corpus_label() if labels else None
    written = write_features(recordings, output, label, frames, workers, describe_all)
    counts: Counter[str] = Counter()
    failures: list[tuple[str, str]] = []
    with closing(written):
        for description in progress(written, len(recordings), "Extracting features", "recording"):
            counts[description.status] += 1
            if description.status in FAILURES:
                failures.append((description.path, description.reason))
    with after_files():
        _print_summary(output, counts, failures)
    options.warn_unlisted(unlisted)
    return 1 if failures or unlisted else 0


def _corpus_label() -> "Callable[[str], Label]":
    from serctl.train.corpora.manifest import parse_clip_name

    def label(path: str) -> "Label":
        # The absolute path, since SAVEE's speaker is the name of the folder.
        name = parse_clip_name(os.path.abspath(path))
        return ("", "", "") if name is None else (name.emotion, name.speaker, name.corpus)

    return label


def _print_summary(output: str, counts: Counter[str], failures: list[tuple[str, str]]) -> None:
    """Print counts by status, then the recordings that could not be read, with reasons."""
    from serctl.cli.terminal.tables import plain_console
    from serctl.results.schema import STATUSES
    from serctl.text import count, printable

    console = plain_console()
    by_status = ", ".join(f"{counts[status]} {status}" for status in STATUSES if counts[status])
    n_recordings = count(counts.total(), "recording")
    console.print(f"{printable(output)}: {n_recordings}: {by_status}", soft_wrap=True)
    for path, reason in failures[:MAX_FAILURES_SHOWN]:
        console.print(f"  {printable(path)}: {printable(reason)}", soft_wrap=True)
    if len(failures) > MAX_FAILURES_SHOWN:
        console.print(f"  and {len(failures) - MAX_FAILURES_SHOWN} more")
