"""Options that several commands have, written once."""

import click

MODEL = click.option(
    "--model",
    default=None,
    metavar="NAME|FOLDER",
    help="A bundled model or a folder of weights.  [default: cnn]",
)
WORKERS = click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=None,
    help="Threads that read recordings.  [default: one a core]",
)
DEVICES = click.Choice(["auto", "cpu", "cuda", "mps"])
DEVICE = click.option(
    "--device",
    type=DEVICES,
    default="auto",
    show_default=True,
    help="Where the network runs; auto takes a GPU if there is one.",
)

# As in serctl.train.splits, which is not to be imported for a help text.
SPLITS = (
    "report",
    "new-speakers",
    "emobox-crema-d",
    "emobox-ravdess",
    "emobox-savee",
    "emobox-tess",
)
SEEDS = click.IntRange(0, 2**32 - 1)
