"""The weights folder of a training: what it is asked for, what is in it, and when it is a model.

A finished folder holds ``model.safetensors``, ``config.json``, ``metrics.json``, ``card.md``,
``confusion_matrix.png``, ``test_logits.npz`` and, of a network that was trained step by step,
``learning_curve.png``. While training runs, it holds a checkpoint, and what a user has there is lost
only if they said so.
"""

import json
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

import serctl
from serctl.devices import choose_device
from serctl.errors import ModelError, UsageError
from serctl.graphs import GRAPHS
from serctl.models import CONFIG_FILE, Model, save_model
from serctl.train.card import card_text
from serctl.train.figures import confusion_matrix, learning_curve
from serctl.train.loop import History
from serctl.train.precision import precision_on
from serctl.train.recipe import Recipe
from serctl.train.recipe_files import tables_of
from serctl.train.scores import Scores
from serctl.train.splits import Split
from serctl.train.svm import CostSearch

LOGITS_FILE = "test_logits.npz"
LEARNING_CURVE_FILE = "learning_curve.png"


@dataclass(frozen=True)
class TrainingOptions:
    """What is trained, on what, and where to.

    Attributes
    ----------
    corpora : str
        Folder with the four complete corpora.
    model : str
        Whose recipe is followed.
    split : str
        One of `serctl.train.splits.SPLITS`.
    fold, seed : int
        Of the split and of everything random.
    n_epochs : int or None
        Instead of the recipe's.
    device : str
        As `serctl.devices.choose_device` takes it.
    output : Path
        The weights folder.
    resume, overwrite : bool
        Whether to go on from a checkpoint there, and whether to replace what is there.
    """

    corpora: str
    model: str
    split: str
    fold: int
    seed: int
    n_epochs: int | None
    device: str
    output: Path
    resume: bool
    overwrite: bool


@dataclass(frozen=True)
class TestedClips:
    """What a model heard in the clips of a test part.

    Attributes
    ----------
    clips : list of (str, str) [n]
        Corpus and name of each.
    speakers : list of str [n]
        Of each.
    emotions : tuple of str
        In the order of the logits.
    acted : int64 [n]
        Index of each clip's emotion.
    answered : bool [n]
        Whether users get an answer; a silent clip has none, and counts as wrong.
    logits : float32 [n, n_emotions]
        Before the temperature.
    """

    clips: list[tuple[str, str]]
    speakers: list[str]
    emotions: tuple[str, ...]
    acted: NDArray[np.int64]
    answered: NDArray[np.bool_]
    logits: NDArray[np.float32]

    def save(self, path: Path) -> None:
        """Write ``test_logits.npz``: a key for each attribute, and ``corpora`` for ``clips``' first."""
        np.savez_compressed(
            path,
            corpora=np.array([corpus for corpus, _ in self.clips]),
            clips=np.array([clip for _, clip in self.clips]),
            speakers=np.array(self.speakers),
            emotions=np.array(self.emotions),
            acted=self.acted,
            answered=self.answered,
            logits=self.logits,
        )


def has_folds(split: str) -> bool:
    """Whether a split is told apart by its fold, and not by its seed."""
    return split != "report"


def n_members(network: str) -> int:
    """How many networks learn apart to make one."""
    return getattr(GRAPHS[network], "N_MEMBERS", 1)


def checkpoint_files(folder: Path, network: str) -> list[Path]:
    """Where a training's checkpoints are: one for each member of the network."""
    others = [f"checkpoint-{i}.pt" for i in range(1, n_members(network))]
    return [folder / name for name in ("checkpoint.pt", *others)]


def refuse_loss(folder: Path, checkpoint: Path, resume: bool, overwrite: bool) -> None:
    """Raise UsageError if something in the folder would be lost that nobody said may be."""
    if overwrite:
        return
    if checkpoint.exists():  # also beside a model, if it was cut off while that was written
        if not resume:
            raise UsageError(
                f"{checkpoint}: there is a training that was cut off. --resume goes on with it, "
                "--overwrite begins anew."
            )
    elif (folder / CONFIG_FILE).exists():
        raise UsageError(
            f"{folder}: there is a model already. Give another folder, or --overwrite."
        )


def prepare_output(folder: Path, checkpoints: Sequence[Path], resume: bool) -> None:
    """Make the folder, without a model, and without checkpoints unless they are to be resumed."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / CONFIG_FILE).unlink(missing_ok=True)
        for checkpoint in () if resume else checkpoints:
            checkpoint.unlink(missing_ok=True)
    except OSError as error:
        raise ModelError(
            f"{folder}: {error.strerror}. Give a folder that can be written."
        ) from error


def write_weights(
    options: TrainingOptions,
    recipe: Recipe,
    model: Model,
    learnt: Sequence[History] | CostSearch,
    split: Split,
    tested: TestedClips,
    scores: Scores,
) -> None:
    """Write the weights folder; ``config.json`` makes it a model once the checkpoint is gone."""
    folder, config = options.output, model.config
    device = choose_device(options.device)
    where = f"fold {options.fold}" if has_folds(options.split) else f"seed {options.seed}"
    title = f"{config.name}, {options.split} split, {where}"
    metrics = {
        "model": config.name,
        "command": command_line(options),
        "split": options.split,
        "fold": options.fold if has_folds(options.split) else None,
        "seed": options.seed,
        "n_train": len(split.train),
        "n_validation": len(split.validation),
        "temperature": config.temperature,
        "test": asdict(scores),
        **(
            {"cost_search": asdict(learnt)}
            if isinstance(learnt, CostSearch)
            else {"histories": [asdict(history) for history in learnt]}
        ),
        "recipe": tables_of(recipe),
        "made_with": {
            "serctl": serctl.__version__,
            "torch": str(torch.__version__),
            "python": platform.python_version(),
            "device": device,
            **(
                {"precision": precision_on(torch.device(device), recipe.training.precision)}
                if recipe.training is not None
                else {}
            ),
        },
    }
    try:
        (folder / "metrics.json").write_text(json.dumps(metrics, indent=1) + "\n", "utf-8")
        (folder / "card.md").write_text(card_text(config, metrics), encoding="utf-8")
        if not isinstance(learnt, CostSearch):
            learning_curve(learnt, title, folder / LEARNING_CURVE_FILE)
        confusion_matrix(scores, title, folder / "confusion_matrix.png")
        tested.save(folder / LOGITS_FILE)
        save_model(folder, model)
        for checkpoint in checkpoint_files(folder, config.network):
            checkpoint.unlink(missing_ok=True)
    except OSError as error:
        raise ModelError(
            f"{folder}: {error.strerror}. Make room; then --resume writes the model again."
        ) from error


def command_line(options: TrainingOptions) -> str:
    """Say the command that does the same; ``CORPORA`` stands for the folder of the corpora."""
    parts = ["serctl train --corpora CORPORA", f"--model {options.model}"]
    parts.append(f"--split {options.split}")
    if has_folds(options.split):
        parts.append(f"--fold {options.fold}")
    parts.append(f"--seed {options.seed}")
    if options.n_epochs is not None:
        parts.append(f"--epochs {options.n_epochs}")
    if options.device != "auto":
        parts.append(f"--device {options.device}")
    return " ".join(parts)
