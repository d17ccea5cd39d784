import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import scipy.special

from serctl.emotions import REPORT_FIVE
from serctl.errors import RunError
from serctl.models.config import ModelConfig
from serctl.train.evaluation.pooling import pooled_measures, scores_of_five
from serctl.train.evaluation.scores import Calibration, calibration
from serctl.train.training import weights_folder

SPEAKERS = ("crema1001", "crema1002", "ravdess01", "tessYAF")
N_CLIPS = 60


def write_run(
    folder: Path, config: ModelConfig, temperature: float, seed: int, silent: Sequence[int] = ()
) -> weights_folder.HeldOutLogits:
    """Weights folder of which only configuration and test logits are there."""
    rng = np.random.default_rng(seed)
    tested = weights_folder.HeldOutLogits(
        clips=[("crema-d", f"{i}") for i in range(N_CLIPS)],
        speakers=[SPEAKERS[i % len(SPEAKERS)] for i in range(N_CLIPS)],
        emotions=REPORT_FIVE,
        references=rng.integers(5, size=N_CLIPS),
        has_prediction=np.array([i not in silent for i in range(N_CLIPS)]),
        logits=rng.normal(0, 3, (N_CLIPS, 5)).astype(np.float32),
    )
    folder.mkdir()
    tested.save(folder / "test_logits.npz")
    (folder / "config.json").write_text(replace(config, temperature=temperature).to_json())
    return tested


def test_each_run_has_its_own_temperature(tmp_path: Path, tiny_config: ModelConfig) -> None:
    folders = [tmp_path / "a", tmp_path / "b"]
    runs = [
        write_run(folder, tiny_config, temperature, seed)
        for seed, (folder, temperature) in enumerate(zip(folders, (2.0, 5.0), strict=True))
    ]
    found = pooled_measures(folders)["calibration"]
    references = [REPORT_FIVE[i] for run in runs for i in run.references]
    for when, temperatures in (("before", (1, 1)), ("after", (2, 5))):
        logits = [run.logits / t for run, t in zip(runs, temperatures, strict=True)]
        probabilities = scipy.special.softmax(np.concatenate(logits).astype(np.float64), axis=1)
        expected = calibration(probabilities, references, REPORT_FIVE)
        assert found[when]["ece"] == pytest.approx(expected.ece, abs=1e-6)
        assert found[when]["brier"] == pytest.approx(expected.brier, abs=1e-6)
        assert Calibration(**found[when]).n_clips == 2 * N_CLIPS
    assert found["before"]["accuracy"] == found["after"]["accuracy"]


def test_clips_without_an_answer_are_wrong_and_not_calibrated(
    tmp_path: Path, tiny_config: ModelConfig
) -> None:
    tested = write_run(tmp_path / "a", tiny_config, 1.0, 0, silent=(3, 8))
    found = pooled_measures([tmp_path / "a"])
    assert found["calibration"]["after"]["n_clips"] == N_CLIPS - 2
    right = (tested.logits.argmax(axis=1) == tested.references) & tested.has_prediction
    of_yaf = [right[i] for i in range(N_CLIPS) if tested.speakers[i] == "tessYAF"]
    women = [right[i] for i in range(N_CLIPS) if tested.speakers[i] in ("tessYAF", "crema1002")]
    groups = found["groups"]
    assert groups["sex"]["female"]["wa"] == pytest.approx(np.mean(women))
    assert groups["age"]["under 30"]["n_clips"] == 2 * len(of_yaf)
    assert sum(one["n_clips"] for one in groups["age"].values()) == N_CLIPS
    assert json.loads(json.dumps(found)) == found


def test_five_of_six_emotions_are_scored_as_if_there_were_no_sixth(
    tmp_path: Path, tiny_config: ModelConfig
) -> None:
    six = (*REPORT_FIVE, "neutral")
    logits = np.zeros((4, 6), np.float32)
    logits[0, [5, 0]] = 3, 2  # neutral first, then angry
    logits[1, [0, 4]] = 3, 2
    logits[2, [2, 4]] = 3, 2
    logits[3, 0] = 3
    tested = weights_folder.HeldOutLogits(
        clips=[("crema-d", "a"), ("savee", "b"), ("tess", "c"), ("savee", "d")],
        speakers=["crema1001", "saveeDC", "tessOAF", "saveeJE"],
        emotions=six,
        references=np.array([0, 4, 2, 5]),
        has_prediction=np.array([True, True, False, True]),
        logits=logits,
    )
    tested.save(tmp_path / "test_logits.npz")
    scores = scores_of_five(tmp_path)
    assert scores["n_clips"] == 3
    assert scores["emotions"] == REPORT_FIVE
    assert {name: one["recall"] for name, one in scores["by_emotion"].items()} == {
        "angry": 1.0,  # neutral was not available
        "fear": 0.0,  # no prediction
        "sad": 0.0,
    }
    assert scores["by_corpus"]["savee"] == {"n_clips": 1, "wa": 0.0, "ua": 0.0}
    assert scores["n_without_prediction"] == 1


def test_a_run_without_logits_is_named(tmp_path: Path, tiny_config: ModelConfig) -> None:
    write_run(tmp_path / "a", tiny_config, 1.0, 0)
    (tmp_path / "a" / "test_logits.npz").unlink()
    with pytest.raises(
        RunError, match=r"a/test_logits\.npz: cannot be read .*train that run again"
    ):
        pooled_measures([tmp_path / "a"])
