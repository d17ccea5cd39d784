"""Networks: one registry, and two files for each network.

``<name>_graph.py`` holds a network's sizes and ``graph(builder, x, n_emotions)``, which adds its
nodes to a `GraphBuilder` and returns the name of its logits: it classifies on a CPU, by ONNX
Runtime, without torch. ``<name>_torch.py`` holds the same as a torch module, for training and for
GPUs; tests compare the two. A new network is these two files, a recipe and an entry of `NETWORKS`.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from serctl.models.inputs import CLIP_STATISTICS, FRAMES, LOG_MEL, InputKind
from serctl.models.networks import cnn_graph, linear_graph, paper_cnn_graph, paper_rnn_graph
from serctl.models.networks.builder import GraphBuilder

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Network:
    """One network.

    Attributes
    ----------
    name : str
        As ``config.json`` and recipes give it.
    inputs : InputKind
        Which input it takes.
    graph : callable
        Of a `GraphBuilder`, the name of the input and the number of emotions: name of its logits.
    torch_class : str
        The torch module, as ``module:class`` below `serctl.models.networks`; built with the number
        of emotions.
    description : str
        For the card, with places for ``n_mels`` and ``n_mfcc``.
    n_mels, n_mfcc : int or None
        Mel bands and MFCC of its input; None if it takes any number, or none.
    member_class : str
        If it is the mean of members that are trained one by one: the torch module of a member.
    n_members : int
        How many networks are trained.
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

    def torch_module(self, n_emotions: int) -> "nn.Module":
        """Build the network in torch, untrained."""
        return _build(self.torch_class, n_emotions)

    def torch_member(self, n_emotions: int) -> "nn.Module":
        """Build one member in torch, untrained; of a network without members, the network."""
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
            "Three residual convolutional networks with attentive pooling, trained independently, "
            "whose logits are averaged, on the log-mel spectrogram of {n_mels} bands, relative to the "
            "clip's mean power, so that gain has no effect.",
            cnn_graph.N_MELS,
            member_class="cnn_torch:CnnMember",
            n_members=cnn_graph.N_MEMBERS,
        ),
    )
}
