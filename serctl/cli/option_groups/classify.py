"""Options of ``serctl classify``: where results go, and how recordings are processed."""

from dataclasses import dataclass

import click

from serctl.cli import options


@dataclass(frozen=True)
class OutputOptions:
    """Where results go, and what happens to earlier ones.

    Attributes
    ----------
    output, overwrite, resume, retry_failed, dialect
        As of `serctl.engine.run.Destination`.
    """

    output: str
    overwrite: bool
    resume: bool
    retry_failed: bool
    dialect: str


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
        Number of threads.
    batch_size : int
        Windows per batch on a GPU.
    timeout : float or None
        Seconds after which a recording is given up.
    """

    workers: int | None
    batch_size: int
    timeout: float | None


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
)
