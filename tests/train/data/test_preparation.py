from pathlib import Path

import numpy as np
import pytest
import torch
from support import synthetic_corpora

from serctl.train.corpora.manifest import clip_table
from serctl.train.data.batches import FrameClips
from serctl.train.data.preparation import PreparedClips, prepare_clips, telling
from serctl.train.recipes.schema import MemberRecipe, Recipe

PLAIN = MemberRecipe(disturbed=1.0, sentence=0.0, votes_for_neutral=False)
OTHER = MemberRecipe(disturbed=0.5, sentence=0.3, votes_for_neutral=True)


@pytest.fixture(scope="module")
def recipe() -> Recipe:
    return synthetic_corpora.small_recipe("cnn")


def prepared(corpora: Path, recipe: Recipe, split: str = "new-speakers") -> PreparedClips:
    table = clip_table(str(corpora))
    return prepare_clips(table, split, 0, 0, recipe, lambda rows, n_clips: iter(rows))


def of_member(clips: PreparedClips, recipe: Recipe, member: MemberRecipe) -> FrameClips:
    assert recipe.training is not None
    training = clips.training_clips(recipe, recipe.training, member)
    assert isinstance(training, FrameClips)
    return training


def test_members_differ_in_what_they_learn(small_corpora: Path, recipe: Recipe) -> None:
    clips = prepared(small_corpora, recipe)
    plain, other = (of_member(clips, recipe, member) for member in (PLAIN, OTHER))
    assert recipe.disturbance is not None
    assert plain.disturbance == recipe.disturbance
    assert other.disturbance is not None
    for name, share in vars(recipe.disturbance).items():
        assert getattr(other.disturbance, name) == 0.5 * share
    assert list(plain.told) == ["speaker"]
    assert list(other.told) == ["speaker", "sentence"]
    assert torch.equal(plain.told["speaker"], other.told["speaker"])
    train = clips.clips.iloc[clips.split.train]
    assert other.n_told["speaker"] == train["speaker"].nunique()
    unknown = (other.told["sentence"] < 0).numpy()
    assert np.array_equal(unknown, train["corpus"] == "savee")
    # Votes for neutral make it likelier for clips that are acted otherwise, and for no others.
    neutral = clips.emotions.index("neutral")
    more = (other.targets - plain.targets)[:, neutral].numpy()
    assert (more > 0).any()
    assert not (more > 0)[train["emotion"] == "neutral"].any()


def test_each_has_its_share_of_the_loss(recipe: Recipe) -> None:
    assert recipe.auxiliary is not None
    speaker = {"speaker": recipe.auxiliary.speaker}
    assert telling(recipe, PLAIN) == telling(recipe, None) == speaker
    assert telling(recipe, OTHER) == speaker | {"sentence": 0.3}
    assert telling(synthetic_corpora.small_recipe("paper-rnn"), None) == {}


def test_sentences_that_no_name_says_are_not_told(small_corpora: Path, recipe: Recipe) -> None:
    clips = prepared(small_corpora, recipe, "emobox-savee")
    assert list(of_member(clips, recipe, OTHER).told) == ["speaker"]
