"""Encoders: found, checked and cut."""

import hashlib

import numpy as np
import pytest
import safetensors.numpy

from serctl.errors import ModelError, PathError
from serctl.models.encoder import ENCODER_FILE, PREFIX, bundled_encoder, load_encoder
from serctl.models.loading import load_model
from serctl.train.data.encoder import cut_encoder, needed_shapes


def test_the_bundled_model_names_the_bundled_encoder():
    model = load_model("whisper")
    content = bundled_encoder().read_bytes()
    assert model.config.encoder_sha256 == hashlib.sha256(content).hexdigest()
    assert {name for name in model.tensors if name.startswith(PREFIX)} == {
        PREFIX + name for name in needed_shapes()
    }


def test_a_models_own_encoder_comes_first(tmp_path):
    content = safetensors.numpy.save({PREFIX + "a": np.ones(3, np.float16)})
    (tmp_path / ENCODER_FILE).write_bytes(content)
    tensors = load_encoder(tmp_path, hashlib.sha256(content).hexdigest())
    assert tensors[PREFIX + "a"].dtype == np.float32
    assert tensors[PREFIX + "a"].tolist() == [1, 1, 1]


@pytest.mark.parametrize("content", [b"", b"no tensors", b"\xff" * 100])
def test_another_encoder_is_refused(tmp_path, content):
    (tmp_path / ENCODER_FILE).write_bytes(content)
    with pytest.raises(ModelError, match=r"its SHA-256 is .* needs the encoder abc"):
        load_encoder(tmp_path, "abc")
    with pytest.raises(ModelError, match="not a safetensors file"):
        load_encoder(tmp_path, hashlib.sha256(content).hexdigest())


def whole_model(prefix="model.encoder.", **changes):
    shapes = needed_shapes() | {"layers.3.fc1.bias": (2048,), "embed_positions.weight": (1500, 512)}
    shapes |= changes
    tensors = {prefix + name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
    return safetensors.numpy.save(tensors | {"model.decoder.a": np.zeros(2, np.float32)})


@pytest.mark.parametrize("prefix", ["model.encoder.", "encoder."])
def test_what_is_needed_is_cut_from_a_whole_model(tmp_path, prefix):
    path = tmp_path / "model.safetensors"
    path.write_bytes(whole_model(prefix))
    tensors = safetensors.numpy.load(cut_encoder(path))
    assert {name: tensor.shape for name, tensor in tensors.items()} == {
        PREFIX + name: shape for name, shape in needed_shapes().items()
    }
    assert {tensor.dtype for tensor in tensors.values()} == {np.dtype(np.float16)}


def test_what_is_no_whisper_base_is_refused_with_what_is_needed(tmp_path):
    path = tmp_path / "model.safetensors"
    with pytest.raises(PathError, match="no such file"):
        cut_encoder(path)
    path.write_bytes(b"{}")
    with pytest.raises(ModelError, match="not a safetensors file"):
        cut_encoder(path)
    path.write_bytes(safetensors.numpy.save({"a": np.zeros(1)}))
    with pytest.raises(ModelError, match=r"no tensor model\.encoder\.conv1\.weight"):
        cut_encoder(path)
    path.write_bytes(whole_model(**{"conv1.bias": (384,)}))
    with pytest.raises(ModelError, match=r"conv1\.bias is \(384,\), \(512,\) is needed"):
        cut_encoder(path)
