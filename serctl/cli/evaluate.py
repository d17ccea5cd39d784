"""``serctl evaluate``: how often a model is right about labelled recordings."""

import click

EXAMPLES = """\b
Examples:
  serctl evaluate ./corpora/RAVDESS --labels corpora
  serctl evaluate --corpora ./corpora --split new-speakers --fold 0
"""


@click.command(epilog=EXAMPLES)
@click.argument("paths", nargs=-1)
@click.option(
    "--labels",
    type=click.Choice(["corpora"]),
    default="corpora",
    show_default=True,
    help="Where labels come from: the file names of the four corpora.",
)
@click.option(
    "--corpora",
    envvar="SERCTL_CORPORA",
    default="./corpora",
    show_default=True,
    metavar="DIR",
    help="With --split: folder with the four corpora; or set SERCTL_CORPORA.",
)
@click.option(
    "--split",
    type=click.Choice(["report", "new-speakers"]),
    default=None,
    help="Score the test part of this split, instead of PATHS.",
)
@click.option(
    "--fold",
    type=click.IntRange(0, 4),
    default=0,
    show_default=True,
    help="Of new-speakers: which speakers are tested.",
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**32 - 1),
    default=0,
    show_default=True,
    help="Of report: which drawing.",
)
@click.option(
    "--model",
    default=None,
    metavar="NAME|FOLDER",
    help="A bundled model or a folder of weights.  [default: paper-cnn]",
)
@click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda", "mps"]),
    default="auto",
    show_default=True,
    help="Where the network runs; auto takes a GPU if there is one.",
)
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=None,
    help="Threads that read recordings.  [default: one a core]",
)
def evaluate(
    paths: tuple[str, ...],
    labels: str,
    corpora: str,
    split: str | None,
    fold: int,
    seed: int,
    model: str | None,
    device: str,
    workers: int | None,
) -> int:
    """Score a model on labelled recordings.

    PATHS are recordings of CREMA-D, RAVDESS, SAVEE and TESS, or folders of them, known by their
    file names. Scored are the clips whose emotion the model knows (calm counts as neutral for a
    model without calm); a clip that gets no answer counts as wrong. The exit status is 1 if some
    could not be read.
    """
    if bool(paths) == bool(split):
        raise click.UsageError("Give either PATHS or --split.")
    from serctl.classifier import Classifier
    from serctl.cli.progress import progress
    from serctl.cli.scores import print_scores
    from serctl.models import DEFAULT_MODEL, load_model
    from serctl.pipeline import classify_recordings
    from serctl.train.evaluate import recordings_by_name, recordings_of_split

    loaded = load_model(model or DEFAULT_MODEL)
    known = loaded.config.emotions
    if split:
        clips = recordings_of_split(corpora, split, fold, seed, known)
    else:
        clips = recordings_by_name(paths, known)
    classifier = Classifier(loaded, ",".join(clips.emotions), device)
    classified = classify_recordings(clips.paths, classifier, workers)
    results = list(progress(classified, len(clips.paths), "Classifying", "clip"))
    print_scores(clips.score(results), loaded.config.name)
    if clips.n_left_out:
        click.echo(f"Left out: {clips.n_left_out} clips of emotions that the model does not know.")
    if clips.n_unknown:
        click.echo(f"Left out: {clips.n_unknown} recordings that are no clips of the four corpora.")
    unread = [result for result in results if result.status in ("unreadable", "failed")]
    for result in unread:
        click.echo(f"{result.path}: {result.reason}", err=True)
    return 1 if unread else 0
