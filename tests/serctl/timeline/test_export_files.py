"""Exports in a folder: they mirror the recordings, and never collide."""

import csv
import os

import pandas
import pytest

from serctl.errors import ResultsError, UsageError
from serctl.results.segments import Segment
from serctl.timeline.export_files import ExportFolder, parse_formats

SEGMENTS = [
    Segment("x", 2, "", 1, 9, 5, "sad", 0.5, (0.5, 0.5)),
    Segment("x", 1, "", 0, 9, 5, "a", 0.5, (0.5, 0.5)),
]


def test_files_mirror_the_recordings(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = ExportFolder("out", ("audacity", "srt"))
    paths = [
        "calls/a.wav",
        "calls/a.mp3",
        "./calls/../calls/b.wav",
        "../c.wav",
        "/d/e.wav",
        "d/e.wav",
    ]
    written = [path for recording in paths for path in folder.write(recording, SEGMENTS, 10)]
    assert len(set(written)) == 2 * len(paths)
    above = str(tmp_path.parent).lstrip("/")
    assert written[::2] == [
        "out/calls/a.wav.txt",
        "out/calls/a.mp3.txt",
        "out/calls/b.wav.txt",
        f"out/{above}/c.wav.txt",
        "out/d/e.wav.txt",
        "out/d/e.wav-2.txt",
    ]
    assert all(os.path.isfile(path) for path in written)
    with open(written[0]) as file:
        assert [line.split("\t")[2] for line in file] == ["a (channel 1)\n", "sad (channel 2)\n"]


def test_audformat_is_one_table_of_all_recordings(tmp_path):
    late = Segment("b,c.wav", None, "Ann", 90061.5, 90070.25, 5, "sad", 0.25, (0.25, 0.75))
    with ExportFolder(str(tmp_path / "out"), ("audformat",)) as folder:
        assert folder.write("x", SEGMENTS, 10) == []
        folder.write("b,c.wav", [late], 90100)
    table = tmp_path / "out" / "audformat.csv"
    assert os.listdir(tmp_path / "out") == ["audformat.csv"]
    with open(table, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["file"], row["emotion"], row["channel"]) for row in rows] == [
        ("x", "a", "1"),
        ("x", "sad", "2"),
        ("b,c.wav", "sad", ""),
    ]
    assert (rows[2]["start"], rows[2]["end"]) == (
        "1 days 01:01:01.500000",
        "1 days 01:01:10.250000",
    )
    ends = pandas.to_timedelta(pandas.read_csv(table)["end"]).dt.total_seconds()
    assert ends.tolist() == [9, 9, 90070.25]


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(ResultsError, match="cannot be made"):
        ExportFolder(str(tmp_path / "out"), ("srt",)).write("a.wav", SEGMENTS, 10)
    with (
        pytest.raises(ResultsError, match="cannot be made"),
        ExportFolder(str(tmp_path / "out"), ("audformat",)),
    ):
        pass


def test_formats_are_parsed():
    assert parse_formats("TextGrid, srt,srt,audformat") == ("textgrid", "srt", "audformat")
    for text in ("", "doc", "srt,doc"):
        with pytest.raises(UsageError, match="is not one of audacity"):
            parse_formats(text)
