from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from serctl.features.mel import MelSpec
from serctl.models.inputs import FRAMES, LOG_MEL, InputKind, Normalization
from serctl.train.data.batches import (
    FrameDataset,
    StatisticsDataset,
    ValidationDataset,
    add_noise,
    soft_targets,
)
from serctl.train.recipes.loading import load_recipe
from serctl.train.recipes.schema import AugmentationRecipe

SPEC = MelSpec(rate_hz=16000, n_fft=512, hop_samples=160, n_mels=8, n_mfcc=4, top_db=70.0)
NOTHING = AugmentationRecipe(0, 0.0, 0, 0.0, 0.0, 0, 0, 0)
PLAIN = replace(load_recipe("paper-cnn").training, noise=0.0, batch_size=4)  # type: ignore[type-var]
N_CLIPS = 22


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


def columns(kind: InputKind) -> int:
    return kind.n_columns(SPEC)


def normalization(kind: InputKind) -> Normalization:
    return Normalization((-20.0,) * columns(kind), (10.0,) * columns(kind))


def clips(kind: InputKind, offset: float = 0.0) -> list[np.ndarray]:
    """Clips of 5 to 131 frames; every value is the clip's number."""
    return [np.full((5 + 6 * i, columns(kind)), i + offset, np.float32) for i in range(N_CLIPS)]


def frame_clips(
    kind: InputKind, recipe: AugmentationRecipe = NOTHING, n_copies: int = 0
) -> FrameDataset:
    copies = [clips(kind), *(clips(kind, 100.0 * (1 + i)) for i in range(n_copies))]
    speakers = 100 + torch.arange(N_CLIPS)
    return FrameDataset(
        copies,
        torch.arange(N_CLIPS),
        kind,
        normalization(kind),
        SPEC,
        recipe,
        None,
        {"speaker": speakers},
    )


def test_statistics_are_shown_once_each_in_a_new_order() -> None:
    inputs = torch.arange(N_CLIPS * 3.0).view(N_CLIPS, 3)
    training = StatisticsDataset(inputs, torch.arange(N_CLIPS))
    orders = []
    for _ in range(2):
        batches = list(training.batches(PLAIN))
        assert len(batches) == training.n_steps(PLAIN.batch_size) == 6
        for batch in batches:
            assert torch.equal(batch.inputs[0], inputs[batch.targets])
        orders.append([int(one) for batch in batches for one in batch.targets])
    assert sorted(orders[0]) == sorted(orders[1]) == list(range(N_CLIPS))
    assert orders[0] != orders[1]


def test_noise_is_added_only_where_it_is_asked_for() -> None:
    inputs = torch.zeros(1000, 5)
    state = torch.get_rng_state()
    assert add_noise(inputs, 0.0) is inputs
    assert torch.equal(torch.get_rng_state(), state)
    assert float(add_noise(inputs, 0.3).std()) == pytest.approx(0.3, rel=0.05)


@pytest.mark.parametrize("kind", [FRAMES, LOG_MEL], ids=["frames", "log-mel"])
def test_clips_of_like_length_share_a_batch(kind: InputKind) -> None:
    training = frame_clips(kind)
    batches = list(training.batches(PLAIN))
    assert len(batches) == training.n_steps(PLAIN.batch_size) == N_CLIPS // 4
    shown = [int(one) for batch in batches for one in batch.targets]
    assert len(set(shown)) == len(shown) == 20
    spread = max(int(b.targets.max() - b.targets.min()) for b in batches)
    assert spread < N_CLIPS - 5
    firsts = [int(b.inputs[1].max()) for b in batches]
    assert firsts != sorted(firsts)


def test_speakers_go_with_their_clips() -> None:
    for batch in frame_clips(LOG_MEL).batches(PLAIN):
        assert torch.equal(batch.auxiliary_targets["speaker"], 100 + batch.targets)


def test_speakers_are_mixed_as_the_emotions_are() -> None:
    clips = frame_clips(LOG_MEL)
    clips.targets = torch.eye(N_CLIPS)
    clips.auxiliary_targets = {"speaker": torch.arange(N_CLIPS)}
    clips.n_auxiliary = {"speaker": N_CLIPS}
    shares = []
    for batch in clips.batches(replace(PLAIN, mixup=0.5)):
        assert torch.equal(batch.auxiliary_targets["speaker"], batch.targets)
        shares.append(float(batch.targets.max(dim=1).values.min()))
    assert 0.5 <= min(shares) < 0.9


def test_what_is_not_known_of_a_clip_has_no_share_of_a_mix() -> None:
    clips = frame_clips(LOG_MEL)
    clips.targets = torch.eye(N_CLIPS)
    sentences = torch.arange(N_CLIPS) % 3
    sentences[::4] = -1
    clips.auxiliary_targets, clips.n_auxiliary = {"sentence": sentences}, {"sentence": 3}
    for batch in clips.batches(replace(PLAIN, mixup=0.5)):
        for said in range(3):
            of_it = batch.targets[:, sentences == said].sum(dim=1)
            assert torch.allclose(batch.auxiliary_targets["sentence"][:, said], of_it)


