"""Heads that help a network to learn: what file names say besides the emotion.

`auxiliary_labels` says who speaks in a clip, and `WithHeads` asks a network in training. A network
that can tell voices apart hears better how they are used. The heads are left behind when training
ends.
"""

from collections.abc import Mapping

import pandas as pd
import torch
from torch import Tensor, nn


def auxiliary_labels(clips: pd.DataFrame) -> dict[str, Tensor]:
    """Speakers of clips, numbered.

    Parameters
    ----------
    clips : DataFrame
        With the column speaker.

    Returns
    -------
    dict of str to int64 [n_clips]
        ``speaker``, which is all that names say and that helped
        (``train/results/experiments.md``).
    """
    return {"speaker": torch.from_numpy(clips["speaker"].factorize(sort=True)[0].astype("int64"))}


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


def n_classes_of(labels: Mapping[str, Tensor]) -> dict[str, int]:
    """Number of classes of each kind of labels."""
    return {name: int(column.max()) + 1 for name, column in labels.items()}
