"""`serctl.models.networks.whisper_torch` as graphs: the embedding, and logits of windows alone.

A frozen encoder (`serctl.models.networks.whisper_encoder_graph`), means and standard deviations over
time of its last activations, and heads, whose log-probabilities are averaged.
`serctl.models.voices` gives the same heads a voice's other recordings. `labels_graph` has one last
layer for a user's own labels in place of the heads': it takes their hidden layers, which know what
emotions sound like, and the embedding's means, which have what these leave out.
"""

from dataclasses import dataclass

import numpy as np

from serctl.models.networks.builder import GraphBuilder, integers
from serctl.models.networks.whisper_encoder_graph import WIDTH, encode

LAST_BLOCKS = (3, 2)  # whose activations are pooled: first all means, then all standard deviations
N_EMBEDDING = 2 * len(LAST_BLOCKS) * WIDTH
LEAST_VARIANCE = 1e-8
MAX_RECORDINGS, COUNT_SCALE = 60, 4.0  # of a voice; heads take log(n) / 4


@dataclass(frozen=True)
class HeadSizes:
    """Sizes of one head.

    Attributes
    ----------
    n_inputs : int
        The first so many columns of the embedding.
    n_alone : int
        The first so many of these are inputs always, the others only beside other recordings.
    hidden : int
        Width of its hidden layer.
    """

    n_inputs: int
    n_alone: int
    hidden: int


N_MEANS = len(LAST_BLOCKS) * WIDTH  # the first columns of the embedding

# Means travel better to other corpora; standard deviations help on the corpora of training. More heads
# on means than on both are better on other corpora, and no worse on new speakers.
HEADS = (
    HeadSizes(N_MEANS, WIDTH, 152),
    HeadSizes(N_MEANS, WIDTH, 152),
    HeadSizes(N_MEANS, WIDTH, 152),
    HeadSizes(N_EMBEDDING, N_EMBEDDING, 224),
    HeadSizes(N_EMBEDDING, N_EMBEDDING, 224),
)

N_LAST = (
    sum(sizes.hidden for sizes in HEADS) + N_MEANS
)  # inputs of the last layer of `labels_graph`


def graph(builder: GraphBuilder, frames: str, n_emotions: int) -> str:
    """Logits of ``frames``, float [batch, 80, n_frames], each window alone; and its embedding."""
    node = builder.node
    mean, std = (builder.tensor(f"embedding.{name}", N_EMBEDDING) for name in ("mean", "std"))
    builder.tensor("class_offsets", n_emotions, N_EMBEDDING)  # for `serctl.models.voices` alone
    builder.embedding = embedding(builder, frames)
    x = node("Div", node("Sub", builder.embedding, mean), std)
    log_probabilities = []
    for i, sizes in enumerate(HEADS):
        weights = builder.tensor(f"heads.{i}.hidden.weight", sizes.hidden, sizes.n_inputs + 1)
        bias = builder.tensor(f"heads.{i}.hidden.bias", sizes.hidden)
        inputs = node("Slice", x, integers(0), integers(sizes.n_alone), integers(1))
        hidden = builder.gelu(node("Gemm", inputs, weights[:, : sizes.n_alone], bias, transB=1))
        logits = builder.dense(hidden, f"heads.{i}.output", sizes.hidden, n_emotions)
        log_probabilities.append(node("LogSoftmax", logits, axis=1))
    return node("Mean", *log_probabilities)


def labels_graph(builder: GraphBuilder, frames: str, n_labels: int) -> str:
    """Logits of ``frames``, float [batch, 80, n_frames], for a user's own labels."""
    node = builder.node
    mean, std = (builder.tensor(f"embedding.{name}", N_EMBEDDING) for name in ("mean", "std"))
    x = node("Div", node("Sub", embedding(builder, frames), mean), std)
    parts = []
    for i, sizes in enumerate(HEADS):
        inputs = node("Slice", x, integers(0), integers(sizes.n_alone), integers(1))
        parts.append(
            builder.gelu(builder.dense(inputs, f"hidden.{i}", sizes.n_alone, sizes.hidden))
        )
    parts.append(node("Slice", x, integers(0), integers(N_MEANS), integers(1)))
    return builder.dense(node("Concat", *parts, axis=1), "output", N_LAST, n_labels)


def embedding(builder: GraphBuilder, frames: str) -> str:
    """Embedding of ``frames``, float [batch, `N_EMBEDDING`]."""
    node, activations = builder.node, encode(builder, frames)
    means, stds = [], []
    for i in LAST_BLOCKS:
        mean = node("ReduceMean", activations[i], axes=(1,), keepdims=1)
        difference = node("Sub", activations[i], mean)
        variance = node("ReduceMean", node("Mul", difference, difference), axes=(1,), keepdims=0)
        means.append(node("Squeeze", mean, integers(1)))
        stds.append(node("Sqrt", node("Max", variance, np.array(LEAST_VARIANCE, np.float32))))
    return node("Concat", *means, *stds, axis=1)
