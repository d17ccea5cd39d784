"""Models: a weights folder, bundled or given, found, checked and loaded.

A weights folder holds ``model.safetensors``, ``config.json``, ``metrics.json`` and ``card.md``. Every
value of ``config.json`` is checked, and tensors are taken only if their file has the SHA-256 that
``config.json`` states and exactly the network's names and shapes. A pickle is never opened: what
unpickles can run anything.

A loaded model is its tensors. What computes with them is made when it is asked for: on a CPU the
graph, for training and GPUs the network, since only that needs torch, which takes a second to load.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import safetensors
import safetensors.numpy
from numpy.typing import NDArray

import serctl.weights
from serctl.errors import ModelError, UsageError
from serctl.models.config import CONFIG_FILE, WEIGHTS_FILE, ModelConfig, _read, read_config
from serctl.models.networks import NETWORKS
from serctl.models.networks.builder import INPUT, GraphBuilder

if TYPE_CHECKING:
    from torch import nn

DEFAULT_MODEL = "cnn"
MAX_WEIGHTS_BYTES = 1 << 26  # eight times the largest that there is


@dataclass(frozen=True)
class Model:
    """A loaded model.

    Attributes
    ----------
    config : ModelConfig
        Its configuration.
    tensors : mapping of str to array
        Of its network, under the names that torch gives them.
    """

    config: ModelConfig
    tensors: Mapping[str, NDArray[Any]]

    @classmethod
    def of(cls, config: ModelConfig, network: "nn.Module") -> Self:
        """Model of a network as it is now."""
        state = network.state_dict()
        return cls(config, {key: tensor.cpu().numpy().copy() for key, tensor in state.items()})

    @cached_property
    def graph(self) -> bytes:
        """The network in ONNX's binary form; ModelError if the tensors are not the network's."""
        builder = GraphBuilder(self.tensors)
        logits = NETWORKS[self.config.network].graph(builder, INPUT, len(self.config.emotions))
        return builder.model(logits)

    @cached_property
    def network(self) -> "nn.Module":
        """The network, on the CPU, ready to classify."""
        import torch

        network = NETWORKS[self.config.network].torch_module(len(self.config.emotions))
        network.load_state_dict({key: torch.tensor(array) for key, array in self.tensors.items()})
        return network.eval()


def bundled_models() -> dict[str, Path]:
    """Names and folders of the models that serctl brings along, in alphabetical order."""
    root = Path(serctl.weights.__file__).parent
    return {path.parent.name: path.parent for path in sorted(root.glob(f"*/{CONFIG_FILE}"))}


def find_model(name: str) -> Path:
    """Folder of a model.

    Parameters
    ----------
    name : str
        Of a bundled model, or the path of a weights folder.

    Raises
    ------
    UsageError
        If it is neither.
    """
    bundled = bundled_models()
    if name in bundled:
        return bundled[name]
    if Path(name).is_dir():
        return Path(name)
    raise UsageError(
        f"{name}: neither a bundled model ({', '.join(bundled)}) nor a folder. "
        "Name one of these, or a folder that serctl train wrote."
    )


def load_model(name: str = DEFAULT_MODEL) -> Model:
    """Find, check and load a model.

    Parameters
    ----------
    name : str
        Of a bundled model, or the path of a weights folder.

    Raises
    ------
    UsageError
        If there is no such model.
    ModelError
        If the folder is not a whole, untouched weights folder.
    """
    folder = find_model(name)
    config = read_config(folder)
    path = folder / WEIGHTS_FILE
    content = _read(path, MAX_WEIGHTS_BYTES)
    sha256 = hashlib.sha256(content).hexdigest()
    if sha256 != config.sha256:
        raise ModelError(
            f"{path}: its SHA-256 is {sha256}, {CONFIG_FILE} says {config.sha256 or 'none'}. The "
            "weights are damaged or not the ones of this folder; install or train them again."
        )
    try:
        model = Model(config, safetensors.numpy.load(content))
    except (safetensors.SafetensorError, KeyError) as error:  # KeyError: a dtype that NumPy lacks
        raise ModelError(f"{path}: not a safetensors file ({error}). Train it again.") from error
    try:
        model.graph  # noqa: B018 - it is built here, where the file can be named
    except ModelError as error:
        raise ModelError(
            f"{path}: {error} for the network {config.network}. Train it again."
        ) from error
    return model


def save_model(folder: Path, model: Model) -> ModelConfig:
    """Write ``model.safetensors`` and ``config.json``; return the configuration with its hash."""
    content = safetensors.numpy.save(dict(model.tensors))
    config = replace(model.config, sha256=hashlib.sha256(content).hexdigest())
    folder.mkdir(parents=True, exist_ok=True)
    (folder / WEIGHTS_FILE).write_bytes(content)
    (folder / CONFIG_FILE).write_text(config.to_json(), encoding="utf-8")
    return config
