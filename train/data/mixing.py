"""What happens to speech in recordings: it is cut, stands in silence, and others talk meanwhile.

All of it is done to log-mel spectrograms, in another way each time a clip is shown. Powers of
sounds that have nothing to do with one another add. In the end a spectrogram is what
`serctl.models.inputs.log_mel` would give of such a recording, nearly: in dB above its own mean
power.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from serctl.features.mel import MelSpec
from serctl.train.recipes.schema import DisturbanceRecipe

CUT_FRAMES = (90, 300)  # left of a clip that is cut
MAX_SILENT_FRAMES = 80  # before a clip, and after it
QUIETEST_SHARE = 0.5  # of silences are digital ones; others are up to `SILENCE_RISE_DB` above
SILENCE_RISE_DB = 35.0
TALKERS = (3, 7)
SNR_DB = (-3.0, 22.0)
LEAST_POWER = 1e-9
LOG_PER_DB = math.log(10) / 10  # natural logarithm of power


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
    own = n_frames.tolist()
    # Clip by clip, as one clip is in the processor's cache all along.
    clean = [(clip[:n] * LOG_PER_DB).exp_() for clip, n in zip(batch, own, strict=True)]
    among_others = torch.rand(len(own)) < recipe.bystanders_share
    new = torch.full_like(batch, -spec.top_db)
    for clip, power, is_among_others in zip(new, clean, among_others.tolist(), strict=True):
        heard = power
        if is_among_others:
            babble = _babble(clean, len(power))
            snr_db = SNR_DB[0] + (SNR_DB[1] - SNR_DB[0]) * float(torch.rand(()))
            heard = power + babble * (power.mean() / babble.mean() * 10 ** (-snr_db / 10))
        decibels = (heard / heard.mean()).add_(LEAST_POWER).log10_().mul_(10)
        torch.clamp(decibels, min=-spec.top_db, out=clip[: len(power)])
    return new


def _babble(powers: Sequence[Tensor], n_frames: int) -> Tensor:
    """Power of some clips at once, float32 [n_frames, n_mels], each from anywhere and over again."""
    n_talkers = int(torch.randint(TALKERS[0], TALKERS[1] + 1, ()))
    times = torch.arange(n_frames)
    voices = []
    for row in torch.randint(len(powers), (n_talkers,)).tolist():
        n = len(powers[row])
        voices.append(powers[row][(times + int(torch.randint(n, ()))) % n])
    return torch.stack(voices).sum(dim=0)
