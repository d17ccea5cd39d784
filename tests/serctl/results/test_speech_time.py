"""Time by emotion in reports on results that have segments beside them."""

import json

import pytest

from serctl.cli import run
from serctl.results.schema import Result
from serctl.results.segments import Segment, SegmentsWriter
from serctl.results.writer import ResultsWriter

EMOTIONS = ("angry", "sad")


@pytest.fixture
def results(tmp_path):
    path = str(tmp_path / "r.csv")
    with ResultsWriter(path, EMOTIONS) as writer:
        writer.write(Result("a.wav", "ok", "", "sad", 0.6, (0.4, 0.6), 100.0, 8000, 2, 90))
    with SegmentsWriter(path + ".segments.csv", EMOTIONS) as writer:
        for start_s, speech_s, emotion in ((0, 30.0, "sad"), (40, 9.0, "angry"), (60, 1.0, "")):
            shares = (0.5, 0.5) if emotion else ()
            writer.write(
                Segment("a.wav", 1, "", start_s, start_s + 30, speech_s, emotion, 0.5, shares)
            )
        writer.write(Segment("b.wav", None, "", 0, 21, None, "angry", 0.5, (0.5, 0.5)))
    return path


def test_speech_by_emotion(results, capsys):
    assert run(["report", results, "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["speech"] == [
        {"emotion": "angry", "segments": 2, "speech_s": 30.0, "share": 0.5},
        {"emotion": "sad", "segments": 1, "speech_s": 30.0, "share": 0.5},
    ]
    assert run(["report", results]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "Speech in segments of 2 long recordings, whose one label is an average" in printed
    assert "angry 2 0:00:30 50.0%" in printed


def test_nothing_is_said_without_segments(results, tmp_path, capsys):
    (tmp_path / "r.csv.segments.csv").unlink()
    assert run(["report", results]) == 0
    assert "long recording" not in capsys.readouterr().out
