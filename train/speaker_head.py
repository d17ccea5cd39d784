"""A head that has a network tell who speaks, while it learns to hear emotion.

A network that can tell voices apart hears better how they are used
(``train/results/experiments.md``). The head is left behind when training ends.
"""

from typing import Any

from torch import Tensor, nn


class WithSpeakerHead(nn.Module):
    """A network, and a linear layer that names the speaker from its embedding.

    Parameters
    ----------
    network : Module
        With ``N_EMBEDDING``, ``embedding`` and ``answer`` as `serctl.networks.cnn.CnnMember` has them.
    n_speakers : int
        That there are.
    """

    def __init__(self, network: Any, n_speakers: int) -> None:
        super().__init__()
        self.network: Any = network
        self.head = nn.Linear(network.N_EMBEDDING, n_speakers)

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Logits of emotions [batch, n_emotions] and of speakers [batch, n_speakers], float."""
        embedding = self.network.embedding(*inputs)
        return self.network.answer(embedding), self.head(embedding)
