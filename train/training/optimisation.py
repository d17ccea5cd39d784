"""Optimiser settings of a training: weight decay, learning rate schedule and mean of the weights."""

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor, nn
from torch.optim import AdamW, Optimizer
from torch.optim.lr_scheduler import OneCycleLR
from torch.optim.swa_utils import get_ema_multi_avg_fn

from serctl.train.recipes.schema import TrainingRecipe

RISING_SHARE = 0.2  # of a one-cycle's steps
FINAL_DIVISOR = 100  # from the rate at its beginning, a 25th of the highest, to the one at its end


def weight_groups(
    learner: nn.Module, recipe: TrainingRecipe, left_out: Sequence[Tensor]
) -> list[dict[str, Any]]:
    """Parameter groups of AdamW: weights that decay, and those that do not.

    Parameters
    ----------
    learner : Module
        Network in training.
    recipe : TrainingRecipe
        ``decayed`` says which weights decay.
    left_out : sequence of Tensor
        Weights of another optimiser.
    """
    ids = set(map(id, left_out))
    groups: tuple[list[nn.Parameter], list[nn.Parameter]] = ([], [])
    for parameter in learner.parameters():
        if id(parameter) not in ids:
            groups[recipe.decayed == "matrices" and parameter.ndim < 2].append(parameter)
    kept = {"params": groups[1], "weight_decay": 0.0}
    return [{"params": groups[0]}, *([kept] if groups[1] else [])]


def one_cycle(optimiser: Optimizer, n_steps: int) -> OneCycleLR:
    """One-cycle schedule of an optimiser over a number of steps, up to the rate that it has."""
    return OneCycleLR(
        optimiser,
        optimiser.param_groups[0]["lr"],
        total_steps=n_steps,
        pct_start=RISING_SHARE,
        cycle_momentum=isinstance(optimiser, AdamW),
        final_div_factor=FINAL_DIVISOR,
    )


def running_mean(recipe: TrainingRecipe) -> Callable[[Any, Any, Any], None]:
    """Exponential moving average of the weights, as ``multi_avg_fn`` of `AveragedModel`."""

    def follow(means: Any, weights: Any, n_steps: Tensor) -> None:
        n = int(n_steps)
        decay = min(recipe.ema_decay, (1 + n) / (10 + n)) if recipe.ema_ramp else recipe.ema_decay
        get_ema_multi_avg_fn(decay)(means, weights, n_steps)

    return follow
