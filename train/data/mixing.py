"""Mixing: crop clips, pad them with silence, and mix them with background speech.

All of it works on log-mel spectrograms, drawn anew each time the network sees a clip. Powers of
independent sounds add. The result is nearly what `serctl.models.inputs.log_mel` gives of such a
recording: in dB above its own mean power.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from serctl.features.mel import MelSpec
from serctl.train.recipes.schema import MixingRecipe

CROP_FRAMES = (90, 300)  # left of a clip that is cropped
MAX_SILENT_FRAMES = 80  # before a clip, and after it
QUIETEST_SHARE = 0.5  # of silences are digital ones; others are up to `SILENCE_RISE_DB` above
SILENCE_RISE_DB = 35.0
TALKERS = (3, 7)
SNR_DB = (-3.0, 22.0)
LEAST_POWER = 1e-9
LOG_PER_DB = math.log(10) / 10  # natural logarithm of power


def crop_or_pad(
    frames: Tensor, times: Tensor, spec: MelSpec, recipe: MixingRecipe
) -> tuple[Tensor, Tensor]:
    """Crop a clip at random, or pad it with silence before and after, or both, or neither.

    Parameters
    ----------
    frames : float [n_frames, n_mels]
        In dB.
    times : float32 [n_frames]
        Of the frames.
    spec : MelSpec
        Of the features.
    recipe : MixingRecipe
        How often.

    Returns
    -------
    frames : float [n_new, n_mels]
        In dB above the mean power of the old ones; `mix_background_speech` makes it that of the new
        ones.
    times : float32 [n_new]
        NaN in silence.
    """
    shortest, longest = CROP_FRAMES
    if float(torch.rand(())) < recipe.crop_share and len(frames) > shortest:
        n_kept = int(torch.randint(shortest, min(len(frames), longest) + 1, ()))
        first = int(torch.randint(len(frames) - n_kept + 1, ()))
        frames, times = frames[first : first + n_kept], times[first : first + n_kept]
    if float(torch.rand(())) < recipe.silence_share:
        loudness = max(0.0, float(torch.rand(())) - QUIETEST_SHARE) / (1 - QUIETEST_SHARE)
        level = -spec.top_db + SILENCE_RISE_DB * loudness
        n_silent = torch.randint(MAX_SILENT_FRAMES + 1, (2,)).tolist()
        before, after = (frames.new_full((n, spec.n_mels), level) for n in n_silent)
        frames = torch.cat([before, frames, after])
        before, after = (times.new_full((n,), torch.nan) for n in n_silent)
        times = torch.cat([before, times, after])
    return frames, times


def mix_background_speech(
    batch: Tensor, n_frames: Tensor, spec: MelSpec, recipe: MixingRecipe
) -> Tensor:
    """Mix some clips of a batch with background speech; return all in dB above their mean power.

    Parameters
    ----------
    batch : float32 [batch, longest, n_mels]
        Log-mel spectrograms, in dB, padded with the floor.
    n_frames : int64 [batch]
        Frames that each clip has.
    spec : MelSpec
        Of the features.
    recipe : MixingRecipe
        How often.

    Returns
    -------
    float32 [batch, longest, n_mels]
    """
    own = n_frames.tolist()
    # Clip by clip, as one clip is in the processor's cache all along.
    clean = [(clip[:n] * LOG_PER_DB).exp_() for clip, n in zip(batch, own, strict=True)]
    is_mixed = torch.rand(len(own)) < recipe.background_share
    new = torch.full_like(batch, -spec.top_db)
    for clip, power, with_background in zip(new, clean, is_mixed.tolist(), strict=True):
        mixed = power
        if with_background:
            babble = _babble(clean, len(power))
            snr_db = SNR_DB[0] + (SNR_DB[1] - SNR_DB[0]) * float(torch.rand(()))
            mixed = power + babble * (power.mean() / babble.mean() * 10 ** (-snr_db / 10))
        decibels = (mixed / mixed.mean()).add_(LEAST_POWER).log10_().mul_(10)
        torch.clamp(decibels, min=-spec.top_db, out=clip[: len(power)])
    return new


def _babble(powers: Sequence[Tensor], n_frames: int) -> Tensor:
    """Sum of the powers of random clips, float32 [n_frames, n_mels], each looped from anywhere."""
    n_talkers = int(torch.randint(TALKERS[0], TALKERS[1] + 1, ()))
    times = torch.arange(n_frames)
    voices = []
    for row in torch.randint(len(powers), (n_talkers,)).tolist():
        n = len(powers[row])
        voices.append(powers[row][(times + int(torch.randint(n, ()))) % n])
    return torch.stack(voices).sum(dim=0)
