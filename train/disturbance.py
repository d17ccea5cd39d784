"""What happens to speech in recordings: it is cut, stands in silence, and others talk meanwhile.

All of it is done to log-mel spectrograms, in another way each time a clip is shown. Powers of sounds
that have nothing to do with one another add. In the end a spectrogram is what `serctl.inputs.log_mel`
would give of such a recording, nearly: in dB above its own mean power.
"""

import math

import torch
from torch import Tensor

from serctl.features import MelSpec
from serctl.train.recipe import DisturbanceRecipe

CUT_FRAMES = (90, 300)  # left of a clip that is cut
MAX_SILENT_FRAMES = 80  # before a clip, and after it
QUIETEST_SHARE = 0.5  # of silences are digital ones; others are up to `SILENCE_RISE_DB` above
SILENCE_RISE_DB = 35.0
TALKERS = (3, 7)
SNR_DB = (-3.0, 22.0)
LEAST_POWER = 1e-9


def cut_or_surrounded(frames: Tensor, spec: MelSpec, recipe: DisturbanceRecipe) -> Tensor:
    """Frames of a clip, perhaps only some of them, perhaps with silence before and after.

    Parameters
    ----------
    frames : float [n_frames, n_mels]
        In dB.
    spec : MelSpec
        Of the features.
    recipe : DisturbanceRecipe
        How often.

    Returns
    -------
    float [n_new, n_mels]
        In dB above the mean power of ``frames``; `disturbed` makes it that of the new ones.
    """
    shortest, longest = CUT_FRAMES
    if float(torch.rand(())) < recipe.cut_share and len(frames) > shortest:
        n_kept = int(torch.randint(shortest, min(len(frames), longest) + 1, ()))
        first = int(torch.randint(len(frames) - n_kept + 1, ()))
        frames = frames[first : first + n_kept]
    if float(torch.rand(())) < recipe.silence_share:
        loudness = max(0.0, float(torch.rand(())) - QUIETEST_SHARE) / (1 - QUIETEST_SHARE)
        level = -spec.top_db + SILENCE_RISE_DB * loudness
        silences = [
            frames.new_full((int(n), spec.n_mels), level)
            for n in torch.randint(MAX_SILENT_FRAMES + 1, (2,))
        ]
        frames = torch.cat([silences[0], frames, silences[1]])
    return frames


def disturbed(batch: Tensor, n_frames: Tensor, spec: MelSpec, recipe: DisturbanceRecipe) -> Tensor:
    """Clips of a batch, some with the voices of others, all in dB above their mean power.

    Parameters
    ----------
    batch : float32 [batch, longest, n_mels]
        Log-mel spectrograms, in dB, filled up with the floor.
    n_frames : int64 [batch]
        Frames that each clip has.
    spec : MelSpec
        Of the features.
    recipe : DisturbanceRecipe
        How often.

    Returns
    -------
    float32 [batch, longest, n_mels]
    """
    n_clips, longest, _ = batch.shape
    is_clip = (torch.arange(longest) < n_frames[:, None])[:, :, None]
    power = _power(batch) * is_clip
    for row in (torch.rand(n_clips) < recipe.bystanders_share).nonzero()[:, 0].tolist():
        babble = _babble(batch, n_frames) * is_clip[row]
        snr_db = SNR_DB[0] + (SNR_DB[1] - SNR_DB[0]) * float(torch.rand(()))
        power[row] += babble * (power[row].mean() / babble.mean() * 10 ** (-snr_db / 10))
    mean = power.sum(dim=(1, 2), keepdim=True) / n_frames[:, None, None] / spec.n_mels
    decibels = 10 * torch.log10(power / mean + LEAST_POWER)
    return torch.where(is_clip, decibels.clamp(min=-spec.top_db), -spec.top_db)


def _power(decibels: Tensor) -> Tensor:
    return torch.exp(decibels * (math.log(10) / 10))


def _babble(batch: Tensor, n_frames: Tensor) -> Tensor:
    """Power of some clips of a batch at once, each from anywhere in it and over again."""
    longest = batch.shape[1]
    n_talkers = int(torch.randint(TALKERS[0], TALKERS[1] + 1, ()))
    voices = []
    for row in torch.randint(len(batch), (n_talkers,)).tolist():
        n = int(n_frames[row])
        times = (torch.arange(longest) + int(torch.randint(n, ()))) % n
        voices.append(_power(batch[row, times]))
    return torch.stack(voices).sum(dim=0)
