"""`serctl.models.networks.cnn_torch` as a graph."""

import numpy as np

from serctl.models.networks.builder import GraphBuilder, integers

N_MELS = 64
N_MEMBERS = 3
STEM_WIDTH, STEM_KERNEL, STEM_STRIDE = 16, 7, (4, 4)
WIDTHS = (32, 64, 128, 192)
STRIDES = ((1, 1), (2, 2), (2, 2), (2, 1))
REDUCTION = 8  # of channels, in squeeze and excitation
N_BANDS = 2  # that are left of the mel bands
ATTENTION_WIDTH = 32
LEAST_VARIANCE = 1e-4


def graph(builder: GraphBuilder, frames: str, n_emotions: int) -> str:
    """Logits of ``frames``, float [batch, 64, n_frames], with n_frames a multiple of 16."""
    spectrogram = builder.node("Unsqueeze", frames, integers(1))
    members = []
    for i in range(N_MEMBERS):
        member = _member_embedding(builder, spectrogram, f"members.{i}")
        answer = f"members.{i}.answer.1"
        members.append(builder.dense(member, answer, 2 * WIDTHS[-1], n_emotions))
    return builder.node("Mean", *members)


def embedding(builder: GraphBuilder, frames: str) -> str:
    """Inputs of all members' last layers side by side, [batch, `N_MEMBERS` 2 `WIDTHS[-1]`]."""
    spectrogram = builder.node("Unsqueeze", frames, integers(1))
    members = [_member_embedding(builder, spectrogram, f"members.{i}") for i in range(N_MEMBERS)]
    return builder.node("Concat", *members, axis=1)


def _member_embedding(builder: GraphBuilder, spectrogram: str, key: str) -> str:
    """Input of one network's last layer, [batch, 2 `WIDTHS[-1]`]: means, standard deviations."""
    node, last = builder.node, WIDTHS[-1]
    shape = (STEM_WIDTH, 1, STEM_KERNEL, STEM_KERNEL)
    padding = (STEM_KERNEL // 2, STEM_KERNEL // 2)
    x = builder.convolution(
        spectrogram, f"{key}.stem.0", shape, STEM_STRIDE, padding, f"{key}.stem.1"
    )
    x = node("Relu", x)
    for i, (n_in, n_out) in enumerate(zip((STEM_WIDTH, *WIDTHS), WIDTHS, strict=False)):
        x = _block(builder, x, f"{key}.blocks.{i}", n_in, n_out, STRIDES[i])
    x = node("Reshape", x, integers(0, last * N_BANDS, -1))  # [batch, 384, n_steps]
    joining = f"{key}.join_bands"
    x = builder.convolution(
        x, f"{joining}.0", (last, last * N_BANDS, 1), (1,), (0,), f"{joining}.1"
    )
    pooled = _pooled(builder, node("Relu", x), f"{key}.pooling.attention", last)
    scale, summand = builder.norm(f"{key}.norm", 2 * last)
    return node("Add", node("Mul", pooled, scale), summand)


def _block(
    builder: GraphBuilder, x: str, key: str, n_in: int, n_out: int, stride: tuple[int, int]
) -> str:
    """Two convolutions, gated, and added to their input."""
    node, once, around = builder.node, (1, 1), (1, 1)
    layers = f"{key}.convolutions"
    inner = builder.convolution(
        x, f"{layers}.0", (n_out, n_in, 3, 3), stride, around, f"{layers}.1"
    )
    inner = builder.convolution(
        node("Relu", inner), f"{layers}.3", (n_out, n_out, 3, 3), once, around, f"{layers}.4"
    )
    squeezed = node("Flatten", node("GlobalAveragePool", inner))
    n_hidden = n_out // REDUCTION
    hidden = node("Relu", builder.dense(squeezed, f"{key}.gates.squeeze", n_out, n_hidden))
    gates = node("Sigmoid", builder.dense(hidden, f"{key}.gates.excite", n_hidden, n_out))
    gated = node("Mul", inner, node("Unsqueeze", gates, integers(2, 3)))
    if n_in != n_out or stride != once:
        if stride != once:
            x = node("AveragePool", x, kernel_shape=stride, strides=stride)
        shape = (n_out, n_in, 1, 1)
        x = builder.convolution(x, f"{key}.shortcut.1", shape, once, (0, 0), f"{key}.shortcut.2")
    return node("Relu", node("Add", gated, x))


def _pooled(builder: GraphBuilder, x: str, key: str, n_channels: int) -> str:
    """Weighted mean and standard deviation over time, [batch, 2 n_channels]."""
    node = builder.node
    scores = builder.convolution(x, f"{key}.0", (ATTENTION_WIDTH, n_channels, 1), (1,), (0,))
    scores = builder.convolution(
        node("Tanh", scores), f"{key}.2", (n_channels, ATTENTION_WIDTH, 1), (1,), (0,)
    )
    weights = node("Softmax", scores, axis=2)

    def over_time(values: str) -> str:
        return node("ReduceSum", node("Mul", weights, values), integers(2), keepdims=0)

    mean = over_time(x)
    square = over_time(node("Mul", x, x))
    variance = node("Sub", square, node("Mul", mean, mean))
    floored = node("Max", variance, np.array(LEAST_VARIANCE, np.float32))
    return node("Concat", mean, node("Sqrt", floored), axis=1)
