from pathlib import Path

import pytest
from support import synthetic_corpora
from support.own_recordings import write_folders

from serctl.models.loading import load_model
from serctl.train.corpora import manifest
from serctl.train.corpora.manifest import clip_table
from serctl.train.corpora.splits import NEW_SPEAKERS, clips_of, split_clips
from serctl.train.custom import corpora
from serctl.train.custom.embeddings import Embedded
from serctl.train.custom.recordings import DataOptions
from serctl.train.custom.start import Start
from serctl.train.custom.training import CustomOptions, train_custom


@pytest.fixture
def small_corpora(clips_folder: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Synthetic clips that pass for complete corpora, with the networks as they are."""
    table = synthetic_corpora.small_manifest()
    keys = dict.fromkeys(zip(table["corpus"], table["clip"], strict=True))
    monkeypatch.setattr(manifest, "_read_manifest", lambda: table)
    monkeypatch.setattr(manifest, "_manifest_keys", lambda: keys)
    monkeypatch.setenv("SERCTL_CACHE", str(cache))
    return clips_folder


def test_clips_of_fold_0_are_left_out(small_corpora: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[str] = []

    def embed(recordings, start, speech, on_recordings):
        taken.extend(one.path for one in recordings)
        return [Embedded(start.model.tensors["members.0.norm.bias"]) for _ in recordings]

    monkeypatch.setattr(corpora, "embed_recordings", embed)
    start = Start("cnn")
    clips = corpora.read_clips(str(small_corpora), ("bored",), start, lambda found, n: iter(found))
    assert clips.n == len(taken) > 0
    assert clips.labels == start.labels
    table = clips_of(clip_table(small_corpora), start.labels)
    held_out = set(table["path"].iloc[split_clips(table, NEW_SPEAKERS).test])
    assert held_out
    assert held_out.isdisjoint(taken)
    assert set(table["path"][table["fold"] == 0]).isdisjoint(taken)


def test_own_labels_stand_beside_those_of_the_corpora(small_corpora: Path, tmp_path: Path) -> None:
    data = write_folders(tmp_path / "data", labels=("bored",))
    options = CustomOptions(
        DataOptions(str(data), pairs=("bored=bored",), emotions_only=True),
        tmp_path / "mine",
        "cnn",
        "off",
        str(small_corpora),
    )
    outcome = train_custom(options, lambda found, n: iter(found))
    config = load_model(tmp_path / "mine").config
    assert config.emotions == ("angry", "disgust", "fear", "happy", "sad", "neutral", "bored")
    assert outcome.scores.n_clips == 9
    assert "clips of CREMA-D, RAVDESS, SAVEE and TESS" in " ".join(
        (tmp_path / "mine" / "card.md").read_text().split()
    )
