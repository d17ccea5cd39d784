import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from support.result_files import SIX

from serctl.cli import run
from serctl.reports.comparison import compare_results
from serctl.results.schema import Result
from serctl.results.writer import ResultsWriter


def labelled(path, emotion, confidence):
    rest = (1 - confidence) / 5
    shares = tuple(confidence if name == emotion else rest for name in SIX)
    return Result(path, "ok", "", emotion, confidence, shares, 1.0, 16000, 1, 1)


OLD = [
    labelled("a.wav", "sad", 0.6),
    labelled("b.wav", "sad", 0.5),
    labelled("c.wav", "happy", 0.9),
    Result("gone.wav", "silent", "silence"),
    Result("d.wav", "unreadable", "0 bytes"),
]
NEW = [
    labelled("a.wav", "sad", 0.7),
    labelled("b.wav", "angry", 0.8),
    labelled("c.wav", "neutral", 0.4),
    labelled("d.wav", "fear", 0.6),
    labelled("new.wav", "fear", 0.6),
]


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, results in (("old.csv", OLD), ("new.csv", NEW)):
        with ResultsWriter(name, SIX) as writer:
            for result in results:
                writer.write(result)
    return ["old.csv", "new.csv"]


def test_it_finds_what_changed_its_label_and_by_how_much(files):
    found = compare_results(*files)
    assert (found.n_both, found.n_same) == (4, 1)
    changed = {change.path: (change.old, change.new, change.change) for change in found.ordered}
    assert changed == {
        "b.wav": ("sad", "angry", pytest.approx(0.7)),
        "c.wav": ("happy", "neutral", pytest.approx(0.38)),
        "d.wav": ("unreadable", "fear", None),
        "new.wav": ("no row", "fear", None),
        "gone.wav": ("silent", "no row", None),
    }
    assert list(changed)[:2] == ["b.wav", "c.wav"]


def test_the_same_file_has_no_changes(files, capsys):
    assert compare_results("new.csv", "new.csv").changes == []
    assert run(["report", "--compare", "new.csv", "new.csv"]) == 0
    assert "5 rows in both, 0 with another label (0.0%)" in capsys.readouterr().out


def test_channels_are_compared_by_themselves(files, tmp_path):
    channels = [replace(NEW[0], channel=1), replace(NEW[1], path="a.wav", channel=2)]
    for name, results in (("one.jsonl", channels), ("two.jsonl", channels[::-1])):
        with ResultsWriter(name, SIX) as writer:
            for result in results:
                writer.write(result)
    found = compare_results("one.jsonl", "two.jsonl")
    assert (found.n_both, found.n_same) == (2, 2)


def test_all_formats_say_the_same(files, capsys):
    command = ["report", "--compare", *files]
    assert run(command) == 0
    printed = capsys.readouterr().out
    assert "4 rows in both, 3 with another label (75.0%); 1 only in the newer, 1 only in" in printed
    assert "sad -> angry" in printed
    assert "+0.700" in printed
    assert run([*command, "--format", "csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["path"] for row in rows][:2] == ["b.wav", "c.wav"]
    assert run([*command, "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert len(found["changes"]) == len(rows) == 5
    assert run([*command, "-o", "c.md"]) == 0
    assert "| b.wav | sad -\\> angry |" in Path("c.md").read_text("utf-8")


@pytest.mark.parametrize("arguments", [["old.csv"], ["old.csv", "new.csv", "--format", "html"]])
def test_it_needs_two_files_and_a_format_that_it_has(files, capsys, arguments):
    assert run(["report", "--compare", *arguments]) == 2
