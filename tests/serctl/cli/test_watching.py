"""``serctl classify``: log file, progress for programs, missing recordings, the order of errors."""

import json
import os
import re
import shutil
import sys
from pathlib import Path

import pytest

from serctl.cli import run
from serctl.errors import RunError

LINE = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4} (DEBUG|INFO|WARNING|ERROR) (.+)", re.ASCII
)
EMOTIONS = ("angry", "disgust", "fear", "happy", "sad")


@pytest.fixture
def talks(tmp_path, monkeypatch, write_recording):
    """Go to a folder with two recordings and a file that is none."""
    write_recording("talks/a.wav", "speech", 1.0, 16000)
    write_recording("talks/b.wav", "noise", 1.0, 16000)
    (tmp_path / "talks" / "text.wav").write_text("not sound")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "talks"


@pytest.fixture
def classify(tiny_folder):
    """Run `serctl classify` with the tiny model; exit status."""
    options = ["--model", str(tiny_folder), "--speech", "off"]
    return lambda *arguments: run(["classify", *arguments, *options])


def logged(path="run.log"):
    """Level and text of each line."""
    found = [LINE.fullmatch(line) for line in Path(path).read_text().splitlines()]
    assert None not in found
    return [match.groups() for match in found]


def test_the_log_says_what_was_done_and_what_was_not_read(classify, talks):
    assert classify("talks", "--log-file", "run.log") == 1
    begin, unread, end, status = logged()
    assert begin[0] == "INFO"
    assert re.fullmatch(r"serctl \S+: 3 recordings, model tiny, to serctl-results\.csv\.", begin[1])
    assert unread[0] == "WARNING"
    assert unread[1].startswith("talks/text.wav: unreadable. ")
    assert end == ("INFO", "3 classified in this run; in the results: 2 ok, 1 unreadable.")
    assert status == ("INFO", "Exit status 1.")


def test_runs_are_added_to_the_log(classify, talks):
    for _ in range(2):
        assert classify("talks", "--log-file", "run.log", "--update") == 1
    assert [text for _, text in logged()][4:][1:3] == [
        Path("run.log").read_text().splitlines()[1].partition(" WARNING ")[2],
        "1 classified in this run; in the results: 2 ok, 1 unreadable.",
    ]


@pytest.mark.parametrize(
    ("level", "levels"),
    [
        ("error", set()),
        ("warning", {"WARNING"}),
        ("info", {"WARNING", "INFO"}),
        ("debug", {"WARNING", "INFO", "DEBUG"}),
    ],
)
def test_the_level_selects_lines_and_no_line_has_an_emotion(classify, talks, level, levels):
    assert classify("talks", "--log-file", "run.log", "--log-level", level) == 1
    lines = logged()
    assert {name for name, _ in lines} == levels
    assert not [text for _, text in lines if any(emotion in text for emotion in EMOTIONS)]
    if level == "debug":
        assert ("DEBUG", "talks/a.wav: ok.") in lines


def test_the_error_that_ends_a_run_is_logged(classify, talks):
    assert classify("nowhere", "--log-file", "run.log") == 2
    ((level, text),) = logged()
    assert level == "ERROR"
    assert text.startswith("nowhere: does not exist")


@pytest.mark.parametrize(
    ("error", "expected", "status"),
    [
        (RunError("the disk is full"), "the disk is full", 3),
        (KeyboardInterrupt(), "Interrupted.", 130),
        (ValueError("odd"), "ValueError: odd", 3),
    ],
)
def test_any_end_is_logged(classify, talks, monkeypatch, error, expected, status):
    def fail(*_):
        raise error

    monkeypatch.setattr(sys.modules["serctl.cli.classify"], "_run", fail)
    assert classify("talks", "--log-file", "run.log") == status
    assert logged()[-1] == ("ERROR", expected)


def test_how_to_continue_is_logged(classify, talks, monkeypatch):
    def fail(*_):
        error = RunError("the disk is full")
        error.add_note("To continue, run the same command with --resume.")
        raise error

    monkeypatch.setattr(sys.modules["serctl.cli.classify"], "_run", fail)
    assert classify("talks", "--log-file", "run.log") == 3
    assert [text for _, text in logged()] == [
        "the disk is full",
        "To continue, run the same command with --resume.",
    ]


@pytest.mark.skipif(os.name == "nt", reason="no such names on Windows")
def test_a_name_makes_no_lines_of_its_own(classify, talks):
    (talks / "x\n2026-01-01T00:00:00+0000 ERROR lie.wav").write_text("not sound")
    assert classify("talks", "--log-file", "run.log") == 1
    assert not [text for level, text in logged() if level == "ERROR"]


