import pytest
import torch
from torch.nn.functional import cross_entropy

from serctl.models.networks.cnn_torch import CnnMember
from serctl.train.training.auxiliary_heads import WithAuxiliaryHeads, auxiliary_loss


def test_the_heads_use_the_embedding_and_change_no_logits() -> None:
    torch.manual_seed(0)
    network = CnnMember(6).eval()
    learner = WithAuxiliaryHeads(network, {"speaker": 5, "sentence": 7}).eval()
    frames = torch.randn(2, 64, 48)
    logits, auxiliary = learner(frames)
    assert torch.equal(logits, network(frames))
    for name, n in (("speaker", 5), ("sentence", 7)):
        assert torch.equal(auxiliary[name], learner.heads[name](network.embedding(frames)))
        assert auxiliary[name].shape == (2, n)


def test_clips_of_which_nothing_is_known_do_not_count() -> None:
    torch.manual_seed(0)
    logits = torch.randn(4, 3)
    some = auxiliary_loss(logits, torch.tensor([2, -1, 0, -1]))
    assert some == cross_entropy(logits[[0, 2]], torch.tensor([2, 0]))
    assert auxiliary_loss(logits, torch.tensor([-1, -1, -1, -1])) == 0
    shares = torch.tensor([[0.0, 0.0, 1.0], [0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    assert auxiliary_loss(logits, shares).item() == pytest.approx(some.item() / 2)
