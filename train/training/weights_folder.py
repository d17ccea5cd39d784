"""The weights folder of a training: its options, its files, and when it is a model.

A finished folder holds ``model.safetensors``, ``config.json``, ``metrics.json``, ``card.md``,
``confusion_matrix.png``, ``test_logits.npz`` and, of a network that was trained step by step,
``learning_curve.png``. While training runs, it holds a checkpoint. Files of a user are replaced only
with ``--overwrite``.
"""

import json
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

import serctl
from serctl.errors import ModelError, UsageError
from serctl.models.config import CONFIG_FILE
from serctl.models.devices import choose_device
from serctl.models.loading import Model, save_model
from serctl.models.networks import NETWORKS
from serctl.train.corpora.splits import Split
from serctl.train.documents.card import card_text
from serctl.train.evaluation.figures import confusion_matrix, learning_curve
from serctl.train.evaluation.held_out_logits import LOGITS_FILE, HeldOutLogits
from serctl.train.evaluation.history import History
from serctl.train.evaluation.scores import Scores
from serctl.train.recipes.loading import tables_of
from serctl.train.recipes.schema import Recipe
from serctl.train.training.precision import precision_on
from serctl.train.training.svm import CostSearch

LEARNING_CURVE_FILE = "learning_curve.png"
CONFUSION_MATRIX_FILE = "confusion_matrix.png"
METRICS_FILE = "metrics.json"
# Other commands may name these as their output.
NAMEABLE_FILES = (CONFIG_FILE, METRICS_FILE, LEARNING_CURVE_FILE, CONFUSION_MATRIX_FILE)


@dataclass(frozen=True)
class TrainingOptions:
    """What is trained, on what, and where to.

    Attributes
    ----------
    corpora : str
        Folder with the four complete corpora.
    model : str
        Name of the recipe.
    split : str
        One of `serctl.train.corpora.splits.SPLITS`.
    fold, seed : int
        Of the split, and the random seed.
    n_epochs : int or None
        Instead of the recipe's.
    device : str
        As `serctl.models.devices.choose_device` takes it.
    output : Path
        The weights folder.
    resume, overwrite : bool
        Whether to resume from a checkpoint there, and whether to replace a model there.
    encoder : Path or None
        Of a network with an encoder: Hugging Face's safetensors of a Whisper model, instead of the
        bundled encoder.
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
    encoder: Path | None = None


def has_folds(split: str) -> bool:
    """Whether a split has folds; ``report`` has seeds."""
    return split != "report"


def n_members(network: str) -> int:
    """Number of members that are trained independently."""
    return NETWORKS[network].n_members


def checkpoint_files(folder: Path, network: str) -> list[Path]:
    """Where a training's checkpoints are: one for each member of the network."""
    others = [f"checkpoint-{i}.pt" for i in range(1, n_members(network))]
    return [folder / name for name in ("checkpoint.pt", *others)]


def refuse_loss(folder: Path, checkpoint: Path, resume: bool, overwrite: bool) -> None:
    """Raise UsageError if a model or a checkpoint would be lost without ``--overwrite``."""
    if overwrite:
        return
    if checkpoint.exists():  # also beside a model, if it was cut off while that was written
        if not resume:
            raise UsageError(
                f"{checkpoint}: checkpoint of an interrupted training. --resume continues it, "
                "--overwrite starts anew."
            )
    elif (folder / CONFIG_FILE).exists():
        raise UsageError(f"{folder}: contains a model. Give another folder, or --overwrite.")


def prepare_output(folder: Path, checkpoints: Sequence[Path], resume: bool) -> None:
    """Take a model out of the folder, and checkpoints unless they are to be resumed."""
    try:
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
    fitted: Sequence[History] | CostSearch,
    split: Split,
    held_out: HeldOutLogits,
    scores: Scores,
) -> None:
    """Write the weights folder; ``config.json`` makes it a model once the checkpoint is gone."""
    folder, config = options.output, model.config
    device = choose_device(options.device)
    where = f"fold {options.fold}" if has_folds(options.split) else f"seed {options.seed}"
    title = f"{config.name}, {options.split} split, {where}"
    metrics: dict[str, Any] = {
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
            {"cost_search": asdict(fitted)}
            if isinstance(fitted, CostSearch)
            else {"histories": [asdict(history) for history in fitted]}
        ),
        "recipe": tables_of(recipe),
        "made_with": {
            "serctl": serctl.__version__,
            "torch": str(torch.__version__),
            "python": platform.python_version(),
            "device": device,
        },
    }
    if recipe.training is not None:
        precision = precision_on(torch.device(device), recipe.training.precision)
        metrics["made_with"]["precision"] = precision
    try:
        (folder / METRICS_FILE).write_text(json.dumps(metrics, indent=1) + "\n", "utf-8")
        (folder / "card.md").write_text(card_text(config, metrics), encoding="utf-8")
        if not isinstance(fitted, CostSearch):
            learning_curve(fitted, title, folder / LEARNING_CURVE_FILE)
        confusion_matrix(scores, title, folder / CONFUSION_MATRIX_FILE)
        held_out.save(folder / LOGITS_FILE)
        save_model(folder, model)
        for checkpoint in checkpoint_files(folder, config.network):
            checkpoint.unlink(missing_ok=True)
    except OSError as error:
        raise ModelError(
            f"{folder}: {error.strerror}. Make room; then --resume writes the model again."
        ) from error


def command_line(options: TrainingOptions) -> str:
    """Command that trains the same model; ``CORPORA`` stands for the folder of the corpora."""
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
