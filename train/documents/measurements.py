"""Measurements of ``train/results``, beside those of the report.

Tables and figures are made of these alone. A model without results, or without those of a protocol,
is left out of whatever needs them. A file that is not JSON is refused, with its name.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serctl.emotions import REPORT_FIVE
from serctl.errors import ResultsError
from serctl.train.corpora.manifest import CORPORA
from serctl.train.corpora.splits import CROSS_CORPUS, N_FOLDS, NEW_SPEAKERS, REPORT, REPORT_SEEDS
from serctl.train.evaluation.scores import Scores, score

RESULTS = Path("train", "results")  # in a checkout

N_RUNS = {
    REPORT: len(REPORT_SEEDS),
    NEW_SPEAKERS: N_FOLDS,
}  # of a protocol that is measured in full: seeds, folds
CHANCE = 1 / len(REPORT_FIVE)
# Single listeners of CREMA-D, voice alone: votes for the acted one among those for the five, over
# the clips that act one of them.
CREMA_D_LISTENERS = 0.545


@dataclass(frozen=True)
class System:
    """A system that recognizes emotions, of the report or ours.

    Attributes
    ----------
    name : str
        Its architecture.
    model : str
        Name of the bundled model; empty if there is none.
    in_report : float or None
        Its accuracy in the report, in [0, 1].
    """

    name: str
    model: str
    in_report: float | None


SYSTEMS = (
    System("linear SVM", "paper-svm", 0.38),
    System("dual RNN", "paper-rnn", 0.43),
    System("CNN on means over time", "paper-cnn", 0.62),
    System("CNN on spectrograms", "cnn", None),
    System("Whisper encoder with heads", "whisper", None),
    System("human listeners", "", 0.72),
)

Measurements = dict[str, dict[str, Any]]


def read_measurements(checkout: Path) -> Measurements:
    """Read the measurements of the models in `SYSTEMS`.

    Parameters
    ----------
    checkout : Path
        Its root.

    Returns
    -------
    dict of str to dict
        As each ``train/results/<model>.json`` holds it, in the order of `SYSTEMS`; as
        ``cpu_ms`` the processor time of a clip that ``speed.json`` has, as
        ``robustness`` and ``voices`` what ``robustness-<model>.json`` and ``voices-<model>.json``
        hold, and as ``proposed-features`` what
        ``proposed-features.json`` has of the model.

    Raises
    ------
    ResultsError
        If one is not JSON.
    """
    found: Measurements = {}
    folder = checkout / RESULTS
    proposed = folder / "proposed-features.json"
    of_proposed = _read_json(proposed) if proposed.exists() else {}
    speed = folder / "speed.json"
    of_speed = _read_json(speed) if speed.exists() else {}
    for model in (system.model for system in SYSTEMS if system.model):
        if (folder / f"{model}.json").exists():
            found[model] = _read_json(folder / f"{model}.json")
            for part in ("robustness", "voices"):
                if (folder / f"{part}-{model}.json").exists():
                    found[model][part] = _read_json(folder / f"{part}-{model}.json")
            if model in of_speed.get("cpu_ms", {}):
                found[model]["cpu_ms"] = of_speed["cpu_ms"][model]
            if model in of_proposed:
                found[model]["proposed-features"] = of_proposed[model]
    return found


def _read_json(path: Path) -> dict[str, Any]:
    try:
        values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ResultsError(
            f"{path}: not JSON ({error}). Measure it again, by just train."
        ) from error
    return values


def cross_corpus_ua(measurements: dict[str, Any]) -> list[float] | None:
    """UA over the report's five on each corpus, left out of training; None unless all are measured.

    Parameters
    ----------
    measurements : dict
        Of one model.
    """
    found = [five(measurements, f"{CROSS_CORPUS}{corpus}") for corpus in CORPORA]
    return [one["ua"] for one in found if one] if all(found) else None


def five(measurements: dict[str, Any], split: str) -> dict[str, Any] | None:
    """Find the scores of a model by a protocol over the report's five emotions.

    Parameters
    ----------
    measurements : dict
        Of one model.
    split : str
        `REPORT` or `NEW_SPEAKERS`.

    Returns
    -------
    dict or None
        Means and runs: ``ua``, ``ua_lowest``, ``ua_highest``, ``by_corpus``, ``runs``. Of a model
        that knows more emotions, what stands under ``five`` in its summary. None if it was not
        measured.
    """
    summary: dict[str, Any] | None = measurements.get(split)
    if summary is None or tuple(summary["runs"][0]["test"]["emotions"]) == REPORT_FIVE:
        return summary
    return summary.get("five")


def by_five(measurements: Measurements, split: str) -> dict[str, dict[str, Any]]:
    """Find the summaries, as `five`, of the models that have one."""
    return {model: one for model, found in measurements.items() if (one := five(found, split))}


def extent(summary: dict[str, Any], split: str) -> str:
    """Say how many of a protocol's seeds or folds were measured; empty if all were."""
    n_runs, n_all = len(summary["runs"]), N_RUNS[split]
    unit = "seeds" if split == REPORT else "folds"
    return "" if n_runs == n_all else f"{n_runs} of {n_all} {unit}"


def pooled(summary: dict[str, Any]) -> Scores:
    """Scores over the test clips of all runs together.

    Parameters
    ----------
    summary : dict
        Of a protocol, with its ``runs``. Folds share no clip; seeds may.

    Returns
    -------
    Scores
        By emotion; by corpus they say nothing.
    """
    tests = [run["test"] for run in summary["runs"]]
    references: list[str] = []
    predictions: list[str] = []
    for test in tests:
        for emotion, row in zip(test["emotions"], test["confusion"], strict=True):
            predicted = [
                one for one, n in zip(test["emotions"], row, strict=True) for _ in range(n)
            ]
            n_clips = test["by_emotion"].get(emotion, {"n_clips": 0})["n_clips"]
            references += [emotion] * n_clips
            predictions += predicted + [""] * (n_clips - len(predicted))
    return score(references, predictions, [""] * len(references), tests[0]["emotions"])
