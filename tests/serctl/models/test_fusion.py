"""Late fusion: `whisper` with `cnn`."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from serctl.errors import ModelError
from serctl.models.classifier import Classifier
from serctl.models.config import CONFIG_FILE, read_config
from serctl.models.inference import (
    FUSED_SHARE,
    FusedInference,
    TorchInference,
    log_softmax,
    logits_of_windows,
    softmax,
)
from serctl.models.loading import Model, load_model, save_model, second_folder
from serctl.models.voices import FUSED_VOICE_SHARE, VoiceHeads
from serctl.weights import find_model


@pytest.fixture(scope="module")
def fused() -> Model:
    return load_model("whisper")


@pytest.fixture(scope="module")
def first(fused: Model) -> Model:
    """`whisper` without the second model."""
    return Model(replace(fused.config, fusion=None), fused.tensors)


@pytest.fixture(scope="module")
def path(recordings) -> str:
    return str(next(recordings.glob("calls/*.wav")))


@pytest.fixture
def folder(tmp_path):
    """A copy of `whisper`, to be spoilt."""
    return shutil.copytree(find_model("whisper"), tmp_path / "mine")


def scores(model: Model, path: str) -> np.ndarray:
    """Log-probabilities of a recording of one window, float64 [1, n_emotions]."""
    classifier, windows = Classifier(model, device="cpu"), []

    class Kept(Classifier):
        def input_of(self, samples):
            windows.append(super().input_of(samples))
            return windows[-1]

    assert len(Kept(model, device="cpu").extract(path).lengths) == 1
    return log_softmax(classifier.window_logits(windows) / model.config.temperature)


def test_log_probabilities_are_averaged(fused, first, path):
    one, other = scores(first, path), scores(fused.second, path)
    one = log_softmax(one * first.config.temperature)  # of the pair, the temperature comes last
    pair = (1 - FUSED_SHARE) * one + FUSED_SHARE * other
    found = Classifier(fused, device="cpu").classify(path).probabilities
    np.testing.assert_allclose(found, softmax(pair / fused.config.temperature)[0], atol=1e-6)
    assert np.abs(np.exp(one) - np.exp(other)).max() > 0.01  # otherwise any share would do


def test_on_a_gpu_the_same(fused, path):
    on_cpu, batching = Classifier(fused, device="cpu"), Classifier(fused, device="cpu")
    pair = (TorchInference(one, "cpu", 2) for one in (fused, fused.second))
    batching._inference = FusedInference(*pair, fused.second.config.temperature)
    batching._n_left_below, batching.device = 2, "cuda"
    extraction = batching.extract(path)
    (window,) = extraction.windows
    assert window.shape == (*window.first.shape, *window.second.shape)
    found = batching.probabilities([window] * 3)
    np.testing.assert_allclose(found, [on_cpu.classify(path).probabilities] * 3, atol=1e-5)
    assert logits_of_windows(batching._inference, [], 6).shape == (0, 6)


def test_embeddings_end_with_the_second_models_log_probabilities(fused, first, path):
    alone, pair = (Classifier(one, device="cpu").extract(path).embedding for one in (first, fused))
    np.testing.assert_array_equal(pair[: len(alone)], alone)
    np.testing.assert_allclose(pair[len(alone) :], scores(fused.second, path)[0], atol=1e-5)


def test_beside_others_both_models_leave_the_voices_habit_out(fused):
    heads, random = VoiceHeads(fused.tensors, fused.config.fusion), np.random.default_rng(0)
    embeddings = random.standard_normal((12, heads.embedding_bytes // 4)).astype(np.float32)
    moved = embeddings.copy()
    moved[:, -6:] += np.float32([3, 0, 0, 0, 0, 0])
    assert len(fused.config.emotions) == 6

    def found(x, voices):
        return np.array(list(heads.log_probabilities(lambda: zip(voices, x, strict=True))))

    alone = np.abs(found(moved, "abcdefghijkl") - found(embeddings, "abcdefghijkl")).mean()
    together = np.abs(found(moved, "a" * 12) - found(embeddings, "a" * 12)).mean()
    assert together < 0.6 * alone * FUSED_VOICE_SHARE / FUSED_SHARE


def test_a_voice_of_one_recording_is_alone(fused, path):
    classifier = Classifier(fused, device="cpu")
    embedding = classifier.extract(path).embedding
    found = classifier.voice_heads.log_probabilities(lambda: [("anna", embedding)])
    expected = classifier.classify(path).probabilities
    np.testing.assert_allclose(classifier.chosen(np.array(list(found)))[0], expected, atol=1e-5)


def test_a_models_own_second_model_comes_first(folder, fused):
    assert second_folder(folder, fused.config) == find_model("cnn")
    own = shutil.copytree(find_model("cnn"), folder / "cnn")
    assert second_folder(folder, fused.config) == own
    assert load_model(folder).second.config == read_config(own)


def test_another_second_model_is_refused(folder, fused):
    second = replace(fused.second, config=replace(fused.second.config, temperature=1.0))
    tensors = {key: np.asarray(one + one.dtype.type(1)) for key, one in second.tensors.items()}
    found = save_model(folder / "cnn", replace(second, tensors=tensors))
    with pytest.raises(ModelError, match=f"SHA-256 of its weights is {found.sha256}"):
        load_model(folder)


def test_a_model_is_not_fused_with_itself(folder):
    (folder / "cnn").symlink_to(folder)
    with pytest.raises(ModelError, match="its network is whisper, cnn is needed"):
        load_model(folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ([], r"fusion is \[\], sha256, class_offsets are needed"),
        ({"sha256": 1}, "sha256 of fusion is 1, text is needed"),
        ({"class_offsets": [[0.0]]}, "6 lists of 6 numbers are needed"),
        ({"class_offsets": [["a"] * 6] * 6}, "a number of class_offsets is 'a'"),
        ({"share": 0.2}, "sha256, class_offsets are needed"),
    ],
)
def test_what_is_no_fusion_is_refused(folder, change, message):
    values = json.loads((folder / CONFIG_FILE).read_text())
    values["fusion"] = values["fusion"] | change if isinstance(change, dict) else change
    (folder / CONFIG_FILE).write_text(json.dumps(values))
    with pytest.raises(ModelError, match=message):
        load_model(folder)


def test_other_networks_are_not_fused(folder):
    fusion = json.loads((folder / CONFIG_FILE).read_text())["fusion"]
    cnn = shutil.copytree(find_model("cnn"), folder / "cnn")
    values = json.loads((cnn / CONFIG_FILE).read_text())
    (cnn / CONFIG_FILE).write_text(json.dumps(values | {"fusion": fusion}))
    with pytest.raises(ModelError, match="the network cnn is not fused with others"):
        load_model(cnn)


def test_without_a_second_model_whisper_is_as_it_was(folder, first, path):
    values = json.loads((folder / CONFIG_FILE).read_text())
    del values["fusion"]
    (folder / CONFIG_FILE).write_text(json.dumps(values))
    found = Classifier(folder, device="cpu").classify(path).probabilities
    np.testing.assert_allclose(found, np.exp(scores(first, path))[0], atol=1e-6)
