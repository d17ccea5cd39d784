"""Calibration and scores of speaker groups, pooled over the test parts of several trainings.

Each training keeps its model's logits in ``test_logits.npz`` of its weights folder. Folds of
speakers share no clip, so that theirs can be taken together; each has its own temperature.
"""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import scipy.special

from serctl.emotions import REPORT_FIVE
from serctl.errors import RunError
from serctl.models.config import read_config
from serctl.train.evaluation.groups import score_groups
from serctl.train.evaluation.held_out_logits import LOGITS_FILE
from serctl.train.evaluation.scores import calibration, score


def pooled_measures(folders: Sequence[Path]) -> dict[str, Any]:
    """Calibration and scores of groups, over the test clips of all trainings.

    Parameters
    ----------
    folders : sequence of Path
        Finished weights folders of one model and protocol, whose test parts share no clip.

    Returns
    -------
    dict
        ``calibration``: ``before`` and ``after`` the temperature, each as
        `serctl.train.evaluation.scores.Calibration`, of clips with a prediction. ``groups``: as
        `serctl.train.evaluation.groups.score_groups`.

    Raises
    ------
    RunError
        If a folder has no test logits.
    """
    runs = [_read(folder / LOGITS_FILE) for folder in folders]
    temperatures = [read_config(folder).temperature for folder in folders]
    emotions = runs[0]["emotions"].tolist()
    references, predictions, speakers = [], [], []
    for run in runs:
        best = run["emotions"][run["logits"].argmax(axis=1)]
        references += run["emotions"][run["references"]].tolist()
        predictions += np.where(run["has_prediction"], best, "").tolist()
        speakers += run["speakers"].tolist()
    predicted = [one for one, prediction in zip(references, predictions, strict=True) if prediction]

    def calibrated(divisors: Sequence[float]) -> dict[str, Any]:
        scaled = [
            run["logits"][run["has_prediction"]].astype(np.float64) / divisor
            for run, divisor in zip(runs, divisors, strict=True)
        ]
        probabilities = scipy.special.softmax(np.concatenate(scaled), axis=1)
        return asdict(calibration(probabilities, predicted, emotions))

    return {
        "calibration": {
            "before": calibrated([1.0] * len(runs)),
            "after": calibrated(temperatures),
        },
        "groups": score_groups(references, predictions, speakers, emotions),
    }


def scores_of_five(folder: Path) -> dict[str, Any]:
    """Scores of a run over the report's five emotions, with its model restricted to them.

    Parameters
    ----------
    folder : Path
        Finished weights folder of a model that knows them, and others.

    Returns
    -------
    dict
        Of `serctl.train.evaluation.scores.Scores`, over the clips of one of the five.

    Raises
    ------
    RunError
        If the folder has no test logits.
    """
    run = _read(folder / LOGITS_FILE)
    columns = [run["emotions"].tolist().index(emotion) for emotion in REPORT_FIVE]
    rows = np.isin(run["references"], columns)
    five = np.array(REPORT_FIVE)
    best = five[run["logits"][:, columns].argmax(axis=1)]
    predictions = np.where(run["has_prediction"], best, "")
    scores = score(
        run["emotions"][run["references"]][rows].tolist(),
        predictions[rows].tolist(),
        run["corpora"][rows].tolist(),
        REPORT_FIVE,
        run["speakers"][rows].tolist(),
    )
    return asdict(scores)


def _read(path: Path) -> dict[str, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return dict(arrays)
    except (OSError, ValueError) as error:
        raise RunError(
            f"{path}: cannot be read ({error}). Delete its folder and train that run again."
        ) from error
