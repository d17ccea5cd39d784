"""One training on a user's own recordings, from paths to a weights folder.

`train_custom` checks labels, embeds every recording once, and fits a last layer: for each fold of a
cross-validation without the fold's recordings, which gives the figures and the temperature, and then
on all of them, which gives the model. Recordings that cannot be read are left out and named.
"""

import json
import platform
import shlex
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

import serctl
from serctl.errors import ModelError
from serctl.files.folders import lock_folder
from serctl.models.config import MAX_NAME_CHARACTERS
from serctl.models.encoder import ENCODER_FILE
from serctl.models.loading import Model, save_model
from serctl.text import printable
from serctl.train.custom.card import card_text
from serctl.train.custom.corpora import no_clips, read_clips
from serctl.train.custom.embeddings import Embedded, OnRecordings, embed_recordings
from serctl.train.custom.fitting import PENALTY, Fitting
from serctl.train.custom.folds import Folds, choose_folds, warnings_of
from serctl.train.custom.recordings import (
    DataOptions,
    OwnRecordings,
    check_labels,
    read_recordings,
)
from serctl.train.custom.start import DEFAULT_START, Start
from serctl.train.evaluation.figures import confusion_matrix
from serctl.train.evaluation.scores import Calibration, Scores
from serctl.train.robustness.overlap import TrainedModel, training_warning
from serctl.train.training.loop import fit_temperature
from serctl.train.training.weights_folder import (
    CONFUSION_MATRIX_FILE,
    METRICS_FILE,
    NAMEABLE_FILES,
    prepare_output,
    refuse_loss,
)

CHECKPOINT = "checkpoint.pt"  # of a training on the corpora, which may be there


@dataclass(frozen=True)
class CustomOptions:
    """What is trained, on what, and where to.

    Attributes
    ----------
    data : DataOptions
        The recordings and their labels.
    output : Path
        The weights folder.
    start : str
        A bundled model or a weights folder, as `Start` takes it.
    speech : str
        As `serctl.audio.windows.Windowing` takes it.
    corpora : str or None
        Folder of the four corpora, whose clips outside fold 0 train too.
    overwrite : bool
        Whether to replace a model there.
    """

    data: DataOptions
    output: Path
    start: str = DEFAULT_START
    speech: str = "auto"
    corpora: str | None = None
    overwrite: bool = False

    @property
    def command(self) -> str:
        """Command that trains the same model."""
        data = self.data
        words = ["serctl", "train", "--data", data.data]
        words += ["--labels", data.labels] if data.labels else []
        words += [word for pair in data.pairs for word in ("--map", pair)]
        words += ["--speaker-pattern", data.speaker_pattern] if data.speaker_pattern else []
        words += ["--start", self.start] if self.start != DEFAULT_START else []
        words += ["--speech", self.speech] if self.speech != "auto" else []
        words += ["--corpora", self.corpora] if self.corpora is not None else []
        return shlex.join([*words, "-o", str(self.output)])


