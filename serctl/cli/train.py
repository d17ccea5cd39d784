"""``serctl train``: weights from the four corpora."""

from pathlib import Path

import click

from serctl.cli import options

EXAMPLES = """\b
Examples:
  serctl train --corpora ./corpora
  serctl train --corpora ./corpora --split report --seed 1 -o /tmp/report-1
  serctl train --corpora ./corpora --resume        go on after a kill
  serctl train --corpora ./corpora --all           in a checkout: everything
"""


@click.command(epilog=EXAMPLES)
@click.option(
    "--corpora",
    envvar="SERCTL_CORPORA",
    default="./corpora",
    show_default=True,
    metavar="DIR",
    help="Folder with the four corpora; or set SERCTL_CORPORA.",
)
@click.option("--model", default=None, metavar="NAME", help="Recipe.  [default: cnn]")
@click.option(
    "--split",
    type=click.Choice(options.SPLITS),
    default="new-speakers",
    show_default=True,
    help="report: random by clip. new-speakers: test speakers are held out. emobox-...: EmoBox's "
    "of one corpus, with all of its emotions.",
)
@click.option(
    "--fold",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Which part is held out: 0 to 4 of new-speakers, 0 to 5 of emobox-ravdess, 0 to 3 of "
    "emobox-savee; the others have one.",
)
@click.option(
    "--seed",
    type=options.SEEDS,
    default=0,
    show_default=True,
    help="Of everything random.",
)
@click.option(
    "--epochs", type=click.IntRange(min=1), default=None, help="At most.  [default: the recipe's]"
)
@click.option(
    "--device",
    type=options.DEVICES,
    default="auto",
    show_default=True,
    help="Where the network is trained; auto takes a GPU if there is one.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=None,
    metavar="DIR",
    help="Folder of the weights.  [default: ./serctl-weights/<model>]",
)
@click.option("--resume", is_flag=True, help="Go on with the training that was cut off there.")
@click.option("--overwrite", is_flag=True, help="Replace the weights that are there.")
@click.option(
    "--all",
    "everything",
    is_flag=True,
    help="Remake every bundled model, every number and every figure, in a checkout, on the CPU. "
    "Takes up where it was cut off.",
)
@click.pass_context
def train(
    context: click.Context,
    corpora: str,
    model: str | None,
    split: str,
    fold: int,
    seed: int,
    epochs: int | None,
    device: str,
    output: Path | None,
    resume: bool,
    overwrite: bool,
    everything: bool,
) -> None:
    """Rebuild a model's weights from the four corpora.

    Features are computed once and kept (in SERCTL_CACHE, or the user's cache folder). After every
    epoch there is a checkpoint to resume from. On the CPU, the same seed gives the same weights,
    bit for bit, on the same machine. `serctl corpora` says where the corpora are had and what is
    missing.
    """
    if everything:
        _train_everything(context, corpora)
        return
    from serctl.cli.terminal.scores import print_scores
    from serctl.models.loading import DEFAULT_MODEL
    from serctl.train.training.progress import TrainingProgress
    from serctl.train.training.train import train_model
    from serctl.train.training.weights_folder import TrainingOptions

    if split == "report":
        options.refuse_useless("fold", because="report has no folds; --seed says which drawing")
    model = model or DEFAULT_MODEL
    output = output or Path("serctl-weights", model)
    asked = TrainingOptions(
        corpora, model, split, fold, seed, epochs, device, output, resume, overwrite
    )
    with TrainingProgress() as watcher:
        scores = train_model(asked, watcher)
    where = f"seed {seed}" if split == "report" else f"fold {fold}"
    print_scores(scores, f"{model}, test part of {split}, {where}")
    click.echo(f"Weights: {output}")


def _train_everything(context: click.Context, corpora: str) -> None:
    others = {str(parameter.name) for parameter in context.command.params}
    given = options.given(others - {"corpora", "everything"})
    if given:
        raise click.UsageError(f"--all has its own {', '.join(given)}. Leave out one or the other.")
    from serctl.train.experiments.train_all import train_everything
    from serctl.train.training.progress import TrainingProgress

    with TrainingProgress() as watcher:
        train_everything(corpora, watcher, lambda line: click.echo(line, err=True))
