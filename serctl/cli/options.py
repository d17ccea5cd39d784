"""Options that several commands have, written once."""

from collections.abc import Container

import click
from click.core import ParameterSource

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

# As in serctl.train.corpora.splits, which is not to be imported for a help text.
SPLITS = (
    "report",
    "new-speakers",
    "emobox-crema-d",
    "emobox-ravdess",
    "emobox-savee",
    "emobox-tess",
)
SEEDS = click.IntRange(0, 2**32 - 1)


def given(names: Container[str]) -> list[str]:
    """Options of the command that is running, out of some parameters, that its user typed."""
    context = click.get_current_context()
    return [
        parameter.opts[-1]
        for parameter in context.command.params
        if parameter.name in names
        and context.get_parameter_source(parameter.name) == ParameterSource.COMMANDLINE
    ]


def refuse_useless(*names: str, because: str) -> None:
    """Raise click.UsageError if options were given that would do nothing."""
    if useless := given(names):
        raise click.UsageError(f"{', '.join(useless)}: {because}. Leave that out.")