@dataclass(frozen=True)
class Outcome:
    """What a training gave, beside the weights folder.

    Attributes
    ----------
    own : OwnRecordings
        Those that were used.
    folds : Folds
        Of the cross-validation.
    scores : Scores
        Of all recordings, each by a model that did not learn its fold.
    calibration : Calibration
        Of the same.
    before : Scores or None
        Of the model that it started from, of the same recordings; None if it does not know all labels.
    skipped : list of (str, str)
        Path and reason of each recording that could not be used.
    warnings : list of str
        What makes the figures mean less.
    """

    own: OwnRecordings
    folds: Folds
    scores: Scores
    calibration: Calibration
    before: Scores | None
    skipped: list[tuple[str, str]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def train_custom(options: CustomOptions, on_recordings: OnRecordings) -> Outcome:
    """Train a model on a user's recordings and write its weights folder.

    Parameters
    ----------
    options : CustomOptions
        What to train, and where to.
    on_recordings : callable
        Wraps the iterator over embedded recordings, as a progress bar does.

    Raises
    ------
    UsageError, LabelsError, NothingFoundError
        If data, labels or the model to start from are unusable; before any recording is decoded.
    CorporaError
        If the corpora are not there, whole.
    ModelError, ResultsError
        If a weights folder cannot be read or written.
    """
    start = Start(options.start)
    own = read_recordings(options.data)
    choose_folds(own)  # its errors come before the work
    refuse_loss(options.output, options.output / CHECKPOINT, False, options.overwrite)
    with lock_folder(options.output, *NAMEABLE_FILES):
        return _train(options, start, own, on_recordings)


def _train(
    options: CustomOptions, start: Start, own: OwnRecordings, on_recordings: OnRecordings
) -> Outcome:
    clips = no_clips()
    if options.corpora is not None:
        clips = read_clips(options.corpora, own.labels, start, on_recordings)
    embedded = embed_recordings(own.recordings, start, options.speech, on_recordings)
    own, embeddings, skipped = _usable(own, embedded)
    folds = choose_folds(own)
    fitting = Fitting(start, own, embeddings, clips)
    logits = fitting.held_out_logits(folds)
    temperature = fit_temperature(torch.from_numpy(logits), torch.from_numpy(fitting.references))
    model = start.with_head(
        _name(options.output), fitting.labels, fitting.head(), fitting.share, temperature
    )
    started = TrainedModel(start.model.config.name, start.folder, start.model.config)
    overlap = training_warning([one.path for one in own.recordings], started)
    outcome = Outcome(
        own,
        folds,
        fitting.scores(logits),
        fitting.calibration(logits / temperature),
        fitting.scores_before(),
        skipped,
        [*warnings_of(own, folds), *([overlap] if overlap else [])],
    )
    _write(options, model, outcome, start, fitting.share, clips.n)
    return outcome


def _usable(
    own: OwnRecordings, embedded: Sequence[Embedded]
) -> tuple[OwnRecordings, NDArray[np.float32], list[tuple[str, str]]]:
    """Recordings that have an embedding, their embeddings, and the others with their reasons."""
    recordings, embeddings, skipped = [], [], []
    for one, found in zip(own.recordings, embedded, strict=True):
        if found.embedding is None:
            skipped.append((one.path, found.reason))
        else:
            recordings.append(one)
            embeddings.append(found.embedding)
    own = replace(own, recordings=recordings)
    check_labels(own)
    return own, np.stack(embeddings), skipped


def _name(output: Path) -> str:
    """Name of the model: that of its folder, as ``config.json`` allows it."""
    return printable(output.resolve().name)[:MAX_NAME_CHARACTERS] or "model"


def _write(
    options: CustomOptions,
    model: Model,
    outcome: Outcome,
    start: Start,
    share: float,
    n_corpora: int,
) -> None:
    """Write the weights folder; ``config.json``, the last, makes it a model."""
    folder, config, own = options.output, model.config, outcome.own
    facts: dict[str, Any] = {
        "command": options.command,
        "start": start.model.config.name,
        "skipped": outcome.skipped,
        "warnings": outcome.warnings,
        "n_corpora": n_corpora,
    }
    figures = (outcome.scores, outcome.calibration, outcome.before)
    metrics = {
        "model": config.name,
        **facts,
        "start_sha256": start.model.config.sha256,
        "labels": Counter(one.name for one in own.recordings),
        "speakers": Counter(one.speaker for one in own.recordings),
        "speakers_from": own.speakers_from,
        "left_out": own.left_out,
        "folds": {"by": outcome.folds.by, "n": outcome.folds.n_folds},
        "penalty": PENALTY,
        "known_share": share,
        "temperature": config.temperature,
        "cross_validation": asdict(outcome.scores),
        "calibration": asdict(outcome.calibration),
        "before": None if outcome.before is None else asdict(outcome.before),
        "made_with": {"serctl": serctl.__version__, "python": platform.python_version()},
    }
    prepare_output(folder, [], resume=False)
    try:
        (folder / METRICS_FILE).write_text(json.dumps(metrics, indent=1) + "\n", "utf-8")
        text = card_text(config, own, outcome.folds, figures, facts)
        (folder / "card.md").write_text(text, encoding="utf-8")
        title = f"{config.name}, cross-validation, {outcome.folds}"
        confusion_matrix(outcome.scores, title, folder / CONFUSION_MATRIX_FILE)
        if (start.folder / ENCODER_FILE).exists():
            shutil.copyfile(start.folder / ENCODER_FILE, folder / ENCODER_FILE)
        save_model(folder, model)
    except OSError as error:
        raise ModelError(f"{folder}: {error.strerror}. Make room, and train again.") from error
