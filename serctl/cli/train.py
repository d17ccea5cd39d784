"""``serctl train``: train a model on the four corpora, or on recordings of your own."""

from dataclasses import dataclass
from pathlib import Path

import click

from serctl.cli import options

EXAMPLES = """\b
Examples:
  serctl train --corpora ./corpora
  serctl train --corpora ./corpora --split report --seed 1 -o /tmp/report-1
  serctl train --corpora ./corpora --resume        continue after a kill
  serctl train --data ./my-recordings -o my-model  a folder for each label
  serctl train --data labels.csv -o my-model       columns path, label and speaker
"""
OWN_DATA = ("labels", "pairs", "speaker_pattern", "start", "speech")
CORPORA_ONLY = ("split", "fold", "seed", "model", "epochs", "device", "encoder", "resume")
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


@dataclass(frozen=True)
class RecipeOptions:
    """Which recipe is trained on the corpora, and how.

    Attributes
    ----------
    model : str or None
        Name of the recipe.
    epochs : int or None
        Instead of the recipe's.
    device : str
        As `serctl.models.devices.choose_device` takes it.
    encoder : Path or None
        As of `serctl.train.training.weights_folder.TrainingOptions`.
    """

    model: str | None
    epochs: int | None
    device: str
    encoder: Path | None


@dataclass(frozen=True)
class OwnDataOptions:
    """Recordings of the user's own.

    Attributes
    ----------
    data, labels, pairs, speaker_pattern
        As of `serctl.train.custom.recordings.DataOptions`.
    start, speech : str
        As of `serctl.train.custom.training.CustomOptions`.
    """

    data: str | None
    labels: str | None
    pairs: tuple[str, ...]
    speaker_pattern: str | None
    start: str
    speech: str


OWN = options.option_group(
    "own",
    OwnDataOptions,
    click.option(
        "--data",
        metavar="DIR|FILE.csv",
        help="Train on your own recordings: a folder with a folder for each label, or a table with "
        "the columns path, label and speaker.",
    ),
    click.option(
        "--labels",
        metavar="folders|FILE.csv",
        help="With --data DIR: where labels are from.  [default: folders]",
    ),
    click.option(
        "--map",
        "pairs",
        multiple=True,
        metavar="NAME=LABEL",
        help="With --data: count a label as another; NAME=- skips it; repeatable.",
    ),
    click.option(
        "--speaker-pattern",
        metavar="REGEX",
        help="With --data: find speakers in paths, such as '(?P<speaker>[A-Z]+)_'.",
    ),
    click.option(
        "--start",
        default="whisper",
        show_default=True,
        metavar="NAME|FOLDER",
        help="With --data: model whose last layer is learned anew: whisper, cnn or a weights folder.",
    ),
    click.option(
        "--speech",
        type=click.Choice(["auto", "off"]),
        default="auto",
        show_default=True,
        help="With --data: off uses sounds without speech too.",
    ),
)
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


RECIPE = options.option_group(
    "recipe",
    RecipeOptions,
    click.option("--model", default=None, metavar="NAME", help="Recipe to train.  [default: cnn]"),
    click.option(
        "--epochs",
        type=click.IntRange(min=1),
        default=None,
        help="Maximum number of epochs.  [default: as in the recipe]",
    ),
    options.DEVICE,
    click.option(
        "--encoder",
        type=click.Path(path_type=Path),
        default=None,
        metavar="FILE",
        help="Whisper encoder to start from, as safetensors.  [default: the bundled one]",
    ),
)


@click.command(epilog=EXAMPLES)
@OWN
@SPLIT
@RECIPE
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
    own: OwnDataOptions,
    split: options.SplitOptions,
    recipe: RecipeOptions,
    to: OutputOptions,
    everything: bool,
) -> int | None:
    """Train a model on the four corpora, or on your own recordings.

    With --data, a model for your own labels is learned in a minute or two from some ten recordings of
    each label: the last layer of a model that is there already. The figures are by cross-validation,
    by speaker where speakers are known. Without --corpora, the corpora are not needed.

    Otherwise, features are computed once and cached in SERCTL_CACHE or the user's cache folder. Each
    epoch writes a checkpoint, from which --resume continues. On a CPU, the same seed gives the same
    weights, bit for bit, on the same machine. `serctl corpora` says where to download the corpora
    and which clips are missing.
    """
    if everything:
        _train_everything(context, split.corpora)
        return None
    if own.data is not None:
        return _train_on_own(own, split.corpora, to)
    options.refuse_unused(*OWN_DATA, because="needs --data")
    from serctl.cli.terminal.scores import print_scores
    from serctl.models.loading import DEFAULT_MODEL
    from serctl.train.training.progress import TrainingProgress
    from serctl.train.training.train import train_model
    from serctl.train.training.weights_folder import TrainingOptions

    name = str(split.split)
    if name == "report":
        options.refuse_unused("fold", because="the split report has no folds, only --seed")
    model = recipe.model or DEFAULT_MODEL
    output = to.output or Path("serctl-weights", model)
    training = TrainingOptions(
        split.corpora,
        model,
        name,
        split.fold,
        split.seed,
        recipe.epochs,
        recipe.device,
        output,
        to.resume,
        to.overwrite,
        recipe.encoder,
    )
    with TrainingProgress() as watcher:
        scores = train_model(training, watcher)
    part = f"seed {split.seed}" if name == "report" else f"fold {split.fold}"
    print_scores(scores, f"{model}, test part of {name}, {part}")
    click.echo(f"Weights: {output}")
    return None


def _train_on_own(own: OwnDataOptions, corpora: str, to: OutputOptions) -> int:
    """Train on the user's recordings; return the exit status."""
    options.refuse_unused(*CORPORA_ONLY, because="has no effect with --data")
    from serctl.cli.terminal.custom import print_outcome
    from serctl.progress import progress
    from serctl.train.custom.recordings import DataOptions
    from serctl.train.custom.training import CustomOptions, train_custom

    assert own.data is not None
    with_corpora = bool(options.given({"corpora"}))
    output = to.output or Path("serctl-weights", Path(own.data).resolve().stem)
    outcome = train_custom(
        CustomOptions(
            DataOptions(own.data, own.labels, own.pairs, own.speaker_pattern, with_corpora),
            output,
            own.start,
            own.speech,
            corpora if with_corpora else None,
            to.overwrite,
        ),
        lambda found, n: progress(found, n, "Recordings", "recording"),
    )
    print_outcome(outcome, own.start, str(output))
    return 1 if outcome.skipped else 0


def _train_everything(context: click.Context, corpora: str) -> None:
    others = {str(parameter.name) for parameter in context.command.params}
    given = options.given(others - {"corpora", "everything"})
    if given:
        raise click.UsageError(f"--all cannot be used with {', '.join(given)}.")
    from serctl.train.experiments.train_all import train_everything
    from serctl.train.training.progress import TrainingProgress

    with TrainingProgress() as watcher:
        train_everything(corpora, watcher, lambda line: click.echo(line, err=True))
