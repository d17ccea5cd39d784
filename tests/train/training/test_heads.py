"""Training of heads on embeddings."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from serctl.models.networks.whisper_graph import N_EMBEDDING
from serctl.models.networks.whisper_torch import Whisper
from serctl.train.data.preparation import Embeddings
from serctl.train.data.voice_groups import GroupSampler
from serctl.train.recipes.heads import HeadsRecipe
from serctl.train.recipes.loading import load_recipe
from serctl.train.training.heads import HeadsTraining, copy_shares

N_SPEAKERS, N_EMOTIONS, N_EACH = 4, 3, 6


@pytest.fixture(scope="module")
def recipe() -> HeadsRecipe:
    heads = load_recipe("whisper").heads
    assert heads is not None
    return replace(heads, n_steps=30, batch_size=32, n_copies=1, n_noisy_copies=1)


@pytest.fixture(scope="module")
def embeddings() -> Embeddings:
    """Of emotions that move a speaker's place, which is far from others'."""
    random = np.random.default_rng(0)
    speakers = np.repeat(np.arange(N_SPEAKERS), N_EMOTIONS * N_EACH)
    labels = np.tile(np.repeat(np.arange(N_EMOTIONS), N_EACH), N_SPEAKERS)
    places = random.normal(0, 3, (N_SPEAKERS, N_EMBEDDING))
    emotions = random.normal(0, 1, (N_EMOTIONS, N_EMBEDDING))
    clean = places[speakers] + emotions[labels] + random.normal(0, 0.5, (len(labels), N_EMBEDDING))
    copies = [clean, *(clean + random.normal(0, std, clean.shape) for std in (0.3, 0.5))]
    corpora = np.array(["a", "b"])[speakers // 2]
    return Embeddings(np.stack(copies).astype(np.float32), labels, speakers, corpora, neutral=2)


def trained(embeddings: Embeddings, recipe: HeadsRecipe, seed: int = 0) -> Whisper:
    network = Whisper(N_EMOTIONS)
    training = HeadsTraining(network, embeddings, embeddings, recipe, seed)
    histories = training.fit(lambda *_: None)
    assert [len(history.epochs) for history in histories] == [10] * len(network.heads)
    return network.eval()


def test_heads_learn_emotions_and_the_same_seed_gives_the_same(
    embeddings: Embeddings, recipe: HeadsRecipe
) -> None:
    network, again = trained(embeddings, recipe), trained(embeddings, recipe)
    with torch.inference_mode():
        scores = network.classify(torch.from_numpy(embeddings.copies[0]))
    assert (scores.argmax(dim=1).numpy() == embeddings.labels).mean() > 0.9
    for key, tensor in network.heads.state_dict().items():
        assert torch.equal(tensor, again.heads.state_dict()[key])
    other = trained(embeddings, recipe, seed=1)
    assert not torch.equal(network.heads[0].hidden.weight, other.heads[0].hidden.weight)


def test_class_offsets_are_what_emotions_do_to_a_speaker(
    embeddings: Embeddings, recipe: HeadsRecipe
) -> None:
    network = trained(embeddings, replace(recipe, n_steps=20))
    # Of speakers with all emotions, they add up to nothing.
    assert network.class_offsets.sum(dim=0).abs().max() < 1e-4
    assert network.class_offsets.abs().mean() > 0.05


def test_copies_share_what_their_kind_has(recipe: HeadsRecipe) -> None:
    recipe = replace(recipe, copy_share=0.2, noisy_shares=(0.3, 0.0))
    three = replace(recipe, n_copies=2, n_noisy_copies=1)
    assert copy_shares(three, 0).tolist() == pytest.approx([0.5, 0.1, 0.1, 0.3])
    assert copy_shares(three, 1).tolist() == pytest.approx([0.8, 0.1, 0.1, 0])
    assert copy_shares(replace(recipe, n_copies=0), 0).tolist() == pytest.approx([0.7, 0.3])
    assert copy_shares(replace(recipe, n_copies=0, n_noisy_copies=0), 0).tolist() == [1]


def test_neutral_recordings_of_a_group_may_weigh_less(
    embeddings: Embeddings, recipe: HeadsRecipe
) -> None:
    groups = replace(recipe, alone_share=0.0, neutral_share=1.0)
    called_neutral = []
    for weight in (1.0, 0.1):
        network = trained(embeddings, replace(groups, neutral_weight=weight))
        with torch.inference_mode():
            scores = network.classify(torch.from_numpy(embeddings.copies[0]))
        called_neutral.append(scores.exp()[:, embeddings.neutral].mean())
    assert called_neutral[1] < called_neutral[0]


def test_groups_are_of_one_speaker_and_corpora_come_by_the_root_of_their_size(
    embeddings: Embeddings, recipe: HeadsRecipe
) -> None:
    random = np.random.default_rng(0)
    sampler = GroupSampler(
        embeddings.labels, embeddings.speakers, embeddings.corpora, 2, recipe, random
    )
    assert sampler.weights.sum() == pytest.approx(1)
    sizes = []
    for _ in range(20):
        groups = sampler.draw()
        assert len(groups.rows) >= recipe.batch_size
        for i in range(groups.n_groups):
            rows = groups.rows[groups.group_of == i]
            sizes.append(len(rows))
            assert len(set(embeddings.speakers[rows])) == 1
    assert min(sizes) == 1
    assert 2 < max(sizes) <= recipe.max_recordings
