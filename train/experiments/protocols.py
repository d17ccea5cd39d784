"""A bundled model and every figure of it, from the corpora alone.

    python -m serctl.train.experiments.protocols CORPORA [MODEL]

Run in a checkout. Trains the model on the ``report`` split (seeds 0 to 2), on the five folds of
``new-speakers``, on all folds of EmoBox's four splits and with each corpus left out
(``cross-corpus``), each into a folder below ``serctl-weights/protocols``. An interrupted training
resumes, and a finished one is not repeated, unless its recipe has changed. Puts the figures of each
protocol into ``train/results/<model>.json``, and fold 0's weights into ``weights/<model>``, with
those figures on their card.
"""

import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from statistics import mean
from typing import Any

from serctl.emotions import REPORT_FIVE
from serctl.errors import CheckpointError, SerctlError
from serctl.models.config import CONFIG_FILE, read_config
from serctl.models.loading import DEFAULT_MODEL
from serctl.models.networks import NETWORKS
from serctl.train.corpora.manifest import CORPORA
from serctl.train.corpora.splits import (
    CROSS_CORPUS,
    FOLD_COUNTS,
    NEW_SPEAKERS,
    REPORT,
    REPORT_SEEDS,
    SPLITS,
)
from serctl.train.documents.card import card_text
from serctl.train.documents.measurements import RESULTS, read_measurements
from serctl.train.evaluation.held_out_logits import LOGITS_FILE
from serctl.train.evaluation.pooling import pooled_measures, scores_of_five
from serctl.train.recipes.loading import is_made_by, load_recipe
from serctl.train.training.train import Watcher, train_model
from serctl.train.training.weights_folder import TrainingOptions

WORK = Path("serctl-weights", "protocols")
WEIGHTS = Path("weights")
FIGURES = ("learning_curve.png", "confusion_matrix.png")  # of one run, and left out


def run_protocols(corpora: str, model: str, watcher: Watcher) -> dict[str, Any]:
    """Train and score a model by every protocol, and keep figures and weights in the checkout.

    Parameters
    ----------
    corpora : str
        Folder of the four corpora.
    model : str
        Name of the recipe.
    watcher : Watcher
        Shows the progress.

    Returns
    -------
    dict
        As ``train/results/<model>.json`` holds it, which is written after every training.
    """
    results: dict[str, Any] = {
        "model": model,
        "command": f"python -m serctl.train.experiments.protocols CORPORA {model}",
    }
    for split in SPLITS:
        numbers = REPORT_SEEDS if split == REPORT else range(FOLD_COUNTS[split])
        runs: list[dict[str, Any]] = []
        for number in numbers:
            runs.append(_trained(corpora, model, split, number, watcher))
            results |= _measured(model, split, runs)
            _write(model, results)
            if split == NEW_SPEAKERS and number == 0:
                _bundle(model, results)
    _bundle(model, results)
    return results


