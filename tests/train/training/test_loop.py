import os
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cosine_similarity, cross_entropy

from serctl.errors import CheckpointError, RunError
from serctl.train.data.batches import Batch, StatisticsDataset, ValidationDataset
from serctl.train.evaluation.history import History
from serctl.train.recipes.loading import load_recipe
from serctl.train.recipes.schema import TrainingRecipe
from serctl.train.training import precision
from serctl.train.training.loop import Training, fit_temperature

N_INPUTS, N_EMOTIONS = 6, 3
IDENTITY = {"model": "toy", "seed": 0, "training.n_epochs": "8"}
RECIPE = replace(
    load_recipe("paper-cnn").training,
    n_epochs=8,
    patience=8,
    batch_size=16,
    learning_rate=0.02,
    ema_decay=0.8,
)
STOPS_EARLY = replace(RECIPE, n_epochs=40, patience=3)
CYCLE = replace(
    RECIPE,
    n_epochs=5,
    n_passes=2,
    patience=1,
    schedule="one-cycle",
    decayed="matrices",
    max_gradient=1.0,
    ema_ramp=True,
)
CPU = torch.device("cpu")


class KilledError(BaseException):
    """Stands for a kill."""


def build() -> nn.Module:
    # Dropout draws in every step, and batch normalisation has buffers: a checkpoint must have both.
    return nn.Sequential(
        nn.Linear(N_INPUTS, 16),
        nn.BatchNorm1d(16),
        nn.ReLU(),
        nn.Dropout(0.3),
        nn.Linear(16, N_EMOTIONS),
    )


