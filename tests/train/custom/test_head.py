import numpy as np
from sklearn.linear_model import LogisticRegression

from serctl.train.custom.head import Head, fit_head

N_LABELS, N_INPUTS = 3, 5
NOTHING = Head(np.zeros((N_LABELS, N_INPUTS)), np.zeros(N_LABELS))


def drawn(n=60, spread=1.0):
    """Inputs around one centre a label, and labels."""
    random = np.random.default_rng(0)
    labels = np.arange(n) % N_LABELS
    centres = random.normal(0, 2, (N_LABELS, N_INPUTS))
    return centres[labels] + random.normal(0, spread, (n, N_INPUTS)), labels


def test_it_is_logistic_regression():
    inputs, labels = drawn()
    head = fit_head(inputs, labels, NOTHING, 2.0)
    reference = LogisticRegression(C=1 / 2.0, tol=1e-8, max_iter=1000).fit(inputs, labels)
    np.testing.assert_allclose(head.weights, reference.coef_, atol=2e-3)
    both = head.logits(inputs), reference.decision_function(inputs)
    first, second = (logits - logits.mean(axis=1, keepdims=True) for logits in both)
    np.testing.assert_allclose(first, second, atol=5e-3)


def test_labels_weigh_the_same_however_many_recordings_they_have():
    inputs, labels = drawn()
    more = np.concatenate([np.arange(60), *[np.flatnonzero(labels == 1)] * 4])
    once, often = (
        fit_head(inputs[rows], labels[rows], NOTHING, 2.0 * len(rows) / 60)
        for rows in (np.arange(60), more)
    )
    np.testing.assert_allclose(once.weights, often.weights, atol=2e-3)
    np.testing.assert_allclose(once.bias, often.bias, atol=1e-2)


def test_a_large_penalty_leaves_the_layer_as_it_was_but_for_the_bias():
    inputs, labels = drawn()
    prior = Head(np.random.default_rng(1).normal(size=(N_LABELS, N_INPUTS)), np.zeros(N_LABELS))
    head = fit_head(inputs, labels, prior, 1e9)
    np.testing.assert_allclose(head.weights, prior.weights, atol=1e-5)


def test_from_a_layer_that_is_right_few_recordings_do_better():
    inputs, labels = drawn(3000, spread=4.0)
    right = fit_head(inputs, labels, NOTHING, 1.0)
    few = slice(0, 6)
    penalty = 10.0
    wins = [
        (
            fit_head(inputs[few], labels[few], prior, penalty).logits(inputs).argmax(1) == labels
        ).mean()
        for prior in (right, NOTHING)
    ]
    assert wins[0] > wins[1]


def test_a_label_without_recordings_is_not_predicted():
    inputs, labels = drawn()
    seen = labels != 2
    head = fit_head(inputs[seen], labels[seen], NOTHING, 2.0)
    assert not (head.logits(inputs).argmax(axis=1) == 2).any()


def test_the_same_recordings_give_the_same_bytes():
    inputs, labels = drawn()
    once, again = (fit_head(inputs, labels, NOTHING, 2.0) for _ in range(2))
    assert once.weights.tobytes() == again.weights.tobytes()
