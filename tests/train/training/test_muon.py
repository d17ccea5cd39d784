import pytest
import torch
from torch import nn

from serctl.models.networks.cnn_torch import CnnMember
from serctl.train.recipes.schema import Precision
from serctl.train.training.muon import KernelMuon, kernels_of


def convolution() -> nn.Conv2d:
    torch.manual_seed(0)
    return nn.Conv2d(4, 8, 3, bias=False).to(memory_format=torch.channels_last)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_step_moves_the_kernel_and_all_directions_alike(precision: Precision) -> None:
    network = convolution()
    before = network.weight.detach().clone()
    optimiser = KernelMuon([network.weight], lr=0.1, weight_decay=0.0, precision=precision)
    (network(torch.randn(5, 4, 6, 6)) ** 2).sum().backward()
    optimiser.step()
    step = (network.weight.detach() - before).flatten(1)
    strengths = torch.linalg.svdvals(step)
    assert float(strengths.max()) < 0.14
    assert float(strengths.min()) > 0.04
    # It goes downhill.
    assert float((step * network.weight.grad.flatten(1)).sum()) < 0


def test_it_is_torchs_muon_on_the_matrix() -> None:
    network = convolution()
    matrix = nn.Parameter(network.weight.detach().flatten(1).clone())
    optimisers = [
        KernelMuon([network.weight], lr=0.1, weight_decay=0.2),
        torch.optim.Muon([matrix], lr=0.1, weight_decay=0.2),
    ]
    for seed in range(3):
        torch.manual_seed(seed)
        network.weight.grad = torch.randn(8, 4, 3, 3)  # its own layout is not the kernel's
        matrix.grad = network.weight.grad.flatten(1).clone()
        for optimiser in optimisers:
            optimiser.step()
    # The order of the columns changes nothing but rounding, in bfloat16.
    assert torch.allclose(network.weight.detach().flatten(1), matrix.detach(), atol=2e-3)


@pytest.mark.parametrize(("n_in", "n_out", "size"), [(4, 8, 3), (4, 12, 1)], ids=["wide", "tall"])
def test_in_float32_it_is_torchs_but_for_the_rounding(
    n_in: int, n_out: int, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.Tensor, "bfloat16", torch.Tensor.clone)
    torch.manual_seed(0)
    kernel = nn.Conv2d(n_in, n_out, size).to(memory_format=torch.channels_last).weight
    matrix = nn.Parameter(kernel.detach().flatten(1).clone())
    optimisers = [
        KernelMuon([kernel], lr=0.1, weight_decay=0.2, precision="float32"),
        torch.optim.Muon([matrix], lr=0.1, weight_decay=0.2),
    ]
    for _ in range(3):
        kernel.grad = torch.randn_like(kernel)
        matrix.grad = kernel.grad.flatten(1).clone()
        for optimiser in optimisers:
            optimiser.step()
    assert torch.allclose(kernel.detach().flatten(1), matrix.detach(), atol=1e-5)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_gradients_are_forgotten(precision: Precision) -> None:
    network = convolution()
    optimiser = KernelMuon([network.weight], lr=0.1, weight_decay=0.0, precision=precision)
    network(torch.randn(1, 4, 6, 6)).sum().backward()
    optimiser.zero_grad()
    assert network.weight.grad is None
    before = network.weight.detach().clone()
    optimiser.step()
    assert torch.equal(network.weight, before)


def test_other_layouts_are_refused() -> None:
    with pytest.raises(ValueError, match="channels last"):
        KernelMuon([nn.Conv2d(4, 8, 3).weight], lr=0.1, weight_decay=0.0)


def test_the_first_convolution_is_left_out() -> None:
    network = CnnMember(6)
    kernels = kernels_of(network)
    n_convolutions = sum(isinstance(part, nn.Conv2d) for part in network.modules())
    assert len(kernels) == n_convolutions - 1
    assert all(kernel is not network.stem[0].weight for kernel in kernels)
