"""Heads that help a network to learn: what file names say besides the emotion.

`auxiliary_labels` says who speaks in a clip and which sentence; `WithHeads` asks a network in
training for both. A network that has to tell voices and words apart from how they are said hears
emotion better. The heads are left behind when training ends.
"""

from collections.abc import Mapping

import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from serctl.train.clip_names import sentence_of

UNKNOWN = -1  # label of a clip whose name does not say


def auxiliary_labels(clips: pd.DataFrame) -> dict[str, Tensor]:
    """Speaker and sentence of clips, numbered.

    Parameters
    ----------
    clips : DataFrame
        With the columns corpus, clip and speaker.

    Returns
    -------
    dict of str to int64 [n_clips]
        ``speaker`` and ``sentence``; `UNKNOWN` where the name does not say.
    """
    pairs = zip(clips["corpus"], clips["clip"], strict=True)
    sentences = pd.Series([sentence_of(corpus, clip) for corpus, clip in pairs], dtype=object)
    said = {"speaker": clips["speaker"], "sentence": sentences}
    # `factorize` numbers what is missing -1.
    return {
        name: torch.from_numpy(column.factorize(sort=True)[0].astype("int64"))
        for name, column in said.items()
    }


class WithHeads(nn.Module):
    """A network, and a linear head on its embedding for each thing that it also has to tell.

    Parameters
    ----------
    network : Module
        With ``embedding`` and ``answer``, if there are any heads, as `serctl.networks.cnn.Cnn` has.
    n_classes : mapping of str to int
        Of each head.
    """

    def __init__(self, network: nn.Module, n_classes: Mapping[str, int]) -> None:
        super().__init__()
        self.network = network
        self.heads = nn.ModuleDict(
            {name: nn.Linear(network.N_EMBEDDING, n) for name, n in n_classes.items()}
        )

    def forward(self, *inputs: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Logits float [batch, n_emotions], and those of each head [batch, n_classes]."""
        if not self.heads:
            return self.network(*inputs), {}
        embedding = self.network.embedding(*inputs)
        return self.network.answer(embedding), {
            name: head(embedding) for name, head in self.heads.items()
        }


def auxiliary_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean cross-entropy, in nats, over the clips whose label is known; 0 if none is."""
    total = cross_entropy(logits.float(), labels, ignore_index=UNKNOWN, reduction="sum")
    return total / (labels != UNKNOWN).sum().clamp(min=1)


def n_classes_of(labels: Mapping[str, Tensor]) -> dict[str, int]:
    """Number of classes of each kind of labels, at least one."""
    return {name: int(torch.clamp(column.max() + 1, min=1)) for name, column in labels.items()}