def test_a_log_that_cannot_be_written_is_refused(classify, talks, capsys):
    assert classify("talks", "--log-file", "nowhere/run.log") == 3
    assert "--log-file nowhere/run.log: cannot be written" in capsys.readouterr().err
    assert classify("talks", "--log-file", "talks") == 3
    assert classify("talks", "--log-file", "./serctl-results.csv") == 2
    assert "is an output too" in capsys.readouterr().err
    assert classify("talks", "--log-level", "debug") == 2
    assert sorted(os.listdir()) == ["talks"]


def test_progress_is_an_object_a_line(classify, talks, capsys, monkeypatch):
    monkeypatch.setattr("serctl.progress.JSON_LINE_EVERY_S", 0.0)
    assert classify("talks", "--progress", "json", "--quiet") == 1
    captured = capsys.readouterr()
    lines = [json.loads(line) for line in captured.err.splitlines()]
    keys = ["done", "total", "failed", "rate", "eta", "current"]
    assert [list(line) for line in lines] == [keys] * len(lines)
    assert captured.out == ""
    assert [line["done"] for line in lines if line["current"]][-1] == 3
    first, last = lines[0], lines[-1]
    assert first == {
        "done": 0, "total": 3, "failed": 0, "rate": 0.0, "eta": None, "current": None,
    }  # fmt: skip
    assert (last["done"], last["failed"], last["eta"]) == (3, 1, 0.0)
    assert {line["current"] for line in lines[1:]} <= {
        None, "talks/a.wav", "talks/b.wav", "talks/text.wav",
    }  # fmt: skip


def rows(output="serctl-results.csv"):
    """Path to the line of it."""
    lines = Path(output).read_text().splitlines()[1:]
    return {line.split(",")[0]: line for line in lines}


def test_an_update_keeps_what_is_missing_if_asked(classify, talks, capsys):
    assert classify("talks") == 1
    before = rows()
    (talks / "a.wav").unlink()
    (talks / "text.wav").unlink()
    shutil.copy(talks / "b.wav", talks / "c.wav")
    assert classify("talks", "--update", "--keep-missing") == 1
    assert capsys.readouterr().out.splitlines()[-1] == (
        "Update: 1 classified (new, changed or failed before), 1 kept, 2 gone and kept."
    )
    after = rows()
    assert list(after) == ["talks/b.wav", "talks/c.wav", "talks/a.wav", "talks/text.wav"]
    assert {path: after[path] for path in before} == before
    record = json.loads(Path("serctl-results.csv.run.json").read_text())
    assert (record["n_found"], record["n_missing"]) == (2, 2)
    # Once more, and without: they stay, and go.
    assert classify("talks", "--update", "--keep-missing") == 1
    assert rows() == after
    assert classify("talks", "--update") == 0
    assert list(rows()) == ["talks/b.wav", "talks/c.wav"]


def test_what_was_missing_and_is_back_is_read_again(classify, talks):
    assert classify("talks") == 1
    (talks / "a.wav").rename("a.wav")
    assert classify("talks", "--update", "--keep-missing") == 1
    os.replace("a.wav", talks / "a.wav")
    (talks / "text.wav").unlink()
    assert classify("talks", "--update") == 0
    assert list(rows()) == ["talks/a.wav", "talks/b.wav"]


def test_an_interrupted_update_keeps_what_is_missing(classify, talks, monkeypatch):
    assert classify("talks") == 1
    before = rows()
    (talks / "a.wav").unlink()
    shutil.copy(talks / "b.wav", talks / "c.wav")
    with monkeypatch.context() as patch:
        patch.setattr("serctl.engine.run.Run._classify", _interrupt)
        patch.setattr("serctl.engine.workers.child.KILL_S", 60.0)  # the worker is to be gone
        assert classify("talks", "--update", "--keep-missing") == 130
    assert Path("serctl-results.csv.journal").exists()
    assert classify("talks", "--update", "--keep-missing") == 1
    assert rows()["talks/a.wav"] == before["talks/a.wav"]
    assert not Path("serctl-results.csv.journal").exists()


def _interrupt(*_):
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--keep-missing"], "needs --update"),
        (["--keep-missing", "--update", "--overwrite"], "without --overwrite"),
        (["--keep-missing", "--update", "--voices", "folder"], "not with --voices"),
        (["--keep-missing", "--update", "--shard", "1/2"], "not with --shard"),
    ],
)
def test_missing_recordings_cannot_always_be_kept(classify, talks, capsys, options, expected):
    assert classify("talks", *options) == 2
    assert expected in capsys.readouterr().err


def test_paths_and_models_are_checked_before_the_output(classify, talks, capsys):
    Path("serctl-results.csv").touch()
    assert classify("nowhere", "talks") == 2
    assert "nowhere: does not exist" in capsys.readouterr().err
    assert classify("talks/*.mp3") == 2
    assert "talks/*.mp3: does not exist, and matches nothing" in capsys.readouterr().err
    assert run(["classify", "talks", "--model", "nothing"]) == 2
    assert "nothing: not available" in capsys.readouterr().err
    assert classify("talks") == 2
    assert "serctl-results.csv: exists already" in capsys.readouterr().err
