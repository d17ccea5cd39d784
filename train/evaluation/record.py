"""The record of an evaluation: scores, and the prediction for each recording, as JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict

from serctl import __version__
from serctl.models.config import ModelConfig
from serctl.results.schema import PROBABILITY_DECIMALS, Result
from serctl.train.evaluation.labelled import LabelledRecordings
from serctl.train.evaluation.scores import Calibration, Scores


def record_text(
    config: ModelConfig,
    clips: LabelledRecordings,
    results: Sequence[Result],
    scores: Scores,
    calibration: Calibration,
) -> str:
    """Scores, calibration and predictions of an evaluation.

    Returns
    -------
    str
        A JSON object in ASCII, names of files that are not UTF-8 as in results: ``serctl`` (the
        version), ``model`` (name and SHA-256), ``source``, ``emotions``, ``left_out``, ``notes``,
        ``warnings``, ``scores``, ``calibration`` and ``recordings``. Each of the last has its
        ``reference`` and ``predicted`` emotion, and ``probabilities`` in the order of
        ``emotions``.
    """
    columns = (clips.paths, clips.references, clips.speakers, clips.corpora, results)
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
    record = {
        "serctl": __version__,
        "model": {"name": config.name, "sha256": config.sha256},
        "source": clips.source,
        "emotions": list(clips.emotions),
        "left_out": clips.left_out,
        "notes": clips.notes,
        "warnings": clips.warnings,
        "scores": asdict(scores),
        "calibration": asdict(calibration),
        "recordings": recordings,
    }
    return json.dumps(record, indent=1, allow_nan=False) + "\n"
