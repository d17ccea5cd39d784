"""The record of an evaluation: scores, and the prediction for each recording, as JSON or CSV."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from serctl import __version__
from serctl.models.config import ModelConfig
from serctl.results.dialects import csv_line
from serctl.results.schema import PROBABILITY_DECIMALS, Result
from serctl.train.evaluation.labelled import LabelledRecordings
from serctl.train.evaluation.scores import Calibration, Scores
from serctl.train.evaluation.statistics.comparison import Difference
from serctl.train.evaluation.statistics.intervals import ScoreIntervals, intervals_of

FIRST_COLUMNS = ("model", "path", "label", "prediction", "confidence")
LAST_COLUMNS = ("speaker", "corpus", "fold", "status", "reason")


@dataclass(frozen=True)
class Evaluation:
    """What became of labelled recordings with one model.

    Attributes
    ----------
    name : str
        Of the model, unlike that of others beside it.
    config : ModelConfig
        Of the model.
    results : list of Result [n]
        In the order of the recordings.
    scores, calibration, intervals
        Of these results.
    """

    name: str
    config: ModelConfig
    results: list[Result]
    scores: Scores
    calibration: Calibration
    intervals: ScoreIntervals

    @property
    def predictions(self) -> list[str]:
        """The emotion of each recording, or empty."""
        return [result.emotion for result in self.results]


def evaluation_of(
    name: str, config: ModelConfig, clips: LabelledRecordings, results: list[Result]
) -> Evaluation:
    """Score the results of all of ``clips``, in their order.

    Raises
    ------
    RunError
        If there is no prediction among them.
    """
    predictions = [result.emotion for result in results]
    intervals = intervals_of(clips.references, predictions, clips.speakers, clips.emotions)
    scores, calibration = clips.score(results), clips.calibration(results)
    return Evaluation(name, config, results, scores, calibration, intervals)


def record_text(
    clips: LabelledRecordings,
    evaluations: Sequence[Evaluation],
    differences: Sequence[Difference] = (),
) -> str:
    """Scores, calibration and predictions of an evaluation, as JSON.

    Returns
    -------
    str
        An object in ASCII, names of files that are not UTF-8 as in results: ``serctl`` (the
        version), ``model`` (name and SHA-256), ``source``, ``emotions``, ``left_out``, ``notes``,
        ``warnings``, ``scores``, ``intervals``, ``calibration`` and ``recordings``. Each of the last
        has its ``reference`` and ``predicted`` emotion, and ``probabilities`` in the order of
        ``emotions``. Of several models, ``models`` has such an object for each, and ``differences``
        one for each two.
    """
    records = [_record(clips, one) for one in evaluations]
    whole = records[0]
    if len(records) > 1:
        pairs = [asdict(difference) for difference in differences]
        whole = {"serctl": __version__, "models": records, "differences": pairs}
    return json.dumps(whole, indent=1, allow_nan=False) + "\n"


def predictions_text(clips: LabelledRecordings, evaluations: Sequence[Evaluation]) -> str:
    """Predictions of an evaluation, as CSV.

    Returns
    -------
    str
        A header, and a row for each recording and model: `FIRST_COLUMNS`, a probability ``p_...``
        for each emotion, and `LAST_COLUMNS`. Cells of what is not known are empty.
    """
    probabilities = [f"p_{emotion}" for emotion in clips.emotions]
    lines = [csv_line((*FIRST_COLUMNS, *probabilities, *LAST_COLUMNS))]
    for evaluation in evaluations:
        for i, result in enumerate(evaluation.results):
            shares = [f"{p:.{PROBABILITY_DECIMALS}f}" for p in result.probabilities]
            confidence = max(shares, default="")
            cells = (evaluation.name, clips.paths[i], clips.references[i], result.emotion)
            fold = clips.folds[i] if clips.folds else ""
            last = (clips.speakers[i], clips.corpora[i], fold, result.status, result.reason)
            shares = shares or [""] * len(probabilities)
            lines.append(csv_line((*cells, confidence, *shares, *last)))
    return "".join(lines)


def _record(clips: LabelledRecordings, evaluation: Evaluation) -> dict[str, Any]:
    columns = (clips.paths, clips.references, clips.speakers, clips.corpora, evaluation.results)
    recordings = [
        {
            "path": path,
            "reference": reference,
            "predicted": result.emotion,
            "probabilities": [round(p, PROBABILITY_DECIMALS) for p in result.probabilities],
            "speaker": speaker,
            "corpus": corpus,
            "status": result.status,
            "reason": result.reason,
        }
        for path, reference, speaker, corpus, result in zip(*columns, strict=True)
    ]
    return {
        "serctl": __version__,
        "model": {"name": evaluation.name, "sha256": evaluation.config.sha256},
        "source": clips.source,
        "emotions": list(clips.emotions),
        "left_out": clips.left_out,
        "notes": clips.notes,
        "warnings": clips.warnings,
        "scores": asdict(evaluation.scores),
        "intervals": asdict(evaluation.intervals),
        "calibration": asdict(evaluation.calibration),
        "recordings": recordings,
    }
