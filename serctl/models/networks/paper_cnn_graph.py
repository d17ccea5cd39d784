"""`serctl.models.networks.paper_cnn_torch` as a graph."""

from itertools import pairwise

from serctl.models.networks.builder import GraphBuilder, integers

N_MELS, N_MFCC = 128, 20
DENSE = (200, 700, 150, 50)  # widths, but for the last


def graph(builder: GraphBuilder, statistics: str, n_emotions: int) -> str:
    """Logits of ``statistics``, float [batch, 148]."""
    node = builder.node
    clips = node("Unsqueeze", statistics, integers(1))  # [batch, 1, 148]
    mel = node("Slice", clips, integers(0), integers(N_MELS), integers(2))
    mel = node("Relu", builder.convolution(mel, "mel_branch.0", (10, 1, 5), (3,), (0,)))
    mel = node("MaxPool", mel, kernel_shape=(4,), strides=(2,))
    mel = node("Relu", builder.convolution(mel, "mel_branch.3", (10, 10, 4), (2,), (1,)))
    mfcc = node("Slice", clips, integers(N_MELS), integers(N_MELS + N_MFCC), integers(2))
    mfcc = node("Relu", builder.convolution(mfcc, "mfcc_branch.0", (10, 1, 4), (2,), (1,)))
    x = node("Flatten", node("Concat", mel, mfcc, axis=1))  # [batch, 20 x 10]
    for i, (n_in, n_out) in enumerate(pairwise(DENSE)):
        x = node("Relu", builder.dense(x, f"dense.{2 * i}", n_in, n_out))
    return builder.dense(x, "dense.6", DENSE[-1], n_emotions)
