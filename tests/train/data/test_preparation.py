from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from support import synthetic_corpora

from serctl.train.corpora.manifest import clip_table
from serctl.train.data.batches import FrameDataset
from serctl.train.data.distillation import CLIP, STEPS
from serctl.train.data.encoder import FrozenEncoder, load_frozen_encoder
from serctl.train.data.preparation import PreparedClips, auxiliary_weights, copies_of, prepare_clips
from serctl.train.recipes.schema import DistillationRecipe, MemberRecipe, Recipe

PLAIN = MemberRecipe(mixing_factor=1.0, sentence=0.0, votes_for_neutral=False)
OTHER = MemberRecipe(mixing_factor=0.5, sentence=0.3, votes_for_neutral=True)


@pytest.fixture(scope="module")
def recipe() -> Recipe:
    return replace(synthetic_corpora.small_recipe("cnn"), distillation=None)


def prepared(
    corpora: Path,
    recipe: Recipe,
    split: str = "new-speakers",
    encoder: FrozenEncoder | None = None,
) -> PreparedClips:
    table = clip_table(str(corpora))
    return prepare_clips(table, split, 0, 0, recipe, lambda rows, n_clips: iter(rows), encoder)


def of_member(clips: PreparedClips, recipe: Recipe, member: MemberRecipe) -> FrameDataset:
    assert recipe.training is not None
    training = clips.training_dataset(recipe, recipe.training, member)
    assert isinstance(training, FrameDataset)
    return training


def test_members_differ_in_what_they_learn(small_corpora: Path, recipe: Recipe) -> None:
    clips = prepared(small_corpora, recipe)
    plain, other = (of_member(clips, recipe, member) for member in (PLAIN, OTHER))
    assert recipe.mixing is not None
    assert plain.mixing == recipe.mixing
    assert other.mixing is not None
    for name, share in vars(recipe.mixing).items():
        assert getattr(other.mixing, name) == 0.5 * share
    assert list(plain.auxiliary_targets) == ["speaker"]
    assert list(other.auxiliary_targets) == ["speaker", "sentence"]
    assert torch.equal(plain.auxiliary_targets["speaker"], other.auxiliary_targets["speaker"])
    train = clips.clips.iloc[clips.split.train]
    assert other.n_auxiliary["speaker"] == train["speaker"].nunique()
    unknown = (other.auxiliary_targets["sentence"] < 0).numpy()
    assert np.array_equal(unknown, train["corpus"] == "savee")
    # Votes for neutral make it likelier for clips that are acted otherwise, and for no others.
    neutral = clips.emotions.index("neutral")
    more = (other.targets - plain.targets)[:, neutral].numpy()
    assert (more > 0).any()
    assert not (more > 0)[train["emotion"] == "neutral"].any()


def test_each_has_its_share_of_the_loss(recipe: Recipe) -> None:
    assert recipe.auxiliary is not None
    speaker = {"speaker": recipe.auxiliary.speaker}
    assert auxiliary_weights(recipe, PLAIN) == auxiliary_weights(recipe, None) == speaker
    assert auxiliary_weights(recipe, OTHER) == speaker | {"sentence": 0.3}
    assert auxiliary_weights(synthetic_corpora.small_recipe("paper-rnn"), None) == {}
    distillation = DistillationRecipe(3.0, 1.0, 0.5, 8, 16)
    weights = auxiliary_weights(replace(recipe, distillation=distillation), PLAIN)
    assert weights == speaker | {STEPS: 3.0, CLIP: 1.0}


def test_a_teacher_softens_labels_and_gives_targets(small_corpora: Path, recipe: Recipe) -> None:
    plain = of_member(prepared(small_corpora, recipe), recipe, PLAIN)
    recipe = replace(recipe, distillation=DistillationRecipe(3.0, 1.0, 0.5, 8, 16))
    clips = prepared(small_corpora, recipe, encoder=load_frozen_encoder())
    taught = of_member(clips, recipe, PLAIN)
    assert taught.n_distilled == {CLIP: 16, STEPS: 16}
    assert list(taught.auxiliary_targets) == ["speaker"]
    assert clips.distillation is not None
    probabilities = clips.distillation.probabilities
    assert probabilities is not None
    mean = (plain.targets + torch.from_numpy(probabilities)) / 2
    torch.testing.assert_close(taught.targets, mean)
    assert recipe.training is not None
    batch = next(iter(taught.batches(recipe.training)))
    assert batch.distilled[CLIP].shape == (16, 16)
    frames, n_frames = batch.inputs
    assert batch.distilled[STEPS].shape == (16, 16, frames.shape[2] // 16)
    known = batch.distilled[STEPS].isfinite().all(dim=1)
    assert known.any(dim=1).float().mean() > 0.9
    beyond = torch.arange(known.shape[1]) >= (n_frames // 16)[:, None]
    assert not known[beyond].any()


def test_sentences_that_no_name_states_are_no_targets(small_corpora: Path, recipe: Recipe) -> None:
    clips = prepared(small_corpora, recipe, "emobox-savee")
    assert list(of_member(clips, recipe, OTHER).auxiliary_targets) == ["speaker"]


def test_noisy_copies_follow_the_plain_ones(small_corpora: Path) -> None:
    table = clip_table(str(small_corpora))
    recipe = synthetic_corpora.small_recipe("whisper")
    assert recipe.heads is not None
    recipe = replace(recipe, heads=replace(recipe.heads, n_copies=2, n_noisy_copies=2))
    copies = copies_of(recipe, table)
    assert [number for number, _ in copies] == [0, 1, 2, 1, 2]
    assert [talkers is not None for _, talkers in copies] == [False, False, False, True, True]
    assert copies_of(synthetic_corpora.small_recipe("paper-cnn"), table) == [(0, None)]