def blobs(n_clips: int, spread: float, seed: int) -> tuple[Tensor, Tensor]:
    """Clips about a centre for each emotion, and their labels."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(N_EMOTIONS, (n_clips,), generator=generator)
    noise = torch.randn(n_clips, N_INPUTS, generator=generator)
    return torch.eye(N_INPUTS)[labels] + spread * noise, labels


TRAIN, VALIDATION = blobs(90, 0.5, seed=1), blobs(60, 0.5, seed=2)


class Run:
    """A training, and what came of it."""

    def __init__(self, recipe: TrainingRecipe = RECIPE, seed: int = 0) -> None:
        validation = ValidationDataset(list(VALIDATION[0].numpy()), VALIDATION[1], CPU)
        self.training = Training(build, recipe, seed, CPU, StatisticsDataset(*TRAIN), validation)
        self.n_epochs_shown: list[int] = []  # number of epochs at each call

    def fit(
        self,
        checkpoint: Path,
        resume: bool = False,
        identity: dict[str, Any] = IDENTITY,
        killed_after: int | None = None,
    ) -> nn.Module:
        def on_epoch(history: History) -> None:
            self.n_epochs_shown.append(len(history.epochs))
            if len(history.epochs) == killed_after:
                raise KilledError

        self.network = self.training.fit(checkpoint, identity, resume, on_epoch)
        return self.network

    @property
    def history(self) -> History:
        return self.training.history


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    return tmp_path / "checkpoint.pt"


def same(one: nn.Module, other: nn.Module) -> bool:
    states = one.state_dict(), other.state_dict()
    assert list(states[0]) == list(states[1])
    return all(
        torch.equal(a, b) for a, b in zip(states[0].values(), states[1].values(), strict=True)
    )


# Learning


def test_it_learns(checkpoint: Path) -> None:
    run = Run()
    network = run.fit(checkpoint)
    assert not network.training
    assert len(run.history.epochs) == RECIPE.n_epochs
    losses = [epoch.train_loss for epoch in run.history.epochs]
    assert losses[-1] < 0.6 * losses[0]
    assert run.history.best_accuracy > 0.8


def test_a_seed_gives_the_same_weights_bit_for_bit(checkpoint: Path) -> None:
    one, again, other = Run(seed=5), Run(seed=5), Run(seed=6)
    assert same(one.fit(checkpoint), again.fit(checkpoint))
    assert one.history == again.history
    assert not same(one.network, other.fit(checkpoint))


@pytest.mark.parametrize("recipe", [RECIPE, STOPS_EARLY], ids=["to the end", "stops early"])
def test_the_first_of_the_best_epochs_is_kept(checkpoint: Path, recipe: TrainingRecipe) -> None:
    run = Run(recipe)
    network = run.fit(checkpoint)
    accuracies = [epoch.validation_accuracy for epoch in run.history.epochs]
    assert run.history.best_accuracy == max(accuracies)
    assert run.history.best_epoch == accuracies.index(max(accuracies))
    best = run.history.epochs[run.history.best_epoch]
    with torch.inference_mode():
        logits = network(VALIDATION[0])
    assert cross_entropy(logits, VALIDATION[1]).item() == best.validation_loss
    right = logits.argmax(dim=1) == VALIDATION[1]
    assert right.float().mean().item() == best.validation_accuracy


def test_it_stops_after_patience_has_run_out(checkpoint: Path) -> None:
    run = Run(STOPS_EARLY)
    run.fit(checkpoint)
    n_done = len(run.history.epochs)
    assert n_done < STOPS_EARLY.n_epochs
    assert n_done - 1 - run.history.best_epoch == STOPS_EARLY.patience


def test_it_calls_back_before_the_first_epoch_and_after_each(checkpoint: Path) -> None:
    run = Run()
    run.fit(checkpoint)
    assert run.n_epochs_shown == list(range(RECIPE.n_epochs + 1))


def test_a_cycle_goes_to_its_end_and_keeps_its_last_epoch(checkpoint: Path) -> None:
    run = Run(CYCLE)
    rates: list[float] = []
    run.training.optimisers[0].register_step_pre_hook(
        lambda optimiser, *_: rates.append(optimiser.param_groups[0]["lr"])
    )
    run.fit(checkpoint)
    assert len(run.history.epochs) == CYCLE.n_epochs
    assert run.history.best_epoch == CYCLE.n_epochs - 1
    n_steps = CYCLE.n_epochs * CYCLE.n_passes * -(-len(TRAIN[0]) // CYCLE.batch_size)
    assert len(rates) == n_steps
    highest = rates.index(max(rates))
    assert rates[highest] == pytest.approx(CYCLE.learning_rate, rel=0.01)
    assert highest == pytest.approx(0.2 * n_steps, abs=2)
    assert rates == sorted(rates[: highest + 1]) + sorted(rates[highest + 1 :], reverse=True)
    assert rates[0] == pytest.approx(CYCLE.learning_rate / 25)
    assert rates[-1] < CYCLE.learning_rate / 1000


def test_a_constant_rate_is_constant(checkpoint: Path) -> None:
    run = Run()
    run.fit(checkpoint)
    assert {group["lr"] for group in run.training.optimisers[0].param_groups} == {
        RECIPE.learning_rate
    }


@pytest.mark.parametrize(("decayed", "n_decaying"), [("all", 6), ("matrices", 2)])
def test_what_decays(decayed: str, n_decaying: int) -> None:
    groups = Run(replace(RECIPE, decayed=decayed)).training.optimisers[0].param_groups  # type: ignore[arg-type]
    decaying = [one for group in groups if group["weight_decay"] for one in group["params"]]
    assert len(decaying) == n_decaying
    assert sum(len(group["params"]) for group in groups) == 6
    if decayed == "matrices":
        assert {one.ndim for one in decaying} == {2}


def test_gradients_are_shortened(checkpoint: Path) -> None:
    loud = blobs(90, 500.0, seed=1)
    moved = []
    for max_gradient in (0.0, 1e-12):
        run = Run(replace(RECIPE, n_epochs=1, weight_decay=0.0, max_gradient=max_gradient))
        run.training.train = StatisticsDataset(*loud)
        before = [one.clone() for one in run.training.network.parameters()]
        run.fit(checkpoint)
        after = run.training.optimisers[0].param_groups[0]["params"]
        moved.append(
            sum(float((a - b).detach().abs().sum()) for a, b in zip(after, before, strict=True))
        )
    assert (
        moved[1] < 0.2 * moved[0]
    )  # steps of Adam are of one size until it divides by its epsilon


def test_the_running_mean_ramps_up() -> None:
    def mean_after_a_step(**changes: Any) -> tuple[Tensor, Tensor, Tensor]:
        training = Run(replace(RECIPE, ema_decay=0.999, **changes)).training
        first = training.network[0].weight.detach().clone()
        training._train()
        return first, training.mean.module[0].weight, training.network[0].weight

    first, mean, last = mean_after_a_step(ema_ramp=False)
    assert (mean - last).abs().sum() > 0.8 * (first - last).abs().sum()
    first, mean, last = mean_after_a_step(ema_ramp=True)
    assert (mean - last).abs().sum() < 0.6 * (first - last).abs().sum()


@pytest.mark.parametrize("native", [True, False])
def test_bfloat16_trains_float32_weights_where_it_is_native(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch, native: bool
) -> None:
    monkeypatch.setattr(precision, "has_bfloat16", lambda device: native)
    recipe = replace(CYCLE, precision="bfloat16")
    seen = []

    class Watched(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = build()

        def forward(self, inputs: Tensor) -> Tensor:
            logits: Tensor = self.layers(inputs)
            seen.append((self.training, logits.dtype))
            return logits

    validation = ValidationDataset(list(VALIDATION[0].numpy()), VALIDATION[1], CPU)
    training = Training(Watched, recipe, 0, CPU, StatisticsDataset(*TRAIN), validation)
    network = training.fit(checkpoint, IDENTITY, False, lambda history: None)
    in_training = torch.bfloat16 if native else torch.float32
    assert set(seen) == {(True, in_training), (False, torch.float32)}
    assert {tensor.dtype for tensor in network.parameters()} == {torch.float32}


def test_clips_of_two_arguments_reach_the_network(checkpoint: Path) -> None:
    class Pairs(StatisticsDataset):
        def batches(self, recipe: TrainingRecipe) -> Any:
            for batch in super().batches(recipe):
                lengths = torch.full((len(batch.targets),), 3)
                yield Batch((*batch.inputs, lengths), batch.targets)

    class Both(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = build()

        def forward(self, inputs: Tensor, n_frames: Tensor | None = None) -> Tensor:
            assert (n_frames is not None) == self.training
            logits: Tensor = self.layers(inputs)
            return logits

    validation = ValidationDataset(list(VALIDATION[0].numpy()), VALIDATION[1], CPU)
    training = Training(Both, RECIPE, 0, CPU, Pairs(*TRAIN), validation)
    training.fit(checkpoint, IDENTITY, False, lambda history: None)
    assert training.history.best_accuracy > 0.8


class Halves(StatisticsDataset):
    """Clips of two speakers."""

    def __init__(self, inputs: Tensor, targets: Tensor) -> None:
        super().__init__(inputs, targets)
        self.speakers, self.n_auxiliary = torch.arange(len(inputs)) % 2, {"speaker": 2}

    def batches(self, recipe: TrainingRecipe) -> Any:
        for rows in torch.randperm(len(self.inputs)).split(recipe.batch_size):
            auxiliary = {"speaker": self.speakers[rows]}
            yield Batch((self.inputs[rows],), self.targets[rows], auxiliary)


class Embedding(nn.Module):
    N_EMBEDDING = 16

    def __init__(self) -> None:
        super().__init__()
        self.layers, self.answer = nn.Linear(N_INPUTS, 16), nn.Linear(16, N_EMOTIONS)

    def steps(self, inputs: Tensor) -> Tensor:
        return self.layers(inputs).relu()

    def pooled(self, steps: Tensor, n_frames: Tensor | None = None) -> Tensor:
        return steps

    def forward(self, inputs: Tensor) -> Tensor:
        logits: Tensor = self.answer(self.steps(inputs))
        return logits


def with_head(share: float) -> Training:
    validation = ValidationDataset(list(VALIDATION[0].numpy()), VALIDATION[1], CPU)
    auxiliary_weights = {"speaker": share}
    return Training(Embedding, RECIPE, 0, CPU, Halves(*TRAIN), validation, auxiliary_weights)


def test_a_speaker_head_is_learned_beside_the_emotions_and_left_behind(checkpoint: Path) -> None:
    networks = []
    for share in (0.0, 1.0):
        training = with_head(share)
        first = training.learner.heads["speaker"].weight.detach().clone()
        networks.append(training.fit(checkpoint, IDENTITY, False, lambda history: None))
        last = training.learner.heads["speaker"].weight.detach()
        # Weight decay alone does not turn it.
        assert (float(cosine_similarity(first.ravel(), last.ravel(), dim=0)) < 0.99) == (share > 0)
        assert training.history.best_accuracy > 0.8
        assert list(networks[-1].state_dict()) == list(Embedding().state_dict())
    assert not same(*networks)


def test_a_speaker_head_goes_on_where_it_was(checkpoint: Path) -> None:
    def kill(history: History) -> None:
        if len(history.epochs) == 3:
            raise KilledError

    unbroken = with_head(0.5).fit(
        checkpoint.with_name("other.pt"), IDENTITY, False, lambda history: None
    )
    with pytest.raises(KilledError):
        with_head(0.5).fit(checkpoint, IDENTITY, False, kill)
    resumed = with_head(0.5).fit(checkpoint, IDENTITY, True, lambda history: None)
    assert same(unbroken, resumed)


# Going on


@pytest.mark.parametrize("killed_after", range(CYCLE.n_epochs + 1))
def test_a_cycle_that_was_killed_ends_with_the_same_weights(
    checkpoint: Path, killed_after: int
) -> None:
    unbroken, resumed = Run(CYCLE), Run(CYCLE)
    unbroken.fit(checkpoint.with_name("other.pt"))
    with pytest.raises(KilledError):
        Run(CYCLE).fit(checkpoint, killed_after=killed_after)
    resumed.fit(checkpoint, resume=True)
    assert same(unbroken.network, resumed.network)
    assert unbroken.history == resumed.history


@pytest.mark.parametrize("killed_after", range(RECIPE.n_epochs + 1))
def test_killed_and_resumed_it_ends_with_the_same_weights(
    checkpoint: Path, killed_after: int
) -> None:
    unbroken, killed, resumed = Run(), Run(), Run(seed=0)
    unbroken.fit(checkpoint.with_name("other.pt"))
    with pytest.raises(KilledError):
        killed.fit(checkpoint, killed_after=killed_after)
    torch.manual_seed(99)  # another process is in another state
    resumed.fit(checkpoint, resume=True)
    assert resumed.n_epochs_shown == list(range(killed_after, RECIPE.n_epochs + 1))
    assert same(unbroken.network, resumed.network)
    assert unbroken.history == resumed.history


def test_early_stopping_goes_on_where_it_was(checkpoint: Path) -> None:
    unbroken = Run(STOPS_EARLY)
    unbroken.fit(checkpoint.with_name("other.pt"))
    n_done, best = len(unbroken.history.epochs), unbroken.history.best_epoch
    for killed_after in (best, best + 1, best + 2, n_done):
        checkpoint.unlink(missing_ok=True)
        with pytest.raises(KilledError):
            Run(STOPS_EARLY).fit(checkpoint, killed_after=killed_after)
        resumed = Run(STOPS_EARLY)
        resumed.fit(checkpoint, resume=True)
        assert same(unbroken.network, resumed.network)
        assert unbroken.history == resumed.history


def test_it_may_be_killed_again_and_again(checkpoint: Path) -> None:
    unbroken, last = Run(), Run()
    unbroken.fit(checkpoint.with_name("other.pt"))
    for killed_after in (1, 3, 4, 7):
        with pytest.raises(KilledError):
            Run().fit(checkpoint, resume=True, killed_after=killed_after)
    assert same(unbroken.network, last.fit(checkpoint, resume=True))


def test_without_resume_a_checkpoint_is_not_looked_at(checkpoint: Path) -> None:
    checkpoint.write_bytes(b"whatever")
    run = Run()
    run.fit(checkpoint)
    assert run.n_epochs_shown[0] == 0


def test_without_a_checkpoint_resume_begins_anew(checkpoint: Path) -> None:
    run, other = Run(), Run()
    run.fit(checkpoint, resume=True)
    assert run.n_epochs_shown[0] == 0
    assert same(run.network, other.fit(checkpoint))


def test_nothing_but_the_checkpoint_is_left(checkpoint: Path) -> None:
    Run().fit(checkpoint)
    assert os.listdir(checkpoint.parent) == [checkpoint.name]


# Refusals


@pytest.mark.parametrize(
    ("key", "value", "difference"),
    [
        ("seed", 3, "seed 0; this one has 3"),
        ("training.n_epochs", "9", r"training\.n_epochs 8; this one has 9"),
        ("device", "cuda", "device None; this one has cuda"),
    ],
)
def test_a_checkpoint_of_another_training_is_refused(
    checkpoint: Path, key: str, value: object, difference: str
) -> None:
    with pytest.raises(KilledError):
        Run().fit(checkpoint, killed_after=2)
    before = checkpoint.read_bytes()
    message = rf"checkpoint\.pt: belongs to a training with {difference}\. .*--overwrite"
    with pytest.raises(RunError, match=message):
        Run().fit(checkpoint, resume=True, identity=IDENTITY | {key: value})
    assert checkpoint.read_bytes() == before


def test_a_checkpoint_of_a_training_with_more_to_it_is_refused(checkpoint: Path) -> None:
    with pytest.raises(KilledError):
        Run().fit(checkpoint, killed_after=2)
    less = {key: value for key, value in IDENTITY.items() if key != "training.n_epochs"}
    with pytest.raises(CheckpointError, match=r"training\.n_epochs 8; this one has None"):
        Run().fit(checkpoint, resume=True, identity=less)


class Evil:
    """What unpickles by running something."""

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[object, ...]]:
        return os.mkdir, ("evil",)


def tear(content: bytes) -> bytes:
    return content[: len(content) // 2]


@pytest.mark.parametrize(
    "damage",
    [tear, lambda content: b"", lambda content: b"garbage", lambda content: pickle.dumps(Evil())],
    ids=["torn", "empty", "garbage", "pickle"],
)
def test_a_damaged_checkpoint_is_refused(
    checkpoint: Path, damage: Callable[[bytes], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(checkpoint.parent)
    with pytest.raises(KilledError):
        Run().fit(checkpoint, killed_after=2)
    checkpoint.write_bytes(damage(checkpoint.read_bytes()))
    with pytest.raises(RunError, match=r"checkpoint\.pt: not a readable checkpoint"):
        Run().fit(checkpoint, resume=True)
    assert not Path("evil").exists()


def test_a_checkpoint_that_cannot_be_written_stops_the_training(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"gone/checkpoint\.pt: the checkpoint could not be written"):
        Run().fit(tmp_path / "gone" / "checkpoint.pt")


# Calibration


def drawn(n_clips: int) -> tuple[Tensor, Tensor]:
    """Logits, and labels that are drawn by their softmax: calibrated by construction."""
    generator = torch.Generator().manual_seed(3)
    logits = 2 * torch.randn(n_clips, 5, generator=generator)
    labels = torch.multinomial(logits.softmax(dim=1), 1, generator=generator)[:, 0]
    return logits, labels


@pytest.mark.parametrize("scale", [0.25, 1.0, 3.0])
def test_the_temperature_undoes_a_known_scale(scale: float) -> None:
    logits, labels = drawn(5000)
    assert fit_temperature(scale * logits, labels) == pytest.approx(scale, rel=0.05)


def test_the_temperature_stays_in_its_range() -> None:
    logits, labels = drawn(100)
    assert fit_temperature(logits, logits.argmax(dim=1)) == pytest.approx(0.1)
    assert fit_temperature(100 * logits, labels) == pytest.approx(10)
