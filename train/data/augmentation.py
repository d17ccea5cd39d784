"""Augmentation of the features of training clips, drawn anew each time the network sees a clip.

A batch is a tensor of features [batch, n_frames, n_columns], padded with the floor after each clip's
own frames. Everything random is drawn from torch's generator on the CPU, whose state the
checkpoint holds.
"""

import math

import torch
from torch import Tensor
from torch.distributions import Beta

from serctl.features.mel import MelSpec, hz_to_mel, mel_edges, mel_to_hz
from serctl.train.recipes.schema import AugmentationRecipe


def crop(n_old: int, n_frames: int) -> slice:
    """Crop a clip to a number of frames, at a random place.

    Parameters
    ----------
    n_old : int
        Frames of the clip.
    n_frames : int
        Most to keep; 0 keeps all.

    Returns
    -------
    slice
        The frames to keep.
    """
    n_spare = n_old - n_frames
    if n_frames == 0 or n_spare <= 0:
        return slice(0, n_old)
    first = int(torch.randint(n_spare + 1, ()))
    return slice(first, first + n_frames)


def stretch(
    batch: Tensor, n_frames: Tensor, spec: MelSpec, multiple: int, recipe: AugmentationRecipe
) -> tuple[Tensor, Tensor, Tensor]:
    """Stretch clips in time and in frequency: another tempo, another voice.

    Each clip has its own factors, drawn evenly on a logarithmic scale up to ``recipe.stretch`` and
    ``recipe.warp``. A factor of frequency moves pitch and formants alike, as in a smaller or larger
    speaker. Values between frames and bands are interpolated; beyond the ends is the floor.

    Parameters
    ----------
    batch : float32 [batch, longest, n_columns]
        In dB; mel spectrograms if ``recipe.warp`` is not 0.
    n_frames : int64 [batch]
        Frames that each clip has.
    spec : MelSpec
        Of the features.
    multiple : int
        The new longest length is a multiple of it.
    recipe : AugmentationRecipe
        How much.

    Returns
    -------
    batch : float32 [batch, new longest, n_columns]
    n_frames : int64 [batch]
    places : float32 [batch, new longest]
        Place of each new frame among the old ones.
    """
    floor = -spec.top_db
    n_clips, longest, n_bands = batch.shape
    if recipe.stretch == 0 and recipe.warp == 0:
        return batch, n_frames, torch.arange(float(longest)).expand(n_clips, -1)
    tempo = torch.exp(recipe.stretch * (2 * torch.rand(n_clips, 1) - 1))  # above 1 is longer
    warp = torch.exp(recipe.warp * (2 * torch.rand(n_clips, 1) - 1))
    new_frames = (n_frames * tempo[:, 0]).ceil().long().clamp(min=1)
    new_longest = round_up(int(new_frames.max()), multiple)
    # Which old frame each new one follows, and how far it is on the way to the next.
    times = (torch.arange(new_longest) + 0.5) / tempo - 0.5  # [batch, new_longest]
    before = times.floor()
    share = (times - before)[:, :, None]
    rows = before.long() + 1  # below the frame of floor that is put before the first
    weights = _band_weights(warp, spec) if recipe.warp else [None] * n_clips
    new = batch.new_full((n_clips, new_longest, n_bands), floor)
    # Clip by clip, as one clip is in the processor's cache all along.
    for i, (n_old, n_new) in enumerate(zip(n_frames.tolist(), new_frames.tolist(), strict=True)):
        above = batch.new_zeros(n_old + 3, n_bands)  # beyond the ends there is 0
        torch.sub(batch[i, :n_old], floor, out=above[1 : n_old + 1])
        if (of_clip := weights[i]) is not None:
            above = above @ of_clip
        own = rows[i, :n_new]
        between = torch.lerp(above[own], above[own + 1], share[i, :n_new])
        torch.add(between, floor, out=new[i, :n_new])
    return new, new_frames, times


def _band_weights(factors: Tensor, spec: MelSpec) -> Tensor:
    """What each old band adds to each new one, float32 [batch, n_mels, n_mels].

    Parameters
    ----------
    factors : float32 [batch, 1]
        By which frequencies are scaled.
    spec : MelSpec
        Of the features.
    """
    mels = mel_edges(spec)[1:-1]
    scaled = hz_to_mel(mel_to_hz(mels) * factors.double().numpy())
    places = torch.from_numpy((scaled - mels[0]) / (mels[1] - mels[0])).float()  # in old bands
    away = (places[:, None, :] - torch.arange(float(spec.n_mels))[:, None]).abs()
    return (1 - away).clamp(min=0)


def spec_augment(batch: Tensor, n_frames: Tensor, recipe: AugmentationRecipe) -> Tensor:
    """Mask some bands and some frames of each clip with zeros (SpecAugment, Park et al. 2019).

    Parameters
    ----------
    batch : float32 [batch, longest, n_columns]
        Normalized, so that 0 is a column's mean. Changed in place.
    n_frames : int64 [batch]
        Frames that each clip has.
    recipe : AugmentationRecipe
        How many masks, and how wide.

    Returns
    -------
    float32 [batch, longest, n_columns]
    """
    n_clips, _, n_columns = batch.shape
    for _ in range(recipe.n_masks):
        columns = _spans(torch.full((n_clips,), n_columns), recipe.mask_bands)
        frames = _spans(n_frames, recipe.mask_frames)
        for clip, of_columns, of_frames in zip(batch, columns, frames, strict=True):
            clip[:, of_columns] = 0.0
            clip[of_frames] = 0.0
    return batch


def _spans(lengths: Tensor, widest: int) -> list[slice]:
    """A random span within each of ``lengths``, at most ``widest`` long."""
    draws = torch.rand(2, len(lengths))
    width = torch.minimum((draws[0] * (widest + 1)).long(), lengths)
    first = (draws[1] * (lengths - width + 1)).long()
    return list(map(slice, first.tolist(), (first + width).tolist()))


def mixup(
    inputs: Tensor, targets: Tensor, n_frames: Tensor | None, alpha: float
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Mix each clip of a batch with another one of it (mixup, Zhang et al. 2018).

    Parameters
    ----------
    inputs : float32 [batch, ...]
        Of a network.
    targets : float32 [batch, n_emotions]
        Their probabilities.
    n_frames : int64 [batch], optional
        Frames that each clip has.
    alpha : float
        Both parameters of the beta distribution of the one share that the batch has; 0 for none.

    Returns
    -------
    inputs, targets, n_frames
        Of the mixed clips, each as long as the longer of its two.
    """
    if alpha == 0:
        return inputs, targets, n_frames
    share = float(Beta(alpha, alpha).sample())
    share = max(share, 1 - share)
    other = torch.randperm(len(inputs))
    inputs = share * inputs + (1 - share) * inputs[other]
    targets = share * targets + (1 - share) * targets[other]
    if n_frames is not None:
        n_frames = torch.maximum(n_frames, n_frames[other])
    return inputs, targets, n_frames


def round_up(n_frames: int, multiple: int) -> int:
    """Round a number of frames up to a multiple."""
    return math.ceil(n_frames / multiple) * multiple
