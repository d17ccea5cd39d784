"""Embeddings of windows: what a frozen encoder makes of them, on the CPU, by ONNX Runtime."""

import functools
import tempfile
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from serctl.features.whisper import WHISPER_SPEC, whisper_log_mel
from serctl.models.encoder import PREFIX, bundled_encoder, read_encoder
from serctl.models.inference import graph_session
from serctl.models.networks import whisper_graph
from serctl.models.networks.builder import INPUT, GraphBuilder

if TYPE_CHECKING:
    from serctl.features.blocks import BlockFeatures

MAX_WINDOW_S = 8.0  # as many positions as the bundled encoder has
MIN_WINDOW_S = 0.25
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


@functools.cache
def bundled_embedder() -> Embedder:
    """Embedder of the encoder that comes with serctl."""
    return Embedder(read_encoder(bundled_encoder().read_bytes()))


def _measure(samples: NDArray[np.float32]) -> tuple[int, NDArray[np.float32]]:
    """Embedding of a window, and the number of its frames."""
    frames = whisper_log_mel(samples, WHISPER_SPEC)
    return len(frames), bundled_embedder()(np.ascontiguousarray(frames.T))


def _combine(windows: list[tuple[int, NDArray[np.float32]]]) -> NDArray[np.float32]:
    """Mean of the windows' embeddings, weighted by their frames."""
    n_frames, embeddings = zip(*windows, strict=True)
    return np.average(embeddings, axis=0, weights=n_frames).astype(np.float32)


def embedding_features() -> "BlockFeatures":
    """Give the set of features ``embedding`` of `serctl.features.sets`."""
    from serctl.features.blocks import BlockFeatures  # with SciPy, which classifying does without

    return BlockFeatures(
        rate_hz=WHISPER_SPEC.rate_hz,
        block_s=MAX_WINDOW_S,
        min_s=MIN_WINDOW_S,
        max_blocks=None,
        measure=_measure,
        combine=_combine,
    )


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
