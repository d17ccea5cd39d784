"""Options of ``serctl features``: which features, and the table that they go to."""

from dataclasses import dataclass

import click

from serctl.cli import options

# The sets of serctl.features.sets, which a help text must not import.
SETS = ("report", "prosody", "embedding", "egemaps")


@dataclass(frozen=True)
class TableOptions:
    """The table.

    Attributes
    ----------
    output : str
        Path of the table.
    overwrite : bool
        Whether an existing file may be replaced.
    feature_set : str
        One of `SETS`.
    frames : bool
        Whether to save whole mel spectrograms and MFCC.
    """

    output: str
    overwrite: bool
    feature_set: str
    frames: bool


TABLE = options.option_group(
    "table",
    TableOptions,
    click.option(
        "-o",
        "--output",
        required=True,
        metavar="FILE",
        help="Table: .csv, .npz, or .parquet (needs pyarrow).",
    ),
    click.option("--overwrite", is_flag=True, help="Replace an existing table."),
    click.option(
        "--set",
        "feature_set",
        type=click.Choice(SETS),
        default="report",
        show_default=True,
        help="Which features.",
    ),
    click.option(
        "--frames", is_flag=True, help="Also save whole mel spectrograms and MFCC; .npz only."
    ),
)
