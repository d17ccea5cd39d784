"""`serctl.models.networks.cnn_torch` as a graph, and as one that slides over a long recording."""

from collections.abc import Callable
from functools import partial

import numpy as np

from serctl.models.networks.builder import GraphBuilder, integers

N_MELS = 64
N_MEMBERS = 2
STEM_WIDTH, STEM_KERNEL, STEM_STRIDE = 16, 7, (4, 4)
WIDTHS = (32, 64, 112, 160)
STRIDES = ((1, 1), (2, 2), (2, 2), (2, 1))
REDUCTION = 8  # of channels, in squeeze and excitation
N_BANDS = 2  # that are left of the mel bands
ATTENTION_WIDTH = 32
LEAST_VARIANCE = 1e-4
LEAST_SHARE = 1e-6  # of speech in a step, so that a window of pauses has a result
STEP_FRAMES = 16  # from one step of the last block to the next
# Frames from one step to the next after each block, and bands that are left.
BLOCK_STEP_FRAMES, BLOCK_BANDS = (4, 8, 16, 16), (16, 8, 4, 2)
# A step of the last block depends on so many frames on either side, beside the means of the gates.
REACH_FRAMES = 96

# From the builder, activations, and number of the block to means over time and bands.
Squeeze = Callable[[GraphBuilder, str, int], str]


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


def sliding_graph(
    builder: GraphBuilder, frames: str, speech: str, steps: str, window_frames: int, n_emotions: int
) -> str:
    """Logits [n_windows, n_emotions] of windows of one spectrogram that is longer than they are.

    The convolutions run once. Gates are computed at every step, from means over the window around
    it, and pooling over the steps of each window.

    Parameters
    ----------
    builder : GraphBuilder
        Of the network's tensors.
    frames : str
        Name of the spectrogram, float [1, 64, n_frames], with n_frames a multiple of 16.
    speech : str
        Name of float [n_frames]: 1 for a frame of speech, 0 in a pause.
    steps : str
        Name of int64 [n_windows, n_steps], the steps of each window.
    window_frames : int
        Frames in a window.
    n_emotions : int
        Of the output.
    """
    spectrogram = builder.node("Unsqueeze", frames, integers(1))
    flags = builder.node("Unsqueeze", speech, integers(0, 1, 2))  # [1, 1, 1, n_frames]
    squeeze = partial(_sliding_means, window_frames=window_frames, flags=flags)
    shares = builder.node("Squeeze", _shares(builder, flags, STEP_FRAMES), integers(0, 1, 2))
    # Of each step in the pooling of each window, [n_windows, 1, n_steps], added to the scores.
    weights = builder.node("Log", builder.node("Gather", shares, steps, axis=0))
    weights = builder.node("Unsqueeze", weights, integers(1))
    members = []
    for i in range(N_MEMBERS):
        key = f"members.{i}"
        x = _steps(builder, spectrogram, key, squeeze)
        scores = _attention(builder, x, f"{key}.pooling.attention", WIDTHS[-1])
        # [1, n_channels, n_steps] to [n_windows, n_channels, n_steps]
        x, scores = (
            builder.node("Transpose", builder.node("Gather", one, steps, axis=2), perm=(0, 2, 1, 3))
            for one in (x, scores)
        )
        x, scores = (builder.node("Squeeze", one, integers(0)) for one in (x, scores))
        pooled = _weighted(builder, x, builder.node("Add", scores, weights))
        embedded = _normed(builder, pooled, key)
        members.append(builder.dense(embedded, f"{key}.answer.1", 2 * WIDTHS[-1], n_emotions))
    return builder.node("Mean", *members)


def _member_embedding(builder: GraphBuilder, spectrogram: str, key: str) -> str:
    """Input of one network's last layer, [batch, 2 `WIDTHS[-1]`]: means, standard deviations."""
    x = _steps(builder, spectrogram, key, _means)
    scores = _attention(builder, x, f"{key}.pooling.attention", WIDTHS[-1])
    return _normed(builder, _weighted(builder, x, scores), key)


