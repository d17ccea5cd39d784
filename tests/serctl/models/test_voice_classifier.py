"""Recordings beside the others of their voice, by the Python API."""

import numpy as np
import pytest

from serctl.errors import UsageError
from serctl.models.classifier import Classifier
from serctl.models.voice_classifier import VoiceClassifier


@pytest.fixture(scope="module")
def paths(recordings):
    return [str(path) for path in sorted(recordings.rglob("*.wav"))[:3]]


@pytest.fixture(scope="module")
def voice_classifier():
    return VoiceClassifier("whisper")


def test_voices_of_one_recording_have_its_own_results(voice_classifier, paths):
    found = voice_classifier.classify_many([(path, path) for path in paths])
    alone = Classifier("whisper", device="cpu")
    for result, path in zip(found, paths, strict=True):
        expected = alone.classify(path)
        if expected.windows == 1:  # of several, one mean of embeddings and one of probabilities
            np.testing.assert_allclose(result.probabilities, expected.probabilities, atol=1e-5)
        assert (result.path, result.status, result.windows) == (
            path,
            expected.status,
            expected.windows,
        )


@pytest.mark.parametrize("n_workers", [1, 2])
def test_a_voices_recordings_change_each_other_and_bad_ones_do_not(
    voice_classifier, paths, tmp_path, n_workers
):
    bad = tmp_path / "bad.wav"
    bad.write_text("no sound")
    pairs = [(path, "anna") for path in paths]
    found = list(voice_classifier.classify_many([*pairs, (str(bad), "anna")], n_workers))
    assert [result.status for result in found] == ["ok", "ok", "ok", "unreadable"]
    without = list(voice_classifier.classify_many(pairs))
    assert found[:3] == without
    alone = list(voice_classifier.classify_many([(path, path) for path in paths]))
    assert [result.probabilities for result in alone] != [one.probabilities for one in without]
    assert sum(without[0].probabilities) == pytest.approx(1)


def test_a_subset_of_the_emotions(paths):
    classifier = VoiceClassifier("whisper", emotions="angry,sad")
    (result,) = classifier.classify_many([(paths[0], "anna")])
    assert result.emotion in ("angry", "sad")
    assert len(result.probabilities) == 2


def test_a_model_without_an_encoder_is_refused(tiny_folder):
    with pytest.raises(UsageError, match="tiny: cannot use a voice's other recordings"):
        VoiceClassifier(str(tiny_folder))
