"""``serctl train``: train a model on the four corpora."""

from dataclasses import dataclass
from pathlib import Path

import click

from serctl.cli import options

EXAMPLES = """\b
Examples:
  serctl train --corpora ./corpora
  serctl train --corpora ./corpora --split report --seed 1 -o /tmp/report-1
  serctl train --corpora ./corpora --resume        continue after a kill
"""
if options.IN_CHECKOUT:
    EXAMPLES += "  serctl train --corpora ./corpora --all           retrain all bundled models\n"


@dataclass(frozen=True)
class OutputOptions:
    """Where the weights go, and what happens to those that are there.

    Attributes
    ----------
    output : Path or None
        The weights folder.
    resume, overwrite : bool
        As of `serctl.train.training.weights_folder.TrainingOptions`.
    """

    output: Path | None
    resume: bool
    overwrite: bool


SPLIT = options.option_group(
    "split",
    options.SplitOptions,
    options.corpora_option("Folder of the four corpora, or SERCTL_CORPORA."),
    click.option(
        "--split",
        type=click.Choice(options.SPLITS),
        default="new-speakers",
        show_default=True,
        metavar="NAME",
        help="report: random split. new-speakers: speaker-independent folds. emobox-<corpus>: "
        "EmoBox's folds of one corpus, with all its emotions. cross-corpus-<corpus>: that corpus is "
        "left out of training and tested.",
    ),
    click.option(
        "--fold",
        type=click.IntRange(min=0),
        default=0,
        show_default=True,
        help="Test fold: 0 to 4 of new-speakers, 0 to 5 of emobox-ravdess, 0 to 3 of "
        "emobox-savee, 0 of the others.",
    ),
    options.seed_option("Random seed."),
)
OUTPUT = options.option_group(
    "to",
    OutputOptions,
    click.option(
        "-o",
        "--output",
        type=click.Path(path_type=Path),
        default=None,
        metavar="DIR",
        help="Weights folder.  [default: ./serctl-weights/<model>]",
    ),
    click.option("--resume", is_flag=True, help="Continue an interrupted training."),
    click.option("--overwrite", is_flag=True, help="Replace existing weights."),
)


@click.command(epilog=EXAMPLES)
@SPLIT
@click.option("--model", default=None, metavar="NAME", help="Recipe to train.  [default: cnn]")
@click.option(
    "--epochs",
    type=click.IntRange(min=1),
    default=None,
    help="Maximum number of epochs.  [default: as in the recipe]",
)
@options.DEVICE
@click.option(
    "--encoder",
    type=click.Path(path_type=Path),
    default=None,
    metavar="FILE",
    help="Whisper encoder to start from, as safetensors.  [default: the bundled one]",
)
@OUTPUT
@click.option(
    "--all",
    "everything",
    is_flag=True,
    hidden=not options.IN_CHECKOUT,
    help="In a checkout: retrain all bundled models on the CPU, and remake all results and "
    "figures. Continues where it was interrupted.",
)
@click.pass_context
def train(
    context: click.Context,
    split: options.SplitOptions,
    model: str | None,
    epochs: int | None,
    device: str,
    encoder: Path | None,
    to: OutputOptions,
    everything: bool,
) -> None:
    """Train a model on the four corpora.

    Features are computed once and cached in SERCTL_CACHE or the user's cache folder. Each epoch
    writes a checkpoint, from which --resume continues. On a CPU, the same seed gives the same
    weights, bit for bit, on the same machine. `serctl corpora` says where to download the corpora
    and which clips are missing.
    """
    if everything:
        _train_everything(context, split.corpora)
        return
    from serctl.cli.terminal.scores import print_scores
    from serctl.models.loading import DEFAULT_MODEL
    from serctl.train.training.progress import TrainingProgress
    from serctl.train.training.train import train_model
    from serctl.train.training.weights_folder import TrainingOptions

    name = str(split.split)
    if name == "report":
        options.refuse_unused("fold", because="the split report has no folds, only --seed")
    model = model or DEFAULT_MODEL
    output = to.output or Path("serctl-weights", model)
    training = TrainingOptions(
        split.corpora,
        model,
        name,
        split.fold,
        split.seed,
        epochs,
        device,
        output,
        to.resume,
        to.overwrite,
        encoder,
    )
    with TrainingProgress() as watcher:
        scores = train_model(training, watcher)
    part = f"seed {split.seed}" if name == "report" else f"fold {split.fold}"
    print_scores(scores, f"{model}, test part of {name}, {part}")
    click.echo(f"Weights: {output}")


def _train_everything(context: click.Context, corpora: str) -> None:
    others = {str(parameter.name) for parameter in context.command.params}
    given = options.given(others - {"corpora", "everything"})
    if given:
        raise click.UsageError(f"--all cannot be used with {', '.join(given)}.")
    from serctl.train.experiments.train_all import train_everything
    from serctl.train.training.progress import TrainingProgress

    with TrainingProgress() as watcher:
        train_everything(corpora, watcher, lambda line: click.echo(line, err=True))
