"""``serctl features``: recordings to a table of numbers."""

import os
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from serctl.features.table import Label

MAX_FAILURES_SHOWN = 10
FAILURES = ("unreadable", "failed")

EXAMPLES = """\b
Examples:
  serctl features ./recordings -o features.csv
  serctl features ./corpora --labels corpora -o corpora.parquet
  serctl features ./calls --frames -o spectrograms.npz
"""


@click.command(epilog=EXAMPLES)
@click.argument("paths", nargs=-1, required=True)
@click.option(
    "-o",
    "--output",
    required=True,
    metavar="FILE",
    help="Table: .csv, .parquet (needs serctl[parquet]) or .npz.",
)
@click.option("--overwrite", is_flag=True, help="Replace FILE if there is one.")
@click.option(
    "--labels",
    type=click.Choice(["corpora"]),
    help="Add emotion, speaker and corpus, from the names of clips of the four corpora.",
)
@click.option("--frames", is_flag=True, help="Keep whole mel spectrograms and MFCC too; .npz only.")
def features(
    paths: tuple[str, ...], output: str, overwrite: bool, labels: str | None, frames: bool
) -> int:
    """Measure every recording.

    Writes a row for every recording: length, level, time-means of 128 mel bands and 20 MFCC, and
    mean and deviation of zero-crossing rate, spectral centroid and spectral rolloff. Values are
    librosa's at its defaults, of the mono mix at 22050 Hz. The exit status is 0 if all could be
    read and 1 if some could not.
    """
    from serctl.audio.scan import scan
    from serctl.features.table import check_feature_output, write_features

    check_feature_output(output, overwrite, frames)
    recordings = scan(paths)

    from serctl.progress import progress

    written = write_features(recordings, output, _corpus_label() if labels else None, frames)
    counts: Counter[str] = Counter()
    failures: list[tuple[str, str]] = []
    for description in progress(written, len(recordings), "Measuring", "recording"):
        counts[description.status] += 1
        if description.status in FAILURES:
            failures.append((description.path, description.reason))
    _print_summary(output, counts, failures)
    return 1 if failures else 0


def _corpus_label() -> "Callable[[str], Label]":
    from serctl.train.corpora.manifest import parse_clip_name

    def label(path: str) -> "Label":
        # The absolute path, since the folder above may name SAVEE's speaker.
        name = parse_clip_name(os.path.abspath(path))
        return ("", "", "") if name is None else (name.emotion, name.speaker, name.corpus)

    return label


def _print_summary(output: str, counts: Counter[str], failures: list[tuple[str, str]]) -> None:
    """Print counts by status, and what could not be read, with the reason."""
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
