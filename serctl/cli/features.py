"""``serctl features``: a table of acoustic features."""

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING

import click

from serctl.cli import options
from serctl.cli.features_options import TABLE, TableOptions
from serctl.cli.finding import Finder
from serctl.cli.terminal.printing import after_files
from serctl.errors import UsageError

if TYPE_CHECKING:
    from serctl.features.table import Label

MAX_FAILURES_SHOWN = 10
FAILURES = ("unreadable", "failed")

EXAMPLES = """\b
Examples:
  serctl features ./recordings -o features.csv
  serctl features ./corpora --labels corpora -o corpora.parquet
  serctl features ./data --labels folders --set embedding -o embeddings.npz
  serctl features ./calls --frames -o spectrograms.npz
  serctl features ./archive --exclude '*.mp3' -o features.csv
"""


@click.command(epilog=EXAMPLES)
@click.argument("paths", nargs=-1)
@options.SELECTION
@TABLE
@click.option(
    "--labels",
    metavar="corpora|folders|FILE.csv",
    help="Add emotion, speaker and corpus: from file names, folder names or a table.",
)
@options.WORKERS
@options.TIMEOUT
def features(
    paths: tuple[str, ...],
    selection: options.SelectionOptions,
    table: TableOptions,
    labels: str | None,
    workers: int | None,
    timeout: float | None,
) -> int:
    """Extract acoustic features.

    PATHS are recordings and folders. Each recording gets a row: duration, level and the features of
    a set. Report has the means of 128 mel bands and 20 MFCC, zero-crossing rate, spectral centroid
    and rolloff, as librosa computes them. Prosody has pitch, loudness, voice quality and speech
    rate, by Praat; it needs praat-parselmouth. Embedding has 2048 values of the encoder of the
    model whisper. Egemaps has the 88 values of eGeMAPS, by openSMILE; it needs opensmile.

    With --labels, the table has the columns emotion, speaker and corpus, as they are: from the file
    names of public corpora, from the nearest folder that is named after an emotion or else the
    nearest one, or from a CSV file with the columns path and emotion. With a CSV file, PATHS are
    optional. The exit status is 1 if recordings or folders could not be read.
    """
    listed = selection.listed()
    is_table = labels is not None and labels.lower().endswith(".csv")
    if labels not in (None, "corpora", "folders") and not is_table:
        raise UsageError(f"--labels {labels}: use corpora, folders or the path of a .csv file.")
    if not is_table:
        selection.require(paths)
    from serctl.audio.scan import check_paths
    from serctl.engine.workers.isolated import describe_isolated
    from serctl.features.sets import check_set
    from serctl.features.table import check_feature_output, write_features
    from serctl.files.outputs import lock_output
    from serctl.progress import progress

    output = table.output
    check_paths([*paths, labels] if is_table and labels else paths)
    check_feature_output(output, table.overwrite, table.frames)
    check_set(table.feature_set, output, table.frames)
    click.get_current_context().with_resource(lock_output(output))
    describe_all = partial(describe_isolated, timeout_s=timeout, feature_set=table.feature_set)
    finder = Finder(paths, selection, listed)
    recordings, label = _labelled(finder, labels)
    written = write_features(
        recordings, output, label, table.frames, workers, describe_all, table.feature_set
    )
    counts: Counter[str] = Counter()
    failures: list[tuple[str, str]] = []
    with closing(written):
        for description in progress(written, len(recordings), "Extracting features", "recording"):
            counts[description.status] += 1
            if description.status in FAILURES:
                failures.append((description.path, description.reason))
    with after_files():
        _print_summary(output, counts, failures)
        if label is not None:
            _print_unlabelled(recordings, label)
    options.warn_unlisted(finder.unlisted)
    return 1 if failures or finder.unlisted else 0


def _labelled(
    finder: Finder, labels: str | None
) -> "tuple[list[str], Callable[[str], Label] | None]":
    """Recordings, and what gives the labels of each, if any are wanted."""
    if labels is not None:
        from serctl.files.objects import refuse_remote

        refuse_remote(finder.named, "--labels")
    recordings = finder(finder.named) if finder.named else []
    if labels is None:
        return recordings, None
    from serctl.train.evaluation.label_table import labels_of_table
    from serctl.train.evaluation.labels import folder_label, label_by_table, name_label

    if labels == "corpora":
        return recordings, name_label
    if labels == "folders":
        return recordings, partial(folder_label, paths=finder.named)
    found = labels_of_table(labels, finder.named, None, lambda _: recordings)
    return recordings or [one.path for one in found.recordings], label_by_table(found)


def _print_unlabelled(recordings: Sequence[str], label: "Callable[[str], Label]") -> None:
    """Print how many recordings have no label, if any."""
    from serctl.text import count

    n_without = sum(not label(path)[0] for path in recordings)
    if n_without:
        click.echo(f"Without a label: {count(n_without, 'recording')}.")


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
