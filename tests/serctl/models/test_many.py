"""Recordings beside the others of their voice, by the Python API."""

import numpy as np
import pytest
import soundfile

from serctl.errors import UsageError
from serctl.models.classifier import Classifier
from serctl.models.embedding import Embedder
from serctl.models.inference import log_softmax
from serctl.models.loading import load_model
from serctl.models.voices import VoiceHeads


@pytest.fixture(scope="module")
def paths(recordings, tmp_path_factory):
    """Two short recordings, and one of several windows."""
    *short, last = sorted(recordings.glob("calls/*.wav"))
    samples, rate_hz = soundfile.read(last)
    long = tmp_path_factory.mktemp("long") / "long.wav"
    soundfile.write(long, np.tile(samples, 3), rate_hz)
    return [*map(str, short), str(long)]


@pytest.fixture(scope="module")
def whisper():
    return Classifier("whisper", device="cpu")


@pytest.fixture(scope="module")
def together(whisper, paths):
    return list(whisper.classify_many(paths, ["anna"] * len(paths)))


def test_without_voices_each_has_the_result_that_it_has_alone(whisper, paths):
    alone = [whisper.classify(path) for path in paths]
    assert list(whisper.classify_many(paths, n_workers=2)) == alone
    for found in whisper.classify_many(paths, [None, "", "ben"]):
        expected = alone[paths.index(found.path)]
        assert found.probabilities == expected.probabilities
    assert (found.voice, found.voice_n) == ("ben", 1)


def test_results_are_those_of_the_heads_on_each_recordings_embedding(whisper, paths, together):
    model = load_model("whisper")
    embed, heads = Embedder(model.tensors), VoiceHeads(model.tensors, model.config.fusion)
    second, held = Classifier(model.second, device="cpu"), []

    class Kept(Classifier):
        def input_of(self, samples):
            window = super().input_of(samples)
            scores = second.window_logits([window.second])[0] / model.second.config.temperature
            held.append(np.concatenate([embed(window.first), log_softmax(scores[None])[0]]))
            return window

    embeddings = []
    for path in paths:
        held.clear()
        lengths = Kept("whisper", device="cpu").extract(path).lengths
        embeddings.append(np.average(held, axis=0, weights=lengths))
    scores = heads.log_probabilities(lambda: [("anna", one) for one in embeddings])
    assert [result.windows > 1 for result in together] == [False, False, True]
    for result, expected in zip(together, whisper.chosen(np.array(list(scores))), strict=True):
        np.testing.assert_allclose(result.probabilities, expected, rtol=0, atol=1e-6)
        assert result.emotion == whisper.emotions[int(expected.argmax())]


@pytest.mark.parametrize("n_workers", [1, 2])
def test_a_recording_that_cannot_be_read_does_not_count(
    whisper, paths, together, tmp_path, n_workers
):
    bad = tmp_path / "bad.wav"
    bad.write_text("no sound")
    *found, last = whisper.classify_many([*paths, bad], lambda path: "anna", n_workers)
    assert found == together
    assert (last.status, last.voice, last.voice_n) == ("unreadable", "anna", None)
    assert {result.voice_n for result in found} == {3}
    assert sum(found[0].probabilities) == pytest.approx(1)


def test_voices_may_be_a_mapping_and_do_not_touch_each_other(whisper, paths):
    voices = {paths[0]: "anna", paths[1]: "anna"}
    first, second, third = whisper.classify_many(paths, voices)
    assert (first.voice_n, second.voice_n, third.voice, third.voice_n) == (2, 2, "", None)
    assert third.probabilities == whisper.classify(paths[2]).probabilities
    assert [first, second] == list(whisper.classify_many(paths[:2], voices))


def test_a_subset_of_the_emotions(paths):
    classifier = Classifier("whisper", "angry,sad", "cpu")
    for result in classifier.classify_many(paths, lambda path: "anna"):
        assert result.emotion in ("angry", "sad")
        assert sum(result.probabilities) == pytest.approx(1)


def test_what_cannot_be_compared_is_refused(whisper, classifier, paths):
    with pytest.raises(UsageError, match=r"the model tiny cannot .* Use --model whisper"):
        classifier.classify_many(paths, ["anna"] * 3)
    with pytest.raises(UsageError, match="2 voices for 3 recordings"):
        whisper.classify_many(paths, ["anna", "ben"])
    with pytest.raises(UsageError, match="4 voices for 3 recordings"):
        whisper.classify_many(paths, "anna")
