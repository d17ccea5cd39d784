"""The training loop: epochs, validation, early stopping, checkpoints.

On the CPU, `Training.fit` gives the same weights bit for bit for the same data, recipe, seed,
precision (`serctl.train.training.precision`) and number of threads, also when it was killed and
resumed: a checkpoint, written aside and renamed after every epoch, holds the network, its running
mean, the optimisers, the random state and the history.
"""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.nn.utils import clip_grad_norm_
from torch.optim import AdamW, Optimizer
from torch.optim.lr_scheduler import OneCycleLR
from torch.optim.swa_utils import AveragedModel

from serctl.errors import CheckpointError, RunError
from serctl.train.data.batches import TrainingDataset, ValidationDataset
from serctl.train.evaluation.history import Epoch, History
from serctl.train.recipes.schema import MuonRecipe, TrainingRecipe
from serctl.train.training.auxiliary_heads import (
    WithAuxiliaryHeads,
    auxiliary_loss,
    distillation_loss,
)
from serctl.train.training.muon import KernelMuon, kernels_of
from serctl.train.training.optimisation import one_cycle, running_mean, weight_groups
from serctl.train.training.precision import precision_on


def _random_states(device: torch.device) -> list[Tensor]:
    """States of the generators that a training on a device draws from."""
    states = [torch.get_rng_state()]
    if device.type == "cuda":  # dropout draws there
        states.append(torch.cuda.get_rng_state(device))
    return states


def _set_random_states(states: list[Tensor], device: torch.device) -> None:
    torch.set_rng_state(states[0])
    if device.type == "cuda":
        torch.cuda.set_rng_state(states[1], device)


