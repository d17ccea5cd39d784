"""The record of an evaluation: all that was found, as JSON."""

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
    """Everything that an evaluation found.

    Returns
    -------
    str
        A JSON object in ASCII, names of files that are not UTF-8 as in results: ``serctl`` (the
        version), ``model`` (name and SHA-256), ``source``, ``emotions``, ``left_out``, ``notes``,
        ``warnings``, ``scores``, ``calibration`` and ``recordings``. The last has a line for each:
        what it was said to be and what was heard, with the probabilities in the order of
        ``emotions``.
    """
    whole = {
        "serctl": __version__,
        "model": {"name": config.name, "sha256": config.sha256},
        "source": clips.source,
        "emotions": list(clips.emotions),
        "left_out": clips.left_out,
        "notes": clips.notes,
        "warnings": clips.warnings,
        "scores": asdict(scores),
        "calibration": asdict(calibration),
    }
    columns = (clips.paths, clips.acted, clips.speakers, clips.corpora, results)
    recordings = [
        {
            "path": path,
            "acted": acted,
            "heard": result.emotion,
            "probabilities": [round(p, PROBABILITY_DECIMALS) for p in result.probabilities],
            "speaker": speaker,
            "corpus": corpus,
            "status": result.status,
            "reason": result.reason,
        }
        for path, acted, speaker, corpus, result in zip(*columns, strict=True)
    ]
    lines = ",\n  ".join(json.dumps(one, allow_nan=False) for one in recordings)
    text = json.dumps(whole, indent=1, allow_nan=False).removesuffix("\n}")
    return f'{text},\n "recordings": [\n  {lines}\n ]\n}}\n'
