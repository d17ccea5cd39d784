"""A path or a model that does not exist is reported before an output that exists, by every command."""

from pathlib import Path

import pytest

from serctl.cli import run

# Arguments, the output that exists, and what is reported.
CASES = {
    "classify": ("nowhere", "r.csv", "nowhere: does not exist"),
    "classify model": ("here --model nothing", "r.csv", "nothing: not available"),
    "features": ("nowhere", "r.csv", "nowhere: does not exist"),
    "features labels": ("here --labels nowhere.csv", "r.csv", "nowhere.csv: does not exist"),
    "plot": ("nowhere", "p.png", "nowhere: does not exist"),
    "scan": ("nowhere", "m.csv", "nowhere: does not exist"),
    "evaluate": ("nowhere --labels folders", "s.json", "nowhere: does not exist"),
    "evaluate model": ("here --labels folders --model nothing", "s.json", "nothing: not available"),
    "merge": ("nowhere.csv", "m.csv", "nowhere.csv: no nowhere.csv.run.json"),
    "report": ("nowhere.csv", "p.html", "nowhere.csv: does not exist"),
    "report default": ("", "p.html", "serctl-results.csv: does not exist"),
    "report compare": ("--compare a.csv nowhere.csv", "c.json", "nowhere.csv: does not exist"),
    "export": ("nothing", "e.onnx", "nothing: not available"),
    "corpora": ("nowhere", "c.csv", "nowhere: does not exist"),
    "train": ("--data nowhere", "w", "nowhere: does not exist"),
    "train model": ("--data here --start nothing", "w", "nothing: not available"),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_asked_for_comes_first(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    typed, output, expected = CASES[name]
    Path("here").mkdir()
    Path("a.csv").touch()
    if output == "w":
        Path("w").mkdir()
        Path("w", "model.safetensors").touch()
    else:
        Path(output).write_text("kept")
    assert run([name.split()[0], *typed.split(), "-o", output]) in (2, 3)
    assert expected in capsys.readouterr().err
    assert output == "w" or Path(output).read_text() == "kept"
