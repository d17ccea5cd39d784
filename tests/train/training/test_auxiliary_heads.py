import pytest
import torch
from torch.nn.functional import cross_entropy

from serctl.models.networks.cnn_torch import CnnMember
from serctl.train.data.distillation import CLIP, STEPS
from serctl.train.training.auxiliary_heads import (
    WithAuxiliaryHeads,
    auxiliary_loss,
    distillation_loss,
)


def test_the_heads_use_the_embedding_and_change_no_logits() -> None:
    torch.manual_seed(0)
    network = CnnMember(6).eval()
    distilled = {CLIP: 4, STEPS: 6}
    learner = WithAuxiliaryHeads(network, {"speaker": 5, "sentence": 7}, distilled).eval()
    frames = torch.randn(2, 64, 48)
    logits, auxiliary = learner(frames)
    assert torch.equal(logits, network(frames))
    assert auxiliary[STEPS].shape == (2, 6, 3)
    for name, n in (("speaker", 5), ("sentence", 7), (CLIP, 4)):
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


def test_values_that_are_not_known_do_not_count() -> None:
    outputs = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    loss = distillation_loss(outputs, torch.tensor([[0.0, torch.nan], [torch.nan, 2.0]]))
    assert loss.item() == pytest.approx((1 + 4) / 2)
    loss.backward()
    assert outputs.grad is not None
    assert outputs.grad.tolist() == [[1.0, 0.0], [0.0, 2.0]]
    assert distillation_loss(outputs, torch.full((2, 2), torch.nan)) == 0
