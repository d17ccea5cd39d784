"""The model that a user's own model starts from: all of its layers but the last are kept.

What it knows of a label stays in part: a share of its logits for a label of the same name
(`known_share`) is added to those of the layer that is fitted (`serctl.train.custom.head`). Of
`whisper`, the fitted layer takes the embedding's means, which travel better to other recordings than
standard deviations; of `cnn`, the inputs of its members' last layers.
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
from serctl.models.encoder import PREFIX
from serctl.models.loading import Model, load_model
from serctl.models.networks import cnn_graph, whisper_graph
from serctl.train.custom.head import Head
from serctl.weights import find_model

DEFAULT_START = "whisper"
MOST_KNOWN, FEW_RECORDINGS = 0.5, 20
Embed = Callable[[NDArray[np.float32]], NDArray[np.float32]]
Tensors = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Parts:
    """How a network is taken apart before its last layers, and put together with others.

    Attributes
    ----------
    embedder : callable
        From tensors to a function from a window's input to its embedding.
    last_inputs : callable
        From tensors and embeddings float64 [n, n_embedding] to the inputs of its last layers side by
        side, float64 [n, n_last], which are averaged.
    last_layers : tuple of str
        Their names.
    inputs : callable
        From tensors and embeddings to the inputs of the layer that is fitted, float64 [n, n_inputs].
    network : str
        Of the new model.
    tensors : callable
        From tensors, the last layers as they are to be kept, and the fitted layer, to the tensors of
        the new model.
    """

    embedder: Callable[[Tensors], Embed]
    last_inputs: Callable[[Tensors, NDArray[np.float64]], NDArray[np.float64]]
    last_layers: tuple[str, ...]
    inputs: Callable[[Tensors, NDArray[np.float64]], NDArray[np.float64]]
    network: str
    tensors: Callable[[Tensors, Head, Head], Tensors]


def known_share(n_recordings: float) -> float:
    """Share of the start's logits that stay, in (0, `MOST_KNOWN`].

    Parameters
    ----------
    n_recordings : float
        Of each label, on average. Beyond `FEW_RECORDINGS`, they say more than the start knows.
    """
    return min(MOST_KNOWN, FEW_RECORDINGS / (FEW_RECORDINGS + n_recordings))


def _normalized(tensors: Tensors, embeddings: NDArray[np.float64]) -> NDArray[np.float64]:
    return (embeddings - tensors["embedding.mean"]) / tensors["embedding.std"]


def _whisper_hidden(tensors: Tensors, embeddings: NDArray[np.float64]) -> NDArray[np.float64]:
    """Hidden layers of all heads, of each recording alone."""
    z, hidden = _normalized(tensors, embeddings), []
    for i, sizes in enumerate(whisper_graph.HEADS):
        weights = tensors[f"heads.{i}.hidden.weight"][:, : sizes.n_alone]
        x = z[:, : sizes.n_alone] @ weights.T + tensors[f"heads.{i}.hidden.bias"]
        hidden.append(x * 0.5 * (1 + erf(x / np.sqrt(2))))  # GELU
    return np.concatenate(hidden, axis=1)


def _whisper_tensors(tensors: Tensors, kept: Head, fitted: Head) -> Tensors:
    """Tensors of `whisper-labels`.

    `whisper` averages log-probabilities, which differ from the mean of the logits by a number that is
    the same for all labels.
    """
    new = {key: tensors[key] for key in tensors if key.startswith((PREFIX, "embedding."))}
    for i, sizes in enumerate(whisper_graph.HEADS):
        weights = tensors[f"heads.{i}.hidden.weight"][:, : sizes.n_alone]
        new[f"hidden.{i}.weight"] = np.ascontiguousarray(weights)
        new[f"hidden.{i}.bias"] = tensors[f"heads.{i}.hidden.bias"]
    weights = np.concatenate([kept.weights, fitted.weights], axis=1)
    new["output.weight"] = weights.astype(np.float32)
    new["output.bias"] = (kept.bias + fitted.bias).astype(np.float32)
    return new


def _cnn_tensors(tensors: Tensors, kept: Head, fitted: Head) -> Tensors:
    """Tensors of `cnn`, whose members' logits are averaged."""
    new, n = dict(tensors), cnn_graph.N_MEMBERS
    weights = n * (kept.weights + fitted.weights)
    for i, part in enumerate(np.split(weights, n, axis=1)):
        new[f"members.{i}.answer.1.weight"] = np.ascontiguousarray(part, np.float32)
        new[f"members.{i}.answer.1.bias"] = (kept.bias + fitted.bias).astype(np.float32)
    return new


