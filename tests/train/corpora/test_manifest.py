import hashlib
import os
from collections.abc import Sequence
from pathlib import Path, PurePath

import pytest

from serctl.emotions import EMOTIONS, REPORT_FIVE
from serctl.errors import CorporaError
from serctl.train.corpora import manifest as corpora
from serctl.train.corpora.manifest import (
    CORPORA,
    IDENTICAL_CLIPS,
    LEFT_OUT_OF_TRAINING,
    SOURCES,
    clip_table,
    find_clips,
    manifest,
)

MANIFEST = manifest()
PATHS = MANIFEST["path"].tolist()
FACTS = ["speaker", "emotion", "fold", "test", "emobox"]  # of a clip, in the tables


def touch(root: Path, paths: Sequence[str]) -> None:
    for folder in {(root / path).parent for path in paths}:
        folder.mkdir(parents=True, exist_ok=True)
    for path in paths:
        (root / path).touch()


@pytest.fixture(scope="module")
def complete(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Empty files for all clips, in the layout of the manifest; tests leave it as it is."""
    root = tmp_path_factory.mktemp("corpora")
    touch(root, PATHS)
    return root


# The manifest


def test_emobox_tests_what_its_lists_say() -> None:
    # SHA-256 of the lines "fold,path" of the four published lists, sorted.
    tested = MANIFEST[MANIFEST["emobox"] > 0]
    lines = sorted(
        f"{fold},{path}" for fold, path in zip(tested["emobox"], tested["path"], strict=True)
    )
    assert tested.groupby("corpus")["emobox"].max().to_dict() == {
        "crema-d": 1,
        "ravdess": 6,
        "savee": 4,
        "tess": 1,
    }
    digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    assert digest == "bcef709ceec018d4db0d93e3239978bae744d52cf39e68af6f9d45fbd8cd4822"


def test_the_manifest_counts_what_is_published() -> None:
    assert MANIFEST["corpus"].value_counts(sort=False).to_dict() == {
        "crema-d": 7442,
        "ravdess": 1440,
        "savee": 480,
        "tess": 2800,
    }
    counts = MANIFEST["emotion"].value_counts()
    assert set(counts.index) == set(EMOTIONS)
    assert [counts[emotion] for emotion in REPORT_FIVE] == [1923] * 5
    assert counts["neutral"] + counts["calm"] == 1895
    assert (MANIFEST["test"] & (MANIFEST["fold"] == 0)).sum() == 2258
    assert MANIFEST["sha256"].str.fullmatch("[0-9a-f]{64}").all()


def test_a_caller_may_change_its_manifest() -> None:
    mine = manifest()
    mine["emotion"] = "glad"
    assert set(manifest()["emotion"]) == set(EMOTIONS)


def test_what_stays_out_of_training() -> None:
    pairs = [
        ("1006_TIE_HAP_XX", "1006_TIE_NEU_XX"),
        ("1013_WSI_DIS_XX", "1013_WSI_SAD_XX"),
        ("1017_IWW_ANG_XX", "1017_IWW_FEA_XX"),
    ]
    identical = [tuple(("crema-d", clip) for clip in pair) for pair in pairs]
    same_label = (("ravdess", "03-01-03-01-02-01-07"), ("ravdess", "03-01-03-01-02-02-07"))
    assert IDENTICAL_CLIPS == (*identical, same_label)
    contradictory = {clip for pair in identical for clip in pair}
    assert LEFT_OUT_OF_TRAINING == contradictory | {("crema-d", "1076_MTI_SAD_XX")}


# Finding clips


def test_the_table_of_complete_corpora(complete: Path) -> None:
    table = clip_table(complete)
    assert list(table) == ["path", "corpus", "clip", *FACTS]
    assert list(table.index) == list(range(12162))
    keys = list(zip(table["corpus"], table["clip"], strict=True))
    assert keys == sorted(keys)
    assert table["path"].map(os.path.isfile).all()
    merged = table.merge(MANIFEST, on=["corpus", "clip"], suffixes=("", "_original"))
    assert len(merged) == 12162
    for column in FACTS:
        assert (merged[column] == merged[f"{column}_original"]).all()


def test_any_layout_gives_the_same_clips(complete: Path, tmp_path: Path) -> None:
    for corpus in ("CREMA-D", "RAVDESS"):
        (tmp_path / f"{corpus} (1)").symlink_to(complete / corpus, target_is_directory=True)
    paths = []
    for path in map(PurePath, PATHS):
        if path.parts[0] == "SAVEE":
            speaker, take = path.stem.split("_")
            paths.append(f"AudioData/{speaker}/{take}.WAV")
        elif path.parts[0] == "TESS":
            paths.append(f"TESS data/TESS data/{path.stem}.flac")
    touch(tmp_path, paths)
    columns = ["corpus", "clip", *FACTS]
    assert clip_table(tmp_path)[columns].equals(clip_table(complete)[columns])


def test_hidden_files_are_passed_over_and_links_followed_once(tmp_path: Path) -> None:
    touch(tmp_path / "disk", ["a/DC_a01.wav", "a/._DC_a02.wav", ".git/DC_a03.wav", "notes.txt"])
    root = tmp_path / "corpora"
    root.mkdir()
    (root / "SAVEE").symlink_to(tmp_path / "disk", target_is_directory=True)
    (root / "again").symlink_to(tmp_path / "disk", target_is_directory=True)
    (tmp_path / "disk" / "a" / "loop").symlink_to(tmp_path / "disk", target_is_directory=True)
    found = find_clips(root)
    assert found.copies == {("savee", "DC_a01"): [str(root / "SAVEE" / "a" / "DC_a01.wav")]}
    assert found.unknown == found.songs == []


def test_the_folder_itself_may_name_the_speaker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch(tmp_path, ["AudioData/DC/a01.wav"])
    monkeypatch.chdir(tmp_path / "AudioData" / "DC")
    assert find_clips(".").copies == {("savee", "DC_a01"): ["./a01.wav"]}


def test_songs_and_unknown_names_are_told_apart(tmp_path: Path) -> None:
    touch(tmp_path, ["DC_a01.wav", "03-02-02-01-01-01-01.wav", "b.mp3", "03-02-07-01-01-01-01.wav"])
    found = find_clips(tmp_path)
    assert found.songs == [str(tmp_path / "03-02-02-01-01-01-01.wav")]
    assert found.unknown == [str(tmp_path / name) for name in ("03-02-07-01-01-01-01.wav", "b.mp3")]


def test_of_several_copies_the_first_in_path_order_is_taken(tmp_path: Path) -> None:
    touch(tmp_path, ["b/DC_a01.wav", "a/a/DC_a01.wav", "a/DC_a01.flac"])
    paths = [str(tmp_path / path) for path in ("a/DC_a01.flac", "a/a/DC_a01.wav", "b/DC_a01.wav")]
    assert find_clips(tmp_path).copies == {("savee", "DC_a01"): paths}


def test_a_copy_of_the_originals_size_goes_first(tmp_path: Path) -> None:
    touch(tmp_path, ["a/DC_a01.wav", "b/DC_a01.wav", "c/DC_a01.wav"])
    n_bytes = MANIFEST.set_index("clip")["bytes"]["DC_a01"]
    (tmp_path / "b" / "DC_a01.wav").write_bytes(bytes(n_bytes))
    paths = [str(tmp_path / path / "DC_a01.wav") for path in "bac"]
    assert find_clips(tmp_path).copies == {("savee", "DC_a01"): paths}


def test_a_broken_link_is_a_copy_of_no_size(tmp_path: Path) -> None:
    touch(tmp_path, ["b/DC_a01.wav", "a/x"])
    (tmp_path / "a" / "DC_a01.wav").symlink_to(tmp_path / "gone")
    assert len(find_clips(tmp_path).copies["savee", "DC_a01"]) == 2


# Refusals


def test_a_missing_folder_says_where_corpora_are_had(tmp_path: Path) -> None:
    with pytest.raises(CorporaError, match="nowhere: no such folder") as error:
        clip_table(tmp_path / "nowhere")
    assert set(SOURCES) == set(CORPORA)
    assert all(source in str(error.value) for source in SOURCES.values())


def test_a_folder_without_clips_says_what_it_holds(tmp_path: Path) -> None:
    touch(tmp_path, ["mine.wav", "03-02-02-01-01-01-01.wav"])
    with pytest.raises(CorporaError, match="2 audio files of other names"):
        clip_table(tmp_path)


def test_incomplete_corpora_are_counted_and_named(complete: Path, tmp_path: Path) -> None:
    for folder in ("CREMA-D", "RAVDESS"):
        (tmp_path / folder).symlink_to(complete / folder, target_is_directory=True)
    touch(tmp_path, [path for path in PATHS if "TESS" in path and "OA_bite" not in path])
    with pytest.raises(CorporaError, match="incomplete") as error:
        clip_table(tmp_path)
    message = str(error.value)
    assert "savee: 0 of 480 clips, without DC_a01, DC_a02, DC_a03 ..." in message
    assert "tess: 2799 of 2800 clips, without OAF_bite_neutral\n" in message
    assert "crema-d:" not in message


def test_a_folder_that_cannot_be_listed_stops_the_search(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch(tmp_path, ["open/DC_a01.wav", "shut/DC_a02.wav"])
    scandir = os.scandir

    def refuse(path: str) -> object:
        if PurePath(path).name == "shut":
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(corpora.os, "scandir", refuse)
    with pytest.raises(CorporaError, match=r"shut: this folder cannot be listed \(Permission"):
        find_clips(tmp_path)
