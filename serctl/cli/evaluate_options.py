"""Options of ``serctl evaluate``: where labels come from, which split, and which files to write."""

from dataclasses import dataclass

import click

from serctl.cli import options


@dataclass(frozen=True)
class LabelOptions:
    """Where labels come from.

    Attributes
    ----------
    labels : str
        ``corpora``, ``folders`` or the path of a CSV file.
    pairs : tuple of str
        ``NAME=EMOTION``, or ``NAME=-``.
    """

    labels: str
    pairs: tuple[str, ...]


@dataclass(frozen=True)
class ScoreOutputs:
    """Files to write.

    Attributes
    ----------
    output : str or None
        JSON file.
    figures : str or None
        Folder of figures.
    overwrite : bool
        Whether existing files may be replaced.
    """

    output: str | None
    figures: str | None
    overwrite: bool


LABELS = options.option_group(
    "labelling",
    LabelOptions,
    click.option(
        "--labels",
        default="corpora",
        show_default=True,
        metavar="corpora|folders|FILE.csv",
        help="Labels from file names, folder names or a table.",
    ),
    click.option(
        "--map",
        "pairs",
        multiple=True,
        metavar="NAME=EMOTION",
        help="Map a label to an emotion; NAME=- skips it; repeatable.",
    ),
)
SPLIT = options.option_group(
    "split",
    options.SplitOptions,
    click.option(
        "--split",
        type=click.Choice(options.SPLITS),
        default=None,
        metavar="SPLIT",
        help="Test on this split of the corpora, not PATHS: report, new-speakers or "
        "emobox-<corpus>.",
    ),
    options.corpora_option("With --split: folder of the four corpora."),
    click.option(
        "--fold",
        type=click.IntRange(0, 5),
        default=0,
        show_default=True,
        help="With --split: number of the test fold.",
    ),
    options.seed_option("With --split: random seed of the split report."),
)
OUTPUTS = options.option_group(
    "outputs",
    ScoreOutputs,
    click.option("-o", "--output", metavar="FILE.json", help="Write all scores and predictions."),
    click.option("--figures", metavar="DIR", help="Save figures to this folder (PNG and SVG)."),
    click.option("--overwrite", is_flag=True, help="Replace existing files."),
)