PARTS = {
    "whisper": Parts(
        Embedder,
        _whisper_hidden,
        tuple(f"heads.{i}.output" for i in range(len(whisper_graph.HEADS))),
        lambda tensors, x: _normalized(tensors, x)[:, : whisper_graph.N_MEANS],
        "whisper-labels",
        _whisper_tensors,
    ),
    "cnn": Parts(
        CnnEmbedder,
        lambda tensors, x: x,
        tuple(f"members.{i}.answer.1" for i in range(cnn_graph.N_MEMBERS)),
        lambda tensors, x: x,
        "cnn",
        _cnn_tensors,
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
        As it is, without a model that it is fused with.
    folder : Path
        Where it is.

    Raises
    ------
    UsageError
        If it does not exist, or its network is none of `PARTS`.
    ModelError
        If it cannot be loaded.
    """

    def __init__(self, name: str | os.PathLike[str] = DEFAULT_START) -> None:
        self.folder: Path = find_model(name)
        fused = load_model(name)
        self.model = Model(replace(fused.config, fusion=None), fused.tensors)
        network = self.model.config.network
        if network not in PARTS:
            raise UsageError(
                f"--start {os.fspath(name)}: its network is {network}, and one of "
                f"{', '.join(PARTS)} is needed. Start from whisper, cnn, or a folder that serctl "
                "train wrote of one of them."
            )
        self._parts = PARTS[network]
        self._tensors: Tensors = dict(self.model.tensors)

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels that it knows."""
        return self.model.config.emotions

    def embedder(self) -> Embed:
        """Function from a window's input to its embedding, safe in any thread."""
        return self._parts.embedder(self._tensors)

    def inputs(self, embeddings: NDArray[np.float32]) -> NDArray[np.float64]:
        """Inputs of the layer to fit, float64 [n, n_inputs], of embeddings [n, n_embedding]."""
        return self._parts.inputs(self._tensors, embeddings.astype(np.float64))

    def logits(self, embeddings: NDArray[np.float32], labels: Sequence[str]) -> NDArray[np.float64]:
        """Its own logits float64 [n, n_labels] for some labels; see `last_layers`."""
        x = self._parts.last_inputs(self._tensors, embeddings.astype(np.float64))
        return self.last_layers(labels).logits(x)

    def last_layers(self, labels: Sequence[str]) -> Head:
        """Last layers, for some labels; one that it does not know gets the mean of all."""
        names = self._parts.last_layers
        weights = [self._tensors[f"{one}.weight"].astype(np.float64) for one in names]
        biases = [self._tensors[f"{one}.bias"].astype(np.float64) for one in names]
        whole = np.column_stack([*weights, np.mean(biases, axis=0) * len(names)]) / len(names)
        rows = [
            whole[self.labels.index(label)] if label in self.labels else whole.mean(axis=0)
            for label in labels
        ]
        found = np.stack(rows)
        return Head(found[:, :-1], found[:, -1])

    def with_head(
        self, name: str, labels: Sequence[str], head: Head, share: float, temperature: float
    ) -> Model:
        """Model of other labels.

        Parameters
        ----------
        name : str
            Of the new model.
        labels : sequence of str
            In the order of the head.
        head : Head
            Fitted on `inputs`, beside a share of `logits`.
        share : float
            Of those.
        temperature : float
            That calibrates it.
        """
        last = self.last_layers(labels)
        kept = Head(share * last.weights, share * last.bias)
        config = replace(
            self.model.config,
            name=name,
            network=self._parts.network,
            emotions=tuple(labels),
            temperature=temperature,
            sha256="",
        )
        return Model(config, self._parts.tensors(self._tensors, kept, head))
