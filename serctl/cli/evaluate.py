"""``serctl evaluate``: score a model on labelled recordings."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

import click

from serctl.cli import options
from serctl.cli.evaluate_options import (
    LABELS,
    MODELS,
    OUTPUTS,
    SPLIT,
    LabelOptions,
    ModelsOptions,
    ScoreOutputs,
)
from serctl.cli.finding import Finder
from serctl.errors import UsageError

if TYPE_CHECKING:
    from serctl.engine.workers.messages import Request
    from serctl.train.evaluation.labelled import LabelledRecordings
    from serctl.train.evaluation.record import Evaluation
    from serctl.train.evaluation.statistics.comparison import Difference
    from serctl.train.robustness.overlap import TrainedModel

MAX_FAILURES_SHOWN = 10

EXAMPLES = """\b
Examples:
  serctl evaluate ./corpora/RAVDESS
  serctl evaluate ./data --labels folders --map joy=happy --map boredom=-
  serctl evaluate --labels labels.csv -o scores.json -o predictions.csv --figures figures
  serctl evaluate ./data --labels folders --model cnn --model whisper
  serctl evaluate --corpora ./corpora --split new-speakers --fold 0
"""


@click.command(epilog=EXAMPLES)
@click.argument("paths", nargs=-1)
@options.SELECTION
@LABELS
@SPLIT
@MODELS
@OUTPUTS
@options.WORKERS
@options.TIMEOUT
def evaluate(
    paths: tuple[str, ...],
    selection: options.SelectionOptions,
    labelling: LabelOptions,
    split: options.SplitOptions,
    chosen: ModelsOptions,
    written: ScoreOutputs,
    workers: int | None,
    timeout: float | None,
) -> int:
    """Score models on labelled recordings.

    PATHS are recordings and folders. With --labels corpora, labels come from the file names of
    CREMA-D, RAVDESS, SAVEE, TESS, JL-Corpus, EmoDB and more public corpora. With --labels folders,
    the label is the nearest folder that is named after an emotion. A table has a header with the
    columns path and emotion and, optionally, speaker, corpus, fold and split. Its paths are
    relative to PATHS or to its own folder; of its split, only the part test is scored.

    Labels are the names of emotions, in any case, and forms of the same words (anger, happiness).
    Recordings of an emotion that the model does not know are skipped and counted; calm counts as
    neutral for a model without calm. A recording without a prediction counts as wrong. Duplicates
    count once. The exit status is 1 if recordings or folders could not be read.

    Intervals are 95%, over clips, and over speakers if all are known. Several models are scored on
    the same clips, of the emotions that all know, and their differences have intervals and p values.
    """
    from serctl.audio.scan import check_paths
    from serctl.files.outputs import lock_outputs

    listed = selection.listed()
    _check_usage(paths or tuple(listed), labelling, split.split)
    check_paths(paths)
    models = chosen.load()
    n_models = len(models)
    written.check(n_models)
    click.get_current_context().with_resource(lock_outputs(*written.paths(n_models)))
    from serctl.cli.terminal.paired import print_comparison
    from serctl.cli.terminal.scores import print_scores
    from serctl.engine.workers.messages import Request
    from serctl.files.objects import refuse_remote
    from serctl.train.evaluation.statistics.intervals import cautions
    from serctl.train.robustness.overlap import training_warning

    finder = Finder(paths, selection, listed)
    refuse_remote(finder.named, "serctl evaluate")
    clips = _labelled(finder, labelling, split, models, chosen.emotions)
    request = Request(device=chosen.device, workers=workers, speech="off", timeout_s=timeout)
    evaluations = [_evaluate(one, clips, request, n_models) for one in models]
    differences = _compare(evaluations, clips)
    clips.warnings.extend(cautions(clips.references, clips.speakers))
    clips.warnings.extend(filter(None, (training_warning(clips.paths, one) for one in models)))
    # Files first, since the reader of standard output may close it before the end.
    lines = _write(clips, evaluations, differences, written)
    if n_models > 1:
        print_comparison(evaluations, differences)
    else:
        (one,) = evaluations
        print_scores(one.scores, one.name, one.calibration, one.intervals)
    _print_notes(clips, models)
    for line in lines:
        click.echo(line)
    options.warn_unlisted(finder.unlisted)
    return 1 if _print_failures(evaluations) or finder.unlisted else 0


def _evaluate(
    model: "TrainedModel",
    clips: "LabelledRecordings",
    request: "Request",
    n_models: int,
) -> "Evaluation":
    """Classify recordings with a model, and score the results."""
    from serctl.engine.workers.isolated import classify_isolated
    from serctl.progress import progress
    from serctl.train.evaluation.record import evaluation_of

    what = f"Classifying with {model.name}" if n_models > 1 else "Classifying"
    request = replace(request, model=str(model.folder), emotions=",".join(clips.emotions))
    with classify_isolated(request, clips.paths) as classified:
        results = list(progress(classified, len(clips.paths), what, "clip"))
    return evaluation_of(model.name, model.config, clips, results)


def _compare(
    evaluations: Sequence["Evaluation"], clips: "LabelledRecordings"
) -> list["Difference"]:
    """Compare each two of the models."""
    from serctl.train.evaluation.statistics.comparison import compare

    return [
        compare((a.name, b.name), clips.references, (a.predictions, b.predictions), clips.speakers)
        for a, b in combinations(evaluations, 2)
    ]


def _check_usage(paths: tuple[str, ...], labelling: LabelOptions, split: str | None) -> None:
    """Refuse options that contradict each other."""
    labels, pairs = labelling.labels, labelling.pairs
    is_table = labels.lower().endswith(".csv")
    if not is_table and labels not in ("corpora", "folders"):
        raise UsageError(f"--labels {labels}: use corpora, folders or the path of a .csv file.")
    if bool(paths) == bool(split) and (split or not is_table):
        raise click.UsageError(
            "Use either PATHS or --split; with --labels FILE.csv, both are optional."
        )
    if split and (labels != "corpora" or pairs):
        raise click.UsageError("--split has its own labels. Remove --labels and --map.")
    if not split:
        options.refuse_unused("corpora", "fold", "seed", because="needs --split")
    elif split == "report":
        options.refuse_unused("fold", because="the split report has no folds, only --seed")
    else:
        options.refuse_unused("seed", because=f"the split {split} is not random")
    if split:
        selected = ("include", "exclude", "files_from", "zero", "follow_symlinks")
        options.refuse_unused(*selected, because="has no effect with --split")


def _labelled(
    finder: Finder,
    labelling: LabelOptions,
    split: options.SplitOptions,
    models: Sequence["TrainedModel"],
    emotions: str | None,
) -> "LabelledRecordings":
    """Recordings that all models can be scored on, with labels from the source that was chosen."""
    from serctl.emotions import parse_emotions
    from serctl.train.evaluation.label_names import parse_map
    from serctl.train.evaluation.label_table import labels_of_table
    from serctl.train.evaluation.labelled import known_recordings, recordings_of_split
    from serctl.train.evaluation.labels import labels_of_folders, labels_of_names

    first, *others = (model.config.emotions for model in models)
    known = [one for one in first if all(one in other for other in others)]
    who = models[0].name
    if others:
        who = f"one of {', '.join(model.name for model in models)}"
        if len(known) < 2:
            raise UsageError(
                f"{who} does not know what others know: {', '.join(known) or 'no emotion'} is all "
                "that they have in common; at least two emotions are needed. Compare other models."
            )
    wanted = parse_emotions(emotions, known) if emotions is not None else ()
    if split.split:
        return recordings_of_split(
            split.corpora, split.split, split.fold, split.seed, known, wanted
        )
    names = parse_map(labelling.pairs, known)
    if labelling.labels == "corpora":
        found = labels_of_names(finder.named, finder)
    elif labelling.labels == "folders":
        found = labels_of_folders(finder.named, names, finder)
    else:
        found = labels_of_table(labelling.labels, finder.named, names, finder)
    return known_recordings(found, names, known, wanted, who)


def _print_notes(clips: "LabelledRecordings", models: Sequence["TrainedModel"]) -> None:
    """Print how labels were read, what was skipped, and warnings about the scores."""
    from serctl.text import count, printable

    click.echo()
    limited = [one.name for one in models if len(clips.emotions) < len(one.config.emotions)]
    if limited:
        click.echo(f"{', '.join(limited)} chose between {', '.join(clips.emotions)} only.")
    for note in clips.notes:
        click.echo(printable(note))
    for reason, n in clips.left_out.items():
        click.echo(f"Left out: {count(n, 'recording')}: {printable(reason)}.")
    for warning in clips.warnings:
        click.echo(f"Warning: {printable(warning)}", err=True)


def _write(
    clips: "LabelledRecordings",
    evaluations: Sequence["Evaluation"],
    differences: Sequence["Difference"],
    written: ScoreOutputs,
) -> list[str]:
    """Write the files and the figures; return a line for each."""
    from serctl.files.outputs import atomic_write
    from serctl.text import printable
    from serctl.train.evaluation.record import predictions_text, record_text

    lines = []
    for output in written.outputs:
        if output.lower().endswith(".csv"):
            what, text = "Predictions", predictions_text(clips, evaluations)
        else:
            what, text = "Scores", record_text(clips, evaluations, differences)
        with atomic_write(output) as partial, open(partial, "wb") as file:
            file.write(text.encode("utf-8", "surrogateescape"))
        lines.append(f"{what}: {printable(output)}")
    if written.figures is not None:
        from serctl.train.evaluation.figures import draw_scores
        from serctl.train.evaluation.statistics.figure import write_comparison

        folder = Path(written.figures)
        if differences:
            write_comparison(evaluations, differences, folder)
        else:
            (one,) = evaluations
            title = f"{one.name}, {one.scores.n_clips} clips"
            draw_scores(one.scores, one.calibration, title, folder)
        lines.append(f"Figures: {printable(written.figures)}")
    return lines


def _print_failures(evaluations: Sequence["Evaluation"]) -> bool:
    """Print the recordings that could not be read; return whether there are any."""
    from serctl.text import printable

    unread = {
        result.path: result.reason
        for evaluation in evaluations
        for result in evaluation.results
        if result.status in ("unreadable", "failed")
    }
    for path, reason in list(unread.items())[:MAX_FAILURES_SHOWN]:
        click.echo(f"{printable(path)}: {printable(reason)}", err=True)
    if len(unread) > MAX_FAILURES_SHOWN:
        click.echo(f"and {len(unread) - MAX_FAILURES_SHOWN} more", err=True)
    return bool(unread)
