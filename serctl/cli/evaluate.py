"""``serctl evaluate``: how often a model is right about labelled recordings."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from serctl.cli import options
from serctl.errors import ResultsError, UsageError

if TYPE_CHECKING:
    from serctl.models.config import ModelConfig
    from serctl.results.schema import Result
    from serctl.train.evaluation.labelled import LabelledRecordings
    from serctl.train.evaluation.scores import Calibration, Scores

MAX_FAILURES_SHOWN = 10

EXAMPLES = """\b
Examples:
  serctl evaluate ./corpora/RAVDESS
  serctl evaluate ./data --labels folders --map joy=happy --map boredom=-
  serctl evaluate --labels labels.csv -o scores.json --figures figures
  serctl evaluate --corpora ./corpora --split new-speakers --fold 0
"""


@click.command(epilog=EXAMPLES)
@click.argument("paths", nargs=-1)
@click.option(
    "--labels",
    default="corpora",
    show_default=True,
    metavar="corpora|folders|FILE.csv",
    help="Where labels come from: names of clips, one folder per emotion, or a table.",
)
@click.option(
    "--map",
    "pairs",
    multiple=True,
    metavar="NAME=EMOTION",
    help="Count a label as an emotion, or leave it out with NAME=-; may be repeated.",
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
    type=click.Choice(options.SPLITS),
    default=None,
    metavar="SPLIT",
    help="Score the test part of this split, instead of PATHS: report, new-speakers, or emobox- "
    "and a corpus.",
)
@click.option(
    "--fold",
    type=click.IntRange(0, 5),
    default=0,
    show_default=True,
    help="Of the split: which part is tested.",
)
@click.option(
    "--seed",
    type=options.SEEDS,
    default=0,
    show_default=True,
    help="Of the split: which drawing.",
)
@options.MODEL
@click.option("--emotions", default=None, metavar="A,B,...", help="Score these emotions alone.")
@click.option("-o", "--output", metavar="FILE.json", help="Write everything, as JSON.")
@click.option("--figures", metavar="DIR", help="Draw figures into this folder, as PNG and SVG.")
@click.option("--overwrite", is_flag=True, help="Replace FILE.json and figures if they are there.")
@options.DEVICE
@options.WORKERS
def evaluate(
    paths: tuple[str, ...],
    labels: str,
    pairs: tuple[str, ...],
    corpora: str,
    split: str | None,
    fold: int,
    seed: int,
    model: str | None,
    emotions: str | None,
    output: str | None,
    figures: str | None,
    overwrite: bool,
    device: str,
    workers: int | None,
) -> int:
    """Score a model on labelled recordings.

    PATHS are recordings and folders of them. With --labels corpora, they are clips of CREMA-D,
    RAVDESS, SAVEE, TESS or JL-Corpus under their own names. With folders, the nearest folder named
    after an emotion says it. A table has a header, the columns path and emotion and, if known,
    speaker, corpus and split: its paths begin in PATHS or in its own folder, and of its split the
    part test is scored.

    Labels are the emotions of serctl, in any case, and forms of the same words (anger, happiness).
    Clips of an emotion that the model does not know, as neutral for a model of five, are left out
    and counted; calm counts as neutral for a model without calm. A clip without an answer counts as
    wrong. Every recording counts once, however often it is there. The exit status is 1 if some
    could not be read.
    """
    _check_usage(paths, labels, pairs, split)
    _check_outputs(output, figures, overwrite)
    from serctl.cli.terminal.scores import print_scores
    from serctl.emotions import parse_emotions
    from serctl.engine.pipeline import classify_recordings
    from serctl.models.classifier import Classifier
    from serctl.models.loading import DEFAULT_MODEL, find_model, load_model
    from serctl.progress import progress
    from serctl.train.evaluation.labelled import recordings_of_split
    from serctl.train.robustness.overlap import training_warning

    folder = find_model(model or DEFAULT_MODEL)
    loaded = load_model(model or DEFAULT_MODEL)
    config = loaded.config
    chosen = parse_emotions(emotions, config.emotions) if emotions is not None else ()
    if split:
        clips = recordings_of_split(corpora, split, fold, seed, config.emotions, chosen)
    else:
        clips = _labelled(paths, labels, pairs, config, chosen)
    classifier = Classifier(loaded, ",".join(clips.emotions), device)
    classified = classify_recordings(clips.paths, classifier, workers)
    results = list(progress(classified, len(clips.paths), "Classifying", "clip"))
    scores, calibration = clips.score(results), clips.calibration(results)
    overlap = training_warning(clips.paths, folder, config)
    clips.warnings.extend([overlap] if overlap else [])
    # Written first, since whoever reads what is printed may go before the end.
    written = _write(clips, results, scores, calibration, config, output, figures)
    print_scores(scores, config.name, calibration)
    _print_remarks(clips, config)
    for line in written:
        click.echo(line)
    return _print_failures(results)


def _check_usage(
    paths: tuple[str, ...], labels: str, pairs: tuple[str, ...], split: str | None
) -> None:
    """Refuse what does not go together."""
    is_table = labels.lower().endswith(".csv")
    if not is_table and labels not in ("corpora", "folders"):
        raise UsageError(f"--labels {labels}: not corpora, nor folders, nor the name of a .csv.")
    if bool(paths) == bool(split) and (split or not is_table):
        raise click.UsageError("Give either PATHS or --split. --labels FILE.csv needs neither.")
    if split and (labels != "corpora" or pairs):
        raise click.UsageError("--split has labels of its own. Leave out --labels and --map.")
    if not split:
        options.refuse_useless(
            "corpora", "fold", "seed", because="says something with --split alone"
        )
    elif split == "report":
        options.refuse_useless("fold", because="report has no folds; --seed says which drawing")
    else:
        options.refuse_useless("seed", because=f"{split} tests the same clips whatever it is")


def _check_outputs(output: str | None, figures: str | None, overwrite: bool) -> None:
    """Refuse what could not be written, before any work is done; make the folder of figures."""
    if output is not None:
        from serctl.files.outputs import check_output, extension_of

        extension_of(output, (".json",))
        check_output(output, (".json",), overwrite)
    if figures is not None:
        from serctl.figures import check_picture
        from serctl.train.evaluation.figures import score_figures

        try:
            os.makedirs(figures, exist_ok=True)
        except OSError as error:
            raise ResultsError(
                f"{figures}: no folder, and cannot be made one ({error.strerror}). Give another."
            ) from error
        for picture in score_figures(Path(figures)):
            check_picture(str(picture), overwrite)


def _labelled(
    paths: tuple[str, ...],
    labels: str,
    pairs: tuple[str, ...],
    config: "ModelConfig",
    chosen: tuple[str, ...],
) -> "LabelledRecordings":
    """Recordings with labels from where --labels says."""
    from serctl.train.evaluation.label_names import parse_map
    from serctl.train.evaluation.label_table import labels_of_table
    from serctl.train.evaluation.labelled import known_recordings
    from serctl.train.evaluation.labels import labels_of_folders, labels_of_names

    names = parse_map(pairs)
    if labels == "corpora":
        found = labels_of_names(paths)
    elif labels == "folders":
        found = labels_of_folders(paths, names)
    else:
        found = labels_of_table(labels, paths, names)
    return known_recordings(found, names, config, chosen)


def _print_remarks(clips: "LabelledRecordings", config: "ModelConfig") -> None:
    """Say what was left out, how labels were understood, and what makes the figures mean less."""
    from serctl.text import count, printable

    click.echo()
    if len(clips.emotions) < len(config.emotions):
        click.echo(f"{config.name} chose between {', '.join(clips.emotions)} alone.")
    for note in clips.notes:
        click.echo(printable(note))
    for reason, n in clips.left_out.items():
        click.echo(f"Left out: {count(n, 'recording')}: {printable(reason)}.")
    for warning in clips.warnings:
        click.echo(f"Warning: {printable(warning)}", err=True)


def _write(
    clips: "LabelledRecordings",
    results: list["Result"],
    scores: "Scores",
    calibration: "Calibration",
    config: "ModelConfig",
    output: str | None,
    figures: str | None,
) -> list[str]:
    """Write what was asked for, everything as JSON, and figures; give lines that say where."""
    from serctl.text import printable

    written = []
    if output is not None:
        from serctl.files.outputs import atomic_write
        from serctl.train.evaluation.record import record_text

        text = record_text(config, clips, results, scores, calibration)
        with atomic_write(output) as aside, open(aside, "w", encoding="ascii") as file:
            file.write(text)
        written.append(f"Scores: {printable(output)}")
    if figures is not None:
        from serctl.train.evaluation.figures import draw_scores

        draw_scores(scores, calibration, f"{config.name}, {scores.n_clips} clips", Path(figures))
        written.append(f"Figures: {printable(figures)}")
    return written


def _print_failures(results: list["Result"]) -> int:
    """Name recordings that could not be read, and give the exit status."""
    from serctl.text import printable

    unread = [result for result in results if result.status in ("unreadable", "failed")]
    for result in unread[:MAX_FAILURES_SHOWN]:
        click.echo(f"{printable(result.path)}: {printable(result.reason)}", err=True)
    if len(unread) > MAX_FAILURES_SHOWN:
        click.echo(f"and {len(unread) - MAX_FAILURES_SHOWN} more", err=True)
    return 1 if unread else 0
