"""A last layer on embeddings: multinomial logistic regression, held to the layer that was there.

It is convex, so the same recordings give the same weights, without seeds, epochs or a learning rate.
Every label weighs the same in the loss, however many recordings it has. A penalty on the squared
distance to the layer before is the same for any number of recordings, so that few of them move the
weights less.
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
    labels: NDArray[np.int64],
    prior: Head,
    penalty: float,
    shares: NDArray[np.float64] | None = None,
) -> Head:
    """Fit a last layer.

    Parameters
    ----------
    inputs : float [n, n_inputs]
        Normalized embeddings.
    labels : int64 [n]
        Index of each one's label.
    prior : Head
        Layer to start from, of all labels; one without recordings becomes improbable.
    penalty : float
        Half of it times the squared change of the weights is added to the summed loss; the bias is
        free.
    shares : float64 [n], optional
        Weight of each recording within its label, one by default.

    Returns
    -------
    Head
    """
    inputs = np.asarray(inputs, np.float64)
    n, n_labels = len(inputs), len(prior.bias)
    shares = np.ones(n) if shares is None else shares
    totals = np.bincount(labels, shares, n_labels)
    weight = (shares / totals[labels] * n / np.count_nonzero(totals))[:, None]
    centre = (weight * inputs).sum(
        axis=0
    ) / weight.sum()  # so that the bias need not make up for it
    centred = inputs - centre
    known = centred @ prior.weights.T
    targets = np.eye(n_labels)[labels]

    def loss(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        change, bias = _split(parameters, n_labels)
        scores = log_softmax(known + centred @ change.T + bias, axis=1)
        wrong = weight * (np.exp(scores) - targets)
        value = -(weight * targets * scores).sum() + penalty / 2 * np.square(change).sum()
        slope = wrong.T @ centred + penalty * change
        return value / n, np.concatenate([slope.ravel(), wrong.sum(axis=0)]) / n

    start = np.zeros(prior.weights.size + n_labels)
    options = {"maxiter": MAX_STEPS, "gtol": GRADIENT_TOLERANCE, "maxcor": 20}
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options=options)
    change, bias = _split(found.x, n_labels)
    weights = prior.weights + change
    return Head(weights, bias - weights @ centre)


def _split(
    parameters: NDArray[np.float64], n_labels: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weights [n_labels, n_inputs] and bias [n_labels] of parameters in one row."""
    return parameters[:-n_labels].reshape(n_labels, -1), parameters[-n_labels:]
