"""Changes to the spectrograms of training clips, drawn anew each time a clip is shown.

A batch is a tensor of raw features [batch, n_frames, n_columns], filled up with the floor after each
clip's own frames. Everything random is drawn from torch's generator on the CPU, whose state the
checkpoint holds.
"""

import math

import torch
from torch import Tensor
from torch.distributions import Beta
from torch.nn.functional import grid_sample

from serctl.features import MelSpec, hz_to_mel, mel_edges, mel_to_hz
from serctl.train.recipe import AugmentationRecipe


def cropped(frames: Tensor, n_frames: int) -> Tensor:
    """As many frames as given, from a random place.

    Parameters
    ----------
    frames : float [n, n_columns]
        Of one clip.
    n_frames : int
        Most to keep; 0 keeps all.

    Returns
    -------
    float [at most n_frames, n_columns]
    """
    n_spare = len(frames) - n_frames
    if n_frames == 0 or n_spare <= 0:
        return frames
    first = int(torch.randint(n_spare + 1, ()))
    return frames[first : first + n_frames]


def stretched(
    batch: Tensor, n_frames: Tensor, spec: MelSpec, multiple: int, recipe: AugmentationRecipe
) -> tuple[Tensor, Tensor]:
    """Clips with time and frequency scaled: other tempo, other voice.

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
        Of which the new longest is one.
    recipe : AugmentationRecipe
        How much.

    Returns
    -------
    batch : float32 [batch, new longest, n_columns]
    n_frames : int64 [batch]
    """
    floor = -spec.top_db
    if recipe.stretch == 0 and recipe.warp == 0:
        return batch, n_frames
    n_clips, longest, n_bands = batch.shape
    tempo = torch.exp(recipe.stretch * (2 * torch.rand(n_clips, 1) - 1))  # above 1 is longer
    warp = torch.exp(recipe.warp * (2 * torch.rand(n_clips, 1) - 1))
    new_frames = (n_frames * tempo[:, 0]).ceil().long().clamp(min=1)
    new_longest = filled_to(int(new_frames.max()), multiple)
    # Where each new frame and band is taken from, scaled to [-1, 1] as `grid_sample` counts.
    times = (torch.arange(new_longest) + 0.5) / tempo  # [batch, new_longest], in old frames
    bands = torch.arange(n_bands).expand(n_clips, -1) + 0.5
    if recipe.warp:
        bands = _scaled_bands(warp, spec)
    y = (2 * times / longest - 1)[:, :, None].expand(-1, -1, n_bands)
    x = (2 * bands / n_bands - 1)[:, None, :].expand(-1, new_longest, -1)
    grid = torch.stack([x, y], dim=3)  # [batch, new_longest, n_bands, 2]
    above = (batch - floor)[:, None]  # beyond the ends there is 0
    new = grid_sample(above, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    return new[:, 0] + floor, new_frames


def _scaled_bands(factors: Tensor, spec: MelSpec) -> Tensor:
    """Where each band is once its frequency is scaled, float32 [batch, n_mels].

    As `grid_sample` counts: 0.5 is the middle of the first band. ``factors`` are [batch, 1].
    """
    mels = mel_edges(spec)[1:-1]
    scaled = hz_to_mel(mel_to_hz(mels) * factors.double().numpy())
    return torch.from_numpy((scaled - mels[0]) / (mels[1] - mels[0]) + 0.5).float()


def masked(batch: Tensor, n_frames: Tensor, recipe: AugmentationRecipe) -> Tensor:
    """Clips with some bands and some frames covered by zeros (SpecAugment, Park et al. 2019).

    Parameters
    ----------
    batch : float32 [batch, longest, n_columns]
        Scaled, so that 0 is a column's mean. Changed in place.
    n_frames : int64 [batch]
        Frames that each clip has.
    recipe : AugmentationRecipe
        How many masks, and how wide.

    Returns
    -------
    float32 [batch, longest, n_columns]
    """
    n_clips, longest, n_columns = batch.shape
    for _ in range(recipe.n_masks):
        columns = _spans(torch.full((n_clips,), n_columns), recipe.mask_bands, n_columns)
        frames = _spans(n_frames, recipe.mask_frames, longest)
        batch.masked_fill_(columns[:, None, :] | frames[:, :, None], 0.0)
    return batch


def _spans(lengths: Tensor, widest: int, n: int) -> Tensor:
    """A random span within each of ``lengths``, at most ``widest`` long, bool [batch, n]."""
    draws = torch.rand(2, len(lengths))
    width = torch.minimum((draws[0] * (widest + 1)).long(), lengths)
    first = (draws[1] * (lengths - width + 1)).long()
    places = torch.arange(n)
    return (places >= first[:, None]) & (places < (first + width)[:, None])


def mixed(
    inputs: Tensor, targets: Tensor, n_frames: Tensor | None, mixup: float
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Each clip of a batch with another of it laid under (mixup, Zhang et al. 2018).

    Parameters
    ----------
    inputs : float32 [batch, ...]
        Of a network.
    targets : float32 [batch, n_emotions]
        Their probabilities.
    n_frames : int64 [batch], optional
        Frames that each clip has.
    mixup : float
        Both parameters of the beta distribution of the one share that the batch has; 0 for none.

    Returns
    -------
    inputs, targets, n_frames
        Of the mixed clips, each as long as the longer of its two.
    """
    if mixup == 0:
        return inputs, targets, n_frames
    share = float(Beta(mixup, mixup).sample())
    share = max(share, 1 - share)
    other = torch.randperm(len(inputs))
    inputs = share * inputs + (1 - share) * inputs[other]
    targets = share * targets + (1 - share) * targets[other]
    if n_frames is not None:
        n_frames = torch.maximum(n_frames, n_frames[other])
    return inputs, targets, n_frames


def filled_to(n_frames: int, multiple: int) -> int:
    """Smallest multiple that is not less."""
    return math.ceil(n_frames / multiple) * multiple
