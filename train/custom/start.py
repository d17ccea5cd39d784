"""The model that a user's own model starts from: all of its layers but the last are kept.

Of `whisper`, the four heads keep their hidden layers, and of `cnn`, the three members keep all but
their last layer. Both average the outputs of their parts, so that new last layers are one linear layer
on all parts side by side (`serctl.train.custom.head`). `whisper` averages log-probabilities, which
differ from the outputs by a number that is the same for all labels.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf

from serctl.errors import UsageError
from serctl.models.embedding import CnnEmbedder, Embedder
from serctl.models.loading import Model, find_model, load_model
from serctl.models.networks import cnn_graph, whisper_graph
from serctl.train.custom.head import Head

DEFAULT_START = "whisper"
Embed = Callable[[NDArray[np.float32]], NDArray[np.float32]]


@dataclass(frozen=True)
class Layers:
    """How a network is taken apart before its last layers, and put together again.

    Attributes
    ----------
    embedder : callable
        From tensors to a function from a window's input to its embedding.
    inputs : callable
        From tensors and embeddings float32 [n, n_embedding] to the inputs of the last layers, float64
        [n, n_inputs], all parts side by side.
    outputs : tuple of str
        Name of each part's last layer.
    widths : tuple of int
        Inputs of each.
    """

    embedder: Callable[[Any], Embed]
    inputs: Callable[[Any, NDArray[np.float32]], NDArray[np.float64]]
    outputs: tuple[str, ...]
    widths: tuple[int, ...]


def _whisper_inputs(tensors: Any, embeddings: NDArray[np.float32]) -> NDArray[np.float64]:
    """Hidden layers of all heads, of each recording alone."""
    z = (embeddings - tensors["embedding.mean"]) / tensors["embedding.std"].astype(np.float64)
    hidden = []
    for i, sizes in enumerate(whisper_graph.HEADS):
        weights = tensors[f"heads.{i}.hidden.weight"][:, : sizes.n_alone].astype(np.float64)
        x = z[:, : sizes.n_alone] @ weights.T + tensors[f"heads.{i}.hidden.bias"]
        hidden.append(x * 0.5 * (1 + erf(x / np.sqrt(2))))  # GELU
    return np.concatenate(hidden, axis=1)


LAYERS = {
    "whisper": Layers(
        Embedder,
        _whisper_inputs,
        tuple(f"heads.{i}.output" for i in range(len(whisper_graph.HEADS))),
        tuple(sizes.hidden for sizes in whisper_graph.HEADS),
    ),
    "cnn": Layers(
        CnnEmbedder,
        lambda tensors, embeddings: embeddings.astype(np.float64),
        tuple(f"members.{i}.answer.1" for i in range(cnn_graph.N_MEMBERS)),
        (cnn_graph.N_EMBEDDING,) * cnn_graph.N_MEMBERS,
    ),
}


class Start:
    """A model to start from.

    Parameters
    ----------
    name : str
        A bundled model, or a weights folder.

    Attributes
    ----------
    model : Model
        As it is.
    folder : Path
        Where it is.

    Raises
    ------
    UsageError
        If it does not exist, or its network is none of `LAYERS`.
    ModelError
        If it cannot be loaded.
    """

    def __init__(self, name: str | os.PathLike[str] = DEFAULT_START) -> None:
        self.folder: Path = find_model(name)
        self.model = load_model(name)
        network = self.model.config.network
        if network not in LAYERS:
            raise UsageError(
                f"--start {os.fspath(name)}: its network is {network}, and one of "
                f"{', '.join(LAYERS)} is needed. Start from whisper, cnn, or a folder that was "
                "trained from one of them."
            )
        self._layers = LAYERS[network]

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels that it knows."""
        return self.model.config.emotions

    def embedder(self) -> Embed:
        """Function from a window's input to its embedding, safe in any thread."""
        return self._layers.embedder(self.model.tensors)

    def inputs(self, embeddings: NDArray[np.float32]) -> NDArray[np.float64]:
        """Inputs of the last layers, float64 [n, n_inputs], of embeddings [n, n_embedding]."""
        return self._layers.inputs(self.model.tensors, embeddings) / len(self._layers.outputs)

    def normalized(self, embeddings: NDArray[np.float32]) -> NDArray[np.float64]:
        """Embeddings less their mean over the standard deviation, as `whisper` normalizes them."""
        tensors = self.model.tensors
        if "embedding.mean" not in tensors:
            return embeddings.astype(np.float64)
        normalized = (embeddings - tensors["embedding.mean"]) / tensors["embedding.std"]
        return np.asarray(normalized, np.float64)

    def head(self, labels: Sequence[str]) -> Head:
        """Last layers as they are, for some labels; one that is not known gets the mean of all."""
        tensors, outputs = self.model.tensors, self._layers.outputs
        weights = np.concatenate([tensors[f"{one}.weight"] for one in outputs], axis=1)
        bias = np.mean([tensors[f"{one}.bias"] for one in outputs], axis=0)
        whole = np.column_stack([weights, bias]).astype(np.float64)
        rows = [
            whole[self.labels.index(label)] if label in self.labels else whole.mean(axis=0)
            for label in labels
        ]
        found = np.stack(rows)
        return Head(found[:, :-1], found[:, -1])

    def with_head(
        self,
        name: str,
        labels: Sequence[str],
        head: Head,
        temperature: float,
        offsets: NDArray[Any],
    ) -> Model:
        """Model with new last layers.

        Parameters
        ----------
        name : str
            Of the new model.
        labels : sequence of str
            In the order of the head.
        head : Head
            On `inputs`.
        temperature : float
            That calibrates it.
        offsets : float [n_labels, n_embedding]
            Of `serctl.models.voices`; not used by `cnn`.
        """
        tensors, at = dict(self.model.tensors), 0
        for output, width in zip(self._layers.outputs, self._layers.widths, strict=True):
            part = head.weights[:, at : at + width]
            tensors[f"{output}.weight"] = np.ascontiguousarray(part, np.float32)
            tensors[f"{output}.bias"] = head.bias.astype(np.float32)
            at += width
        if "class_offsets" in tensors:
            tensors["class_offsets"] = offsets.astype(np.float32)
        config = replace(
            self.model.config,
            name=name,
            emotions=tuple(labels),
            temperature=temperature,
            sha256="",
        )
        return Model(config, tensors)
