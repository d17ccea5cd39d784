"""Embeddings of windows: what a frozen encoder makes of them, on the CPU, by ONNX Runtime."""

import tempfile
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from serctl.models.encoder import PREFIX
from serctl.models.inference import graph_session
from serctl.models.networks import whisper_graph
from serctl.models.networks.builder import INPUT, GraphBuilder

HELD_BYTES = 1 << 25  # of a recording; an hour of speech of one channel has 29 MB


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


class EmbeddingFile:
    """Embeddings of a recording's windows, in memory or, if there are many, in a temporary file."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(HELD_BYTES)
        self._n_values = 0

    def add(self, embedding: NDArray[np.float32]) -> None:
        """Add the embedding of the next window, float32 [n_embedding]."""
        self._n_values = len(embedding)
        self._file.write(np.ascontiguousarray(embedding, np.float32).data)

    def __iter__(self) -> Iterator[NDArray[np.float32]]:
        """Embeddings float32 [n_embedding] in their order, from the first one."""
        self._file.seek(0)
        while data := self._file.read(4 * self._n_values):
            yield np.frombuffer(data, np.float32)

    def __del__(self) -> None:
        """Close the file, which removes it."""
        self._file.close()
