import numpy as np
import pytest

from serctl.models.classifier import Classifier
from serctl.train.custom.head import Head
from serctl.train.custom.start import PARTS, Start, known_share


def window_of(config):
    """Input of a network for a second of noise."""
    samples = np.random.default_rng(0).normal(0, 0.1, 16000).astype(np.float32)
    features = config.inputs.extract(samples, config.features)
    return config.inputs.normalize(features, config.normalization, config.features)


@pytest.mark.parametrize("name", PARTS)
def test_taken_apart_it_gives_the_logits_that_it_gives_whole(name):
    start = Start(name)
    config, window = start.model.config, window_of(start.model.config)
    logits = start.logits(start.embedder()(window)[None], start.labels)[0] / config.temperature
    whole = Classifier(start.model, device="cpu").probabilities([window])[0]
    np.testing.assert_allclose(np.exp(logits) / np.exp(logits).sum(), whole, atol=1e-5)


@pytest.mark.parametrize("name", PARTS)
def test_put_together_it_adds_the_new_layer_to_what_it_knows(name):
    start = Start(name)
    window = window_of(start.model.config)
    embedding = start.embedder()(window)[None]
    labels = ("sad", "bored", "loud")
    n_inputs = start.inputs(embedding).shape[1]
    random = np.random.default_rng(1)
    head = Head(random.normal(0, 0.1, (3, n_inputs)), random.normal(size=3))
    model = start.with_head("mine", labels, head, 0.3, 1.5)
    expected = 0.3 * start.logits(embedding, labels) + head.logits(start.inputs(embedding))
    found = Classifier(model, device="cpu").window_logits([window])
    np.testing.assert_allclose(found, expected, atol=1e-3)
    assert model.config.emotions == labels
    assert model.config.temperature == 1.5


def test_labels_are_found_by_name_and_others_begin_as_the_mean():
    start = Start("cnn")
    whole = start.last_layers(start.labels)
    some = start.last_layers(["sad", "bored", "angry"])
    np.testing.assert_allclose(some.weights[0], whole.weights[4])
    np.testing.assert_allclose(some.weights[2], whole.weights[0])
    np.testing.assert_allclose(some.weights[1], whole.weights.mean(axis=0))
    np.testing.assert_allclose(some.bias[1], whole.bias.mean())


def test_of_few_recordings_half_stays_and_of_many_little():
    assert known_share(5) == known_share(20) == 0.5
    assert known_share(80) == pytest.approx(0.2)
