"""A voice's other recordings."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from serctl.models.networks.whisper_graph import N_EMBEDDING
from serctl.models.networks.whisper_torch import Whisper
from serctl.models.voices import VoiceHeads, _balanced, _shares, probabilities_by_voice

N_EMOTIONS = 3


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    network = Whisper(N_EMOTIONS)
    network.class_offsets = torch.randn(N_EMOTIONS, N_EMBEDDING) * 0.3
    network.embedding.mean = torch.randn(N_EMBEDDING)
    return network.eval()


@pytest.fixture(scope="module")
def heads(network):
    return VoiceHeads({key: tensor.numpy() for key, tensor in network.state_dict().items()})


@pytest.fixture(scope="module")
def embeddings():
    return np.random.default_rng(0).standard_normal((8, N_EMBEDDING)).astype(np.float32)


def scores(heads, voices, embeddings):
    return np.array(list(heads.log_probabilities(lambda: zip(voices, embeddings, strict=True))))


def test_a_recording_alone_has_the_networks_probabilities(network, heads, embeddings):
    with torch.inference_mode():
        expected = network.classify(torch.from_numpy(embeddings)).log_softmax(dim=1)
    found = scores(heads, "abcdefgh", embeddings)
    np.testing.assert_allclose(found, expected.numpy(), rtol=0, atol=1e-5)


def test_voices_do_not_touch_each_other(heads, embeddings):
    together = scores(heads, "aabbabab", embeddings)
    of_a = [0, 1, 4, 6]
    alone = scores(heads, "aaaa", embeddings[of_a])
    np.testing.assert_allclose(together[of_a], alone, rtol=0, atol=1e-12)


def test_what_all_recordings_of_a_voice_share_matters_less(heads, embeddings):
    moved = embeddings + np.float32(2)
    alone = np.abs(scores(heads, "abcdefgh", moved) - scores(heads, "abcdefgh", embeddings))
    grouped = np.abs(scores(heads, "aaaaaaaa", moved) - scores(heads, "aaaaaaaa", embeddings))
    assert grouped.mean() < 0.7 * alone.mean()


def test_the_order_of_a_voices_recordings_does_not_matter(heads, embeddings):
    found = scores(heads, "aaaaaaaa", embeddings)
    backwards = scores(heads, "aaaaaaaa", embeddings[::-1])[::-1]
    np.testing.assert_allclose(found, backwards, rtol=0, atol=1e-9)
    np.testing.assert_allclose(np.exp(found).sum(axis=1), 1, rtol=0, atol=1e-9)


def test_more_recordings_than_go_through_the_heads_at_a_time(heads, monkeypatch):
    embeddings = np.random.default_rng(1).standard_normal((9, N_EMBEDDING)).astype(np.float32)
    expected = scores(heads, "aabaaabaa", embeddings)
    monkeypatch.setattr("serctl.models.voices.BLOCK", 4)
    found = scores(heads, "aabaaabaa", embeddings)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


def test_embeddings_of_a_voice_with_many_recordings_are_not_held(heads, embeddings, monkeypatch):
    classifier = SimpleNamespace(voice_heads=heads, chosen=np.exp)
    read = []

    def found():
        read.clear()
        voices = [[0, 2, 4, 5], [1, 3]]
        return dict(
            probabilities_by_voice(classifier, voices, lambda i: read.append(i) or embeddings[i])
        )

    held = found()
    assert sorted(read) == [0, 1, 2, 3, 4, 5]
    assert list(held) == [0, 2, 4, 5, 1, 3]
    monkeypatch.setattr("serctl.models.voices.MAX_HELD", 2)
    assert found() == held
    assert sorted(read) == sorted([0, 2, 4, 5] * 3 + [1, 3])


def test_an_emotion_that_prevails_has_more_than_its_mean_probability():
    of_a = np.array([[0.7, 0.2, 0.1]] * 9 + [[0.2, 0.7, 0.1]])
    of_b = np.array([[0.4, 0.3, 0.3], [0.2, 0.4, 0.4]])
    found = [(["a"] * 6, of_a[:6]), (["a"] * 4 + ["b"] * 2, np.concatenate([of_a[6:], of_b]))]
    shares = _shares(found, {"a": 10, "b": 2})
    mean = of_a.mean(axis=0)
    step = of_a * mean / (of_a @ mean)[:, None]  # Saerens et al. 2002, equation 4, even priors
    np.testing.assert_allclose(shares["a"], step.mean(axis=0), rtol=1e-12)
    assert shares["a"][0] > mean[0] == pytest.approx(0.65)
    np.testing.assert_allclose(shares["b"].sum(), 1)


def test_an_emotion_that_prevails_is_made_less_probable_beside_others_alone():
    scores = np.log([[0.5, 0.3, 0.2]] * 3)
    shares = np.array([[0.9, 0.1, 0.0], [1 / 3, 1 / 3, 1 / 3], [0.9, 0.1, 0.0]])
    prevailing, even, alone = np.exp(_balanced(scores, shares, np.array([10.0, 10.0, 1.0])))
    np.testing.assert_allclose([even, alone], np.exp(scores[1:]), rtol=1e-12)
    assert prevailing[0] < 0.5 < prevailing[1] + prevailing[2]
    assert np.isfinite(prevailing).all()
    np.testing.assert_allclose(prevailing.sum(), 1)
