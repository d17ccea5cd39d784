"""Noise, bystanders and telephone lines, added to log-mel spectrograms of training clips.

Powers of sounds that have nothing to do with one another add, so that a spectrogram can be disturbed
without its samples, in another way each time a clip is shown. What it gives is what
`serctl.inputs.log_mel` would give of the disturbed clip, nearly: in dB above its own mean power.
"""

import math

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from serctl.features import MelSpec, mel_edges, mel_to_hz
from serctl.train.recipe import DisturbanceRecipe

SNR_DB = (-3.0, 25.0)
# Of noises: white ones, ones of another spectrum, and voices of the batch's other clips.
WHITE_SHARE, COLOURED_SHARE = 0.35, 0.3
COLOUR_DB = 6.0  # deviation of a coloured noise's spectrum, at `COLOUR_POINTS` places
COLOUR_POINTS = 5
MAX_FALL_DB = 20.0  # that it falls by, from the lowest band to the highest
TALKERS = (3, 7)
TELEPHONE_HZ = ((150.0, 400.0), (3200.0, 3800.0))  # where its band begins, and where it ends
TELEPHONE_NYQUIST_HZ = 4000.0
BELOW_DB_PER_OCTAVE, ABOVE_DB_PER_OCTAVE = (12.0, 36.0), (60.0, 260.0)
QUANTISATION_DB = (-60.0, -25.0)  # its noise, relative to the clip
LEAST_POWER = 1e-9


def disturbed(batch: Tensor, n_frames: Tensor, spec: MelSpec, recipe: DisturbanceRecipe) -> Tensor:
    """Clips of a batch, some with noise, some by telephone, some both.

    Parameters
    ----------
    batch : float32 [batch, longest, n_mels]
        Log-mel spectrograms, in dB, as `serctl.inputs.log_mel` gives them, filled up with the floor.
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
    is_noisy = torch.rand(n_clips) < recipe.noise_share
    is_far = torch.rand(n_clips) < recipe.telephone_share
    rows = (is_noisy | is_far).nonzero()[:, 0]
    if len(rows) == 0:
        return batch
    is_clip = (torch.arange(longest) < n_frames[rows, None])[:, :, None]
    power = _power(batch[rows]) * is_clip
    noisy, far = is_noisy[rows].nonzero()[:, 0], is_far[rows].nonzero()[:, 0]
    if len(noisy):
        noise = _noise(len(noisy), batch, n_frames, spec) * is_clip[noisy]
        snr_db = _between(SNR_DB, len(noisy), 1)
        share = _mean(power[noisy]) / _mean(noise) * 10 ** (-snr_db[:, :, None] / 10)
        power[noisy] += share * noise
    if len(far):
        power[far] = _telephoned(power[far], spec) * is_clip[far]
    mean = power.sum(dim=(1, 2), keepdim=True) / n_frames[rows, None, None] / spec.n_mels
    new = 10 * torch.log10(power / mean + LEAST_POWER)
    batch = batch.clone()
    batch[rows] = torch.where(is_clip, new.clamp(min=-spec.top_db), -spec.top_db)
    return batch


def _power(decibels: Tensor) -> Tensor:
    return torch.exp(decibels * (math.log(10) / 10))


def _mean(power: Tensor) -> Tensor:
    """Mean over frames and bands, float32 [n, 1, 1]; what fills clips up counts alike on both sides."""
    return power.mean(dim=(1, 2), keepdim=True)


def _between(ends: tuple[float, float], *shape: int) -> Tensor:
    return ends[0] + (ends[1] - ends[0]) * torch.rand(*shape)


def _noise(n: int, batch: Tensor, n_frames: Tensor, spec: MelSpec) -> Tensor:
    """Power of n noises, of any level, float32 [n, longest, n_mels]."""
    longest = batch.shape[1]
    edges_hz = torch.from_numpy(mel_to_hz(mel_edges(spec))).float()
    # The power of noise in a band is a mean over its bins, half the width of its triangle.
    n_bins = ((edges_hz[2:] - edges_hz[:-2]) * spec.n_fft / spec.rate_hz / 2).clamp(min=1)
    fluctuation = torch._standard_gamma(n_bins.expand(n, longest, -1).contiguous()) / n_bins
    bends = interpolate(
        COLOUR_DB * torch.randn(n, 1, COLOUR_POINTS), spec.n_mels, mode="linear", align_corners=True
    )
    falls = _between((0.0, MAX_FALL_DB), n, 1, 1) * torch.linspace(0, 1, spec.n_mels)
    kind = torch.rand(n, 1, 1)
    coloured = torch.where(kind < WHITE_SHARE, 1.0, _power(bends - falls))
    noise = fluctuation * coloured
    for row in (kind[:, 0, 0] >= WHITE_SHARE + COLOURED_SHARE).nonzero()[:, 0].tolist():
        noise[row] = _babble(batch, n_frames)
    return noise


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


def _telephoned(power: Tensor, spec: MelSpec) -> Tensor:
    """Power of clips within a telephone's band, and of its quantisation, of the same shape."""
    n = len(power)
    hz = torch.from_numpy(mel_to_hz(mel_edges(spec)[1:-1])).float()
    low, high = (_between(ends, n, 1) for ends in TELEPHONE_HZ)
    below, above = torch.log2(low / hz).clamp(min=0), torch.log2(hz / high).clamp(min=0)
    loss_db = _between(BELOW_DB_PER_OCTAVE, n, 1) * below
    loss_db = loss_db + _between(ABOVE_DB_PER_OCTAVE, n, 1) * above
    heard = power * _power(-loss_db)[:, None]
    floor = _mean(heard) * _power(_between(QUANTISATION_DB, n, 1, 1))
    return heard + floor * (hz < TELEPHONE_NYQUIST_HZ)
