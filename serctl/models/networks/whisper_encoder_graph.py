"""The first blocks of Whisper's encoder as a graph (`serctl.models.networks.whisper_torch`).

Tensors have the names that Hugging Face's ``WhisperModel`` gives them, without ``model.``.
"""

import numpy as np

from serctl.models.networks.builder import NORM_EPSILON, GraphBuilder, integers

N_MELS = 80
WIDTH, N_HEADS, HIDDEN = 512, 8, 2048  # of Whisper base
N_BLOCKS = 3
MAX_STEPS = 401  # of 20 ms: 8 s
PREFIX = "encoder."  # of its tensors in a network's


def encode(builder: GraphBuilder, frames: str) -> list[str]:
    """Activations of the convolutions and of each block.

    Parameters
    ----------
    builder : GraphBuilder
        To which the nodes are added.
    frames : str
        Float [batch, `N_MELS`, n_frames]: `serctl.features.whisper.whisper_log_mel`, transposed.

    Returns
    -------
    list of str, 1 + `N_BLOCKS`
        Each float [batch, n_steps, `WIDTH`], with n_steps = (n_frames + 1) // 2.
    """
    node = builder.node
    x = builder.gelu(builder.convolution(frames, f"{PREFIX}conv1", (WIDTH, N_MELS, 3), (1,), (1,)))
    x = builder.gelu(builder.convolution(x, f"{PREFIX}conv2", (WIDTH, WIDTH, 3), (2,), (1,)))
    x = node("Transpose", x, perm=(0, 2, 1))
    activations = [x]
    positions = builder.tensor(f"{PREFIX}embed_positions.weight", MAX_STEPS, WIDTH)
    n_steps = node("Gather", node("Shape", x), integers(1))
    x = node("Add", x, node("Slice", positions, integers(0), n_steps, integers(0)))
    for i in range(N_BLOCKS):
        x = _block(builder, x, f"{PREFIX}layers.{i}")
        activations.append(x)
    return activations


def _block(builder: GraphBuilder, x: str, key: str) -> str:
    """Self-attention, then two dense layers, each after a layer normalization and added to ``x``."""
    node = builder.node
    attended = _attention(builder, _layer_norm(builder, x, f"{key}.self_attn_layer_norm"), key)
    x = node("Add", x, attended)
    hidden = _layer_norm(builder, x, f"{key}.final_layer_norm")
    hidden = builder.gelu(_linear(builder, hidden, f"{key}.fc1", WIDTH, HIDDEN))
    return node("Add", x, _linear(builder, hidden, f"{key}.fc2", HIDDEN, WIDTH))


def _attention(builder: GraphBuilder, x: str, key: str) -> str:
    node, size = builder.node, WIDTH // N_HEADS
    names = [f"{key}.self_attn.{name}" for name in ("q_proj", "k_proj", "v_proj")]
    weights = [builder.tensor(f"{name}.weight", WIDTH, WIDTH) for name in names]
    biases = [builder.tensor(f"{name}.bias", WIDTH) for name in (names[0], names[2])]
    scale = np.float32(size**-0.5)
    # One product for queries, keys and values; the queries' scale is in their weights.
    merged = np.concatenate([weights[0] * scale, weights[1], weights[2]]).T
    bias = np.concatenate([biases[0] * scale, np.zeros(WIDTH, np.float32), biases[1]])
    x = node("Add", node("MatMul", x, merged), bias)
    x = node("Reshape", x, integers(0, 0, 3, N_HEADS, size))
    x = node("Transpose", x, perm=(2, 0, 3, 1, 4))  # [3, batch, n_heads, n_steps, size]
    query, keys, value = (node("Gather", x, np.array(i, np.int64), axis=0) for i in range(3))
    scores = node("MatMul", query, node("Transpose", keys, perm=(0, 1, 3, 2)))
    x = node("MatMul", node("Softmax", scores, axis=-1), value)
    x = node("Reshape", node("Transpose", x, perm=(0, 2, 1, 3)), integers(0, 0, WIDTH))
    return _linear(builder, x, f"{key}.self_attn.out_proj", WIDTH, WIDTH)


def _linear(builder: GraphBuilder, x: str, key: str, n_in: int, n_out: int) -> str:
    """Dense layer of float [batch, n_steps, n_in]."""
    weights = builder.tensor(f"{key}.weight", n_out, n_in)
    product = builder.node("MatMul", x, weights.T)
    return builder.node("Add", product, builder.tensor(f"{key}.bias", n_out))


def _layer_norm(builder: GraphBuilder, x: str, key: str) -> str:
    weight, bias = (builder.tensor(f"{key}.{name}", WIDTH) for name in ("weight", "bias"))
    return builder.node("LayerNormalization", x, weight, bias, axis=-1, epsilon=NORM_EPSILON)