def _measured(model: str, split: str, runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Summary of the first runs of a protocol."""
    results = {split: _summary(runs)}
    if split == REPORT and "histories" in runs[0]:
        results[split]["runs"][0]["curves"] = _curves(runs[0])
    folders = [_folder(model, split, number) for number in range(len(runs))]
    of_five = split == NEW_SPEAKERS or split.startswith(CROSS_CORPUS)
    if of_five and tuple(runs[0]["test"]["emotions"]) != REPORT_FIVE:
        tests = [{"test": scores_of_five(folder)} for folder in folders]
        five = [run | test for run, test in zip(runs, tests, strict=True)]
        results[split]["five"] = _summary(five)
    if split == NEW_SPEAKERS:
        results |= pooled_measures(folders)
    if split.startswith(CROSS_CORPUS):
        results[split]["calibration"] = pooled_measures(folders)["calibration"]["after"]
    return results


def _write(model: str, results: dict[str, Any]) -> None:
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / f"{model}.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


def _bundle(model: str, results: dict[str, Any]) -> None:
    """Put the weights of fold 0 where they belong, with their card.

    Of a model that is fused with another, the other is the bundled one.
    """
    source, folder = _folder(model, NEW_SPEAKERS, 0), WEIGHTS / model
    second = [one.parent.name for one in source.glob(f"*/{CONFIG_FILE}")]
    left_out = shutil.ignore_patterns(LOGITS_FILE, *FIGURES, *second)
    shutil.copytree(source, folder, ignore=left_out, dirs_exist_ok=True)
    metrics = _metrics(source)
    card = card_text(read_config(folder), metrics, read_measurements(Path()).get(model, results))
    (folder / "card.md").write_text(card, encoding="utf-8")


def _folder(model: str, split: str, number: int) -> Path:
    return WORK / model / f"{split}-{number}"


def _trained(corpora: str, model: str, split: str, number: int, watcher: Watcher) -> dict[str, Any]:
    """Metrics of one training, run if it is not there or was made by another recipe."""
    folder = _folder(model, split, number)
    fold, seed = (0, number) if split == REPORT else (number, 0)
    is_there = (folder / CONFIG_FILE).exists()
    if not _is_of_recipe(folder, model):
        options = TrainingOptions(
            corpora=corpora,
            model=model,
            split=split,
            fold=fold,
            seed=seed,
            n_epochs=None,
            device="cpu",
            output=folder,
            resume=not is_there,
            overwrite=is_there,
        )
        _take_second(model, split, number)
        try:
            train_model(options, watcher)
        except CheckpointError:  # its recipe has changed since it was interrupted
            train_model(replace(options, resume=False, overwrite=True), watcher)
    return _metrics(folder)


def _take_second(model: str, split: str, number: int) -> None:
    """Copy the model that one is fused with, if it was trained by itself, to where it is looked for."""
    name = NETWORKS[load_recipe(model).model.network].fuses_with
    if not name:
        return
    trained, place = _folder(name, split, number), _folder(model, split, number) / name
    if not place.exists() and _is_of_recipe(trained, name):
        shutil.copytree(trained, place)


def _metrics(folder: Path) -> dict[str, Any]:
    metrics: dict[str, Any] = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    return metrics


def _is_of_recipe(folder: Path, model: str) -> bool:
    """Whether there are weights, made by the recipe as it is now; a second model's too."""
    if not (folder / CONFIG_FILE).exists():
        return False
    recipe = load_recipe(model)
    second = NETWORKS[recipe.model.network].fuses_with
    if second and not _is_of_recipe(folder / second, second):
        return False
    return is_made_by(_metrics(folder)["recipe"], recipe)


def _summary(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Means over runs, and what each run gave, without the recipe and the epochs."""
    tests = [run["test"] for run in runs]
    return {
        "ua": mean(test["ua"] for test in tests),
        "wa": mean(test["wa"] for test in tests),
        "ua_lowest": min(test["ua"] for test in tests),
        "ua_highest": max(test["ua"] for test in tests),
        "by_corpus": {
            corpus: _corpus_mean(tests, corpus)
            for corpus in CORPORA
            if any(corpus in test["by_corpus"] for test in tests)
        },
        "runs": [_run_summary(run) for run in runs],
    }


def _corpus_mean(tests: list[dict[str, Any]], corpus: str) -> dict[str, float]:
    """Mean over the runs that test clips of a corpus."""
    held = [test["by_corpus"][corpus] for test in tests if corpus in test["by_corpus"]]
    return {"n_runs": len(held), **{key: mean(one[key] for one in held) for key in ("wa", "ua")}}


def _run_summary(run: dict[str, Any]) -> dict[str, Any]:
    """Keep what a run gave, without the recipe and the epochs."""
    kept = {key: run[key] for key in ("command", "fold", "seed", "temperature", "test")}
    if "cost_search" in run:
        best: dict[str, Any] = run["cost_search"]["trials"][run["cost_search"]["best"]]
        return kept | best
    networks = [
        {
            "best_epoch": history["best_epoch"],
            "validation_accuracy": history["epochs"][history["best_epoch"]]["validation_accuracy"],
        }
        for history in run["histories"]
    ]
    return kept | {"networks": networks}


def _curves(run: dict[str, Any]) -> list[dict[str, Any]]:
    """Keep what learning curves are drawn of, for each network: validation loss, in nats, and accuracy.

    By epoch, with the one that was kept.
    """
    keys = ("validation_loss", "validation_accuracy")
    return [
        {
            **{key: [round(epoch[key], 4) for epoch in history["epochs"]] for key in keys},
            "best_epoch": history["best_epoch"],
        }
        for history in run["histories"]
    ]


def main() -> None:
    """Run from the command line."""
    from serctl.train.training.progress import TrainingProgress

    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    model = sys.argv[2] if len(sys.argv) == 3 else DEFAULT_MODEL
    try:
        with TrainingProgress() as watcher:
            results = run_protocols(sys.argv[1], model, watcher)
    except SerctlError as error:
        sys.exit(f"Error: {error}")
    for split in SPLITS:
        mean_of = results[split]
        print(
            f"{split}: UA {mean_of['ua']:.1%}, WA {mean_of['wa']:.1%}, {len(mean_of['runs'])} runs"
        )


if __name__ == "__main__":
    main()
