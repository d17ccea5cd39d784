"""Datasets: batches of training clips, and the validation clips.

There are two kinds of training data. A `StatisticsDataset` has inputs of one shape, to which noise is
added. A `FrameDataset` has spectrograms of their own lengths: clips of similar length share a batch,
are augmented (`serctl.train.data.augmentation`) and padded with the floor. All random numbers come
from torch's generator on the CPU, in a fixed order.

Validation clips are what the classifier gives the network: whole, not augmented, in batches of one
length.
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
from serctl.train.data.augmentation import crop, mixup, round_up, spec_augment, stretch
from serctl.train.data.distillation import Distillation
from serctl.train.data.mixing import crop_or_pad, mix_background_speech
from serctl.train.recipes.schema import AugmentationRecipe, MixingRecipe, TrainingRecipe

BATCHES_SORTED = 16  # clips of so many batches are sorted by length and dealt out
LENGTH_JITTER = 0.22  # natural logarithm; so that batches differ from pass to pass


@dataclass(frozen=True)
class Batch:
    """Inputs and targets of one training step.

    Attributes
    ----------
    inputs : tuple of Tensor
        Arguments of the network: inputs float32 [batch, ...] and, if they are of several lengths,
        frames int64 [batch].
    targets : int64 [batch] or float32 [batch, n_emotions]
        Index of each clip's emotion, or the emotions' probabilities.
    auxiliary_targets : mapping of str to int64 [batch] or float32 [batch, n]
        Targets of the auxiliary heads, such as the speaker: its index, -1 where it is not known, or,
        after mixup, the share of each.
    distilled : mapping of str to float32 [batch, n] or [batch, n, n_steps]
        Values that heads learn from a frozen encoder, `CLIP` of a whole clip and `STEPS` of each of
        the network's steps; NaN where they are not known.
    """

    inputs: tuple[Tensor, ...]
    targets: Tensor
    auxiliary_targets: Mapping[str, Tensor] = field(default_factory=dict)
    distilled: Mapping[str, Tensor] = field(default_factory=dict)


class TrainingDataset(Protocol):
    """Training data.

    Attributes
    ----------
    n_auxiliary : dict of str to int
        Number of classes of each auxiliary target, such as speakers.
    n_distilled : dict of str to int
        Number of values of each of ``distilled`` of `Batch`.
    """

    n_auxiliary: dict[str, int]
    n_distilled: dict[str, int]

    def n_steps(self, batch_size: int) -> int:
        """Batches of a pass."""

    def batches(self, recipe: TrainingRecipe) -> Iterator[Batch]:
        """Batches of one pass, in an order drawn anew."""


class StatisticsDataset:
    """Training data whose inputs have one shape.

    Parameters
    ----------
    inputs : float32 [n, ...]
        Normalized.
    targets : int64 [n] or float32 [n, n_emotions]
        As in `Batch`.
    """

    def __init__(self, inputs: Tensor, targets: Tensor) -> None:
        self.inputs, self.targets = inputs, targets
        self.n_auxiliary: dict[str, int] = {}
        self.n_distilled: dict[str, int] = {}

    def n_steps(self, batch_size: int) -> int:
        """Batches of a pass; the last one may be smaller."""
        return -(-len(self.inputs) // batch_size)

    def batches(self, recipe: TrainingRecipe) -> Iterator[Batch]:
        """Batches of one pass, in an order drawn anew."""
        for rows in torch.randperm(len(self.inputs)).split(recipe.batch_size):
            inputs = add_noise(self.inputs[rows], recipe.noise)
            inputs, targets, _ = mixup(inputs, self.targets[rows], None, recipe.mixup)
            yield Batch((inputs,), targets)


class FrameDataset:
    """Training data whose inputs have frames.

    Parameters
    ----------
    copies : sequence of sequences of float [n_frames, n_columns]
        Features of the clips; then those of each of their augmented copies.
    targets : int64 [n] or float32 [n, n_emotions]
        As in `Batch`.
    kind : InputKind
        What the network takes.
    normalization : Normalization
        Of the columns.
    spec : MelSpec
        Of the features.
    recipe : AugmentationRecipe
        How they are augmented.
    mixing : MixingRecipe or None
        How they are cropped, padded and mixed, if they are log-mel spectrograms.
    auxiliary_targets : mapping of str to int64 [n]
        Auxiliary targets of each, numbered from 0 without a gap; -1 where they are not known.
    distillation : Distillation, optional
        What is learned from a frozen encoder.
    """

    def __init__(
        self,
        copies: Sequence[Sequence[NDArray[np.floating]]],
        targets: Tensor,
        kind: InputKind,
        normalization: Normalization,
        spec: MelSpec,
        recipe: AugmentationRecipe,
        mixing: MixingRecipe | None,
        auxiliary_targets: Mapping[str, Tensor],
        distillation: Distillation | None = None,
    ) -> None:
        self.copies, self.targets, self.auxiliary_targets = copies, targets, auxiliary_targets
        self.distillation = distillation
        self.n_distilled = {} if distillation is None else distillation.n_values
        self.n_auxiliary = {
            name: int(labels.max()) + 1 for name, labels in auxiliary_targets.items()
        }
        self.mixing = mixing
        self.mean, self.std = (
            torch.tensor(numbers, dtype=torch.float32)
            for numbers in (normalization.mean, normalization.std)
        )
        self.is_spectrogram = kind is LOG_MEL  # [n_bands, n_frames], and padded
        self.multiple = FRAMES_MULTIPLE if self.is_spectrogram else 1
        self.spec = spec
        self.recipe = recipe
        self._n_frames = torch.tensor([len(clip) for clip in copies[0]])

    def n_steps(self, batch_size: int) -> int:
        """Batches of a pass, all of one size; it leaves out the clips of an incomplete one."""
        return max(1, len(self.targets) // batch_size)

    def batches(self, recipe: TrainingRecipe) -> Iterator[Batch]:
        """Batches of one pass, each of clips of similar length, in an order drawn anew."""
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
        clips, times = zip(*(self._draw(row) for row in rows.tolist()), strict=True)
        n_frames = torch.tensor([len(clip) for clip in clips])
        longest = round_up(int(n_frames.max()), self.multiple)
        batch = torch.full((len(clips), longest, len(self.mean)), -self.spec.top_db)
        for row, clip in zip(batch, clips, strict=True):
            row[: len(clip)] = clip
        batch, n_frames, places = stretch(batch, n_frames, self.spec, self.multiple, self.recipe)
        if self.mixing is not None:
            batch = mix_background_speech(batch, n_frames, self.spec, self.mixing)
        batch = spec_augment(batch.sub_(self.mean).div_(self.std), n_frames, self.recipe)
        batch = add_noise(batch, recipe.noise)
        # As the classifier counts them: padding up to the multiple is a part of the clip.
        n_frames = (n_frames + self.multiple - 1) // self.multiple * self.multiple
        targets = self.targets[rows]
        auxiliary = {name: labels[rows] for name, labels in self.auxiliary_targets.items()}
        if recipe.mixup > 0:
            # Auxiliary targets are mixed as the emotions are; what is not known has no share.
            every = [targets]
            for name, labels in auxiliary.items():
                known = (labels >= 0)[:, None]
                every.append(one_hot(labels.clamp(min=0), self.n_auxiliary[name]) * known)
            batch, whole, n_mixed = mixup(batch, torch.cat(every, dim=1), n_frames, recipe.mixup)
            assert n_mixed is not None
            n_frames = n_mixed
            targets, *shares = whole.split([one.shape[1] for one in every], dim=1)
            auxiliary = dict(zip(auxiliary, shares, strict=True))
        inputs = (batch.mT.contiguous() if self.is_spectrogram else batch, n_frames)
        distilled = {}
        if self.distillation is not None:
            distilled = self.distillation.targets(rows, times, places, n_frames)
        return Batch(inputs, targets, auxiliary, distilled)

    def _draw(self, row: int) -> tuple[Tensor, Tensor]:
        """Frames of a clip or of one of its augmented copies, perhaps cropped; and their times."""
        copy, n_copies = 0, len(self.copies) - 1
        if n_copies and float(torch.rand(())) < self.recipe.copy_share:
            copy = 1 + int(torch.randint(n_copies, ()))
        frames = torch.from_numpy(self.copies[copy][row])
        times = torch.arange(float(len(frames)))
        if self.distillation is not None:
            times = torch.from_numpy(self.distillation.times[copy][row])
        kept = crop(len(frames), self.recipe.crop_frames)
        frames, times = frames[kept], times[kept]
        if self.mixing is not None:
            frames, times = crop_or_pad(frames, times, self.spec, self.mixing)
        return frames, times


class ValidationDataset:
    """Validation data, for early stopping.

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
        """Logits float32 [n, n_emotions], on the CPU, of a network in evaluation mode."""
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
    """Training targets: labels, smoothed and mixed with votes of listeners.

    Parameters
    ----------
    labels : int64 [n]
        Index of the emotion of each clip.
    votes : float64 [n, n_emotions]
        Listeners' votes for each emotion; all 0 where nobody was asked.
    n_emotions : int
        Of the network.
    recipe : TrainingRecipe
        With label smoothing, the share of the votes, and mixup.

    Returns
    -------
    int64 [n] or float32 [n, n_emotions]
        As in `Batch`; the indices alone where nothing else has a share.
    """
    references = torch.from_numpy(labels)
    if recipe.label_smoothing == recipe.votes_share == recipe.mixup == 0:
        return references
    targets = one_hot(references, n_emotions).double()
    targets = (1 - recipe.label_smoothing) * targets + recipe.label_smoothing / n_emotions
    n_votes = torch.from_numpy(votes.sum(axis=1, keepdims=True))
    share = recipe.votes_share * (n_votes > 0)
    voted = torch.from_numpy(votes) / n_votes.clamp(min=1)
    return ((1 - share) * targets + share * voted).float()


def add_noise(inputs: Tensor, std: float) -> Tensor:
    """Add normal noise of a standard deviation."""
    return inputs + std * torch.randn(inputs.shape) if std else inputs
