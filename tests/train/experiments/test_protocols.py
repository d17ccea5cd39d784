import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support import synthetic_corpora

from serctl.emotions import REPORT_FIVE
from serctl.errors import UsageError
from serctl.models.loading import load_model
from serctl.train.corpora.manifest import clip_table, parse_clip_name
from serctl.train.corpora.splits import FOLD_COUNTS, REPORT_SEEDS, SPLITS
from serctl.train.evaluation.history import History
from serctl.train.experiments import protocols, train_all
from serctl.train.experiments.protocols import run_protocols
from serctl.train.recipes.loading import load_recipe
from serctl.train.recipes.schema import Recipe
from serctl.train.training.fusion import is_trained, second_options
from serctl.train.training.train import Watcher
from serctl.train.training.weights_folder import TrainingOptions
from serctl.weights import find_model

# As many as tell one run from several.
pytestmark = pytest.mark.slow

N_RUNS = dict.fromkeys(SPLITS, 1) | {"report": 2, "new-speakers": 2, "emobox-savee": 2}


def watcher() -> Watcher:
    return Watcher(lambda rows, n_clips: iter(rows), lambda histories, n_epochs, n_networks: None)


def short_recipe(name: str) -> Recipe:
    """As the small recipe, with two epochs and one value of C."""
    recipe = synthetic_corpora.small_recipe(name)
    if recipe.training is not None:
        return replace(recipe, training=replace(recipe.training, n_epochs=2))
    assert recipe.svm is not None
    return replace(recipe, svm=replace(recipe.svm, costs=(0.01,)))


@pytest.fixture(scope="module")
def corpora(clips_folder: Path, cache: Path) -> Iterator[Path]:
    """Folder of synthetic clips that pass for complete corpora in the whole of this module."""
    with pytest.MonkeyPatch.context() as patch:
        synthetic_corpora.install(patch)
        patch.setattr("serctl.train.training.train.load_recipe", short_recipe)
        patch.setattr(protocols, "load_recipe", short_recipe)
        patch.setattr(protocols, "REPORT_SEEDS", range(N_RUNS["report"]))
        patch.setattr(protocols, "FOLD_COUNTS", N_RUNS)
        patch.setenv("SERCTL_CACHE", str(cache))
        yield clips_folder


