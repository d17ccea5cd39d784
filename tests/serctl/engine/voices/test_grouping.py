"""Which recordings are one voice's: tables, folders and patterns."""

import os

import pytest

from serctl.engine.voices.grouping import VoiceSource, parse_voices
from serctl.errors import LabelsError, PathError, UsageError

PATHS = ["calls/anna/1.wav", "calls/anna/2.wav", "calls/ben/1.wav", "x.wav"]


@pytest.fixture
def table(tmp_path, monkeypatch):
    """Give a function that writes a table in the current folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "calls").mkdir()

    def write(text, encoding="utf-8", name="voices.csv"):
        (tmp_path / name).write_bytes(text.encode(encoding))
        return name

    return write


def voices_of(value, folders=("calls",)):
    return parse_voices(value).voices_of(PATHS, folders)


def test_each_folder_is_a_voice():
    assert voices_of("folder") == ["calls/anna", "calls/anna", "calls/ben", "."]
    spelled = parse_voices("folder").voices_of(["a/1.wav", "./a/2.wav", "b/../a/3.wav"], [])
    assert spelled == ["a", "a", "a"]


def test_a_pattern_is_searched_in_the_path():
    assert voices_of(r"/(?P<voice>\w+)/\d") == ["anna", "anna", "ben", ""]
    assert voices_of(r"(?P<voice>ben)?/1") == ["", "", "ben", ""]  # an empty match is none


def test_all_recordings_of_a_room_are_one_group():
    assert VoiceSource("same-room").voices_of(PATHS, []) == ["same-room"] * 4


ROWS = ["path,voice", "anna/1.wav,A", "calls/anna/2.wav, A ", "ben/1.wav,B", "gone.wav,B"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_table_is_read_as_spreadsheets_save_it(table, encoding, separator, end):
    text = "".join(row.replace(",", separator) + end for row in ROWS)
    assert voices_of(table(text, encoding)) == ["A", "A", "B", ""]


def test_other_columns_any_order_and_cells_with_commas(table):
    text = 'Emotion;VOICE;Path\nsad;"1,5";x.wav\n;B;ben/1.wav\n\n;;anna/1.wav\n'
    assert voices_of(table(text)) == ["", "", "B", "1,5"]


def test_paths_of_a_table_begin_in_its_own_folder_too(table):
    os.mkdir("calls/anna")
    name = table("path,voice\n1.wav,A\n../ben/1.wav,B\n", name="calls/anna/voices.csv")
    assert voices_of(name, folders=()) == ["A", "", "B", ""]


def test_a_table_called_folder_is_named_by_its_path(table):
    table("path,voice\nx.wav,A\n", name="folder")
    assert voices_of("./folder") == ["", "", "", "A"]
    assert voices_of("folder")[3] == "."


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no columns path in its first line, which has nothing"),
        ("path,speaker\nx.wav,A\n", "no columns voice .* has 'path', 'speaker'"),
        ("path,voice,path\nx.wav,A,y\n", "2 columns path"),
        ("path,voice\n", "no row below the header"),
        ("path,voice\nx.wav\n", "line 2: 1 cells, and the header has 2"),
        ("path,voice\n,A\n", "line 2: no path"),
        ('path,voice\nx.wav,"A\n', "not CSV"),
        ("path,voice\nx\0.wav,A\n", "zero byte"),
    ],
)
def test_a_bad_table_is_refused_with_its_line(table, text, message):
    with pytest.raises(LabelsError, match=message):
        parse_voices(table(text))


def test_a_table_that_fits_nothing_or_contradicts_itself_is_refused(table):
    source = parse_voices(table("path,voice\nother.wav,A\n"))
    with pytest.raises(LabelsError, match=r"names none of 4 recordings. It has 'other.wav'"):
        source.voices_of(PATHS, [])
    source = parse_voices(table("path,voice\nx.wav,A\n./x.wav,B\n"))
    with pytest.raises(LabelsError, match=r"lines 2 and 3: ./x.wav has the voices 'A' and 'B'"):
        source.voices_of(PATHS, [])
    again = parse_voices(table("path,voice\nx.wav,A\n./x.wav,A\n"))
    assert again.voices_of(PATHS, [])[3] == "A"


def test_what_is_no_table_and_no_pattern_is_refused(table, tmp_path):
    with pytest.raises(PathError, match="nowhere: there is no such table"):
        parse_voices("nowhere")
    with pytest.raises(LabelsError, match="calls: not a file"):
        parse_voices("calls")
    with pytest.raises(UsageError, match="not a regular expression"):
        parse_voices("(?P<voice>[)")
    with pytest.raises(UsageError, match=r"matches none of 4 recordings, such as calls/anna/1.wav"):
        voices_of("(?P<voice>zzz)")
