import os
from collections.abc import Iterable
from pathlib import Path

import pytest

from serctl.errors import CorporaError, LabelsError, NothingFoundError, PathError
from serctl.train.evaluation.label_names import EmotionNames, parse_map
from serctl.train.evaluation.labels import NO_CLIP_NAME, Labels, labels_of_folders, labels_of_names

NO_MAP = EmotionNames()


def write(root: Path, names: Iterable[str]) -> str:
    """Write files that are all different; give the folder."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(f"{root} {name}")
    return str(root)


def said(labels: Labels) -> list[tuple[str, str]]:
    return [(Path(one.path).name, one.name) for one in labels.recordings]


def n_keys(labels: Labels) -> int:
    return len({one.key for one in labels.recordings})


# By names


def test_names_say_emotion_speaker_and_corpus(tmp_path: Path) -> None:
    folder = write(tmp_path, ["a/DC_a01.wav", "b/03-01-04-01-01-01-07.wav", "c/me.wav"])
    labels = labels_of_names([folder])
    found = [(one.name, one.speaker, one.corpus) for one in labels.recordings]
    assert found == [("angry", "saveeDC", "savee"), ("sad", "ravdess07", "ravdess")]
    assert labels.left_out == {NO_CLIP_NAME: 1}


def test_jl_corpus_is_known_by_its_names(tmp_path: Path) -> None:
    names = ["male1_angry_1a_1.wav", "female2_excited_15b_2.wav", "male1_bored_1a_1.wav"]
    labels = labels_of_names([write(tmp_path, names)])
    found = [(one.name, one.speaker, one.corpus) for one in labels.recordings]
    assert found == [("excited", "female2", "jl-corpus"), ("angry", "male1", "jl-corpus")]


def test_copies_of_a_clip_have_one_key(tmp_path: Path) -> None:
    names = ["one/DC_a01.wav", "two/DC/a01.flac", "two/DC/a02.flac", "male1_sad_1a_1.wav"]
    folder = write(tmp_path, [*names, "copy/male1_sad_1a_1.wav"])
    labels = labels_of_names([folder])
    assert (len(labels.recordings), n_keys(labels)) == (5, 3)


def test_other_names_are_refused_with_what_to_do(tmp_path: Path) -> None:
    folder = write(tmp_path, ["one.wav", "two.wav"])
    with pytest.raises(CorporaError, match=r"2 recordings, such as .*one\.wav.*--labels folders"):
        labels_of_names([folder])


# By folders


def test_the_nearest_folder_named_after_an_emotion_says_it(tmp_path: Path) -> None:
    names = ["Angry/a.wav", "sad/old/b.wav", "joy/c.wav", "sad/fear/d.wav", "s1/happiness/e.wav"]
    folder = write(tmp_path, names)
    labels = labels_of_folders([folder], parse_map(["joy=happy"]))
    assert sorted(said(labels)) == [
        ("a.wav", "Angry"),
        ("b.wav", "sad"),
        ("c.wav", "joy"),
        ("d.wav", "fear"),
        ("e.wav", "happiness"),
    ]
    assert {one.speaker for one in labels.recordings} == {""}


@pytest.mark.parametrize("given", [["sad"], ["sad/a.wav"], ["sad", "sad/a.wav"], ["."], ["s*"]])
def test_a_path_may_itself_be_the_folder_or_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: list[str]
) -> None:
    write(tmp_path, ["sad/a.wav"])
    monkeypatch.chdir(tmp_path)
    assert said(labels_of_folders(given, NO_MAP)) == [("a.wav", "sad")]
    monkeypatch.chdir(tmp_path / "sad")
    assert said(labels_of_folders(["."], NO_MAP)) == [("a.wav", "sad")]


def test_folders_above_a_path_say_nothing(tmp_path: Path) -> None:
    folder = write(tmp_path / "sad" / "data", ["angry/a.wav", "b.wav"])
    with pytest.raises(LabelsError, match=r"folders named data \(1\): no emotions"):
        labels_of_folders([folder], NO_MAP)


def test_unknown_folders_are_refused_with_their_numbers(tmp_path: Path) -> None:
    folder = write(tmp_path, ["angry/a.wav", "bored/b.wav", "bored/c.wav", "hapy/d.wav"])
    with pytest.raises(LabelsError, match=r"bored \(2\), hapy \(1\).*--map bored=- ") as e:
        labels_of_folders([folder], NO_MAP)
    assert str(e.value).startswith(f"{folder}: a folder for each emotion is needed.")
    names = parse_map(["bored=-", "hapy=happy"])
    assert len(labels_of_folders([folder], names).recordings) == 4


def test_copies_of_trees_have_the_same_keys(tmp_path: Path) -> None:
    write(tmp_path / "one", ["angry/a.wav", "sad/a.wav", "sad/b.wav"])
    for copy in ("two", "one/again"):
        for name in ("angry/a.wav", "sad/a.wav", "sad/b.wav"):
            path = tmp_path / copy / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes((tmp_path / "one" / name).read_bytes())
    (tmp_path / "two" / "sad" / "b.wav").write_text("another, under the same name")
    labels = labels_of_folders([str(tmp_path / "one"), str(tmp_path / "two")], NO_MAP)
    assert (len(labels.recordings), n_keys(labels)) == (9, 4)


def test_the_same_bytes_under_another_name_are_another_recording(tmp_path: Path) -> None:
    folder = write(tmp_path, ["angry/a.wav", "sad/a.wav"])
    for name in ("angry/b.wav", "sad/a.wav"):
        (tmp_path / name).write_bytes((tmp_path / "angry/a.wav").read_bytes())
    assert n_keys(labels_of_folders([folder], NO_MAP)) == 3


def test_a_link_is_what_it_leads_to(tmp_path: Path) -> None:
    folder = write(tmp_path, ["angry/a.wav", "sad/b.wav"])
    os.symlink(tmp_path / "angry/a.wav", tmp_path / "angry/link.wav")
    os.symlink(tmp_path / "nowhere.wav", tmp_path / "sad/broken.wav")
    labels = labels_of_folders([folder], NO_MAP)
    assert (len(labels.recordings), n_keys(labels)) == (4, 3)


def test_nothing_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(NothingFoundError):
        labels_of_folders([str(tmp_path)], NO_MAP)
    with pytest.raises(PathError, match="nowhere"):
        labels_of_folders([str(tmp_path / "nowhere")], NO_MAP)


def test_clips_of_one_name_and_several_speakers_are_no_copies(tmp_path: Path) -> None:
    names = ["bea_Amused/amused_1-15_0001.wav", "sam_Amused/amused_1-15_0001.wav"]
    unknown = ["a/amused_1-15_0001.wav", "b/amused_1-15_0001.wav"]
    labels = labels_of_names([write(tmp_path, [*names, *unknown])])
    assert [one.speaker for one in labels.recordings] == ["", "", "emov-db-bea", "emov-db-sam"]
    assert len({one.key for one in labels.recordings}) == 4
