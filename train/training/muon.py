"""Muon (Jordan et al. 2024) for convolutions: orthogonal steps.

Muon makes the step of a matrix orthogonal by a Newton-Schulz iteration, which is matrix products. A
kernel is a matrix with a row for each output channel.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from serctl.train.recipes.schema import Precision


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
    precision : str
        Of the matrix products. Those of `torch.optim.Muon` are always in bfloat16.
    """

    def __init__(
        self,
        kernels: Sequence[Tensor],
        lr: float,
        weight_decay: float,
        precision: Precision = "bfloat16",
    ) -> None:
        self.kernels = list(kernels)
        self.precision = precision
        self.matrices = [nn.Parameter(_rows(kernel.detach())) for kernel in self.kernels]
        for kernel, matrix in zip(self.kernels, self.matrices, strict=True):
            if kernel.data_ptr() != matrix.data_ptr():
                raise ValueError("Muon needs kernels with channels last, whose matrix is a view")
        super().__init__(self.matrices, lr=lr, weight_decay=weight_decay)

    def step(self, closure: Any = None) -> Any:
        """One step, by the kernels' gradients."""
        for kernel, matrix in zip(self.kernels, self.matrices, strict=True):
            matrix.grad = None if kernel.grad is None else _rows(kernel.grad)
        if self.precision == "bfloat16":
            return super().step(closure)  # type: ignore[no-untyped-call]
        return self._step_in_float32()

    @torch.no_grad()
    def _step_in_float32(self) -> None:
        """Take the same step as `torch.optim.Muon`, in float32."""
        (group,) = self.param_groups
        rate, momentum = group["lr"], group["momentum"]
        for matrix in self.matrices:
            if matrix.grad is None:
                continue
            state = self.state[matrix]
            if "momentum_buffer" not in state:
                state["momentum_buffer"] = torch.zeros_like(matrix.grad)
            mean = state["momentum_buffer"].lerp_(matrix.grad, 1 - momentum)
            ahead = matrix.grad.lerp(mean, momentum)  # Nesterov's
            step = _orthogonal(ahead, group["ns_coefficients"], group["ns_steps"], group["eps"])
            n_rows, n_columns = matrix.shape
            matrix.mul_(1 - rate * group["weight_decay"])
            matrix.add_(step, alpha=-rate * max(1, n_rows / n_columns) ** 0.5)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Reset the gradients, those of the kernels too."""
        for kernel in self.kernels:
            kernel.grad = None
        super().zero_grad(set_to_none)


def _orthogonal(
    matrix: Tensor, coefficients: tuple[float, float, float], n_steps: int, least_norm: float
) -> Tensor:
    """Matrix with its singular values moved close to 1 by Newton-Schulz, in its own precision."""
    a, b, c = coefficients
    is_tall = matrix.shape[0] > matrix.shape[1]
    wide = matrix.T if is_tall else matrix  # of the two, the one with the smaller Gram matrix
    wide = wide / wide.norm().clamp(min=least_norm)
    for _ in range(n_steps):
        gram = wide @ wide.T
        wide = torch.addmm(wide, torch.addmm(gram, gram, gram, beta=b, alpha=c), wide, beta=a)
    return wide.T if is_tall else wide


def _rows(kernel: Tensor) -> Tensor:
    """Matrix [n_out, height * width * n_in]; a view, if channels are last."""
    return kernel.permute(0, 2, 3, 1).reshape(len(kernel), -1)
