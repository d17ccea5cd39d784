"""Models: find, check and load a weights folder.

A weights folder holds ``model.safetensors``, ``config.json``, ``metrics.json`` and ``card.md``. Every
value of ``config.json`` is checked. The tensors must have the SHA-256 in ``config.json``, and exactly
the names and shapes of the network. A pickle is never opened, since it can run any code.

A loaded model is its tensors. The graph (for a CPU) and the torch network (for training and GPUs)
are built when they are first used, since importing torch takes a second.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import safetensors
import safetensors.numpy
from numpy.typing import NDArray

from serctl.errors import ModelError
from serctl.models import encoder
from serctl.models.config import CONFIG_FILE, WEIGHTS_FILE, ModelConfig, _read, read_config
from serctl.models.networks import NETWORKS
from serctl.models.networks.builder import INPUT, Graph, GraphBuilder
from serctl.weights import bundled_models, find_model

if TYPE_CHECKING:
    from torch import nn

DEFAULT_MODEL = "cnn"
MAX_WEIGHTS_BYTES = 1 << 26  # eight times the largest bundled model
# Accuracy and cost of the bundled models, which `serctl.train.documents.rewrite` writes.
MEASURED_FILE = "models.json"
LICENSE = "research, non-commercial"  # inherited from the corpora


@dataclass(frozen=True)
class Model:
    """A loaded model.

    Attributes
    ----------
    config : ModelConfig
        Configuration.
    tensors : mapping of str to array
        Tensors of the network, by the names that torch gives them.
    second : Model or None
        The model that it is fused with (`serctl.models.config.Fusion`).
    """

    config: ModelConfig
    tensors: Mapping[str, NDArray[Any]]
    second: "Model | None" = None

    @classmethod
    def from_network(cls, config: ModelConfig, network: "nn.Module") -> Self:
        """Copy the current state of a torch network."""
        state = network.state_dict()
        return cls(config, {key: tensor.cpu().numpy().copy() for key, tensor in state.items()})

    @cached_property
    def graph(self) -> Graph:
        """The network for ONNX Runtime; ModelError if the tensors do not fit it."""
        builder = GraphBuilder(self.tensors)
        logits = NETWORKS[self.config.network].graph(builder, INPUT, len(self.config.emotions))
        return builder.model(logits)

    @cached_property
    def network(self) -> "nn.Module":
        """The network in torch, on the CPU, in evaluation mode."""
        import torch

        network = NETWORKS[self.config.network].torch_module(len(self.config.emotions))
        network.load_state_dict({key: torch.tensor(array) for key, array in self.tensors.items()})
        return network.eval()


def load_model(name: str | os.PathLike[str] = DEFAULT_MODEL) -> Model:
    """Find, check and load a model.

    Parameters
    ----------
    name : str or path
        Name of a bundled model, or path of a weights folder.

    Raises
    ------
    UsageError
        If the model does not exist.
    ModelError
        If the folder is incomplete, or its files are damaged or modified.
    """
    folder = find_model(name)
    config = read_config(folder)
    path = folder / WEIGHTS_FILE
    content = _read(path, MAX_WEIGHTS_BYTES)
    sha256 = hashlib.sha256(content).hexdigest()
    if sha256 != config.sha256:
        raise ModelError(
            f"{path}: its SHA-256 is {sha256}; {CONFIG_FILE} has {config.sha256 or 'none'}. The "
            "weights are damaged or belong to another folder. Install or train them again."
        )
    try:
        tensors = safetensors.numpy.load(content)
    except (safetensors.SafetensorError, KeyError) as error:  # KeyError: a dtype that NumPy lacks
        raise ModelError(f"{path}: not a safetensors file ({error}). Train it again.") from error
    if config.encoder_sha256:
        tensors |= encoder.load_encoder(folder, config.encoder_sha256)
    model = Model(config, tensors, None if config.fusion is None else _second(folder, config))
    try:
        model.graph  # noqa: B018 - it is built here, where the file can be named
    except ModelError as error:
        raise ModelError(
            f"{path}: {error} for the network {config.network}. Train it again."
        ) from error
    return model


def second_folder(folder: Path, config: ModelConfig) -> Path:
    """Folder of the model that a model is fused with: below its own folder, or a bundled one."""
    own = folder / NETWORKS[config.network].fuses_with
    return own if own.exists() else find_model(own.name)


def _second(folder: Path, config: ModelConfig) -> Model:
    """The model that a model is fused with."""
    assert config.fusion is not None
    path, network = second_folder(folder, config), NETWORKS[config.network].fuses_with
    if (found := read_config(path).network) != network:
        raise ModelError(f"{path}: its network is {found}, {network} is needed. Train it again.")
    second = load_model(path)
    of_both = [(one.emotions, one.features.rate_hz) for one in (config, second.config)]
    if second.config.sha256 != config.fusion.sha256 or of_both[0] != of_both[1]:
        raise ModelError(
            f"{path}: the SHA-256 of its weights is {second.config.sha256}, and the model in {folder} "
            f"is fused with {config.fusion.sha256}. Copy the folder of that one to {folder / network}, "
            "or train the model again."
        )
    return second


def save_model(folder: Path, model: Model) -> ModelConfig:
    """Write ``model.safetensors`` and ``config.json``; return the configuration with its hash.

    An encoder is not written again: the configuration names it.
    """
    named = model.config.encoder_sha256
    content = safetensors.numpy.save(
        {
            key: tensor
            for key, tensor in model.tensors.items()
            if not (named and key.startswith(encoder.PREFIX))
        }
    )
    config = replace(model.config, sha256=hashlib.sha256(content).hexdigest())
    folder.mkdir(parents=True, exist_ok=True)
    (folder / WEIGHTS_FILE).write_bytes(content)
    (folder / CONFIG_FILE).write_text(config.to_json(), encoding="utf-8")
    return config


@dataclass(frozen=True)
class BundledModel:
    """One bundled model.

    Attributes
    ----------
    name : str
        As ``--model`` takes it.
    emotions : tuple of str
        That it chooses between.
    size_bytes : int
        Of its weights, with those of its encoder and of the model that it is fused with.
    new_speakers_ua, cross_corpus_ua : float or None
        UA over its emotions on speakers that it was not trained on, and over the report's five on
        corpora that it was not trained on, in [0, 1]; None where it was not measured.
    cpu_ms : float or None
        Milliseconds of processor time for a clip of 2.5 s.
    """

    name: str
    emotions: tuple[str, ...]
    size_bytes: int
    new_speakers_ua: float | None
    cross_corpus_ua: float | None
    cpu_ms: float | None


def describe_models() -> list[BundledModel]:
    """Describe the bundled models, in alphabetical order.

    Raises
    ------
    ModelError
        If a folder of theirs is damaged.
    """
    folders = bundled_models()
    measured_file = next(iter(folders.values())).parent / MEASURED_FILE
    measured = json.loads(measured_file.read_text(encoding="utf-8"))
    return [_describe(name, folder, measured.get(name, {})) for name, folder in folders.items()]


def _describe(name: str, folder: Path, measured: dict[str, float]) -> BundledModel:
    config = read_config(folder)
    files = [folder / WEIGHTS_FILE]
    if config.encoder_sha256:
        own = folder / encoder.ENCODER_FILE
        files.append(own if own.exists() else encoder.bundled_encoder())
    if config.fusion is not None:
        files.append(second_folder(folder, config) / WEIGHTS_FILE)
    return BundledModel(
        name,
        config.emotions,
        sum(file.stat().st_size for file in files),
        measured.get("new_speakers_ua"),
        measured.get("cross_corpus_ua"),
        measured.get("cpu_ms"),
    )
