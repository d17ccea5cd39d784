from pathlib import Path

import pytest
from support.own_recordings import write_folders, write_tone

from serctl.errors import LabelsError, PathError, UsageError
from serctl.train.custom.recordings import DataOptions, read_recordings

BY_NAME = r"(?P<speaker>[a-z])_\w+\.wav"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_folders(tmp_path / "data")


def read(data: Path | str, *pairs: str, **options: object):
    return read_recordings(DataOptions(str(data), pairs=pairs, **options))


def test_labels_are_the_first_folders(folder: Path) -> None:
    own = read(folder)
    assert own.labels == ("high", "low")
    assert len(own.recordings) == 18
    assert own.speakers_from == ""
    assert {one.name for one in own.recordings if "/low/" in one.path} == {"low"}


def test_a_second_level_of_folders_is_the_speaker(tmp_path: Path) -> None:
    for i, label in enumerate(("low", "high")):
        write_folders(tmp_path / "data" / label, ("anna", "ben"), "x", seed=1000 * i)
    own = read(tmp_path / "data")
    assert own.labels == ("high", "low")
    assert {one.speaker for one in own.recordings} == {"anna", "ben"}
    assert own.speakers_from == f"the folders below the folders of labels in {tmp_path / 'data'}"


def test_folders_of_emotions_below_those_of_speakers_are_the_labels(tmp_path: Path) -> None:
    for i, speaker in enumerate(("anna", "ben")):
        write_folders(tmp_path / "data" / speaker, ("Anger", "sad"), "x", seed=1000 * i)
    own = read(tmp_path / "data")
    assert own.labels == ("angry", "sad")
    assert {one.speaker for one in own.recordings} == {"anna", "ben"}
    assert own.notes == ["Counted: Anger as angry (6)."]


