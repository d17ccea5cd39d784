"""Embeddings of windows: what the layers before the last make of them, on the CPU, by ONNX Runtime."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from serctl.models.encoder import PREFIX
from serctl.models.inference import graph_session
from serctl.models.networks import cnn_graph, whisper_graph
from serctl.models.networks.builder import INPUT, GraphBuilder


class Embedder:
    """The encoder of `whisper` and its pooling; a call is safe in any thread.

    Parameters
    ----------
    tensors : mapping of str to array
        Of an encoder (`serctl.models.encoder.load_encoder`), or of a whole model.

    Raises
    ------
    ModelError
        If they are not those of the encoder.
    """

    def __init__(self, tensors: Mapping[str, NDArray[Any]]) -> None:
        builder = GraphBuilder({k: v for k, v in tensors.items() if k.startswith(PREFIX)})
        self._session = graph_session(builder.model(whisper_graph.embedding(builder, INPUT)))

    def __call__(self, window: NDArray[np.float32]) -> NDArray[np.float32]:
        """Embedding float32 [n_embedding] of a window's input [n_mels, n_frames]."""
        (embeddings,) = self._session.run(None, {INPUT: window[None]})
        embedding: NDArray[np.float32] = embeddings[0]
        return embedding


class CnnEmbedder:
    """All of `cnn` but its last layers; a call is safe in any thread.

    Parameters
    ----------
    tensors : mapping of str to array
        Of a whole model.

    Raises
    ------
    ModelError
        If they are not those of `cnn`.
    """

    def __init__(self, tensors: Mapping[str, NDArray[Any]]) -> None:
        builder = GraphBuilder({k: v for k, v in tensors.items() if ".answer." not in k})
        self._session = graph_session(builder.model(cnn_graph.embedding(builder, INPUT)))

    def __call__(self, window: NDArray[np.float32]) -> NDArray[np.float32]:
        """Embedding float32 [n_embedding] of a window's input [n_mels, n_frames]."""
        (embeddings,) = self._session.run(None, {INPUT: window[None]})
        embedding: NDArray[np.float32] = embeddings[0]
        return embedding
