"""A last layer on embeddings: multinomial logistic regression beside what is known before.

It is convex, so the same recordings give the same weights, without seeds, epochs or a learning rate.
Every label weighs the same in the loss, however many recordings it has. The penalty on squared weights
is the same for any number of recordings, so that few of them move the logits less.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax

MAX_STEPS = 500
GRADIENT_TOLERANCE = 1e-6  # of the loss, a recording


@dataclass(frozen=True)
class Head:
    """A linear layer.

    Attributes
    ----------
    weights : float64 [n_labels, n_inputs]
    bias : float64 [n_labels]
    """

    weights: NDArray[np.float64]
    bias: NDArray[np.float64]

    def logits(self, inputs: NDArray[np.floating]) -> NDArray[np.float64]:
        """Logits float64 [n, n_labels] of inputs [n, n_inputs]."""
        return inputs @ self.weights.T + self.bias


def fit_head(
    inputs: NDArray[np.floating],
    known: NDArray[np.float64],
    labels: NDArray[np.int64],
    penalty: float,
) -> Head:
    """Fit a layer whose logits are added to those that are known.

    Parameters
    ----------
    inputs : float [n, n_inputs]
        Normalized embeddings.
    known : float64 [n, n_labels]
        Logits without the layer; zeros if nothing is known.
    labels : int64 [n]
        Index of each one's label; one without recordings becomes improbable.
    penalty : float
        Half of it times the squared weights is added to the summed loss; the bias is free.
    """
    inputs = np.asarray(inputs, np.float64)
    n, n_labels = known.shape
    counts = np.bincount(labels, minlength=n_labels)
    weight = (n / np.count_nonzero(counts) / counts[labels])[:, None]
    centre = (weight * inputs).sum(axis=0) / n  # so that the bias need not make up for it
    centred = inputs - centre
    targets = np.eye(n_labels)[labels]

    def loss(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights, bias = _split(parameters, n_labels)
        scores = log_softmax(known + centred @ weights.T + bias, axis=1)
        wrong = weight * (np.exp(scores) - targets)
        value = -(weight * targets * scores).sum() + penalty / 2 * np.square(weights).sum()
        slope = wrong.T @ centred + penalty * weights
        return value / n, np.concatenate([slope.ravel(), wrong.sum(axis=0)]) / n

    options = {"maxiter": MAX_STEPS, "gtol": GRADIENT_TOLERANCE, "maxcor": 20}
    first = np.zeros(n_labels * (inputs.shape[1] + 1))
    found = minimize(loss, first, jac=True, method="L-BFGS-B", options=options)
    weights, bias = _split(found.x, n_labels)
    return Head(weights, bias - weights @ centre)


def _split(
    parameters: NDArray[np.float64], n_labels: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weights [n_labels, n_inputs] and bias [n_labels] of parameters in one row."""
    return parameters[:-n_labels].reshape(n_labels, -1), parameters[-n_labels:]
