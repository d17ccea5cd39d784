"""Auxiliary heads: a network in training also recognizes the speaker and the sentence.

It may learn what a frozen encoder makes of the clips too (`serctl.train.data.distillation`). These
targets make it more accurate on emotion (``train/results/experiments.md``). The heads are dropped
when training ends.
"""

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from serctl.train.data.distillation import STEPS


class WithAuxiliaryHeads(nn.Module):
    """A network, and a linear layer on its embedding, or on each of its steps, for each target.

    Parameters
    ----------
    network : Module
        With ``N_EMBEDDING``, ``steps``, ``pooled`` and ``answer`` as
        `serctl.models.networks.cnn_torch.CnnMember` has them.
    n_auxiliary : mapping of str to int
        Number of classes of each auxiliary target, such as speakers.
    n_distilled : mapping of str to int
        Number of values of each of ``distilled`` of `serctl.train.data.batches.Batch`.
    """

    def __init__(
        self, network: Any, n_auxiliary: Mapping[str, int], n_distilled: Mapping[str, int]
    ) -> None:
        super().__init__()
        self.network: Any = network
        self.heads = nn.ModuleDict(
            {
                name: nn.Linear(network.N_EMBEDDING, n)
                for name, n in {**n_auxiliary, **n_distilled}.items()
                if name != STEPS
            }
        )
        if STEPS in n_distilled:
            self.of_steps = nn.Conv1d(network.N_EMBEDDING // 2, n_distilled[STEPS], 1)

    def forward(
        self, frames: Tensor, n_frames: Tensor | None = None
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Logits of emotions [batch, n_emotions] and, by name, outputs of the heads [batch, n, ...]."""
        steps = self.network.steps(frames)
        embedding = self.network.pooled(steps, n_frames)
        outputs = {name: head(embedding) for name, head in self.heads.items()}
        if hasattr(self, "of_steps"):
            outputs[STEPS] = self.of_steps(steps)
        return self.network.answer(embedding), outputs


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


def distillation_loss(outputs: Tensor, targets: Tensor) -> Tensor:
    """Mean squared error over the values that are known; 0 without any.

    Parameters
    ----------
    outputs, targets : float [batch, n, ...]
        Of one of the heads, and as in `serctl.train.data.batches.Batch.distilled`.
    """
    known = targets.isfinite()
    squares = (outputs - targets.nan_to_num()).square() * known
    return squares.sum() / known.sum().clamp(min=1)
