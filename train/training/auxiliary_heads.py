"""Auxiliary heads: a network in training also recognizes the speaker and the sentence.

These auxiliary targets make it more accurate on emotion (``train/results/experiments.md``). The heads
are dropped when training ends.
"""

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn
from torch.nn.functional import cross_entropy


class WithAuxiliaryHeads(nn.Module):
    """A network, and a linear layer on its embedding for each auxiliary target.

    Parameters
    ----------
    network : Module
        With ``N_EMBEDDING``, ``embedding`` and ``answer`` as
        `serctl.models.networks.cnn_torch.CnnMember` has them.
    n_auxiliary : mapping of str to int
        Number of classes of each, such as speakers.
    """

    def __init__(self, network: Any, n_auxiliary: Mapping[str, int]) -> None:
        super().__init__()
        self.network: Any = network
        self.heads = nn.ModuleDict(
            {name: nn.Linear(network.N_EMBEDDING, n) for name, n in n_auxiliary.items()}
        )

    def forward(self, *inputs: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Logits of emotions [batch, n_emotions] and, by name, of auxiliary targets [batch, n]."""
        embedding = self.network.embedding(*inputs)
        auxiliary = {name: head(embedding) for name, head in self.heads.items()}
        return self.network.answer(embedding), auxiliary


def auxiliary_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean cross-entropy, in nats, over the clips with a known target; 0 without any.

    Parameters
    ----------
    logits : float [batch, n]
        Of one of the heads.
    labels : int64 [batch] or float [batch, n]
        As in `serctl.train.data.batches.Batch.auxiliary_targets`.
    """
    if labels.is_floating_point():
        return cross_entropy(logits, labels)
    known = labels >= 0
    if not known.any():
        return logits.sum() * 0.0
    return cross_entropy(logits[known], labels[known])
