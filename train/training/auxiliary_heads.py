"""Heads that have a network tell who speaks, and what, while it learns to hear emotion.

A network that can tell voices and sentences apart hears better how they are spoken
(``train/results/experiments.md``). The heads are left behind when training ends.
"""

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn
from torch.nn.functional import cross_entropy


class WithTellingHeads(nn.Module):
    """A network, and a linear layer on its embedding for each of what it has to tell.

    Parameters
    ----------
    network : Module
        With ``N_EMBEDDING``, ``embedding`` and ``answer`` as
        `serctl.models.networks.cnn_torch.CnnMember` has them.
    n_told : mapping of str to int
        How many there are of each, such as speakers.
    """

    def __init__(self, network: Any, n_told: Mapping[str, int]) -> None:
        super().__init__()
        self.network: Any = network
        self.heads = nn.ModuleDict(
            {name: nn.Linear(network.N_EMBEDDING, n) for name, n in n_told.items()}
        )

    def forward(self, *inputs: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Logits of emotions [batch, n_emotions] and, by name, of what is told, [batch, n], float."""
        embedding = self.network.embedding(*inputs)
        told = {name: head(embedding) for name, head in self.heads.items()}
        return self.network.answer(embedding), told


def telling_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean cross-entropy, in nats, over the clips of which the answer is known; 0 if there is none.

    Parameters
    ----------
    logits : float [batch, n]
        Of one of the heads.
    labels : int64 [batch] or float [batch, n]
        As in `serctl.train.data.batches.Batch.told`.
    """
    if labels.is_floating_point():
        return cross_entropy(logits, labels)
    known = labels >= 0
    if not known.any():
        return logits.sum() * 0.0
    return cross_entropy(logits[known], labels[known])
