from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
import torch

from serctl.features.mel import MelSpec
from serctl.features.whisper import WHISPER_SPEC, whisper_log_mel
from serctl.models.embedding import bundled_embedder
from serctl.models.inputs import LOG_MEL
from serctl.train.data.distillation import (
    CLIP,
    STEPS,
    Distillation,
    distill,
    held_out_probabilities,
    principal_components,
)
from serctl.train.data.encoder import ACTIVATION_STEP_S, ClipActivations, load_frozen_encoder
from serctl.train.data.feature_cache import ClipFeatures
from serctl.train.recipes.schema import DistillationRecipe

SPEC = MelSpec(rate_hz=16000, n_fft=512, hop_samples=160, n_mels=64, n_mfcc=20, top_db=40.0)
RATE_HZ = 16000


@pytest.fixture
def clip(tmp_path: Path) -> str:
    """Half a second of silence, a second of noise, and silence again."""
    samples = np.zeros(2 * RATE_HZ)
    samples[8000:24_000] = 0.1 * np.random.default_rng(0).standard_normal(16_000)
    soundfile.write(tmp_path / "a.wav", samples, RATE_HZ)
    return str(tmp_path / "a.wav")


def test_activations_are_the_encoders_and_silence_has_none(clip: str, tmp_path: Path) -> None:
    teacher = ClipActivations(load_frozen_encoder(), tmp_path)
    found = teacher(clip)
    assert found.dtype == np.float16
    assert found.shape == (25, 512)
    known = np.isfinite(found).all(axis=1)
    assert np.flatnonzero(known).tolist() == list(range(6, 19))
    samples, _ = soundfile.read(clip, dtype="float32")
    frames = np.ascontiguousarray(whisper_log_mel(samples, WHISPER_SPEC).T)
    mean = bundled_embedder()(frames)[:512]
    np.testing.assert_allclose(found[known].mean(axis=0, dtype=float), mean, rtol=0, atol=0.1)
    assert np.array_equal(teacher(clip), found, equal_nan=True)


def targets(n_frames: int) -> Distillation:
    """One clip of four steps, of which the first is silent, whose values are its steps' numbers."""
    steps = np.array([[np.nan], [1.0], [2.0], [3.0]], np.float16)
    times = (0.005 + 0.01 * np.arange(n_frames)).astype(np.float32)
    return Distillation([steps], torch.zeros(1, 2), [[times]])


def test_targets_follow_what_is_shown() -> None:
    n_frames = 32
    known = targets(n_frames)
    shown = torch.from_numpy(known.times[0][0])
    places = torch.arange(float(n_frames))[None]
    found = known.targets(torch.tensor([0]), [shown], places, torch.tensor([n_frames]))
    assert found[CLIP].shape == (1, 2)
    assert found[STEPS].shape == (1, 2, 2)  # two values for each step of 16 frames
    flat = found[STEPS][0].mT.flatten()
    assert flat[0].isnan()
    torch.testing.assert_close(flat[1:], torch.tensor([1.0, 2.0, 3.0]), atol=0.1, rtol=0)
    later = known.targets(torch.tensor([0]), [shown[8:]], places, torch.tensor([n_frames]))
    flat = later[STEPS][0].mT.flatten()
    torch.testing.assert_close(flat[:3], torch.tensor([1.0, 2.0, 3.0]), atol=0.1, rtol=0)
    assert flat[3].isnan()
    slower = known.targets(torch.tensor([0]), [shown], places / 2, torch.tensor([n_frames]))
    assert float(slower[STEPS][0].mT.flatten()[3]) == pytest.approx(1.25, abs=0.1)


def test_silence_that_was_added_has_no_targets() -> None:
    known = targets(32)
    silent = torch.full((32,), torch.nan)
    found = known.targets(torch.tensor([0]), [silent], torch.arange(32.0)[None], torch.tensor([32]))
    assert found[STEPS].isnan().all()


def test_principal_components_are_uncorrelated_and_of_one_variance() -> None:
    random = np.random.default_rng(0)
    rows = (random.standard_normal((500, 6)) @ random.standard_normal((6, 6))).astype(np.float32)
    found = principal_components(rows, 3).transform(rows)
    np.testing.assert_allclose(np.cov(found.T, bias=True), np.eye(3), atol=3e-3)
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-4)


def test_copies_show_the_moments_of_the_clip(clip: str, tmp_path: Path) -> None:
    """A copy's loud frames are around the middle of the clip's, whatever its speed."""
    for number in range(6):
        extract = ClipFeatures(LOG_MEL, SPEC, tmp_path, copy=number)
        frames = extract(clip)
        times = extract.clip_times(clip, len(frames))
        assert times.shape == (len(frames),)
        assert np.array_equal(extract.clip_times(clip, len(frames)), times)
        level = frames.mean(axis=1, dtype=np.float64)
        assert np.median(times[level > level.max() - 3]) == pytest.approx(1.0, abs=0.1)


def test_distilling_gives_every_clip_its_targets(
    clip: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SERCTL_CACHE", str(tmp_path))
    other = tmp_path / "b.wav"
    soundfile.write(other, 0.1 * np.random.default_rng(1).standard_normal(RATE_HZ), RATE_HZ)
    recipe = DistillationRecipe(
        steps=1.0, clip=0.5, labels=0.5, n_components=4, n_clip_components=1
    )
    clips = pd.DataFrame({"path": [clip, str(other)], "speaker": ["a", "a"], "label": [0, 1]})
    extract = ClipFeatures(LOG_MEL, SPEC, tmp_path)
    copies = [(extract, list(map(extract, clips["path"])))]
    found = distill(clips, copies, load_frozen_encoder(), recipe, lambda clips, n: iter(clips))
    assert [len(one) for one in found.times[0]] == [len(one) for one in copies[0][1]]
    assert found.probabilities is None  # of one speaker nothing is held out
    assert found.n_values == {CLIP: 1, STEPS: 6}
    assert [one.shape for one in found.steps] == [(25, 3), (round(1 / ACTIVATION_STEP_S + 0.5), 3)]
    assert found.clips.shape == (2, 1)


def test_probabilities_are_of_speakers_that_were_not_learned_from() -> None:
    """What an emotion does to all speakers alike is found, and what it does to one is not."""
    random = np.random.default_rng(0)
    labels, speakers = np.tile([0, 1], 60), np.repeat(list("abcdef"), 20)
    noise = 0.3 * random.standard_normal((120, 8)).astype(np.float32)
    habits = np.repeat(random.standard_normal((6, 8)), 20, axis=0).astype(np.float32)
    alike = noise + habits + labels[:, None].astype(np.float32)
    found = held_out_probabilities(alike, labels, speakers)
    assert found is not None
    assert (found.argmax(axis=1) == labels).mean() > 0.95
    own = noise + np.where(labels[:, None] == 1, habits, -habits)
    found = held_out_probabilities(own, labels, speakers)
    assert found is not None
    assert (found.argmax(axis=1) == labels).mean() < 0.85