def _steps(builder: GraphBuilder, spectrogram: str, key: str, squeeze: Squeeze) -> str:
    """Activations [batch, `WIDTHS[-1]`, n_steps] that are pooled over time."""
    node, last = builder.node, WIDTHS[-1]
    shape = (STEM_WIDTH, 1, STEM_KERNEL, STEM_KERNEL)
    padding = (STEM_KERNEL // 2, STEM_KERNEL // 2)
    x = builder.convolution(
        spectrogram, f"{key}.stem.0", shape, STEM_STRIDE, padding, f"{key}.stem.1"
    )
    x = node("Relu", x)
    for i, (n_in, n_out) in enumerate(zip((STEM_WIDTH, *WIDTHS), WIDTHS, strict=False)):
        gates = partial(_gates, place=i, n_channels=n_out, squeeze=squeeze)
        x = _block(builder, x, f"{key}.blocks.{i}", (n_in, n_out), STRIDES[i], gates)
    x = node("Reshape", x, integers(0, last * N_BANDS, -1))  # [batch, n_channels, n_steps]
    joining = f"{key}.join_bands"
    x = builder.convolution(
        x, f"{joining}.0", (last, last * N_BANDS, 1), (1,), (0,), f"{joining}.1"
    )
    return node("Relu", x)


def _block(
    builder: GraphBuilder,
    x: str,
    key: str,
    widths: tuple[int, int],
    stride: tuple[int, int],
    gates: Callable[[GraphBuilder, str, str], str],
) -> str:
    """Two convolutions, gated, and added to their input."""
    node, once, around = builder.node, (1, 1), (1, 1)
    n_in, n_out = widths
    layers = f"{key}.convolutions"
    inner = builder.convolution(
        x, f"{layers}.0", (n_out, n_in, 3, 3), stride, around, f"{layers}.1"
    )
    inner = builder.convolution(
        node("Relu", inner), f"{layers}.3", (n_out, n_out, 3, 3), once, around, f"{layers}.4"
    )
    gated = node("Mul", inner, gates(builder, inner, f"{key}.gates"))
    if n_in != n_out or stride != once:
        if stride != once:
            x = node("AveragePool", x, kernel_shape=stride, strides=stride)
        shape = (n_out, n_in, 1, 1)
        x = builder.convolution(x, f"{key}.shortcut.1", shape, once, (0, 0), f"{key}.shortcut.2")
    return node("Relu", node("Add", gated, x))


def _gates(
    builder: GraphBuilder, x: str, key: str, place: int, n_channels: int, squeeze: Squeeze
) -> str:
    """Gates that scale the channels of a block, [batch, n_channels, 1, 1 or n_steps]."""
    node, n_hidden = builder.node, n_channels // REDUCTION
    squeezed = squeeze(builder, x, place)
    hidden = node("Relu", builder.dense(squeezed, f"{key}.squeeze", n_channels, n_hidden))
    gates = node("Sigmoid", builder.dense(hidden, f"{key}.excite", n_hidden, n_channels))
    if squeeze is _means:
        return node("Unsqueeze", gates, integers(2, 3))
    return node("Unsqueeze", node("Transpose", gates, perm=(1, 0)), integers(0, 2))


def _means(builder: GraphBuilder, x: str, place: int) -> str:
    """Means over the whole spectrogram, [batch, n_channels]."""
    return builder.node("Flatten", builder.node("GlobalAveragePool", x))


def _sliding_means(
    builder: GraphBuilder, x: str, place: int, window_frames: int, flags: str
) -> str:
    """Means over the speech around each step, [n_steps, n_channels]; fewer steps at the ends."""
    half = max(round(window_frames / BLOCK_STEP_FRAMES[place] / 2), 1)
    n_bands = BLOCK_BANDS[place]
    x = builder.node("AveragePool", x, kernel_shape=(n_bands, 1), strides=(n_bands, 1))
    shares = _shares(builder, flags, BLOCK_STEP_FRAMES[place])
    kernel, pads = (1, 2 * half + 1), (0, half, 0, half)
    x, total = (
        builder.node("AveragePool", one, kernel_shape=kernel, strides=(1, 1), pads=pads)
        for one in (builder.node("Mul", x, shares), shares)
    )
    x = builder.node("Div", x, total)
    return builder.node("Transpose", builder.node("Squeeze", x, integers(0, 2)), perm=(1, 0))


def _shares(builder: GraphBuilder, flags: str, step_frames: int) -> str:
    """Share of speech in each step, [1, 1, 1, n_steps]."""
    kernel = (1, step_frames)
    shares = builder.node("AveragePool", flags, kernel_shape=kernel, strides=kernel)
    return builder.node("Max", shares, np.array(LEAST_SHARE, np.float32))


def _attention(builder: GraphBuilder, x: str, key: str, n_channels: int) -> str:
    """Scores of every step and channel, [batch, n_channels, n_steps]."""
    scores = builder.convolution(x, f"{key}.0", (ATTENTION_WIDTH, n_channels, 1), (1,), (0,))
    return builder.convolution(
        builder.node("Tanh", scores), f"{key}.2", (n_channels, ATTENTION_WIDTH, 1), (1,), (0,)
    )


def _weighted(builder: GraphBuilder, x: str, scores: str) -> str:
    """Weighted mean and standard deviation over time, [batch, 2 n_channels]."""
    node = builder.node
    weights = node("Softmax", scores, axis=2)

    def over_time(values: str) -> str:
        return node("ReduceSum", node("Mul", weights, values), integers(2), keepdims=0)

    mean = over_time(x)
    square = over_time(node("Mul", x, x))
    variance = node("Sub", square, node("Mul", mean, mean))
    floored = node("Max", variance, np.array(LEAST_VARIANCE, np.float32))
    return node("Concat", mean, node("Sqrt", floored), axis=1)


def _normed(builder: GraphBuilder, pooled: str, key: str) -> str:
    """Pooled activations [batch, 2 `WIDTHS[-1]`], batch normalization applied."""
    scale, summand = builder.norm(f"{key}.norm", 2 * WIDTHS[-1])
    return builder.node("Add", builder.node("Mul", pooled, scale), summand)
