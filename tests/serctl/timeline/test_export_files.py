"""Exports in a folder: they mirror the recordings, and never collide."""

import os

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


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(ResultsError, match="cannot be made"):
        ExportFolder(str(tmp_path / "out"), ("srt",)).write("a.wav", SEGMENTS, 10)


def test_formats_are_parsed():
    assert parse_formats("TextGrid, srt,srt") == ("textgrid", "srt")
    for text in ("", "doc", "srt,doc"):
        with pytest.raises(UsageError, match="is not one of audacity"):
            parse_formats(text)
