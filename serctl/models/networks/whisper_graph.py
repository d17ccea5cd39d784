"""`serctl.models.networks.whisper_torch` as graphs: embedding, heads, and both in one.

A frozen encoder (`serctl.models.networks.whisper_encoder_graph`), the mean over time of its
activations, and heads, whose log-probabilities are averaged. A head takes a recording's embedding,
its difference to the mean of its voice's recordings, and how many these are; of a recording alone
the difference is zero.
"""

import numpy as np

from serctl.models.networks.builder import GraphBuilder
from serctl.models.networks.whisper_encoder_graph import WIDTH, encode

POOLED = (3,)  # activations whose means are the embedding: 0 of the convolutions, i of block i
N_EMBEDDING = len(POOLED) * WIDTH
N_HEADS = 5
HIDDEN = 256


def graph(builder: GraphBuilder, frames: str, n_emotions: int) -> str:
    """Logits of ``frames``, float [batch, `N_MELS`, n_frames], each recording alone."""
    embedded = embedding(builder, frames)
    logits = []
    for i in range(N_HEADS):
        weights, bias = _hidden(builder, i)
        # Alone, the difference and the logarithm of one recording are zero.
        hidden = builder.node("Gemm", embedded, weights[:, :N_EMBEDDING], bias, transB=1)
        logits.append(_output(builder, hidden, i, n_emotions))
    return builder.node("Mean", *logits)


def embedding(builder: GraphBuilder, frames: str) -> str:
    """Embedding of ``frames``, float [batch, `N_EMBEDDING`]."""
    activations = encode(builder, frames)
    means = [builder.node("ReduceMean", activations[i], axes=(1,), keepdims=0) for i in POOLED]
    return builder.node("Concat", *means, axis=1)


def group_heads(builder: GraphBuilder, features: str, n_emotions: int) -> str:
    """Logits of recordings with those of the same voice.

    Parameters
    ----------
    builder : GraphBuilder
        With the heads' tensors alone.
    features : str
        Float [batch, 2 `N_EMBEDDING` + 1]: `serctl.models.voices.group_features`.
    n_emotions : int
        Of the output.
    """
    logits = []
    for i in range(N_HEADS):
        weights, bias = _hidden(builder, i)
        hidden = builder.node("Gemm", features, weights, bias, transB=1)
        logits.append(_output(builder, hidden, i, n_emotions))
    return builder.node("Mean", *logits)


def _hidden(builder: GraphBuilder, i: int) -> tuple[np.ndarray, np.ndarray]:
    weights = builder.tensor(f"heads.{i}.hidden.weight", HIDDEN, 2 * N_EMBEDDING + 1)
    return weights, builder.tensor(f"heads.{i}.hidden.bias", HIDDEN)


def _output(builder: GraphBuilder, hidden: str, i: int, n_emotions: int) -> str:
    active = builder.gelu(hidden)
    logits = builder.dense(active, f"heads.{i}.output", HIDDEN, n_emotions)
    return builder.node("LogSoftmax", logits, axis=1)
