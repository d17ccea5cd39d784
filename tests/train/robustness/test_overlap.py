import json
from pathlib import Path
from typing import Any

import pytest

from serctl.models.config import ModelConfig
from serctl.train.corpora.manifest import manifest
from serctl.train.robustness.overlap import TrainedModel, training_warning

TABLE = manifest()
FOLD_0 = TABLE[(TABLE["fold"] == 0) & (TABLE["emotion"] == "sad") & TABLE["test"]]
OTHERS = TABLE[(TABLE["fold"] > 0) & (TABLE["emotion"] == "sad")]
NEUTRAL = TABLE[(TABLE["fold"] > 0) & (TABLE["emotion"] == "neutral")]


def warning(folder: Path, config: ModelConfig, paths: list[str], metrics: Any) -> str:
    (folder / "metrics.json").write_text(json.dumps(metrics))
    return training_warning(paths, TrainedModel("tiny", folder, config))


def trained(split: str, fold: int | None = None, seed: int = 0) -> dict[str, Any]:
    return {"split": split, "fold": fold, "seed": seed}


def test_new_speakers_give_no_warning(tmp_path: Path, tiny_config: ModelConfig) -> None:
    paths = FOLD_0["path"].tolist()
    assert warning(tmp_path, tiny_config, paths, trained("new-speakers", 0)) == ""
    assert warning(tmp_path, tiny_config, ["a.wav"], trained("new-speakers", 0)) == ""


def test_clips_and_speakers_of_the_training_part_are_counted(
    tmp_path: Path, tiny_config: ModelConfig
) -> None:
    silent = "CREMA-D/AudioWAV/1076_MTI_SAD_XX.wav"  # not trained on, unlike others of its voice
    paths = [*OTHERS["path"][:7], *FOLD_0["path"][:3], *NEUTRAL["path"][:2], silent, "a.wav"]
    assert warning(tmp_path, tiny_config, paths, trained("new-speakers", 0)) == (
        "tiny was trained (new-speakers, fold 0) on 7 of these 14 clips, and on the voices of 10: "
        "the scores do not hold for other recordings."
    )


def test_a_split_by_clip_has_all_speakers_in_its_training_part(
    tmp_path: Path, tiny_config: ModelConfig
) -> None:
    paths = FOLD_0["path"].tolist()
    said = warning(tmp_path, tiny_config, paths, trained("report", None, 2))
    assert said.startswith("tiny was trained (report, seed 2) on ")
    n_clips = int(said.split(" on ")[1].split()[0])
    assert 0.8 < n_clips / len(paths) < 0.9  # 85% train or validate
    assert f"on the voices of {len(paths)}:" in said


@pytest.mark.parametrize(
    "metrics", [{}, [], None, "x", trained("other"), trained("new-speakers", 9), trained("report")]
)
def test_what_does_not_say_how_it_was_trained_gives_no_warning(
    tmp_path: Path, tiny_config: ModelConfig, metrics: Any
) -> None:
    if metrics == trained("report"):
        metrics["seed"] = "x"
    assert warning(tmp_path, tiny_config, OTHERS["path"].tolist(), metrics) == ""


def test_a_folder_without_metrics_gives_no_warning(
    tmp_path: Path, tiny_config: ModelConfig
) -> None:
    assert (
        training_warning(OTHERS["path"].tolist(), TrainedModel("tiny", tmp_path, tiny_config)) == ""
    )
