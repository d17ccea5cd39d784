from dataclasses import replace

import numpy as np
import pytest
import torch

from serctl.features.mel import MelSpec, mel_edges, mel_to_hz
from serctl.train.data.augmentation import crop, mixup, round_up, spec_augment, stretch
from serctl.train.recipes.schema import AugmentationRecipe

NOTHING = AugmentationRecipe(
    n_copies=0,
    copy_share=0.0,
    crop_frames=0,
    stretch=0.0,
    warp=0.0,
    n_masks=0,
    mask_bands=0,
    mask_frames=0,
)
FLOOR = -70.0
N_BANDS = 24
SPEC = MelSpec(16000, n_fft=512, hop_samples=160, n_mels=N_BANDS, n_mfcc=20, top_db=-FLOOR)


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


def pictures(n_frames: list[int], longest: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Clips whose values grow with time and band, filled up with the floor."""
    batch = torch.full((len(n_frames), longest, N_BANDS), FLOOR)
    for clip, n in zip(batch, n_frames, strict=True):
        clip[:n] = torch.arange(n)[:, None] / 10 + torch.arange(N_BANDS)
    return batch, torch.tensor(n_frames)


def test_a_crop_is_a_part_at_any_place() -> None:
    parts = [crop(10, 4) for _ in range(200)]
    assert {part.start for part in parts} == set(range(7))
    assert {part.stop - part.start for part in parts} == {4}


@pytest.mark.parametrize("n_frames", [0, 10, 11])
def test_what_is_short_enough_is_not_cropped(n_frames: int) -> None:
    assert crop(10, n_frames) == slice(0, 10)


def test_nothing_to_do_changes_nothing() -> None:
    batch, n_frames = pictures([30, 20], 32)
    same, n_same, places = stretch(batch, n_frames, SPEC, 16, NOTHING)
    assert torch.equal(same, batch)
    assert torch.equal(n_same, n_frames)
    assert torch.equal(places, torch.arange(32.0).expand(2, -1))
    assert torch.equal(spec_augment(batch.clone(), n_frames, NOTHING), batch)


def test_stretching_changes_lengths_and_keeps_ends() -> None:
    batch, n_frames = pictures([60, 40] * 50, 64)
    new, n_new, places = stretch(batch, n_frames, SPEC, 16, replace(NOTHING, stretch=0.3))
    assert new.shape[1] % 16 == 0
    assert new.shape[1] - 16 < int(n_new.max()) <= new.shape[1]
    ratio = n_new / n_frames
    assert 0.73 < float(ratio.min()) < 0.85
    assert 1.2 < float(ratio.max()) < 1.4
    for clip, n, old, place in zip(new, n_new.tolist(), n_frames.tolist(), places, strict=True):
        assert float(clip[n // 2, 0]) == pytest.approx(float(place[n // 2]) / 10, abs=1e-3)
        # The same change in time, spread over another number of frames; bands stay.
        assert float(clip[n // 2, 3]) == pytest.approx(old / 20 + 3, abs=0.2)
        assert float(clip[n // 2, 20] - clip[n // 2, 3]) == pytest.approx(17, abs=0.01)
        assert (clip[n + 2 :] == FLOOR).all()


def test_warping_scales_frequency_and_moves_no_frames() -> None:
    batch, n_frames = pictures([60] * 200, 64)
    new, n_new, _ = stretch(batch, n_frames, SPEC, 16, replace(NOTHING, warp=0.2))
    assert torch.equal(n_new, n_frames)
    middles_hz = mel_to_hz(mel_edges(SPEC)[1:-1])
    bands = new[:, 30, 2:16].numpy() - 3  # which bands are now these; the highest may be beyond
    hz = np.interp(bands, np.arange(N_BANDS), middles_hz)
    factors = hz / middles_hz[2:16]
    assert np.exp(-0.21) < factors.min() < np.exp(-0.17)
    assert np.exp(0.17) < factors.max() < np.exp(0.21)
    assert np.ptp(factors, axis=1).max() < 0.03  # a clip has one factor
    assert float((new[:, 40, 5] - new[:, 20, 5]).sub(2).abs().max()) < 0.01


def test_each_clip_has_its_own_masks() -> None:
    n_frames = torch.tensor([60, 30] * 40)
    recipe = replace(NOTHING, n_masks=2, mask_bands=6, mask_frames=20)
    batch = spec_augment(torch.ones(80, 64, N_BANDS), n_frames, recipe)
    assert set(batch.unique().tolist()) == {0.0, 1.0}
    covered = batch == 0
    bands, frames = covered.all(dim=1).sum(dim=1), covered.all(dim=2).sum(dim=1)
    assert int(bands.max()) <= 12
    assert int(frames.max()) <= 40
    assert len(set(bands.tolist())) > 5
    assert len(set(frames.tolist())) > 5
    assert 2 < float(bands.float().mean()) < 6.5  # two of 3 bands each, some over one another
    for clip, n in zip(covered, n_frames.tolist(), strict=True):
        assert not clip.all(dim=1)[n:].any()  # what fills a clip up is not covered


def test_clips_are_mixed_in_pairs_and_their_targets_with_them() -> None:
    inputs = torch.eye(8)[:, :, None].repeat(1, 1, 3)
    targets, n_frames = torch.eye(8), torch.arange(8)
    shares = []
    for _ in range(50):
        x, y, n = mixup(inputs, targets, n_frames, 0.2)
        assert n is not None
        assert torch.equal(x[:, :, 0], y)
        assert torch.allclose(y.sum(dim=1), torch.ones(8))
        share = float(y.diagonal().min())
        shares.append(share)
        assert share >= 0.5
        assert (n >= n_frames).all()
    assert min(shares) < 0.8
    assert max(shares) > 0.99  # of a small parameter most are near 1


def test_no_mixing_draws_nothing() -> None:
    state = torch.get_rng_state()
    inputs, targets = torch.rand(4, 3), torch.tensor([0, 1, 2, 0])
    torch.set_rng_state(state)
    x, y, n = mixup(inputs, targets, None, 0.0)
    assert x is inputs
    assert y is targets
    assert n is None
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize(
    ("n", "multiple", "filled"), [(1, 16, 16), (16, 16, 16), (17, 16, 32), (5, 1, 5)]
)
def test_what_is_filled_up(n: int, multiple: int, filled: int) -> None:
    assert round_up(n, multiple) == filled
