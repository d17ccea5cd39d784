"""``serctl evaluate``: score a model on labelled recordings."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from serctl.cli import options
from serctl.cli.evaluate_options import LABELS, OUTPUTS, SPLIT, LabelOptions, ScoreOutputs
from serctl.errors import ResultsError, RunError, UsageError

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
@options.SELECTION
@LABELS
@SPLIT
@options.MODEL
@OUTPUTS
@options.WORKERS
@options.TIMEOUT
def evaluate(
    paths: tuple[str, ...],
    selection: options.SelectionOptions,
    labelling: LabelOptions,
    split: options.SplitOptions,
    model: options.ModelOptions,
    outputs: ScoreOutputs,
    workers: int | None,
    timeout: float | None,
) -> int:
    """Score a model on labelled recordings.

    PATHS are recordings and folders. With --labels corpora, labels come from the file names of
    CREMA-D, RAVDESS, SAVEE, TESS and JL-Corpus. With --labels folders, the label is the nearest
    folder that is named after an emotion. A table has a header with the columns path and emotion
    and, optionally, speaker, corpus and split. Its paths are relative to PATHS or to its own
    folder; of its split, only the part test is scored.

    Labels are the names of emotions, in any case, and forms of the same words (anger, happiness).
    Recordings of an emotion that the model does not know are skipped and counted; calm counts as
    neutral for a model without calm. A recording without a prediction counts as wrong. Duplicates
    count once. The exit status is 1 if recordings or folders could not be read.
    """
    from serctl.files.outputs import lock_outputs

    listed = selection.listed()
    _check_usage(paths or tuple(listed), labelling, split.split)
    _check_outputs(outputs)
    click.get_current_context().with_resource(lock_outputs(*_output_paths(outputs)))
    from serctl.cli.terminal.scores import print_scores
    from serctl.emotions import parse_emotions
    from serctl.engine.isolated import classify_isolated
    from serctl.engine.messages import Request
    from serctl.models.loading import DEFAULT_MODEL, find_model, load_model
    from serctl.progress import progress
    from serctl.train.evaluation.labelled import recordings_of_split
    from serctl.train.robustness.overlap import training_warning

    folder = find_model(model.model or DEFAULT_MODEL)
    loaded = load_model(model.model or DEFAULT_MODEL)
    config = loaded.config
    chosen = parse_emotions(model.emotions, config.emotions) if model.emotions is not None else ()
    finder = _Finder(paths, selection, listed)
    if split.split:
        clips = recordings_of_split(
            split.corpora, split.split, split.fold, split.seed, config.emotions, chosen
        )
    else:
        clips = _labelled(finder, labelling, config, chosen)
    request = Request(
        model.model,
        ",".join(clips.emotions),
        model.device,
        workers=workers,
        speech="off",
        timeout_s=timeout,
    )
    with classify_isolated(request, clips.paths) as classified:
        results = list(progress(classified, len(clips.paths), "Classifying", "clip"))
    scores, calibration = clips.score(results), clips.calibration(results)
    overlap = training_warning(clips.paths, folder, config)
    clips.warnings.extend([overlap] if overlap else [])
    # Files first, since the reader of standard output may close it before the end.
    written = _write(clips, results, scores, calibration, config, outputs)
    print_scores(scores, config.name, calibration)
    _print_notes(clips, config)
    for line in written:
        click.echo(line)
    options.warn_unlisted(finder.unlisted)
    return 1 if _print_failures(results) or finder.unlisted else 0


class _Finder:
    """Finds recordings, for the functions that label them, and keeps the folders not listed."""

    def __init__(
        self, paths: tuple[str, ...], selection: options.SelectionOptions, listed: list[str]
    ) -> None:
        self.named = (*paths, *listed)  # a listed path is no glob, and need not exist
        self._paths, self._selection, self._listed = paths, selection.selection, listed
        self.unlisted: list[RunError] = []

    def __call__(self, paths: Sequence[str]) -> list[str]:
        from serctl.audio.scan import scan

        return scan(self._paths, self._selection, self.unlisted.append, self._listed)


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


def _check_outputs(outputs: ScoreOutputs) -> None:
    """Refuse outputs that cannot be written, before any work; create the folder of figures."""
    output, figures, overwrite = outputs.output, outputs.figures, outputs.overwrite
    if output is not None:
        from serctl.files.outputs import check_output, extension_of

        extension_of(output, (".json",))
        check_output(output, (".json",), overwrite)
    if figures is not None:
        from serctl.figures import check_figure
        from serctl.train.evaluation.figures import score_figures

        try:
            os.makedirs(figures, exist_ok=True)
        except OSError as error:
            raise ResultsError(
                f"{figures}: cannot be created as a folder ({error.strerror}). Choose another."
            ) from error
        for figure in score_figures(Path(figures)):
            check_figure(figure, overwrite)


def _output_paths(outputs: ScoreOutputs) -> list[str]:
    """Every file that will be written."""
    paths = [] if outputs.output is None else [outputs.output]
    if outputs.figures is not None:
        from serctl.train.evaluation.figures import score_figures

        paths += map(str, score_figures(Path(outputs.figures)))
    return paths


def _labelled(
    finder: _Finder,
    labelling: LabelOptions,
    config: "ModelConfig",
    chosen: tuple[str, ...],
) -> "LabelledRecordings":
    """Recordings with labels from the source that --labels selects."""
    from serctl.train.evaluation.label_names import parse_map
    from serctl.train.evaluation.label_table import labels_of_table
    from serctl.train.evaluation.labelled import known_recordings
    from serctl.train.evaluation.labels import labels_of_folders, labels_of_names

    names = parse_map(labelling.pairs)
    if labelling.labels == "corpora":
        found = labels_of_names(finder.named, finder)
    elif labelling.labels == "folders":
        found = labels_of_folders(finder.named, names, finder)
    else:
        found = labels_of_table(labelling.labels, finder.named, names, finder)
    return known_recordings(found, names, config, chosen)


def _print_notes(clips: "LabelledRecordings", config: "ModelConfig") -> None:
    """Print how labels were read, what was skipped, and warnings about the scores."""
    from serctl.text import count, printable

    click.echo()
    if len(clips.emotions) < len(config.emotions):
        click.echo(f"{config.name} chose between {', '.join(clips.emotions)} only.")
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
    outputs: ScoreOutputs,
) -> list[str]:
    """Write the JSON file and the figures; return a line for each."""
    from serctl.text import printable

    output, figures = outputs.output, outputs.figures
    written = []
    if output is not None:
        from serctl.files.outputs import atomic_write
        from serctl.train.evaluation.record import record_text

        text = record_text(config, clips, results, scores, calibration)
        with atomic_write(output) as partial, open(partial, "w", encoding="ascii") as file:
            file.write(text)
        written.append(f"Scores: {printable(output)}")
    if figures is not None:
        from serctl.train.evaluation.figures import draw_scores

        draw_scores(scores, calibration, f"{config.name}, {scores.n_clips} clips", Path(figures))
        written.append(f"Figures: {printable(figures)}")
    return written


def _print_failures(results: list["Result"]) -> bool:
    """Print the recordings that could not be read; return whether there are any."""
    from serctl.text import printable

    unread = [result for result in results if result.status in ("unreadable", "failed")]
    for result in unread[:MAX_FAILURES_SHOWN]:
        click.echo(f"{printable(result.path)}: {printable(result.reason)}", err=True)
    if len(unread) > MAX_FAILURES_SHOWN:
        click.echo(f"and {len(unread) - MAX_FAILURES_SHOWN} more", err=True)
    return bool(unread)
