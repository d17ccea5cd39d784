import numpy as np
import pytest
import torch

from serctl.train.training.svm import fit_svm

N_INPUTS, N_EMOTIONS = 148, 4
COSTS = (1e-6, 1e-2, 1.0)


def blobs(n_clips: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Clips about a centre for each emotion."""
    random = np.random.default_rng(seed)
    centres = np.random.default_rng(0).standard_normal((N_EMOTIONS, N_INPUTS))
    labels = random.integers(N_EMOTIONS, size=n_clips)
    noise = 3 * random.standard_normal((n_clips, N_INPUTS))
    return (centres[labels] + noise).astype(np.float32), labels


def test_it_keeps_the_first_of_the_most_accurate() -> None:
    _, search = fit_svm(*blobs(400, 1), *blobs(200, 2), COSTS)
    accuracies = [trial.validation_accuracy for trial in search.trials]
    assert [trial.cost for trial in search.trials] == list(COSTS)
    assert search.best == accuracies.index(max(accuracies))
    assert accuracies[search.best] > 0.8
    _, again = fit_svm(*blobs(400, 1), *blobs(200, 2), (1e-2, 1e-2))
    assert again.best == 0


def test_the_network_has_the_margins_of_the_svm() -> None:
    from sklearn.svm import LinearSVC

    inputs, labels = blobs(400, 1)
    tested, truth = blobs(200, 2)
    network, search = fit_svm(inputs, labels, tested, truth, (1e-2,))
    svm = LinearSVC(C=1e-2, dual=False, max_iter=10_000).fit(inputs.astype(np.float64), labels)
    with torch.inference_mode():
        margins = network(torch.from_numpy(tested)).numpy()
    assert np.allclose(margins, svm.decision_function(tested.astype(np.float64)), atol=1e-4)
    accuracy = (margins.argmax(axis=1) == truth).mean()
    assert accuracy == pytest.approx(search.trials[0].validation_accuracy)
    assert not network.training


def test_the_same_clips_give_the_same_weights() -> None:
    one, again = (fit_svm(*blobs(300, 1), *blobs(100, 2), COSTS)[0] for _ in range(2))
    assert torch.equal(one.margins.weight, again.margins.weight)
    assert torch.equal(one.margins.bias, again.margins.bias)
