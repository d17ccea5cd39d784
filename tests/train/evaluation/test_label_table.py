import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from serctl.errors import LabelsError, NothingFoundError, PathError
from serctl.train.evaluation.label_names import EmotionNames, parse_map
from serctl.train.evaluation.label_table import labels_of_table
from serctl.train.evaluation.labels import Labels

NO_MAP = EmotionNames()
ROWS = "path,emotion\na.wav,angry\nsub/b.wav,sad\n"

Write = Callable[..., str]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a table, and empty files that it may name; give the table's path."""

    def write(content: str | bytes, files: Sequence[str] = ("a.wav", "sub/b.wav")) -> str:
        for name in files:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).touch()
        table = tmp_path / "labels.csv"
        table.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(table)

    return write


def read(table: str, *paths: object, names: EmotionNames = NO_MAP) -> Labels:
    return labels_of_table(table, [str(path) for path in paths], names)


def said(labels: Labels) -> list[tuple[str, str]]:
    return [(os.path.basename(one.path), one.name) for one in labels.recordings]


BOTH = [("a.wav", "angry"), ("b.wav", "sad")]


# What is read


def test_paths_begin_in_the_folder_of_the_table(write: Write, tmp_path: Path) -> None:
    table = write(ROWS)
    labels = read(table)
    assert said(labels) == BOTH
    assert labels.recordings[1].path == str(tmp_path / "sub" / "b.wav")
    assert labels.recordings[1].where == f"{table}, line 3"
    assert labels.warnings == []
    assert not any(labels.left_out.values())


def test_paths_begin_in_a_folder_that_is_named_first(write: Write, tmp_path: Path) -> None:
    table = write(ROWS, ["a.wav", "sub/b.wav", "data/a.wav", "data/sub/b.wav"])
    assert [one.path for one in read(table, tmp_path / "data").recordings] == [
        str(tmp_path / "data" / "a.wav"),
        str(tmp_path / "data" / "sub" / "b.wav"),
    ]
    moved = tmp_path / "lists" / "labels.csv"
    moved.parent.mkdir()
    os.rename(table, moved)
    assert said(read(str(moved), tmp_path / "data")) == BOTH


def test_absolute_paths_are_taken_as_they_are(write: Write, tmp_path: Path) -> None:
    rows = f"path,emotion\n{tmp_path}/a.wav,angry\n{tmp_path}/sub/b.wav,sad\n"
    assert said(read(write(rows))) == BOTH


