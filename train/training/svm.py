"""A linear SVM: fitted by scikit-learn, kept as a network of one linear layer.

One margin an emotion, one emotion against the rest, with squared hinge loss (Fan et al., "LIBLINEAR",
2008). The solver draws nothing, so the same clips give the same weights.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.svm import LinearSVC

from serctl.models.networks.linear_torch import Linear

MAX_STEPS = 10_000


@dataclass(frozen=True)
class Trial:
    """One value of C, and the validation accuracy in [0, 1] that it gave."""

    cost: float
    validation_accuracy: float


@dataclass(frozen=True)
class CostSearch:
    """How C was chosen.

    Attributes
    ----------
    trials : tuple of Trial
        In the order of the recipe.
    best : int
        Index of the one kept: the first of the most accurate.
    """

    trials: tuple[Trial, ...]
    best: int


def fit_svm(
    inputs: NDArray[np.float32],
    labels: NDArray[np.int64],
    validation_inputs: NDArray[np.float32],
    validation_labels: NDArray[np.int64],
    costs: Sequence[float],
) -> tuple[Linear, CostSearch]:
    """Fit an SVM for each value of C, and keep the one that is best on the validation clips.

    Parameters
    ----------
    inputs, validation_inputs : float32 [n, n_inputs]
        Normalized clip statistics.
    labels, validation_labels : int64 [n]
        Index of each clip's emotion; at least three emotions, each of them in ``labels``.
    costs : sequence of float
        Values of C: what a clip on the wrong side costs, against wide margins.

    Returns
    -------
    network : Linear
        With the margins of the best.
    search : CostSearch
        Validation accuracy of each.
    """
    svm, search = best_svm(inputs, labels, validation_inputs, validation_labels, costs)
    network = Linear(len(svm.classes_))
    with torch.no_grad():
        network.margins.weight.copy_(torch.from_numpy(svm.coef_))
        network.margins.bias.copy_(torch.from_numpy(svm.intercept_))
    return network.eval(), search


def best_svm(
    inputs: NDArray[np.float32],
    labels: NDArray[np.int64],
    validation_inputs: NDArray[np.float32],
    validation_labels: NDArray[np.int64],
    costs: Sequence[float],
) -> tuple[LinearSVC, CostSearch]:
    """As `fit_svm`, of any number of inputs, and with scikit-learn's own SVM."""
    fitted = [_fit(inputs, labels, cost) for cost in costs]
    accuracies = [float(svm.score(validation_inputs, validation_labels)) for svm in fitted]
    best = int(np.argmax(accuracies))
    trials = tuple(Trial(*both) for both in zip(costs, accuracies, strict=True))
    return fitted[best], CostSearch(trials, best)


def _fit(inputs: NDArray[np.float32], labels: NDArray[np.int64], cost: float) -> LinearSVC:
    # In the primal, since there are more clips than inputs.
    svm = LinearSVC(C=cost, dual=False, max_iter=MAX_STEPS)
    return svm.fit(inputs.astype(np.float64), labels)
