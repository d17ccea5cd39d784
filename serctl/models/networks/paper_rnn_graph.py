"""`serctl.models.networks.paper_rnn_torch` as a graph."""

import numpy as np
from numpy.typing import NDArray

from serctl.models.networks.builder import GraphBuilder, integers

N_MELS, N_MFCC = 128, 20
WIDTH = 64
STEP_FRAMES = 4  # frames that are averaged to one step
N_LAYERS = 2


def graph(builder: GraphBuilder, frames: str, n_emotions: int) -> str:
    """Logits of ``frames``, float [batch, n_frames, 148]."""
    node = builder.node
    # A last frame without another is a step if it is the only one.
    steps = node(
        "AveragePool",
        node("Transpose", frames, perm=(0, 2, 1)),
        kernel_shape=(STEP_FRAMES,),
        strides=(STEP_FRAMES,),
        ceil_mode=1,
    )
    steps = node("Transpose", steps, perm=(2, 0, 1))  # [n_steps, batch, 148], as GRU takes them
    mel = node("Slice", steps, integers(0), integers(N_MELS), integers(2))
    mfcc = node("Slice", steps, integers(N_MELS), integers(N_MELS + N_MFCC), integers(2))
    outputs = node(
        "Concat",
        _gru(builder, mel, "mel_branch", N_MELS),
        _gru(builder, mfcc, "mfcc_branch", N_MFCC),
        axis=2,
    )  # [n_steps, batch, 128]
    n_frames = node("Gather", node("Shape", frames), integers(1))
    n_whole = node("Max", node("Div", n_frames, integers(STEP_FRAMES)), integers(1))
    outputs = node("Slice", outputs, integers(0), n_whole, integers(0))
    mean = node("ReduceMean", outputs, axes=(0,), keepdims=0)  # [batch, 128]
    hidden = node("Relu", builder.dense(mean, "dense.0", 2 * WIDTH, WIDTH))
    return builder.dense(hidden, "dense.2", WIDTH, n_emotions)


def _gru(builder: GraphBuilder, steps: str, key: str, n_in: int) -> str:
    """All outputs [n_steps, batch, WIDTH] of the last layer."""
    for layer in range(N_LAYERS):
        weights, recurrence, bias, recurrent_bias = (
            _update_first(builder.tensor(f"{key}.{name}_l{layer}", 3 * WIDTH, *columns))
            for name, columns in (
                ("weight_ih", (n_in if layer == 0 else WIDTH,)),
                ("weight_hh", (WIDTH,)),
                ("bias_ih", ()),
                ("bias_hh", ()),
            )
        )
        biases = np.concatenate([bias, recurrent_bias])
        steps = builder.node(
            "GRU",
            steps,
            weights[None],
            recurrence[None],
            biases[None],
            hidden_size=WIDTH,
            linear_before_reset=1,
        )
        steps = builder.node("Squeeze", steps, integers(1))  # of one direction
    return steps


def _update_first(tensor: NDArray[np.float32]) -> NDArray[np.float32]:
    """Gates reset, update, new, as torch has them, in ONNX's order: update, reset, new."""
    reset, update, new = np.split(tensor, 3)
    return np.concatenate([update, reset, new])
