"""Measurements of models that nobody trained, in the shape of train/results/<model>.json."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import mean
from typing import Any

from serctl.emotions import EMOTIONS, REPORT_FIVE
from serctl.train.corpora.manifest import CORPORA
from serctl.train.documents.measurements import RESULTS
from serctl.train.evaluation.scores import score

SIX = EMOTIONS[:6]
N_CLIPS = 20  # of each emotion and corpus


def synthetic_test(right: float, emotions: Sequence[str] = REPORT_FIVE) -> dict[str, Any]:
    """Scores of a test part in which this share of every emotion's clips is right."""
    references, predictions, corpora = [], [], []
    for corpus in CORPORA:
        for i, emotion in enumerate(emotions):
            n_right = round(right * N_CLIPS)
            references += [emotion] * N_CLIPS
            wrong = emotions[(i + 1) % len(emotions)]
            predictions += [emotion] * n_right + [wrong] * (N_CLIPS - n_right)
            corpora += [corpus] * N_CLIPS
    return asdict(score(references, predictions, corpora, tuple(emotions)))


def synthetic_summary(rights: Sequence[float], command: str, **options: Any) -> dict[str, Any]:
    """Summary of a protocol with a run for each share of right answers."""
    tests = [synthetic_test(right, **options) for right in rights]
    ua = [test["ua"] for test in tests]
    return {
        "ua": mean(ua),
        "wa": mean(test["wa"] for test in tests),
        "ua_lowest": min(ua),
        "ua_highest": max(ua),
        "by_corpus": {corpus: tests[0]["by_corpus"][corpus] for corpus in CORPORA},
        "runs": [{"command": f"{command} {i}", "test": test} for i, test in enumerate(tests)],
    }


def synthetic_results(report: Sequence[float], new: Sequence[float]) -> dict[str, Any]:
    """Measurements of a model that knows the report's five emotions, with learning curves."""
    results = {
        "model": "made up",
        "report": synthetic_summary(report, "serctl train --split report --seed"),
        "new-speakers": synthetic_summary(new, "serctl train --split new-speakers --fold"),
    }
    results["report"]["runs"][0]["curves"] = [
        {
            "validation_loss": [1.6, 1.2, 1.0, 1.1],
            "validation_accuracy": [0.2, 0.4, report[0], 0.5],
            "best_epoch": 2,
        }
    ]
    return results


def synthetic_six(report: Sequence[float], new: Sequence[float]) -> dict[str, Any]:
    """Measurements of a model that knows six, of which the report's five are scored too."""
    results = synthetic_results(report, new)
    command = "serctl train --split new-speakers --fold"
    of_six = synthetic_summary([right - 0.1 for right in new], command, emotions=SIX)
    results["new-speakers"] = {**of_six, "five": results["new-speakers"]}
    return results


SVM = synthetic_results([0.40, 0.45, 0.50], [0.40] * 5)
CNN = synthetic_six([0.80, 0.85, 0.90], [0.60, 0.65, 0.70, 0.75, 0.80])


def write_results(checkout: Path, **models: dict[str, Any]) -> Path:
    """Write results into a folder that passes for a checkout; ``paper_svm`` is ``paper-svm``."""
    (checkout / RESULTS).mkdir(parents=True, exist_ok=True)
    for name, results in models.items():
        path = checkout / RESULTS / f"{name.replace('_', '-')}.json"
        path.write_text(json.dumps(results), encoding="utf-8")
    return checkout
