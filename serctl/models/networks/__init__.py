"""The networks as ONNX graphs, with which classifying on a CPU does without torch.

One file for each network of `serctl.models.networks.torch_classes`, where training and GPUs have
it: with its sizes, and with ``graph(builder, heard, n_emotions)``, which adds its nodes to a
`GraphBuilder` and names its logits. ``N_MELS``, and ``N_MFCC`` if it hears any, say what its sizes
need of a `serctl.features.mel.MelSpec`; `INPUTS` says what it is given.
"""

from types import ModuleType

import serctl.models.networks.cnn_graph as cnn
import serctl.models.networks.linear_graph as linear
import serctl.models.networks.paper_cnn_graph as paper_cnn
import serctl.models.networks.paper_rnn_graph as paper_rnn
from serctl.models.inputs import CLIP_STATISTICS, FRAMES, LOG_MEL, InputKind

GRAPHS: dict[str, ModuleType] = {
    "paper-cnn": paper_cnn,
    "paper-svm": linear,
    "paper-rnn": paper_rnn,
    "cnn": cnn,
}
INPUTS: dict[str, InputKind] = {
    "paper-cnn": CLIP_STATISTICS,
    "paper-svm": CLIP_STATISTICS,
    "paper-rnn": FRAMES,
    "cnn": LOG_MEL,
}