def test_frames_are_scaled_and_stand_as_they_are() -> None:
    for batch in frame_clips(FRAMES).batches(PLAIN):
        inputs, n_frames = batch.inputs
        assert inputs.shape == (4, int(n_frames.max()), 12)
        for clip, n, number in zip(inputs, n_frames, batch.targets, strict=True):
            assert int(n) == 5 + 6 * int(number)
            assert torch.allclose(clip[: int(n)], (number + 20) / 10)


def test_log_mel_is_what_the_classifier_gives_and_more_floor() -> None:
    features = clips(LOG_MEL)
    for batch in frame_clips(LOG_MEL).batches(PLAIN):
        inputs, n_frames = batch.inputs
        assert inputs.shape == (4, 8, int(n_frames.max()))
        assert inputs.is_contiguous()
        for clip, n, number in zip(inputs, n_frames.tolist(), batch.targets.tolist(), strict=True):
            expected = LOG_MEL.normalize(features[number], normalization(LOG_MEL), SPEC)
            assert n == expected.shape[1]
            assert np.allclose(clip[:, :n], expected)
            assert torch.allclose(clip[:, n:], torch.tensor(-5.0))


def test_augmented_copies_are_used_as_often_as_the_recipe_says() -> None:
    training = frame_clips(FRAMES, replace(NOTHING, copy_share=0.6), n_copies=2)
    shown: Counter[int] = Counter()
    for _ in range(60):
        for batch in training.batches(PLAIN):
            shown.update((batch.inputs[0][:, 0, 0] * 10 - 20).div(100).floor().int().tolist())
    n_shown = sum(shown.values())
    assert n_shown == 60 * 20
    assert shown[0] / n_shown == pytest.approx(0.4, abs=0.05)
    assert shown[1] / n_shown == pytest.approx(0.3, abs=0.05)


def test_long_clips_are_cropped_and_all_the_rest_is_drawn_too() -> None:
    busy = AugmentationRecipe(0, 0.0, 40, 0.2, 0.1, 1, 3, 8)
    training = frame_clips(LOG_MEL, busy)
    targets = torch.eye(N_CLIPS)
    training.targets = targets
    recipe = replace(PLAIN, mixup=0.2, noise=0.1)
    torch.manual_seed(5)
    first = list(training.batches(recipe))
    torch.manual_seed(5)
    again = list(training.batches(recipe))
    for one, other in zip(first, again, strict=True):
        assert all(map(torch.equal, one.inputs, other.inputs))
        assert torch.equal(one.targets, other.targets)
    assert max(batch.inputs[0].shape[2] for batch in first) <= 64  # 40 frames, stretch by 1.22
    assert all(batch.inputs[0].shape[2] % 16 == 0 for batch in first)


class Mean(nn.Module):
    """A network whose logits depend on the length of its input."""

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return torch.stack(
            [inputs.mean(dim=(1, 2)), torch.full((len(inputs),), inputs.shape[2])], 1
        )


def test_validation_clips_are_never_filled_up() -> None:
    inputs = [np.full((3, n), n, np.float32) for n in (16, 48, 16, 32, 48, 16)]
    validation = ValidationDataset(inputs, torch.zeros(6), torch.device("cpu"))
    logits = validation.logits(Mean())
    assert logits[:, 0].tolist() == logits[:, 1].tolist() == [16, 48, 16, 32, 48, 16]


LABELS = np.array([0, 1, 2])
VOTES = np.array([[6.0, 2.0, 0.0], [0.0, 0.0, 0.0], [0.0, 1.0, 1.0]])


def test_targets_are_labels_unless_something_is_shared() -> None:
    targets = soft_targets(LABELS, VOTES, 3, PLAIN)
    assert targets.dtype == torch.int64
    assert targets.tolist() == LABELS.tolist()
    mixable = soft_targets(LABELS, VOTES, 3, replace(PLAIN, mixup=0.2))
    assert torch.equal(mixable, torch.eye(3))


def test_targets_are_shared_with_all_emotions_and_with_votes() -> None:
    smooth = soft_targets(LABELS, VOTES, 3, replace(PLAIN, label_smoothing=0.3))
    assert torch.allclose(smooth, 0.7 * torch.eye(3) + 0.1)
    targets = soft_targets(LABELS, VOTES, 3, replace(PLAIN, votes_share=0.4))
    expected = torch.tensor([[0.9, 0.1, 0.0], [0.0, 1.0, 0.0], [0.0, 0.2, 0.8]])
    assert torch.allclose(targets, expected)
    both = replace(PLAIN, votes_share=0.4, label_smoothing=0.3)
    assert torch.allclose(soft_targets(LABELS, VOTES, 3, both).sum(dim=1), torch.ones(3))
