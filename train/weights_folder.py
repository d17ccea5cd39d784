"""The weights folder of a training: what it is asked for, what is in it, and when it is a model.

A finished folder holds ``model.safetensors``, ``config.json``, ``metrics.json``, ``card.md``,
``learning_curve.png`` and ``confusion_matrix.png``. While training runs, it holds a checkpoint, and
what a user has there is lost only if they said so.
"""

import json
import os
import platform
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

import serctl
from serctl.classifier import choose_device
from serctl.errors import ModelError, UsageError
from serctl.models import CONFIG_FILE, ModelConfig, save_model
from serctl.train.card import card_text
from serctl.train.figures import confusion_matrix, learning_curve
from serctl.train.loop import History
from serctl.train.recipe import Recipe
from serctl.train.scores import Scores
from serctl.train.splits import Split

CHECKPOINT_FILE = "checkpoint.pt"


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
        As `serctl.classifier.choose_device` takes it.
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


def prepare_output(folder: Path, checkpoint: Path, resume: bool) -> None:
    """Make the folder, without a model, and without a checkpoint unless it is to be resumed."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / CONFIG_FILE).unlink(missing_ok=True)
        if not resume:
            checkpoint.unlink(missing_ok=True)
    except OSError as error:
        raise ModelError(
            f"{folder}: {error.strerror}. Give a folder that can be written."
        ) from error


def write_weights(
    options: TrainingOptions,
    recipe: Recipe,
    config: ModelConfig,
    network: torch.nn.Module,
    history: History,
    split: Split,
    scores: Scores,
) -> None:
    """Write the weights folder; ``config.json`` makes it a model once the checkpoint is gone."""
    folder = options.output
    title = f"{config.name}, {options.split} split"
    title += f", seed {options.seed}" if options.split == "report" else f", fold {options.fold}"
    metrics = {
        "model": config.name,
        "command": command_line(options),
        "split": options.split,
        "fold": options.fold if options.split == "new-speakers" else None,
        "seed": options.seed,
        "n_train": len(split.train),
        "n_validation": len(split.validation),
        "temperature": config.temperature,
        "test": asdict(scores),
        "history": asdict(history),
        "recipe": asdict(recipe),
        "made_with": {
            "serctl": serctl.__version__,
            "torch": str(torch.__version__),
            "python": platform.python_version(),
            "device": choose_device(options.device).type,
        },
    }
    try:
        (folder / "metrics.json").write_text(json.dumps(metrics, indent=1) + "\n", "utf-8")
        (folder / "card.md").write_text(card_text(config, metrics), encoding="utf-8")
        learning_curve(history, title, folder / "learning_curve.png")
        confusion_matrix(scores, title, folder / "confusion_matrix.png")
        save_model(folder, config, network)
        os.unlink(folder / CHECKPOINT_FILE)
    except OSError as error:
        raise ModelError(
            f"{folder}: {error.strerror}. Make room; then --resume writes the model again."
        ) from error


def command_line(options: TrainingOptions) -> str:
    """Say the command that does the same; ``CORPORA`` stands for the folder of the corpora."""
    parts = ["serctl train --corpora CORPORA", f"--model {options.model}"]
    parts.append(f"--split {options.split}")
    if options.split == "new-speakers":
        parts.append(f"--fold {options.fold}")
    parts.append(f"--seed {options.seed}")
    if options.n_epochs is not None:
        parts.append(f"--epochs {options.n_epochs}")
    if options.device != "auto":
        parts.append(f"--device {options.device}")
    return " ".join(parts)
