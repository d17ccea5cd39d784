import numpy as np
import pytest
import torch

from serctl.features.mel import MelSpec
from serctl.models.inputs import log_mel
from serctl.train.data.mixing import (
    CROP_FRAMES,
    MAX_SILENT_FRAMES,
    SILENCE_RISE_DB,
    crop_or_pad,
    mix_background_speech,
)
from serctl.train.recipes.schema import MixingRecipe

SPEC = MelSpec(rate_hz=16000, n_fft=512, hop_samples=160, n_mels=64, n_mfcc=20, top_db=70.0)
NOTHING = MixingRecipe(0.0, 0.0, 0.0)
BACKGROUND = MixingRecipe(0.0, 0.0, 1.0)
N_CLIPS = 24


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


def tone(hz: float, n_samples: int = 16000) -> np.ndarray:
    """A tone with all of its overtones, with pauses."""
    times = np.arange(n_samples) / SPEC.rate_hz
    overtones = [np.sin(2 * np.pi * hz * i * times) / i for i in range(1, int(8000 / hz))]
    loudness = np.maximum(0, np.sin(2 * np.pi * 3 * times))
    return (np.sum(overtones, axis=0) * loudness).astype(np.float32)


@pytest.fixture
def clips() -> tuple[torch.Tensor, torch.Tensor]:
    """Tones, each a bit longer than the last, filled up with the floor."""
    n_samples = [8000 + 320 * i for i in range(N_CLIPS)]
    pictures = [log_mel(tone(90 + 10 * i, n), SPEC) for i, n in enumerate(n_samples)]
    batch = torch.full((N_CLIPS, len(pictures[-1]) + 5, SPEC.n_mels), -SPEC.top_db)
    for row, picture in zip(batch, pictures, strict=True):
        row[: len(picture)] = torch.from_numpy(picture)
    return batch, torch.tensor([len(picture) for picture in pictures])


def mean_db(picture: torch.Tensor) -> float:
    return float(10 * torch.log10(torch.pow(10, picture / 10).mean()))


def test_clips_come_to_stand_in_db_above_their_mean_power(
    clips: tuple[torch.Tensor, torch.Tensor],
) -> None:
    batch, n_frames = clips
    new = mix_background_speech((batch - 7).clamp(min=-SPEC.top_db), n_frames, SPEC, NOTHING)
    assert float((new - batch)[batch > -SPEC.top_db + 8].abs().max()) < 0.05


def test_background_speech_leaves_frames_and_level(
    clips: tuple[torch.Tensor, torch.Tensor],
) -> None:
    before = clips[0].clone()
    new = mix_background_speech(*clips, SPEC, BACKGROUND)
    assert torch.equal(clips[0], before)
    assert float(new.min()) == -SPEC.top_db
    for picture, clean, n in zip(new, before, clips[1].tolist(), strict=True):
        assert mean_db(picture[:n]) == pytest.approx(0, abs=0.01)
        assert (picture[n:] == -SPEC.top_db).all()
        assert float((picture - clean)[:n].abs().max()) > 3


def test_background_speech_are_the_other_clips(
    clips: tuple[torch.Tensor, torch.Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serctl.train.data.mixing.SNR_DB", (-60.0, -60.0))
    batch, n_frames = clips
    batch = batch.clone()
    batch[:, :, 40:] = -SPEC.top_db  # nobody has treble
    new = mix_background_speech(batch, n_frames, SPEC, BACKGROUND)
    assert float(new[:, :, 45:].max()) < -30
    assert not torch.allclose(new[:, :, :40], batch[:, :, :40], atol=1.0)


def test_a_share_of_the_clips_has_background_speech(
    clips: tuple[torch.Tensor, torch.Tensor],
) -> None:
    alone = mix_background_speech(*clips, SPEC, NOTHING)
    torch.manual_seed(0)
    new = mix_background_speech(*clips, SPEC, MixingRecipe(0.0, 0.0, 0.5))
    same = (new == alone).all(dim=(1, 2))
    assert 4 < int(same.sum()) < N_CLIPS - 4


def test_a_cut_clip_is_a_part_of_it() -> None:
    frames = torch.arange(400.0)[:, None].expand(-1, SPEC.n_mels)
    lengths, firsts = set(), set()
    for _ in range(200):
        part, times = crop_or_pad(frames, frames[:, 0], SPEC, MixingRecipe(1.0, 0.0, 0.0))
        assert torch.equal(times, part[:, 0])
        lengths.add(len(part))
        firsts.add(int(part[0, 0]))
        assert torch.equal(part[:, 0], part[0, 0] + torch.arange(len(part)))
    assert CROP_FRAMES[0] <= min(lengths) < 100
    assert 290 < max(lengths) <= CROP_FRAMES[1]
    assert len(firsts) > 50


def test_what_is_short_is_not_cut() -> None:
    frames = torch.zeros(CROP_FRAMES[0], SPEC.n_mels)
    times = torch.zeros(len(frames))
    same = crop_or_pad(frames, times, SPEC, MixingRecipe(1.0, 0.0, 0.0))
    assert same[0] is frames
    assert same[1] is times


def test_silence_stands_around_a_whole_clip() -> None:
    frames = torch.full((50, SPEC.n_mels), 3.0)
    befores, levels = set(), []
    for _ in range(200):
        around, times = crop_or_pad(frames, torch.arange(50.0), SPEC, MixingRecipe(0.0, 1.0, 0.0))
        speech = (around == 3).all(dim=1).nonzero()[:, 0]
        assert torch.equal(times[speech], torch.arange(50.0))
        assert torch.equal(times.isfinite(), (around == 3).all(dim=1))
        assert int(speech[-1] - speech[0]) == 49
        befores.add(int(speech[0]))
        levels += around[around != 3].unique().tolist()
    assert min(befores) < 5
    assert 70 < max(befores) <= MAX_SILENT_FRAMES
    assert min(levels) == -SPEC.top_db
    assert -40 < max(levels) <= -SPEC.top_db + SILENCE_RISE_DB
    assert 0.35 < np.mean(np.array(levels) == -SPEC.top_db) < 0.65