@pytest.fixture(scope="module")
def measured(corpora: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout in which paper-svm and paper-cnn were measured; tests leave it as it is."""
    checkout = tmp_path_factory.mktemp("checkout")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(checkout)
        for model in ("paper-svm", "paper-cnn"):
            run_protocols(str(corpora), model, watcher())
    return checkout


@pytest.fixture
def checkout(measured: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, which is the working folder."""
    copy = tmp_path / "checkout"
    shutil.copytree(measured, copy)
    monkeypatch.chdir(copy)
    return copy


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[TrainingOptions]:
    """Options of the trainings that are run."""
    runs: list[TrainingOptions] = []
    train_model = protocols.train_model

    def recording(options: TrainingOptions, watcher: Watcher) -> Any:
        runs.append(options)
        return train_model(options, watcher)

    monkeypatch.setattr(protocols, "train_model", recording)
    return runs


def results_of(checkout: Path, model: str) -> dict[str, Any]:
    path = checkout / "train" / "results" / f"{model}.json"
    results: dict[str, Any] = json.loads(path.read_text())
    return results


@pytest.mark.parametrize("model", ["paper-svm", "paper-cnn"])
def test_every_protocol_is_run_and_summed_up(measured: Path, model: str) -> None:
    results = results_of(measured, model)
    assert [split for split in results if split in SPLITS] == list(SPLITS)
    for split in SPLITS:
        summary = results[split]
        runs = summary["runs"]
        assert len(runs) == N_RUNS[split]
        uas = [run["test"]["ua"] for run in runs]
        assert summary["ua"] == pytest.approx(sum(uas) / len(uas))
        assert (summary["ua_lowest"], summary["ua_highest"]) == (min(uas), max(uas))
        seeds = [run["seed"] for run in runs]
        folds = [run["fold"] for run in runs]
        n = list(range(len(runs)))
        assert (seeds, folds) == ((n, [None] * len(n)) if split == "report" else ([0] * len(n), n))
        corpora = split.removeprefix("emobox-") if split.startswith("emobox-") else None
        assert list(summary["by_corpus"]) == ([corpora] if corpora else list(summary["by_corpus"]))
    assert list(results["report"]["by_corpus"]) == ["crema-d", "ravdess", "savee", "tess"]
    assert {"calibration", "groups"} < set(results)
    assert ("curves" in results["report"]["runs"][0]) == (model == "paper-cnn")
    assert ("cost" in results["report"]["runs"][0]) == (model == "paper-svm")


def test_every_seed_and_every_fold_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = []

    def trained(corpora: str, model: str, split: str, number: int, *_: object) -> dict[str, Any]:
        runs.append((split, number))
        return {}

    monkeypatch.setattr(protocols, "FOLD_COUNTS", FOLD_COUNTS)
    monkeypatch.setattr(protocols, "REPORT_SEEDS", REPORT_SEEDS)
    monkeypatch.setattr(protocols, "_trained", trained)
    monkeypatch.setattr(protocols, "_measured", lambda model, split, runs: {})
    for name in ("_write", "_bundle"):
        monkeypatch.setattr(protocols, name, lambda model, results: None)
    run_protocols("corpora", "paper-cnn", watcher())
    numbers = {split: [number for one, number in runs if one == split] for split in SPLITS}
    folds = {split: list(range(n)) for split, n in FOLD_COUNTS.items()}
    assert numbers == folds | {"report": list(REPORT_SEEDS)}


@pytest.mark.parametrize("model", ["paper-svm", "paper-cnn"])
def test_fold_0_is_bundled(measured: Path, model: str) -> None:
    folder = measured / "weights" / model
    names = {path.name for path in folder.iterdir()}
    assert names == {"model.safetensors", "config.json", "metrics.json", "card.md"}
    assert load_model(str(folder)).config.emotions == REPORT_FIVE
    metrics = json.loads((folder / "metrics.json").read_text())
    assert (metrics["split"], metrics["fold"]) == ("new-speakers", 0)
    results = results_of(measured, model)
    assert metrics["test"] == results["new-speakers"]["runs"][0]["test"]


def test_what_is_there_is_not_trained_again(
    checkout: Path, corpora: Path, trained: list[TrainingOptions]
) -> None:
    before = results_of(checkout, "paper-cnn")
    run_protocols(str(corpora), "paper-cnn", watcher())
    assert trained == []
    assert results_of(checkout, "paper-cnn") == before


def test_what_was_cut_off_goes_on(
    checkout: Path, corpora: Path, trained: list[TrainingOptions]
) -> None:
    before = results_of(checkout, "paper-svm")
    gone = Path("serctl-weights", "protocols", "paper-svm")
    shutil.rmtree(gone / "report-1")
    (gone / "emobox-savee-1" / "config.json").unlink()
    run_protocols(str(corpora), "paper-svm", watcher())
    options = [(one.split, one.fold, one.seed, one.resume, one.overwrite) for one in trained]
    assert options == [("report", 0, 1, True, False), ("emobox-savee", 1, 0, True, False)]
    assert results_of(checkout, "paper-svm") == before


def test_what_another_recipe_made_is_made_again(
    checkout: Path, corpora: Path, trained: list[TrainingOptions], monkeypatch: pytest.MonkeyPatch
) -> None:
    def other(name: str) -> Recipe:
        recipe = short_recipe(name)
        assert recipe.svm is not None
        return replace(recipe, svm=replace(recipe.svm, costs=(0.02,)))

    monkeypatch.setattr("serctl.train.training.train.load_recipe", other)
    monkeypatch.setattr(protocols, "load_recipe", other)
    run_protocols(str(corpora), "paper-svm", watcher())
    assert len(trained) == sum(N_RUNS.values())
    assert all(one.overwrite and not one.resume for one in trained)


def test_what_was_cut_off_and_is_of_another_recipe_is_made_anew(
    checkout: Path, corpora: Path, trained: list[TrainingOptions], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path("serctl-weights", "protocols", "paper-cnn", "report-1")
    shutil.rmtree(folder)

    def cut_off(histories: Sequence[History], n_epochs: int, n_networks: int) -> None:
        if len(histories[-1].epochs) == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_protocols(str(corpora), "paper-cnn", Watcher(watcher().clips, cut_off))
    assert (folder / "checkpoint.pt").exists()
    trained.clear()

    def other(name: str) -> Recipe:
        recipe = short_recipe(name)
        assert recipe.training is not None
        return replace(recipe, training=replace(recipe.training, learning_rate=1e-3))

    monkeypatch.setattr("serctl.train.training.train.load_recipe", other)
    monkeypatch.setattr(protocols, "load_recipe", other)
    run_protocols(str(corpora), "paper-cnn", watcher())
    of_folder = [(one.resume, one.overwrite) for one in trained if one.output == folder]
    assert of_folder == [(True, False), (False, True)]
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics["recipe"]["training"]["learning_rate"] == 1e-3


@pytest.fixture
def whisper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where fold 0 of `whisper` goes: it lacks `cnn`, which was trained by itself."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(protocols, "load_recipe", load_recipe)
    for name in ("whisper", "cnn"):
        shutil.copytree(find_model(name), protocols._folder(name, "new-speakers", 0))
    return protocols._folder("whisper", "new-speakers", 0)


def test_a_model_that_was_trained_without_its_second_one_is_made_again(whisper: Path) -> None:
    assert not protocols._is_of_recipe(whisper, "whisper")
    shutil.copytree(find_model("cnn"), whisper / "cnn")
    assert protocols._is_of_recipe(whisper, "whisper")


def test_a_second_model_that_was_trained_by_itself_is_taken(
    whisper: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("config.json", "model.safetensors"):
        (whisper / name).unlink()

    def train(options: TrainingOptions, watcher: Watcher) -> None:
        second = second_options(options, load_recipe("whisper"))
        assert second is not None
        assert second.resume
        assert is_trained(second, load_recipe("cnn"))

    monkeypatch.setattr(protocols, "train_model", train)
    protocols._trained("corpora", "whisper", "new-speakers", 0, watcher())
    assert (whisper / "cnn" / "model.safetensors").exists()


# All of it


def test_all_is_refused_outside_of_the_checkout(corpora: Path, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        with pytest.raises(UsageError, match="not the checkout of serctl that is installed"):
            train_all.train_everything(str(corpora), watcher(), lambda line: None)
        assert list(tmp_path.iterdir()) == []


def test_all_makes_each_model_and_then_what_is_measured_of_it(
    checkout: Path, corpora: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    (checkout / "train" / "recipes").mkdir()
    monkeypatch.setattr(train_all, "RECIPES", checkout / "train" / "recipes")
    monkeypatch.setattr(train_all, "recipe_names", lambda: ["paper-cnn", "paper-svm"])
    monkeypatch.setattr(train_all, "write_figures", lambda folder: done.append("figures"))
    monkeypatch.setattr(train_all, "rewrite_documents", lambda folder: done.append("tables"))

    def robustness(model: str, folder: str) -> dict[str, Any]:
        done.append(f"robustness of {model}")
        assert len(list(Path(folder).iterdir())) > 50
        sha256 = load_model(str(checkout / "weights" / model)).config.sha256
        row = {"corruption": "clean", "ua": 0.5, "wa": 0.5, "ua_drop": 0.0, "wa_drop": 0.0}
        return {
            "model": model,
            "sha256": sha256,
            "command": "",
            "emotions": list(REPORT_FIVE),
            "n_clips": 50,
            "rows": [row | {"n_without_prediction": 0}],
        }

    monkeypatch.setattr(train_all.robustness, "measure", robustness)

    def proposed(corpora: str, *_: object) -> dict[str, Any]:
        done.append("proposed features")
        return {"features": [], "recipes": train_all.proposed_features.recipes()}

    monkeypatch.setattr(train_all.proposed_features, "measure", proposed)
    lines: list[str] = []
    train_all.train_everything(str(corpora), watcher(), lines.append)
    measures = ["proposed features", "robustness of paper-cnn", "robustness of paper-svm"]
    assert done == [*measures, "figures", "tables"]
    assert lines[:2] == ["paper-cnn: all protocols", "paper-svm: all protocols"]
    for name in ("corpora-counts.svg", "proposed-features.json", "robustness-paper-svm.json"):
        assert (checkout / "train" / "results" / name).exists()
    done.clear()
    train_all.train_everything(str(corpora), watcher(), lines.append)
    assert done == ["figures", "tables"]
    done.clear()
    path = checkout / train_all.proposed_features.RESULTS
    path.write_text(json.dumps(json.loads(path.read_text()) | {"recipes": "others"}))
    train_all.train_everything(str(corpora), watcher(), lines.append)
    assert done == ["proposed features", "figures", "tables"]


def test_links_to_a_fold_are_named_so_that_clips_are_known(corpora: Path, tmp_path: Path) -> None:
    train_all.link_fold(str(corpora), 0, tmp_path)
    clips = clip_table(str(corpora))
    tested = clips[(clips["fold"] == 0) & clips["test"]]
    names = [parse_clip_name(path) for path in tmp_path.iterdir()]
    found = {(name.corpus, name.clip) for name in names if name is not None}
    assert found == set(zip(tested["corpus"], tested["clip"], strict=True))
    assert all(path.resolve().is_file() for path in tmp_path.iterdir())
