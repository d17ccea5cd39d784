"""Muon (Jordan et al. 2024) for convolutions: orthogonal steps.

Muon makes the step of a matrix orthogonal. A kernel is a matrix with a row for each output channel.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn


def kernels_of(network: nn.Module) -> list[Tensor]:
    """Kernels of 2-D convolutions, except the first, whose input is the spectrogram."""
    return [
        part.weight
        for part in network.modules()
        if isinstance(part, nn.Conv2d) and part.in_channels > 1
    ]


class KernelMuon(torch.optim.Muon):
    """`torch.optim.Muon`, which takes matrices only, for kernels of convolutions.

    Parameters
    ----------
    kernels : sequence of Tensor [n_out, n_in, height, width]
        With channels last.
    lr, weight_decay : float
        As Muon's.
    """

    def __init__(self, kernels: Sequence[Tensor], lr: float, weight_decay: float) -> None:
        self.kernels = list(kernels)
        self.matrices = [nn.Parameter(_rows(kernel.detach())) for kernel in self.kernels]
        for kernel, matrix in zip(self.kernels, self.matrices, strict=True):
            if kernel.data_ptr() != matrix.data_ptr():
                raise ValueError("Muon needs kernels with channels last, whose matrix is a view")
        super().__init__(self.matrices, lr=lr, weight_decay=weight_decay)

    def step(self, closure: Any = None) -> Any:
        """One step, by the kernels' gradients."""
        for kernel, matrix in zip(self.kernels, self.matrices, strict=True):
            matrix.grad = None if kernel.grad is None else _rows(kernel.grad)
        return super().step(closure)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Reset the gradients, those of the kernels too."""
        for kernel in self.kernels:
            kernel.grad = None
        super().zero_grad(set_to_none)


def _rows(kernel: Tensor) -> Tensor:
    """Matrix [n_out, height * width * n_in]; a view, if channels are last."""
    return kernel.permute(0, 2, 3, 1).reshape(len(kernel), -1)