def test_a_table_in_the_working_folder_needs_no_folder(
    write: Write, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    write(ROWS)
    monkeypatch.chdir(tmp_path)
    assert [one.path for one in read("labels.csv").recordings] == ["a.wav", "sub/b.wav"]


@pytest.mark.parametrize(
    "content",
    [
        "emotion,notes,path\nangry,x,a.wav\nsad,,sub/b.wav\n",
        "Path;Emotion\na.wav;angry\nsub/b.wav;sad\n",
        "path\temotion\na.wav\tangry\nsub/b.wav\tsad",
        "\ufeffpath,emotion\r\na.wav,angry\r\n\r\nsub/b.wav,sad\r\n",
        'path ,emotion\n"a.wav", angry\nsub/b.wav ,sad \n,\n',
    ],
    ids=["order", "semicolons", "tabs", "excel", "blanks"],
)
def test_tables_come_in_many_forms(write: Write, content: str) -> None:
    assert said(read(write(content))) == BOTH


def test_a_table_in_utf_16_is_read(write: Write) -> None:
    assert said(read(write(ROWS.replace("\n", "\r\n").encode("utf-16")))) == BOTH


def test_backslashes_get_a_hint(write: Write) -> None:
    table = write("path,emotion\nsub\\b.wav,sad\n")
    with pytest.raises(
        LabelsError, match="Paths have backslashes, as on Windows; write / in place"
    ):
        read(table)


def test_columns_that_are_known_are_used(write: Write) -> None:
    table = write("path,emotion,speaker,corpus\na.wav,angry,s1,mine\nsub/b.wav,sad,,\n")
    found = [(one.speaker, one.corpus) for one in read(table).recordings]
    assert found == [("s1", "mine"), ("", "")]


@pytest.mark.parametrize("name", ["a,b.wav", "ä ö.wav", ' "q".wav', "new\nline.wav", "\udce9.wav"])
def test_any_file_name_can_be_named(write: Write, name: str) -> None:
    quoted = '"' + name.replace('"', '""') + '"'
    content = f"path,emotion\n{quoted},angry\n".encode("utf-8", "surrogateescape")
    assert said(read(write(content, [name]))) == [(name, "angry")]


def test_two_ways_to_a_file_have_one_key(write: Write, tmp_path: Path) -> None:
    os.symlink("a.wav", tmp_path / "link.wav")
    rows = "path,emotion\na.wav,angry\nsub/../a.wav,angry\nlink.wav,angry\nsub/b.wav,sad\n"
    labels = read(write(rows))
    assert len(labels.recordings) == 4
    assert len({one.key for one in labels.recordings}) == 2


def test_paths_restrict_a_table_and_what_is_left_out_is_counted(
    write: Write, tmp_path: Path
) -> None:
    table = write(ROWS + "sub/c.wav,\n", ["a.wav", "sub/b.wav", "sub/c.wav", "sub/d.wav"])
    labels = read(table, tmp_path / "sub")
    assert said(labels) == [("b.wav", "sad")]
    assert labels.left_out == {
        f"in {table}, and not among the PATHS": 1,
        f"among the PATHS, and not in {table}": 1,
        f"{table} gives no emotion": 1,
    }
    assert said(read(table, tmp_path / "a.wav")) == [("a.wav", "angry")]


# Parts of a split

SPLIT = """\
path,emotion,speaker,split
a.wav,angry,s1,test
b.wav,sad,s2,test
c.wav,sad,s2,Test
d.wav,sad,s3,test
gone.wav,sad,s2,train
e.wav,angry,s4,validation
gone.wav,angry,s1,train
d.wav,angry,s5,train
"""
SPLIT_FILES = [f"{name}.wav" for name in "abcde"]


def test_the_test_part_is_scored_with_a_warning(write: Write) -> None:
    table = write(SPLIT, SPLIT_FILES)
    labels = read(table)
    assert [name for name, _ in said(labels)] == ["a.wav", "b.wav", "c.wav", "d.wav"]
    assert (
        labels.left_out[f"{table} puts them into another part than test (train, validation)"] == 4
    )
    assert labels.warnings == [
        f"{table}: 2 of 3 speakers of the test part (3 of 4 rows) are in another part too. For a "
        "model that learned from it, the figures say nothing about new speakers.",
        f"{table}: of the test part's recordings, 1 are in another part too.",
    ]


def test_a_part_column_is_a_split_column(write: Write) -> None:
    labels = read(write(SPLIT.replace("split", "PART"), SPLIT_FILES))
    assert len(labels.recordings) == 4
    assert len(labels.warnings) == 2


def test_speakers_of_one_part_alone_give_no_warning(write: Write) -> None:
    rows = "path,emotion,speaker,corpus,split\na.wav,angry,s1,x,test\nsub/b.wav,sad,s1,y,train\n"
    assert read(write(rows)).warnings == []  # another corpus has another s1
    rows = "path,emotion,split\na.wav,angry,test\nsub/b.wav,sad,train\n"
    assert read(write(rows)).warnings == []


@pytest.mark.parametrize("part", ["train", "test", "3", ""])
def test_a_split_of_one_part_is_none(write: Write, part: str) -> None:
    rows = f"path,emotion,split\na.wav,angry,{part}\nsub/b.wav,sad,{part}\n"
    assert said(read(write(rows))) == BOTH


@pytest.mark.parametrize("parts", [("train", "dev"), ("train", ""), ("Testing", "testing")])
def test_a_split_without_a_test_part_is_refused(write: Write, parts: tuple[str, str]) -> None:
    first, second = parts
    table = write(f"path,emotion,split\na.wav,angry,{first}\nsub/b.wav,sad,{second}\n")
    with pytest.raises(LabelsError) as error:
        read(table)
    found = ", ".join(map(repr, sorted(parts)))
    assert str(error.value) == (
        f"{table}: its split has the parts {found}, and none is called test. Call the one to score "
        "so, or leave the column out."
    )


def test_recordings_of_other_parts_are_not_said_to_be_missing_from_the_table(
    write: Write, tmp_path: Path
) -> None:
    table = write(SPLIT, [*SPLIT_FILES, "f.wav"])
    assert read(table, tmp_path).left_out[f"among the PATHS, and not in {table}"] == 1


# Refusals


def test_missing_files_are_named_with_where_they_were_looked_for(
    write: Write, tmp_path: Path
) -> None:
    rows = "".join(f"gone{i}.wav,sad\n" for i in range(5))
    table = write(ROWS + rows)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "x.wav").touch()
    with pytest.raises(LabelsError) as error:
        read(table, tmp_path / "data")
    assert str(error.value) == (
        f"{table}: 5 of 7 rows name files that are not there: 'gone0.wav' (line 4), 'gone1.wav' "
        f"(line 5), 'gone2.wav' (line 6), and 2 more. Looked for below {tmp_path / 'data'}, "
        f"{tmp_path}. Name the folder that the paths begin in, or remove the rows."
    )


