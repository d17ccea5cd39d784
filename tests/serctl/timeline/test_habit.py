"""A speaker's habit: taken off where emotions are even, and left where one prevails."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serctl.models.embedding import EmbeddingFile
from serctl.models.extraction import Extraction
from serctl.timeline.habit import against_habit, without_habit

SHARES = st.lists(st.floats(0.01, 1), min_size=6, max_size=6)


def windows(n, length_s=4.0, hop_s=1.0):
    starts_s = np.arange(n) * hop_s
    return starts_s, starts_s + length_s


def speaker(habit, n_of_each=40):
    """Windows of six emotions, moved by a habit; and which is right."""
    right = np.repeat(np.arange(6), n_of_each)
    logits = 1.5 * np.eye(6)[right] + habit
    shares = np.exp(logits)
    return shares / shares.sum(axis=1, keepdims=True), right


def test_a_habit_is_taken_off():
    probabilities, right = speaker(np.array([0.9, -0.9, 0, 0, 0, 0]))
    assert (probabilities.argmax(axis=1) == right).mean() < 0.9
    found = without_habit(probabilities, *windows(len(right)))
    assert (found.argmax(axis=1) == right).all()
    assert np.allclose(found.sum(axis=1), 1)


def test_where_one_emotion_prevails_nothing_changes():
    probabilities = np.tile([0.55, 0.25, 0.2], (30, 1))
    assert np.allclose(without_habit(probabilities, *windows(30)), probabilities)


def test_few_windows_say_little():
    probabilities, _ = speaker(np.array([0.8, -0.9, 0, 0, 0, 0]), n_of_each=1)
    short, long = (
        np.abs(without_habit(probabilities, *windows(6, hop_s=hop_s)) - probabilities).max()
        for hop_s in (0.1, 4.0)
    )
    assert 0 < short < long


@given(st.lists(SHARES, min_size=1, max_size=8), st.integers(0, 100))
@settings(max_examples=50, deadline=None)
def test_order_does_not_matter(shares, seed):
    probabilities = np.array(shares)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    order = np.random.default_rng(seed).permutation(len(shares))
    starts_s, ends_s = windows(len(shares))
    found = without_habit(probabilities, starts_s, ends_s)
    other = without_habit(probabilities[order], starts_s[order], ends_s[order])
    assert np.allclose(found[order], other)
    assert np.isfinite(found).all()
    empty = np.zeros((0, 6))
    assert without_habit(empty, empty[:, 0], empty[:, 0]).shape == (0, 6)


class FakeClassifier:
    """What `against_habit` needs to know of one."""

    voice_heads = None
    config = SimpleNamespace(features=SimpleNamespace(rate_hz=16000))


def test_the_habit_of_a_speaker_who_is_named_is_taken_off():
    # Ann is taken for the first emotion too often, Ben for the second; nobody names the others.
    shares = {"Ann": (0.45, 0.3, 0.25), "Ben": (0.3, 0.45, 0.25), "": (0.45, 0.3, 0.25)}
    speakers = ["Ann", "Ben", ""] * 20
    extraction = Extraction("a.wav", speech=None, given=[(2.0 * i, 2.0 * i + 2) for i in range(60)])
    extraction.given_speakers = speakers
    extraction.given_places = list(range(60))
    extraction.starts, extraction.lengths = [32000 * i for i in range(60)], [32000] * 60
    given = np.array([shares[speaker] for speaker in speakers])
    ann, ben, other = against_habit(FakeClassifier(), extraction, given)[:3]
    assert 0.35 < ann[0] < 0.45
    assert ben == pytest.approx(ann[[1, 0, 2]])
    assert other == pytest.approx(shares[""])


def test_a_model_with_voice_heads_compares_embeddings_of_one_speaker():
    class Heads:
        def log_probabilities(self, embeddings):
            rows = [one for _, one in embeddings()]
            assert [one for _, one in embeddings()] != []
            yield from np.array(rows) - np.mean(rows, axis=0)

    classifier = FakeClassifier()
    classifier.voice_heads = Heads()
    classifier.chosen = lambda scores: scores
    extraction = Extraction("a.wav", given=[(0, 1)] * 3, given_speakers=["Ann", "", "Ann"])
    extraction.given_places = [0, 1, 2]
    extraction.starts, extraction.lengths = [0, 0, 0], [16000] * 3
    extraction.embeddings = EmbeddingFile()
    for value in (1, 7, 3):
        extraction.embeddings.add(np.array([value, 0], np.float32))
    found = against_habit(classifier, extraction, np.full((3, 2), 0.5))
    assert found.tolist() == [[-1, 0], [0.5, 0.5], [1, 0]]
