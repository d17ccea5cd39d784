"""Networks: one registry, and two files for each network.

``<name>_graph.py`` has the sizes of a network and ``graph(builder, x, n_emotions)``, which adds its
nodes to a `GraphBuilder` and returns the name of its logits. It runs on a CPU with ONNX Runtime,
without torch. ``<name>_torch.py`` has the same network as a torch module, for training and GPUs;
tests compare the two. A new network needs these two files, a recipe and an entry in `NETWORKS`.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from serctl.models.inputs import CLIP_STATISTICS, FRAMES, LOG_MEL, WHISPER_LOG_MEL, InputKind
from serctl.models.networks import (
    cnn_graph,
    linear_graph,
    paper_cnn_graph,
    paper_rnn_graph,
    whisper_encoder_graph,
    whisper_graph,
)
from serctl.models.networks.builder import GraphBuilder

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Network:
    """Registry entry of one network.

    Attributes
    ----------
    name : str
        As in ``config.json`` and recipes.
    inputs : InputKind
        Kind of input.
    graph : callable
        From a `GraphBuilder`, the name of the input and the number of emotions to the name of the
        logits.
    torch_class : str
        The torch module, as ``module:class`` below `serctl.models.networks`; its argument is the
        number of emotions.
    description : str
        For the model card, with placeholders for ``n_mels`` and ``n_mfcc``.
    n_mels, n_mfcc : int or None
        Number of mel bands and MFCC of its input; None if it takes any number.
    member_class : str
        The torch module of a member, if the network is the mean of members that are trained
        separately.
    n_members : int
        Number of members that are trained.
    fuses_with : str
        The model whose log-probabilities may be averaged with its own (`serctl.models.config.Fusion`).
    has_encoder : bool
        Whether it starts from a frozen encoder (`serctl.models.encoder`).
    slides : bool
        Whether it can run once over a long recording (`serctl.models.windows.sliding`).
    """

    name: str
    inputs: InputKind
    graph: Callable[[GraphBuilder, str, int], str]
    torch_class: str
    description: str
    n_mels: int | None = None
    n_mfcc: int | None = None
    member_class: str = ""
    n_members: int = 1
    fuses_with: str = ""
    has_encoder: bool = False
    slides: bool = False

    def torch_module(self, n_emotions: int) -> "nn.Module":
        """Build the network in torch, untrained."""
        return _build(self.torch_class, n_emotions)

    def torch_member(self, n_emotions: int) -> "nn.Module":
        """Build one member in torch, untrained; without members, the network itself."""
        return _build(self.member_class or self.torch_class, n_emotions)


def _build(name: str, n_emotions: int) -> "nn.Module":
    module, _, cls = name.partition(":")
    found: nn.Module = getattr(importlib.import_module(f"{__name__}.{module}"), cls)(n_emotions)
    return found


NETWORKS = {
    network.name: network
    for network in (
        Network(
            "paper-cnn",
            CLIP_STATISTICS,
            paper_cnn_graph.graph,
            "paper_cnn_torch:PaperCNN",
            "The report's final network: convolutions over the means, over the clip, of a mel "
            "spectrogram of {n_mels} bands and of {n_mfcc} MFCC, in two branches, joined by dense "
            "layers.",
            paper_cnn_graph.N_MELS,
            paper_cnn_graph.N_MFCC,
        ),
        Network(
            "paper-svm",
            CLIP_STATISTICS,
            linear_graph.graph,
            "linear_torch:Linear",
            "The report's baseline: a linear support vector machine on the means, over the clip, "
            "of a mel spectrogram of {n_mels} bands and of {n_mfcc} MFCC.",
            linear_graph.N_MELS,
            linear_graph.N_MFCC,
        ),
        Network(
            "paper-rnn",
            FRAMES,
            paper_rnn_graph.graph,
            "paper_rnn_torch:PaperRNN",
            "The report's dual network: one recurrent network over the frames of a mel spectrogram "
            "of {n_mels} bands, one over those of {n_mfcc} MFCC, joined by dense layers.",
            paper_rnn_graph.N_MELS,
            paper_rnn_graph.N_MFCC,
        ),
        Network(
            "cnn",
            LOG_MEL,
            cnn_graph.graph,
            "cnn_torch:Cnn",
            "Two residual convolutional networks with attentive pooling, trained independently, "
            "whose logits are averaged, on the log-mel spectrogram of {n_mels} bands, relative to the "
            "mean power of the speech, so that gain has no effect. In training they also learned what "
            "the encoder of OpenAI's Whisper base (MIT) makes of the clips.",
            cnn_graph.N_MELS,
            member_class="cnn_torch:CnnMember",
            n_members=cnn_graph.N_MEMBERS,
            slides=True,
        ),
        Network(
            "whisper",
            WHISPER_LOG_MEL,
            whisper_graph.graph,
            "whisper_torch:Whisper",
            "The first three blocks of the encoder of OpenAI's Whisper base (MIT), frozen, on its "
            "log-mel spectrogram of {n_mels} bands; mean and standard deviation over time of their "
            "activations; and five heads, whose log-probabilities are averaged. Their mean is then "
            "averaged with the log-probabilities of `cnn`.",
            whisper_encoder_graph.N_MELS,
            fuses_with="cnn",
            has_encoder=True,
        ),
        Network(
            "whisper-labels",
            WHISPER_LOG_MEL,
            whisper_graph.labels_graph,
            "whisper_torch:WhisperLabels",
            "The first three blocks of the encoder of OpenAI's Whisper base (MIT), frozen, on its "
            "log-mel spectrogram of {n_mels} bands; the hidden layers of five heads for emotions, as "
            "they were; and a linear layer for other labels on these and on the embedding's means.",
            whisper_encoder_graph.N_MELS,
            has_encoder=True,
        ),
    )
}
