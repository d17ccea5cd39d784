"""The exported file against `Classifier`, in ONNX Runtime, from the same samples."""

import numpy as np
import onnx
import onnxruntime
import pytest
import soundfile
import soxr
from numpy.typing import NDArray
from support.windowing import ONE_BY_ONE

import serctl
from serctl.models.classifier import Classifier
from serctl.models.export.onnx_file import export_onnx
from serctl.models.loading import Model, load_model
from serctl.weights import bundled_models

# docs/export.md says 1e-4. Over 55 clips, of fold 0 and others, the largest difference is 1.2e-5.
TOLERANCE = 5e-5
# Of spectra and loops, which small runtimes leave out.
UNCOMMON = {"STFT", "DFT", "MelWeightMatrix", "HannWindow", "CumSum", "If", "Loop", "Scan"}
SECONDS = {"shortest": 0.25, "odd": 1.2345, "longer": 3.1, "longest": 8.0}


@pytest.fixture(scope="module", params=bundled_models())
def model(request: pytest.FixtureRequest) -> Model:
    return load_model(request.param)


@pytest.fixture(scope="module")
def session(model: Model) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(export_onnx(model), providers=["CPUExecutionProvider"])


@pytest.fixture(scope="module")
def classifier(model: Model) -> Classifier:
    return Classifier(model, device="cpu", windowing=ONE_BY_ONE)


def speech(rate_hz: int, duration_s: float) -> NDArray[np.float32]:
    """Speech of a committed recording, at a rate."""
    samples, given_hz = soundfile.read("tests/recordings/calls/bakery-order.wav", dtype="float32")
    one = samples if samples.ndim == 1 else samples[:, 0]
    long = np.tile(soxr.resample(one, given_hz, rate_hz), 3)
    return np.ascontiguousarray(long[: round(duration_s * rate_hz)], np.float32)


def changed(samples: NDArray[np.float32], how: str) -> NDArray[np.float32]:
    """Samples that are faint, off zero, or between silences."""
    if how == "faint":
        return samples * np.float32(0.002)
    if how == "offset":
        return samples * np.float32(0.5) + np.float32(0.3)
    quiet = np.zeros(len(samples) // 3, np.float32)
    return np.concatenate([quiet, samples, quiet])


def difference(
    session: onnxruntime.InferenceSession, classifier: Classifier, samples: NDArray[np.float32]
) -> float:
    """Largest difference of a probability."""
    config = classifier.config
    raw = config.inputs.extract(samples, config.features)
    window = config.inputs.normalize(raw, config.normalization, config.features)
    if config.fusion is not None:
        window = classifier.input_of(samples)
    (found,) = session.run(["probabilities"], {"samples": samples})
    assert found.shape == (len(config.emotions),)
    return float(np.abs(found - classifier.probabilities([window])[0]).max())


@pytest.mark.parametrize("length", SECONDS)
def test_probabilities_are_those_of_the_classifier(
    session: onnxruntime.InferenceSession, classifier: Classifier, length: str
) -> None:
    samples = speech(classifier.config.features.rate_hz, SECONDS[length])
    assert difference(session, classifier, samples) < TOLERANCE


@pytest.mark.parametrize("how", ["faint", "offset", "between silences"])
def test_levels_offsets_and_silences_are_treated_alike(
    session: onnxruntime.InferenceSession, classifier: Classifier, how: str
) -> None:
    samples = changed(speech(classifier.config.features.rate_hz, 2.0), how)
    assert difference(session, classifier, samples) < TOLERANCE


def test_a_recording_gets_the_same_probabilities(
    session: onnxruntime.InferenceSession, classifier: Classifier, tmp_path
) -> None:
    samples = speech(classifier.config.features.rate_hz, 2.5)
    path = tmp_path / "a.wav"
    soundfile.write(path, samples, classifier.config.features.rate_hz, subtype="FLOAT")
    result = classifier.classify(path)
    (found,) = session.run(None, {"samples": samples})
    assert found.tolist() == pytest.approx(result.probabilities, abs=TOLERANCE)


def test_fewer_samples_than_a_frame_do(
    session: onnxruntime.InferenceSession, classifier: Classifier
) -> None:
    samples = speech(classifier.config.features.rate_hz, 1.0)[5000:5100]
    assert difference(session, classifier, samples) < TOLERANCE


def test_metadata_says_what_a_program_must_know(
    session: onnxruntime.InferenceSession, model: Model
) -> None:
    config, found = model.config, session.get_modelmeta().custom_metadata_map
    assert found == {
        "model": config.name,
        "emotions": ",".join(config.emotions),
        "sample_rate_hz": str(config.features.rate_hz),
        "min_duration_s": "0.25",
        "max_duration_s": f"{config.window_s:g}",
        "license": "research, non-commercial",
        "serctl_version": serctl.__version__,
        "model_sha256": config.sha256,
    }


def test_only_common_operators_are_used(model: Model) -> None:
    nodes = onnx.load_from_string(export_onnx(model)).graph.node
    assert {node.domain for node in nodes} == {""}
    assert {node.op_type for node in nodes}.isdisjoint(UNCOMMON)


def test_the_same_model_gives_the_same_bytes(tiny_folder) -> None:
    once, again = (export_onnx(load_model(tiny_folder)) for _ in range(2))
    assert once == again