def test_a_pattern_finds_speakers_in_paths(folder: Path) -> None:
    own = read(folder, speaker_pattern=BY_NAME)
    assert {one.speaker for one in own.recordings} == {"a", "b", "c"}
    assert own.speakers_from == "--speaker-pattern"


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("(", r"--speaker-pattern \(: not a regular expression"),
        ("([a-z])_", r"no group named speaker; one is needed, such as '\(\?P<speaker>"),
        (r"(?P<speaker>[ab])_\w+\.wav", r"finds no speaker in 6 of 18 paths, such as .*/c_"),
    ],
)
def test_a_pattern_that_does_not_fit_is_refused(folder: Path, pattern: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read(folder, speaker_pattern=pattern)


def test_a_table_has_labels_speakers_and_parts(folder: Path) -> None:
    rows = [f"low/{s}_{w}.wav,Mild,{s},train" for s in "abc" for w in ("one", "two", "three")]
    rows += [f"high/{s}_{w}.wav,strong,{s},dev" for s in "abc" for w in ("one", "two")]
    rows += ["high/a_three.wav,strong,a,test"]
    table = folder / "labels.csv"
    table.write_text("\n".join(["path,Label,speaker,split", *rows]))
    own = read(table)
    assert own.labels == ("mild", "strong")
    assert len(own.recordings) == 15
    assert own.speakers_from == f"the column speaker of {table}"
    assert own.left_out == {f"{table} puts them into the part test": 1}


def test_the_map_joins_renames_and_leaves_out(tmp_path: Path) -> None:
    folder = write_folders(tmp_path, labels=("low", "high", "joy"))
    own = read(folder, "low=calm", "joy=-")
    assert own.labels == ("calm", "high")
    assert own.left_out == {"--map leaves them out": 9}
    assert own.notes == ["Counted: low as calm (9)."]


def test_copies_count_once(folder: Path) -> None:
    for name in ("a_one.wav", "a_two.wav"):
        (folder / "low" / f"copy of {name}").write_bytes((folder / "low" / name).read_bytes())
    own = read(folder)
    assert len(own.recordings) == 18
    assert own.left_out == {"copies, which count once": 2}


# What is wrong is said before any recording is decoded.


def test_one_recording_with_two_labels_is_refused(folder: Path) -> None:
    (folder / "low" / "z.wav").write_bytes((folder / "high" / "a_one.wav").read_bytes())
    with pytest.raises(LabelsError, match=r"1 recording with two labels: .*a_one\.wav is high"):
        read(folder)


def test_one_label_is_refused(tmp_path: Path) -> None:
    write_folders(tmp_path, labels=("low",))
    with pytest.raises(LabelsError, match=r"labels found: low \(9\); at least two are needed"):
        read(tmp_path)


def test_a_label_of_one_recording_is_refused(folder: Path) -> None:
    write_tone(folder / "rare" / "a.wav", 2, "a", 0)
    message = r"too few recordings of rare \(1\); at least 5 .* --map rare=-"
    with pytest.raises(LabelsError, match=message):
        read(folder)
    assert read(folder, "rare=-").labels == ("high", "low")


def test_two_spellings_are_refused(tmp_path: Path) -> None:
    folder = write_folders(tmp_path, labels=("happy", "hapy", "sad"))
    with pytest.raises(LabelsError, match=r"happy \(9\) and hapy \(9\) may be two spellings"):
        read(folder)
    assert read(folder, "hapy=happy").labels == ("happy", "sad")


def test_case_is_no_other_spelling(tmp_path: Path) -> None:
    write_folders(tmp_path, labels=("Happy", "happy", "sad"))
    assert read(tmp_path).labels == ("happy", "sad")


def test_more_than_fifty_labels_are_refused(tmp_path: Path) -> None:
    for i in range(51):
        write_tone(tmp_path / f"label{i}" / "a.wav", 0, "a", i)
    with pytest.raises(LabelsError, match=r"51 labels, and no more than 50 .* are these speakers"):
        read(tmp_path)


def test_names_that_no_column_can_have_are_refused(tmp_path: Path) -> None:
    write_folders(tmp_path, labels=("low,high", "mid"))
    with pytest.raises(LabelsError, match=r"the label 'low,high' cannot be the name of a column"):
        read(tmp_path)


def test_recordings_in_no_folder_are_refused(folder: Path) -> None:
    write_tone(folder / "loose.wav", 0, "a", 99)
    with pytest.raises(LabelsError, match=r"1 recording is in none, such as .*loose\.wav"):
        read(folder)


def test_a_table_of_files_that_moved_is_refused(folder: Path) -> None:
    table = folder / "labels.csv"
    table.write_text("path,label\nold/a_one.wav,low\nhigh/a_one.wav,high\n")
    with pytest.raises(LabelsError, match=r"1 of 2 rows name files that are not there: 'old/a_one"):
        read(table)


def test_beside_the_corpora_unknown_emotions_must_be_mapped(folder: Path) -> None:
    with pytest.raises(LabelsError, match=r"(low|high) \(9\), .*: no emotions that serctl knows"):
        read(folder, emotions_only=True)
    own = read(folder, "low=sad", "high=high", emotions_only=True)
    assert own.labels == ("sad", "high")


@pytest.mark.parametrize(
    ("data", "options", "error", "message"),
    [
        ("none", {}, PathError, "--data .*none: does not exist"),
        ("data", {"labels": "corpora"}, UsageError, "--labels corpora: use folders or the path"),
        ("t.csv", {"labels": "folders"}, UsageError, "is a table of labels already"),
        ("data", {"labels": "none.csv"}, PathError, "there is no such file"),
    ],
)
def test_paths_and_labels_that_do_not_fit_are_refused(
    folder: Path, data: str, options: dict, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        read(folder.parent / data, **options)


def test_a_map_of_no_label_is_refused(folder: Path) -> None:
    with pytest.raises(UsageError, match=r"--map joy=\.\.\.: no label .* Labels: high, low"):
        read(folder, "joy=happy")
