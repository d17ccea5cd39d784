import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from support import synthetic_corpora

from serctl.models.networks.paper_cnn_torch import PaperCNN
from serctl.train.experiments import proposed_features
from serctl.train.experiments.proposed_features import PROPOSED, PaperCNNAndMore, measure
from serctl.train.recipes.schema import Recipe


def short_recipe(name: str) -> Recipe:
    recipe = synthetic_corpora.small_recipe(name)
    if recipe.training is None:
        return recipe
    return replace(recipe, training=replace(recipe.training, n_epochs=2))


def test_they_are_six() -> None:
    assert len(PROPOSED) == 6
    assert PROPOSED[0] == "zero_crossing_rate_mean"
    assert PROPOSED[-1] == "spectral_rolloff_hz_deviation"


def test_without_more_it_is_the_reports_cnn() -> None:
    torch.manual_seed(0)
    plain = PaperCNN(5)
    torch.manual_seed(0)
    network = PaperCNNAndMore(5, 0)
    inputs = torch.randn(3, 148)
    assert torch.equal(network(inputs), plain(inputs))


def test_more_inputs_are_used() -> None:
    network = PaperCNNAndMore(5, 6).eval()
    inputs = torch.randn(3, 154)
    before = network(inputs)
    inputs[:, 150] += 1
    assert not torch.equal(network(inputs), before)


def test_what_is_measured(
    small_corpora: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proposed_features, "load_recipe", short_recipe)
    monkeypatch.setattr(proposed_features, "RESULTS", tmp_path / "proposed-features.json")
    results = measure(str(small_corpora), lambda rows, n_clips: iter(rows), tmp_path / "work")
    for model, counts in (("paper-svm", (3, 5)), ("paper-cnn", (1, 1))):
        for split, n_runs in zip(("report", "new-speakers"), counts, strict=True):
            accuracies = results[model][split]
            assert set(accuracies) == {"without", "with"}
            assert {len(one) for one in accuracies.values()} == {n_runs}
            assert all(0 <= accuracy <= 1 for one in accuracies.values() for accuracy in one)
    # The synthetic emotions differ in their spectra, so that an SVM separates them.
    assert np.mean(results["paper-svm"]["report"]["with"]) > 0.5
    assert results["recipes"] == proposed_features.recipes()
    proposed_features.write(results)
    assert json.loads((tmp_path / "proposed-features.json").read_text())["features"] == list(
        PROPOSED
    )


def test_what_is_in_the_checkout_is_of_the_recipes_as_they_are() -> None:
    path = Path(__file__).parents[3] / proposed_features.RESULTS
    assert json.loads(path.read_text())["recipes"] == proposed_features.recipes()