def test_a_folder_is_no_recording(write: Write) -> None:
    with pytest.raises(LabelsError, match=r"1 of 2 rows name files that are not there: 'sub'"):
        read(write("path,emotion\na.wav,sad\nsub,angry\n"))


def test_a_table_in_another_encoding_is_said_to_be_so(write: Write) -> None:
    table = write("path,emotion\na.wav,angry\nfröhlich.wav,sad\n".encode("latin-1"))
    with pytest.raises(LabelsError, match=r"'fr\\udcf6hlich.wav' .*not in UTF-8 \(line 3\): save"):
        read(table)
    table = write("path,emotion\na.wav,fröhlich\n".encode("latin-1"))
    with pytest.raises(LabelsError, match=r"not in UTF-8 \(line 2\): save"):
        read(table)


def test_unknown_names_are_refused_unless_mapped(write: Write) -> None:
    table = write("path,emotion\na.wav,joy\nsub/b.wav,angr\n")
    with pytest.raises(LabelsError, match=r"labels\.csv: joy \(1\), angr \(1\): no emoti"):
        read(table)
    names = parse_map(["joy=happy", "angr=-"])
    assert said(read(table, names=names)) == [("a.wav", "joy"), ("b.wav", "angr")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "no column path and no column emotion in its first line, which has nothing"),
        ("file,label\na.wav,sad\n", "which has 'file', 'label'. A header with path and emotion"),
        ("path,label\na.wav,sad\n", "no column emotion in"),
        ("a.wav,sad\nsub/b.wav,angry\n", "which has 'a.wav', 'sad'"),
        ("path,emotion,Emotion\na.wav,sad,sad\n", "two columns emotion"),
        ("path,emotion\n", "no row below the header"),
        ("path,emotion\n\n,\n", "no row below the header"),
        ("path,emotion\na.wav,sad\na,b.wav,sad\n", "line 3: 3 cells, and the header has 2. Put a"),
        ("path,emotion\na.wav\n", "line 2: 1 cells, and the header has 2"),
        ("path,emotion\n,sad\n", "line 2: no path. Complete or remove"),
        ('path,emotion\n"a.wav,sad\n', r"line 2: cannot be read as CSV \(unexpected end of data\)"),
        ('path,emotion\n"a".wav,sad\n', "line 2: cannot be read as CSV"),
        (f"path,emotion\n{'a' * 200_000},sad\n", "line 2: cannot be read as CSV"),
        (
            ROWS.encode("utf-16-le"),
            "zero bytes, so it is no CSV, or one in UTF-16. Save it as CSV in",
        ),
        (b"RIFF\x00\x00\x00\x00WAVE", "zero bytes"),
    ],
)
def test_what_is_no_table_of_labels_is_refused(
    write: Write, content: str | bytes, message: str
) -> None:
    with pytest.raises(LabelsError, match=message) as error:
        read(write(content))
    assert "labels.csv" in str(error.value)


def test_a_table_that_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(PathError, match=r"none\.csv: there is no such file"):
        read(str(tmp_path / "none.csv"))
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(LabelsError, match=r"folder\.csv: cannot be read \(Is a directory\)"):
        read(str(tmp_path / "folder.csv"))


def test_paths_that_lead_nowhere_are_refused_first(write: Write, tmp_path: Path) -> None:
    table = write("path,emotion\ngone.wav,sad\n")
    with pytest.raises(PathError, match="nowhere"):
        read(table, tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(NothingFoundError, match="empty"):
        read(table, tmp_path / "empty")
