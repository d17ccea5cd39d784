"""A bundled model and every figure of it, from the corpora alone.

    python -m serctl.train.protocols CORPORA [MODEL]

Run in a checkout. Trains the model on the ``report`` split (seeds 0 to 2) and on the five folds of
``new-speakers``, each into a folder below ``serctl-weights/protocols``, going on where it was cut
off. Puts their figures into ``train/results/<model>.json``, and fold 0's weights into
``weights/<model>``, with those figures on their card.
"""

import json
import shutil
import sys
from pathlib import Path
from statistics import mean
from typing import Any

from serctl.classifier import Classifier
from serctl.emotions import REPORT_FIVE
from serctl.models import CONFIG_FILE, DEFAULT_MODEL
from serctl.train.card import card_text
from serctl.train.corpora import CORPORA
from serctl.train.measured import read_results
from serctl.train.pooled import pooled_measures, scores_of_five
from serctl.train.splits import N_FOLDS
from serctl.train.training import Watcher, train_model
from serctl.train.weights_folder import LOGITS_FILE, TrainingOptions

REPORT_SEEDS = (0, 1, 2)
WORK = Path("serctl-weights", "protocols")
RESULTS, WEIGHTS = Path("train", "results"), Path("weights")
LEARNING_CURVE, CONFUSION = "learning_curve.png", "confusion_matrix.png"


def run_protocols(corpora: str, model: str, watcher: Watcher) -> dict[str, Any]:
    """Train and score a model by every protocol, and keep figures and weights in the checkout.

    Parameters
    ----------
    corpora : str
        Folder of the four corpora.
    model : str
        Whose recipe is followed.
    watcher : Watcher
        Who is told.

    Returns
    -------
    dict
        As ``train/results/<model>.json`` holds it.
    """
    report = [_trained(corpora, model, "report", 0, seed, watcher) for seed in REPORT_SEEDS]
    folds = [_trained(corpora, model, "new-speakers", fold, 0, watcher) for fold in range(N_FOLDS)]
    results: dict[str, Any] = {
        "model": model,
        "command": f"python -m serctl.train.protocols CORPORA {model}",
        "report": _summary(report),
        "new-speakers": _summary(folds),
    }
    results["report"]["runs"][0]["history"] = _curves(report[0])
    folders = [_folder(model, "new-speakers", fold) for fold in range(N_FOLDS)]
    if tuple(folds[0]["test"]["emotions"]) != REPORT_FIVE:
        five = [
            run | {"test": scores_of_five(one)} for run, one in zip(folds, folders, strict=True)
        ]
        results["new-speakers"]["five"] = _summary(five)
    results |= pooled_measures(folders)
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / f"{model}.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    left_out = shutil.ignore_patterns(LOGITS_FILE)
    shutil.copytree(
        _folder(model, "new-speakers", 0), WEIGHTS / model, ignore=left_out, dirs_exist_ok=True
    )
    config = Classifier(str(WEIGHTS / model), device="cpu").config
    card = card_text(config, folds[0], read_results(Path()).get(model, results))
    (WEIGHTS / model / "card.md").write_text(card, encoding="utf-8")
    for name in (LEARNING_CURVE, CONFUSION):
        (WEIGHTS / model / name).unlink()
        shutil.copy(_folder(model, "report", 0) / name, RESULTS / f"{model}-report-0-{name}")
        shutil.copy(
            _folder(model, "new-speakers", 0) / name, RESULTS / f"{model}-new-speakers-0-{name}"
        )
    return results


def _folder(model: str, split: str, number: int) -> Path:
    return WORK / model / f"{split}-{number}"


def _trained(
    corpora: str, model: str, split: str, fold: int, seed: int, watcher: Watcher
) -> dict[str, Any]:
    """Metrics of one training, run if it is not there."""
    folder = _folder(model, split, seed if split == "report" else fold)
    if not (folder / CONFIG_FILE).exists():
        options = TrainingOptions(
            corpora, model, split, fold, seed, None, "cpu", folder, resume=True, overwrite=False
        )
        train_model(options, watcher)
    metrics: dict[str, Any] = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    return metrics


def _summary(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Means over runs, and what each run gave, without the recipe and the epochs."""
    tests = [run["test"] for run in runs]
    return {
        "ua": mean(test["ua"] for test in tests),
        "wa": mean(test["wa"] for test in tests),
        "ua_lowest": min(test["ua"] for test in tests),
        "ua_highest": max(test["ua"] for test in tests),
        "by_corpus": {corpus: _corpus_mean(tests, corpus) for corpus in CORPORA},
        "runs": [_run_summary(run) for run in runs],
    }


def _corpus_mean(tests: list[dict[str, Any]], corpus: str) -> dict[str, float]:
    """Mean over the runs that test clips of a corpus."""
    held = [test["by_corpus"][corpus] for test in tests if corpus in test["by_corpus"]]
    return {"n_runs": len(held), **{key: mean(one[key] for one in held) for key in ("wa", "ua")}}


def _run_summary(run: dict[str, Any]) -> dict[str, Any]:
    """Keep what a run gave, without the recipe and the epochs."""
    best_epoch = run["history"]["best_epoch"]
    return {
        **{key: run[key] for key in ("command", "fold", "seed", "temperature", "test")},
        "best_epoch": best_epoch,
        "validation_accuracy": run["history"]["epochs"][best_epoch]["validation_accuracy"],
    }


def _curves(run: dict[str, Any]) -> dict[str, list[float]]:
    """Keep what learning curves are drawn of: loss (in nat) and accuracy by epoch, of validation."""
    epochs = run["history"]["epochs"]
    keys = ("validation_loss", "validation_accuracy")
    return {key: [round(epoch[key], 4) for epoch in epochs] for key in keys}


def main() -> None:
    """Run from the command line."""
    from serctl.cli.train import watching

    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    model = sys.argv[2] if len(sys.argv) == 3 else DEFAULT_MODEL
    with watching() as watcher:
        results = run_protocols(sys.argv[1], model, watcher)
    for split in ("report", "new-speakers"):
        mean_of = results[split]
        print(
            f"{split}: UA {mean_of['ua']:.1%}, WA {mean_of['wa']:.1%}, {len(mean_of['runs'])} runs"
        )


if __name__ == "__main__":
    main()
