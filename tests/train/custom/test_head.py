import numpy as np
from sklearn.linear_model import LogisticRegression

from serctl.train.custom.head import fit_head

N_LABELS, N_INPUTS = 3, 5


def drawn(n=60, spread=1.0):
    """Inputs around one centre a label, and labels."""
    random = np.random.default_rng(0)
    labels = np.arange(n) % N_LABELS
    centres = random.normal(0, 2, (N_LABELS, N_INPUTS))
    return centres[labels] + random.normal(0, spread, (n, N_INPUTS)), labels


def fitted(inputs, labels, penalty=2.0, known=None):
    nothing = np.zeros((len(inputs), N_LABELS))
    return fit_head(inputs, nothing if known is None else known, labels, penalty)


def test_it_is_logistic_regression():
    inputs, labels = drawn()
    head = fitted(inputs, labels)
    reference = LogisticRegression(C=1 / 2.0, tol=1e-8, max_iter=1000).fit(inputs, labels)
    np.testing.assert_allclose(head.weights, reference.coef_, atol=2e-3)
    both = head.logits(inputs), reference.decision_function(inputs)
    first, second = (logits - logits.mean(axis=1, keepdims=True) for logits in both)
    np.testing.assert_allclose(first, second, atol=5e-3)


def test_labels_weigh_the_same_however_many_recordings_they_have():
    inputs, labels = drawn()
    more = np.concatenate([np.arange(60), *[np.flatnonzero(labels == 1)] * 4])
    once = fitted(inputs, labels)
    often = fitted(inputs[more], labels[more], 2.0 * len(more) / 60)
    np.testing.assert_allclose(once.weights, often.weights, atol=2e-3)
    np.testing.assert_allclose(once.bias, often.bias, atol=1e-2)


def test_with_a_large_penalty_only_the_bias_changes():
    inputs, labels = drawn()
    head = fitted(inputs, labels, 1e9)
    assert np.abs(head.weights).max() < 1e-5


def test_beside_logits_that_are_right_few_recordings_do_better():
    inputs, labels = drawn(3000, spread=4.0)
    known = fitted(inputs, labels).logits(inputs)
    few, penalty = slice(0, 6), 10.0
    beside = fitted(inputs[few], labels[few], penalty, known[few]).logits(inputs) + known
    alone = fitted(inputs[few], labels[few], penalty).logits(inputs)
    assert (beside.argmax(1) == labels).mean() > (alone.argmax(1) == labels).mean()


def test_a_label_without_recordings_is_not_predicted():
    inputs, labels = drawn()
    seen = labels != 2
    assert not (fitted(inputs[seen], labels[seen]).logits(inputs).argmax(axis=1) == 2).any()


def test_the_same_recordings_give_the_same_bytes():
    inputs, labels = drawn()
    once, again = (fitted(inputs, labels) for _ in range(2))
    assert once.weights.tobytes() == again.weights.tobytes()
