"""The training loop: epochs, validation, early stopping, checkpoints.

On the CPU, `Training.fit` gives the same weights bit for bit for the same data, recipe, seed,
precision (`serctl.train.precision`) and number of threads, also when it was killed and resumed: a
checkpoint, written aside and renamed after every epoch, holds the network, its running mean, the
optimiser, the random state and what early stopping knows.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.nn.utils import clip_grad_norm_
from torch.optim import AdamW, Optimizer
from torch.optim.lr_scheduler import OneCycleLR
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from serctl.errors import CheckpointError, RunError
from serctl.train.batches import TrainingClips, ValidationClips
from serctl.train.muon import KernelMuon, kernels_of
from serctl.train.precision import precision_on
from serctl.train.recipe import MuonRecipe, TrainingRecipe
from serctl.train.telling_heads import WithTellingHeads, telling_loss

RISING_SHARE = 0.2  # of a one-cycle's steps
FINAL_DIVISOR = 100  # from the rate at its beginning, a 25th of the highest, to the one at its end


@dataclass
class Epoch:
    """What one epoch gave: mean training loss, in nats, and accuracies in [0, 1] or losses."""

    train_loss: float
    validation_loss: float
    validation_accuracy: float


@dataclass
class History:
    """What the training of one network gave.

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


def _decayed(
    learner: nn.Module, recipe: TrainingRecipe, left_out: Sequence[Tensor]
) -> list[dict[str, Any]]:
    """Weights in two groups: those that decay, and those that do not."""
    ids = set(map(id, left_out))
    groups: tuple[list[nn.Parameter], list[nn.Parameter]] = ([], [])
    for parameter in learner.parameters():
        if id(parameter) not in ids:
            groups[recipe.decayed == "matrices" and parameter.ndim < 2].append(parameter)
    kept = {"params": groups[1], "weight_decay": 0.0}
    return [{"params": groups[0]}, *([kept] if groups[1] else [])]


def _one_cycle(optimiser: Optimizer, n_steps: int) -> OneCycleLR:
    """Rate of an optimiser over the steps of a training, the highest being the one that it has."""
    return OneCycleLR(
        optimiser,
        optimiser.param_groups[0]["lr"],
        total_steps=n_steps,
        pct_start=RISING_SHARE,
        cycle_momentum=isinstance(optimiser, AdamW),
        final_div_factor=FINAL_DIVISOR,
    )


def _running_mean(recipe: TrainingRecipe) -> Callable[[Any, Any, Any], None]:
    """How the mean of the weights follows them, as `AveragedModel` takes it."""

    def follow(means: Any, weights: Any, n_steps: Tensor) -> None:
        n = int(n_steps)
        decay = min(recipe.ema_decay, (1 + n) / (10 + n)) if recipe.ema_ramp else recipe.ema_decay
        get_ema_multi_avg_fn(decay)(means, weights, n_steps)

    return follow


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
        Makes the network, with random weights.
    recipe : TrainingRecipe
        How it is trained.
    seed : int
        Of the first weights and of the order of the clips.
    device : torch.device
        Where it is trained.
    train : TrainingClips
        To learn from.
    validation : ValidationClips
        To stop by.
    telling : mapping of str to float, optional
        Share of the loss of each of ``train.n_told``, beside 1 for that of the emotion. There is
        none, by default.
    muon : MuonRecipe, optional
        For convolutions. AdamW trains all, by default.
    """

    def __init__(
        self,
        build: Callable[[], nn.Module],
        recipe: TrainingRecipe,
        seed: int,
        device: torch.device,
        train: TrainingClips,
        validation: ValidationClips,
        telling: Mapping[str, float] | None = None,
        muon: MuonRecipe | None = None,
    ) -> None:
        torch.manual_seed(seed)
        self.recipe = recipe
        self.device = device
        self.train, self.validation = train, validation
        self.telling = telling or {}
        self.precision = precision_on(device, recipe.precision)
        in_bfloat16 = self.precision == "bfloat16"
        self.autocast = torch.autocast(device.type, torch.bfloat16, enabled=in_bfloat16)
        self.network = build()
        self.learner = self.network
        if train.n_told:
            self.learner = WithTellingHeads(self.network, train.n_told)
        self.learner.to(device)
        # bfloat16's convolutions are fast only in this layout, and Muon knows no other.
        if in_bfloat16 or muon is not None:
            self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.mean = AveragedModel(
            self.network, multi_avg_fn=_running_mean(recipe), use_buffers=True
        )
        kernels = kernels_of(self.network) if muon is not None else []
        self.optimisers: list[Optimizer] = [
            AdamW(
                _decayed(self.learner, recipe, kernels),
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
            self.schedules = [_one_cycle(optimiser, n_steps) for optimiser in self.optimisers]
        # To begin with, whatever else draws before `fit`.
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
            What makes this training what it is: names to text or numbers. A checkpoint of another
            is refused.
        resume : bool
            Whether to begin from ``checkpoint``, if it is there.
        on_epoch : callable
            Called with the history after every epoch, once before the first that is run.

        Raises
        ------
        CheckpointError
            If the checkpoint is of another training, or cannot be read.
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
            train_loss = sum(self._learn() for _ in range(recipe.n_passes)) / recipe.n_passes
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

    def _learn(self) -> float:
        """One pass over the training clips; mean loss of the emotions."""
        self.learner.train()
        n_clips, total = 0, 0.0
        for batch in self.train.batches(self.recipe):
            inputs = [one.to(self.device) for one in batch.inputs]
            with self.autocast:
                heard = self.learner(*inputs)
            logits, told = heard if batch.told else (heard, {})
            loss = cross_entropy(logits.float(), batch.targets.to(self.device))
            whole = loss
            for name, labels in batch.told.items():
                of_name = telling_loss(told[name].float(), labels.to(self.device))
                whole = whole + self.telling[name] * of_name
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
                f"{path}: not a checkpoint that can be read ({type(error).__name__}). Train from "
                "the beginning, with --overwrite and without --resume."
            ) from error
        for key in sorted(identity.keys() | found.keys()):
            if found.get(key) != (value := identity.get(key)):
                raise CheckpointError(
                    f"{path}: is of a training with {key} {found.get(key)}, this one has {value}. "
                    "Give the same options, or train from the beginning with --overwrite."
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
