"""What a network in training is shown: batches of training clips, and the validation clips.

There are two kinds of training clips. `StatisticsClips` have inputs of one shape, to which noise is
added. `FrameClips` have spectrograms of their own lengths: clips of like length share a batch, are
changed (`serctl.train.data.augmentation`), and filled up with the floor. Everything random is drawn from
torch's generator on the CPU, in a fixed order.

Validation clips are seen as the classifier sees them: whole, unchanged, and beside others of the
same length alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import one_hot

from serctl.features.mel import MelSpec
from serctl.models.inputs import FRAMES_MULTIPLE, LOG_MEL, InputKind, Normalization
from serctl.train.data.augmentation import cropped, filled_to, masked, mixed, stretched
from serctl.train.data.mixing import cut_or_surrounded, disturbed
from serctl.train.recipes.schema import AugmentationRecipe, DisturbanceRecipe, TrainingRecipe

BATCHES_SORTED = 16  # clips of so many batches are sorted by length and dealt out
LENGTH_JITTER = 0.22  # natural logarithm; so that no clip always has the same company


@dataclass(frozen=True)
class Batch:
    """What a step learns from.

    Attributes
    ----------
    inputs : tuple of Tensor
        Arguments of the network: inputs float32 [batch, ...] and, if they are of several lengths,
        frames int64 [batch].
    targets : int64 [batch] or float32 [batch, n_emotions]
        Index of each clip's emotion, or the emotions' probabilities.
    told : mapping of str to int64 [batch] or float32 [batch, n]
        What is to be told besides, such as who speaks: its number, -1 where it is not known, or, of
        mixed clips, the share of each.
    """

    inputs: tuple[Tensor, ...]
    targets: Tensor
    told: Mapping[str, Tensor] = field(default_factory=dict)


class TrainingClips(Protocol):
    """Clips to learn from.

    Attributes
    ----------
    n_told : dict of str to int
        How many there are of each that is to be told besides, such as speakers.
    """

    n_told: dict[str, int]

    def n_steps(self, batch_size: int) -> int:
        """Batches of a pass."""

    def batches(self, recipe: TrainingRecipe) -> Iterator[Batch]:
        """Batches of one pass, in an order drawn anew."""


class StatisticsClips:
    """Training clips whose inputs have one shape.

    Parameters
    ----------
    inputs : float32 [n, ...]
        Scaled.
    targets : int64 [n] or float32 [n, n_emotions]
        As in `Batch`.
    """

    def __init__(self, inputs: Tensor, targets: Tensor) -> None:
        self.inputs, self.targets = inputs, targets
        self.n_told: dict[str, int] = {}

    def n_steps(self, batch_size: int) -> int:
        """Batches of a pass; the last one may be smaller."""
        return -(-len(self.inputs) // batch_size)

    def batches(self, recipe: TrainingRecipe) -> Iterator[Batch]:
        """Batches of one pass, in an order drawn anew."""
        for rows in torch.randperm(len(self.inputs)).split(recipe.batch_size):
            inputs = with_noise(self.inputs[rows], recipe.noise)
            inputs, targets, _ = mixed(inputs, self.targets[rows], None, recipe.mixup)
            yield Batch((inputs,), targets)


class FrameClips:
    """Training clips whose inputs have frames.

    Parameters
    ----------
    versions : sequence of sequences of float [n_frames, n_columns]
        The clips' raw features; then, for each version, those of damaged copies.
    targets : int64 [n] or float32 [n, n_emotions]
        As in `Batch`.
    kind : InputKind
        What the network takes.
    normalization : Normalization
        Of the columns.
    spec : MelSpec
        Of the features.
    recipe : AugmentationRecipe
        How they are changed.
    disturbance : DisturbanceRecipe or None
        What happens to them besides, if they are log-mel spectrograms.
    told : mapping of str to int64 [n]
        What is to be told of each besides, numbered from 0 without a gap; -1 where it is not known.
    """

    def __init__(
        self,
        versions: Sequence[Sequence[NDArray[np.floating]]],
        targets: Tensor,
        kind: InputKind,
        normalization: Normalization,
        spec: MelSpec,
        recipe: AugmentationRecipe,
        disturbance: DisturbanceRecipe | None,
        told: Mapping[str, Tensor],
    ) -> None:
        self.versions, self.targets, self.told = versions, targets, told
        self.n_told = {name: int(labels.max()) + 1 for name, labels in told.items()}
        self.disturbance = disturbance
        self.mean, self.std = (
            torch.tensor(numbers, dtype=torch.float32)
            for numbers in (normalization.mean, normalization.std)
        )
        self.is_picture = kind is LOG_MEL  # [n_bands, n_frames], and filled up
        self.multiple = FRAMES_MULTIPLE if self.is_picture else 1
        self.spec = spec
        self.recipe = recipe
        self._n_frames = torch.tensor([len(clip) for clip in versions[0]])

    def n_steps(self, batch_size: int) -> int:
        """Batches of a pass, all of one size; clips that are left over are not shown in it."""
        return max(1, len(self.targets) // batch_size)

    def batches(self, recipe: TrainingRecipe) -> Iterator[Batch]:
        """Batches of one pass, each of clips of like length, in an order drawn anew."""
        n_shown = self.n_steps(recipe.batch_size) * recipe.batch_size
        order = torch.randperm(len(self.targets))[:n_shown]
        batches: list[Tensor] = []
        for rows in order.split(BATCHES_SORTED * recipe.batch_size):
            jitter = torch.exp(LENGTH_JITTER * (2 * torch.rand(len(rows)) - 1))
            by_length = rows[(self._n_frames[rows] * jitter).argsort()]
            batches.extend(by_length.split(recipe.batch_size))
        for i in torch.randperm(len(batches)).tolist():
            yield self._batch(batches[i], recipe)

    def _batch(self, rows: Tensor, recipe: TrainingRecipe) -> Batch:
        clips = [self._shown(row) for row in rows.tolist()]
        n_frames = torch.tensor([len(clip) for clip in clips])
        longest = filled_to(int(n_frames.max()), self.multiple)
        batch = torch.full((len(clips), longest, len(self.mean)), -self.spec.top_db)
        for row, clip in zip(batch, clips, strict=True):
            row[: len(clip)] = clip
        batch, n_frames = stretched(batch, n_frames, self.spec, self.multiple, self.recipe)
        if self.disturbance is not None:
            batch = disturbed(batch, n_frames, self.spec, self.disturbance)
        batch = masked(batch.sub_(self.mean).div_(self.std), n_frames, self.recipe)
        batch = with_noise(batch, recipe.noise)
        # As the classifier counts them: what fills a clip up to the multiple is a part of it.
        n_frames = (n_frames + self.multiple - 1) // self.multiple * self.multiple
        targets = self.targets[rows]
        told = {name: labels[rows] for name, labels in self.told.items()}
        if recipe.mixup > 0:
            # All is mixed as the emotions are; what is not known has no share.
            every = [targets]
            for name, labels in told.items():
                known = (labels >= 0)[:, None]
                every.append(one_hot(labels.clamp(min=0), self.n_told[name]) * known)
            batch, whole, n_heard = mixed(batch, torch.cat(every, dim=1), n_frames, recipe.mixup)
            assert n_heard is not None
            n_frames = n_heard
            targets, *shares = whole.split([one.shape[1] for one in every], dim=1)
            told = dict(zip(told, shares, strict=True))
        inputs = (batch.mT.contiguous() if self.is_picture else batch, n_frames)
        return Batch(inputs, targets, told)

    def _shown(self, row: int) -> Tensor:
        """Frames of a clip or of one of its damaged copies, or some of them."""
        version, n_versions = 0, len(self.versions) - 1
        if n_versions and float(torch.rand(())) < self.recipe.version_share:
            version = 1 + int(torch.randint(n_versions, ()))
        frames = cropped(torch.from_numpy(self.versions[version][row]), self.recipe.crop_frames)
        if self.disturbance is not None:
            frames = cut_or_surrounded(frames, self.spec, self.disturbance)
        return frames


class ValidationClips:
    """Clips to stop by.

    Parameters
    ----------
    inputs : sequence of float32 [...]
        What the classifier gives the network for each clip.
    labels : int64 [n]
        Index of each one's emotion.
    device : device
        Where the network is.
    """

    def __init__(
        self, inputs: Sequence[NDArray[np.float32]], labels: Tensor, device: torch.device
    ) -> None:
        self.labels = labels
        of_shape: dict[tuple[int, ...], list[int]] = {}
        for i, one in enumerate(inputs):
            of_shape.setdefault(one.shape, []).append(i)
        self._groups = [
            (rows, torch.from_numpy(np.stack([inputs[row] for row in rows])).to(device))
            for rows in of_shape.values()
        ]

    def logits(self, network: nn.Module) -> Tensor:
        """Logits float32 [n, n_emotions], on the CPU, of a network that does not learn now."""
        order: list[int] = []
        parts = []
        with torch.inference_mode():
            for rows, inputs in self._groups:
                order.extend(rows)
                parts.append(network(inputs).cpu())
            logits = torch.cat(parts)
            return logits[torch.tensor(order).argsort()] if len(parts) > 1 else logits


def soft_targets(
    labels: NDArray[np.int64],
    votes: NDArray[np.float64],
    n_emotions: int,
    recipe: TrainingRecipe,
) -> Tensor:
    """What training clips are to be taken for.

    Parameters
    ----------
    labels : int64 [n]
        Index of the emotion that was acted.
    votes : float64 [n, n_emotions]
        Listeners' votes for each emotion; all 0 where nobody was asked.
    n_emotions : int
        Of the network.
    recipe : TrainingRecipe
        With the shares that do not go to the emotion that was acted.

    Returns
    -------
    int64 [n] or float32 [n, n_emotions]
        As in `Batch`; the indices alone where all goes to the emotion that was acted.
    """
    acted = torch.from_numpy(labels)
    if recipe.label_smoothing == recipe.votes_share == recipe.mixup == 0:
        return acted
    targets = one_hot(acted, n_emotions).double()
    targets = (1 - recipe.label_smoothing) * targets + recipe.label_smoothing / n_emotions
    n_votes = torch.from_numpy(votes.sum(axis=1, keepdims=True))
    share = recipe.votes_share * (n_votes > 0)
    heard = torch.from_numpy(votes) / n_votes.clamp(min=1)
    return ((1 - share) * targets + share * heard).float()


def with_noise(inputs: Tensor, deviation: float) -> Tensor:
    """Inputs with normal noise."""
    return inputs + deviation * torch.randn(inputs.shape) if deviation else inputs
