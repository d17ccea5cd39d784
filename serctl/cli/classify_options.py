"""Options of ``serctl classify``: where results go, and how recordings are processed."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from serctl.cli import options
from serctl.errors import UsageError

if TYPE_CHECKING:
    from serctl.files.manifest import Scanned


@dataclass(frozen=True)
class OutputOptions:
    """Where results go, and what happens to earlier ones.

    Attributes
    ----------
    output, overwrite, resume, retry_failed, dialect
        As of `serctl.results.destination.Destination`.
    update : bool
        Whether to do all of these as they are needed: start, continue, retry, and classify what is
        new or has changed.
    keep_missing : bool
        Whether an update keeps the rows of recordings that are gone.
    """

    output: str
    overwrite: bool
    resume: bool
    retry_failed: bool
    update: bool
    keep_missing: bool
    dialect: str

    @property
    def retries(self) -> bool:
        """Whether unreadable and failed recordings are classified again."""
        return self.retry_failed or self.update

    def check(self, is_grouped: bool, shard: str | None) -> None:
        """Raise UsageError if rows of missing recordings cannot be kept.

        Parameters
        ----------
        is_grouped : bool
            Whether recordings are classified beside others.
        shard : str or None
            Of the run, if it is a part of others.
        """
        if not self.keep_missing:
            return
        if not self.update or self.overwrite:
            raise UsageError("--keep-missing: needs --update, without --overwrite.")
        if is_grouped:
            raise UsageError(
                "--keep-missing: not with --voices and --same-room, since what is gone cannot be "
                "compared again."
            )
        if shard is not None:
            raise UsageError("--keep-missing: not with --shard; the manifest says what there is.")


OUTPUT = options.option_group(
    "to",
    OutputOptions,
    click.option(
        "-o",
        "--output",
        default="serctl-results.csv",
        show_default=True,
        metavar="FILE|-",
        help="Results file: .csv, .json or .jsonl; - streams CSV to stdout.",
    ),
    click.option("--overwrite", is_flag=True, help="Replace an existing results file."),
    click.option("--resume", is_flag=True, help="Continue an interrupted run."),
    click.option(
        "--retry-failed",
        is_flag=True,
        help="Continue a run, and retry its unreadable and failed recordings.",
    ),
    click.option(
        "--update",
        is_flag=True,
        help="Classify what is new, changed or failed before; keep the rest.",
    ),
    click.option(
        "--keep-missing",
        is_flag=True,
        help="With --update, keep the rows of recordings that are gone.",
    ),
    click.option(
        "--csv-dialect",
        "dialect",
        type=click.Choice(["standard", "excel", "excel-eu"]),
        default="standard",
        show_default=True,
        help="CSV for Excel: with a byte-order mark; excel-eu has ; and decimal commas.",
    ),
)


@dataclass(frozen=True)
class WorkOptions:
    """How recordings are processed; results do not depend on it, but for what is given up.

    Attributes
    ----------
    workers : int or None
        Number of worker processes.
    batch_size : int
        Windows per batch on a GPU.
    timeout : float or None
        Seconds after which a recording is given up.
    shard : str or None
        As `serctl.files.shards.parse_shard` takes it.
    engine : str
        ``local``, or ``ray`` for the nodes of a Ray cluster.
    address : str or None
        Of the cluster; None for a local one, which is started.
    n_shards : int or None
        How many tasks the recordings are divided among on a cluster.
    """

    workers: int | None
    batch_size: int
    timeout: float | None
    shard: str | None
    engine: str
    address: str | None
    n_shards: int | None

    def select(
        self, recordings: list[str], sizes: dict[str, int]
    ) -> tuple[list[str], dict[str, Any]]:
        """Recordings of the shard, and what the record of the run says of it.

        Parameters
        ----------
        recordings : list of str
            Of the scan; all of them without a shard.
        sizes : dict of str to int
            Their sizes in bytes, as far as a manifest has them.
        """
        if self.shard is None:
            return recordings, {}
        from serctl.files.shards import parse_shard

        shard = parse_shard(self.shard)
        scanned = with_sizes(recordings, sizes)
        return shard.of(scanned), {"shard": shard.record(scanned)}


def with_sizes(recordings: list[str], sizes: dict[str, int]) -> list["Scanned"]:
    """Recordings and their sizes in bytes: those that are given, and of others, looked up."""
    from serctl.files.manifest import Scanned, sizes_of

    return [
        Scanned(path, sizes[path]) if path in sizes else sizes_of([path])[0] for path in recordings
    ]


WORK = options.option_group(
    "work",
    WorkOptions,
    options.WORKERS,
    click.option(
        "--batch-size",
        type=click.IntRange(min=1),
        default=64,
        show_default=True,
        help="Windows per batch on a GPU; always 1 on a CPU.",
    ),
    options.TIMEOUT,
    click.option(
        "--shard",
        metavar="I/N",
        help="Classify the I-th of N parts of the recordings; see serctl merge.",
    ),
    click.option(
        "--engine",
        type=click.Choice(["local", "ray"]),
        default="local",
        show_default=True,
        help="ray classifies on the nodes of a Ray cluster; on one machine it gains nothing.",
    ),
    click.option("--address", metavar="HOST:PORT", help="Ray cluster.  [default: a local one]"),
    click.option(
        "--shards",
        "n_shards",
        type=click.IntRange(min=1),
        metavar="N",
        help="Number of shards on the Ray cluster.  [default: 4 per task that can run at once]",
    ),
)
