"""The training loop: epochs, validation, early stopping, checkpoints.

On the CPU, `Training.fit` gives the same weights bit for bit for the same data, recipe, seed and
number of threads, also when it was killed and resumed: a checkpoint, written aside and renamed
after every epoch, holds the network, its running mean, the optimiser, the random state and what
early stopping knows.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from serctl.errors import RunError
from serctl.train.recipe import TrainingRecipe


@dataclass
class Epoch:
    """What one epoch gave: mean training loss, in nats, and accuracies in [0, 1] or losses."""

    train_loss: float
    validation_loss: float
    validation_accuracy: float


@dataclass
class History:
    """What training gave.

    Attributes
    ----------
    epochs : list of Epoch
        All that ran.
    best_epoch : int
        The one whose weights are kept, from 0.
    """

    epochs: list[Epoch] = field(default_factory=list)
    best_epoch: int = -1

    @property
    def best_accuracy(self) -> float:
        """Validation accuracy of the epoch that is kept."""
        return self.epochs[self.best_epoch].validation_accuracy if self.epochs else -1.0


@dataclass(frozen=True)
class LabelledClips:
    """Inputs of a network, float32 [n, ...], and the index of each one's emotion, int64 [n]."""

    inputs: Tensor
    labels: Tensor

    def to(self, device: torch.device) -> "LabelledClips":
        """Copy on a device."""
        return LabelledClips(self.inputs.to(device), self.labels.to(device))


class Training:
    """A network in training.

    Parameters
    ----------
    build : callable
        Makes the network, with random weights.
    recipe : TrainingRecipe
        How it is trained.
    seed : int
        Of the first weights and of the order of the clips.
    device : torch.device
        Where it is trained.
    train, validation : LabelledClips
        To learn from, and to stop by.
    """

    def __init__(
        self,
        build: Callable[[], nn.Module],
        recipe: TrainingRecipe,
        seed: int,
        device: torch.device,
        train: LabelledClips,
        validation: LabelledClips,
    ) -> None:
        torch.manual_seed(seed)
        self.recipe = recipe
        self.device = device
        self.train, self.validation = train.to(device), validation.to(device)
        self.network = build().to(device)
        self.mean = AveragedModel(
            self.network, multi_avg_fn=get_ema_multi_avg_fn(recipe.ema_decay), use_buffers=True
        )
        self.optimiser = torch.optim.AdamW(
            self.network.parameters(), recipe.learning_rate, weight_decay=recipe.weight_decay
        )
        self.random = torch.get_rng_state()  # to begin with, whatever else draws before `fit`
        self.history = History()
        self.best: dict[str, Tensor] = {}

    def fit(
        self,
        checkpoint: Path,
        identity: dict[str, Any],
        resume: bool,
        on_epoch: Callable[[History], None],
    ) -> nn.Module:
        """Train to the end, and return the network of the best epoch, on the CPU.

        Parameters
        ----------
        checkpoint : Path
            File to write after every epoch.
        identity : dict
            What makes this training what it is: names to text or numbers. A checkpoint of another
            is refused.
        resume : bool
            Whether to begin from ``checkpoint``, if it is there.
        on_epoch : callable
            Called with the history after every epoch, once before the first that is run.

        Raises
        ------
        RunError
            If the checkpoint is of another training, or cannot be read or written.
        """
        if resume and checkpoint.exists():
            self._load(checkpoint, identity)
        on_epoch(self.history)
        torch.set_rng_state(self.random)
        history, recipe = self.history, self.recipe
        while (
            len(history.epochs) < recipe.n_epochs
            and len(history.epochs) - 1 - history.best_epoch < recipe.patience
        ):
            train_loss = self._learn()
            loss, accuracy = self._validate()
            better = accuracy > history.best_accuracy
            history.epochs.append(Epoch(train_loss, loss, accuracy))
            if better:
                history.best_epoch = len(history.epochs) - 1
                state = self.mean.module.state_dict()
                self.best = {key: tensor.cpu().clone() for key, tensor in state.items()}
            self._save(checkpoint, identity)
            on_epoch(history)
        network = self.network.cpu()
        network.load_state_dict(self.best)
        return network.eval()

    def _learn(self) -> float:
        """One epoch over the training clips; mean loss."""
        self.network.train()
        n_clips, total = len(self.train.labels), 0.0
        order = torch.randperm(n_clips).to(self.device)
        for rows in order.split(self.recipe.batch_size):
            inputs = self.train.inputs[rows]
            # Drawn on the CPU, whose random state the checkpoint holds.
            noise = self.recipe.noise * torch.randn(inputs.shape).to(self.device)
            logits = self.network(inputs + noise)
            loss = cross_entropy(logits, self.train.labels[rows])
            self.optimiser.zero_grad()
            loss.backward()
            self.optimiser.step()
            self.mean.update_parameters(self.network)
            total += loss.item() * len(rows)
        return total / n_clips

    def _validate(self) -> tuple[float, float]:
        """Loss and accuracy of the running mean on the validation clips."""
        self.mean.eval()
        with torch.inference_mode():
            logits = self.mean(self.validation.inputs)
            loss = cross_entropy(logits, self.validation.labels).item()
            right = (logits.argmax(dim=1) == self.validation.labels).float().mean().item()
        return loss, right

    def _save(self, path: Path, identity: dict[str, Any]) -> None:
        state = {
            "identity": identity,
            "network": self.network.state_dict(),
            "mean": self.mean.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "random": torch.get_rng_state(),
            "best": self.best,
            "best_epoch": self.history.best_epoch,
            "epochs": [vars(epoch) for epoch in self.history.epochs],
        }
        part = path.with_name(path.name + ".part")
        try:
            torch.save(state, part)
            os.replace(part, path)
        except (OSError, RuntimeError) as error:  # torch wraps a full disk in RuntimeError
            raise RunError(f"{path}: the checkpoint could not be written ({error}).") from error

    def _load(self, path: Path, identity: dict[str, Any]) -> None:
        try:
            state = torch.load(path, map_location="cpu", weights_only=True)
            found = state["identity"]
        except Exception as error:
            raise RunError(
                f"{path}: not a checkpoint that can be read ({type(error).__name__}). Train from "
                "the beginning, with --overwrite and without --resume."
            ) from error
        for key, value in identity.items():
            if found.get(key) != value:
                raise RunError(
                    f"{path}: is of a training with {key} {found.get(key)}, this one has {value}. "
                    "Give the same options, or train from the beginning with --overwrite."
                )
        self.network.load_state_dict(state["network"])
        self.mean.load_state_dict(state["mean"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.random = state["random"]
        self.best = state["best"]
        self.history = History([Epoch(**epoch) for epoch in state["epochs"]], state["best_epoch"])


def fit_temperature(logits: Tensor, labels: Tensor) -> float:
    """Temperature that calibrates logits best (Guo et al. 2017).

    Parameters
    ----------
    logits : float [n, n_emotions]
        Of validation clips.
    labels : int64 [n]
        Their emotions.

    Returns
    -------
    float
        Of 1000 from 0.1 to 10, evenly spaced in the logarithm, the one of least cross-entropy.
    """
    logits = logits.double()
    candidates = np.geomspace(0.1, 10, 1000)
    losses = [cross_entropy(logits / t, labels).item() for t in candidates]
    return float(candidates[int(np.argmin(losses))])