class Training:
    """A network in training.

    Parameters
    ----------
    build : callable
        Builds the network, with random weights.
    recipe : TrainingRecipe
        How it is trained.
    seed : int
        Random seed of the initial weights and of all draws.
    device : torch.device
        Where it is trained.
    train : TrainingDataset
        Training data.
    validation : ValidationDataset
        Validation data.
    auxiliary_weights : mapping of str to float, optional
        Weight in the loss of each of ``train.n_auxiliary`` and ``train.n_distilled``, beside 1 for
        the emotion. None by default.
    muon : MuonRecipe, optional
        For convolutions. AdamW trains all, by default.
    """

    def __init__(
        self,
        build: Callable[[], nn.Module],
        recipe: TrainingRecipe,
        seed: int,
        device: torch.device,
        train: TrainingDataset,
        validation: ValidationDataset,
        auxiliary_weights: Mapping[str, float] | None = None,
        muon: MuonRecipe | None = None,
    ) -> None:
        torch.manual_seed(seed)
        self.recipe = recipe
        self.device = device
        self.train, self.validation = train, validation
        self.auxiliary_weights = auxiliary_weights or {}
        self.precision = precision_on(device, recipe.precision)
        in_bfloat16 = self.precision == "bfloat16"
        self.autocast = torch.autocast(device.type, torch.bfloat16, enabled=in_bfloat16)
        self.network = build()
        self.learner = self.network
        if train.n_auxiliary or train.n_distilled:
            self.learner = WithAuxiliaryHeads(self.network, train.n_auxiliary, train.n_distilled)
        self.learner.to(device)
        # bfloat16's convolutions are fast only in this layout, and Muon knows no other.
        if in_bfloat16 or muon is not None:
            self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.mean = AveragedModel(self.network, multi_avg_fn=running_mean(recipe), use_buffers=True)
        kernels = kernels_of(self.network) if muon is not None else []
        self.optimisers: list[Optimizer] = [
            AdamW(
                weight_groups(self.learner, recipe, kernels),
                recipe.learning_rate,
                weight_decay=recipe.weight_decay,
            )
        ]
        if muon is not None:
            self.optimisers.append(
                KernelMuon(kernels, muon.learning_rate, muon.weight_decay, self.precision)
            )
        self.schedules: list[OneCycleLR] = []
        if recipe.schedule == "one-cycle":
            n_steps = recipe.n_epochs * recipe.n_passes * train.n_steps(recipe.batch_size)
            self.schedules = [one_cycle(optimiser, n_steps) for optimiser in self.optimisers]
        # The state that `fit` begins with, whatever else draws in between.
        self.random = _random_states(device)
        self.history = History()
        self.best: dict[str, Tensor] = {}

    def fit(
        self,
        checkpoint: Path,
        identity: dict[str, Any],
        resume: bool,
        on_epoch: Callable[[History], None],
    ) -> nn.Module:
        """Train to the end, and return the network of the epoch that is kept, on the CPU.

        With a schedule that is the last one, or else the one that is best on the validation clips.

        Parameters
        ----------
        checkpoint : Path
            File to write after every epoch.
        identity : dict
            Settings of this training: names to text or numbers. A checkpoint with others is
            refused.
        resume : bool
            Whether to resume from ``checkpoint``, if it exists.
        on_epoch : callable
            Called with the history after every epoch, once before the first that is run.

        Raises
        ------
        CheckpointError
            If the checkpoint has other settings, or cannot be read.
        RunError
            If it cannot be written.
        """
        if resume and checkpoint.exists():
            self._load(checkpoint, identity)
        on_epoch(self.history)
        _set_random_states(self.random, self.device)
        history, recipe = self.history, self.recipe
        while (
            len(history.epochs) < recipe.n_epochs
            and len(history.epochs) - 1 - history.best_epoch < recipe.patience
        ):
            train_loss = sum(self._train() for _ in range(recipe.n_passes)) / recipe.n_passes
            loss, accuracy = self._validate()
            # A cycle of the learning rate is worth most when it is complete.
            better = bool(self.schedules) or accuracy > history.best_accuracy
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

    def _train(self) -> float:
        """One pass over the training clips; mean loss of the emotions."""
        self.learner.train()
        n_clips, total = 0, 0.0
        for batch in self.train.batches(self.recipe):
            inputs = [one.to(self.device) for one in batch.inputs]
            with self.autocast:
                outputs = self.learner(*inputs)
            logits, auxiliary = outputs if isinstance(outputs, tuple) else (outputs, {})
            loss = cross_entropy(logits.float(), batch.targets.to(self.device))
            whole = loss
            for name, labels in batch.auxiliary_targets.items():
                of_name = auxiliary_loss(auxiliary[name].float(), labels.to(self.device))
                whole = whole + self.auxiliary_weights[name] * of_name
            for name, values in batch.distilled.items():
                of_name = distillation_loss(auxiliary[name].float(), values.to(self.device))
                whole = whole + self.auxiliary_weights[name] * of_name
            for optimiser in self.optimisers:
                optimiser.zero_grad()
            whole.backward()
            if self.recipe.max_gradient > 0:
                clip_grad_norm_(self.learner.parameters(), self.recipe.max_gradient)
            for optimiser in self.optimisers:
                optimiser.step()
            for schedule in self.schedules:
                schedule.step()
            self.mean.update_parameters(self.network)
            n_clips += len(batch.targets)
            total += loss.item() * len(batch.targets)
        return total / n_clips

    def _validate(self) -> tuple[float, float]:
        """Loss and accuracy of the running mean on the validation clips."""
        self.mean.eval()
        logits, labels = self.validation.logits(self.mean), self.validation.labels
        right = (logits.argmax(dim=1) == labels).float().mean().item()
        return cross_entropy(logits, labels).item(), right

    def _save(self, path: Path, identity: dict[str, Any]) -> None:
        state = {
            "identity": identity,
            "learner": self.learner.state_dict(),
            "mean": self.mean.state_dict(),
            "optimisers": [optimiser.state_dict() for optimiser in self.optimisers],
            "schedules": [schedule.state_dict() for schedule in self.schedules],
            "random": _random_states(self.device),
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
            raise CheckpointError(
                f"{path}: not a readable checkpoint ({type(error).__name__}). Start anew, with "
                "--overwrite and without --resume."
            ) from error
        for key in sorted(identity.keys() | found.keys()):
            if found.get(key) != (value := identity.get(key)):
                raise CheckpointError(
                    f"{path}: belongs to a training with {key} {found.get(key)}; this one has {value}. "
                    "Give the same options, or start anew with --overwrite."
                )
        self.learner.load_state_dict(state["learner"])
        self.mean.load_state_dict(state["mean"])
        for optimiser, kept in zip(self.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(kept)
        for schedule, kept in zip(self.schedules, state["schedules"], strict=True):
            schedule.load_state_dict(kept)
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
