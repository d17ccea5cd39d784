"""Options that several commands share: selecting recordings, and folders that cannot be listed."""

import inspect
import os
import shutil

import click
import pandas as pd
import pytest

from serctl.cli import cli, run

WARNING = "Warning: in/shut: this folder cannot be listed (Permission denied)."


@pytest.fixture
def folder(write_recording, tmp_path, monkeypatch):
    """Working folder with recordings in ``in``, named like clips of a corpus."""
    for name in ("in/DC_a01.wav", "in/DC_sa01.wav", "in/old/DC_sa02.wav"):
        write_recording(name, "speech", 0.5)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def shut(folder, monkeypatch):
    """The same with a folder that cannot be listed."""
    (folder / "in" / "shut").mkdir()
    scandir = os.scandir

    def refuse(path):
        if os.fspath(path).endswith("shut"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    return folder


def outputs(command):
    """Arguments that a command needs besides paths, and the options that choose its output."""
    return {"features": ["-o", "f.csv"], "plot": [], "evaluate": ["-o", "scores.json"]}[command]


@pytest.mark.parametrize("name", cli.commands)
def test_no_command_has_more_than_eight_parameters(name):
    function = inspect.unwrap(cli.commands[name].callback)
    assert len(inspect.signature(function).parameters) <= 8


SINGLE = [
    (name, option.opts[-1], option)
    for name, command in cli.commands.items()
    for option in command.params
    if isinstance(option, click.Option) and not (option.is_flag or option.multiple)
]


@pytest.mark.parametrize(
    ("name", "spelling", "option"), SINGLE, ids=[f"{name} {opt}" for name, opt, _ in SINGLE]
)
def test_no_option_with_one_value_is_given_twice(capsys, name, spelling, option):
    """The last one would win in silence."""
    arguments = [spelling, "1", option.opts[0], "2"]
    assert run([name, *arguments, "."]) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert f"Error: {spelling}: given more than once, and takes one value. Keep one." in said
    assert f"Usage: serctl {name} " in said
    assert run([name, *arguments, "--help"]) == 0


def test_flags_and_repeatable_options_are_given_as_often_as_wanted(folder):
    arguments = ["--include", "*a01*", "--include", "*sa01*", "--overwrite", "--overwrite"]
    assert run(["features", "in", *arguments, "-o", "f.csv"]) == 0
    assert len(pd.read_csv("f.csv")) == 2


@pytest.mark.parametrize("command", ["features", "plot", "evaluate"])
def test_a_folder_that_cannot_be_listed_is_a_warning(shut, tiny_folder, capsys, command):
    model = ["--model", str(tiny_folder)] if command == "evaluate" else []
    assert run([command, "in", *outputs(command), *model]) == 1
    captured = capsys.readouterr()
    assert WARNING in captured.err
    assert captured.out


def test_classify_gives_the_same_warning(shut, capsys):
    assert run(["classify", "in", "--dry-run"]) == 1
    captured = capsys.readouterr()
    assert WARNING in captured.err
    assert captured.out.splitlines() == ["in/DC_a01.wav", "in/DC_sa01.wav", "in/old/DC_sa02.wav"]


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["in", "--include", "DC_sa*"], ["in/DC_sa01.wav", "in/old/DC_sa02.wav"]),
        (["in", "--exclude", "old/"], ["in/DC_a01.wav", "in/DC_sa01.wav"]),
        (["--files-from", "list.txt"], ["in/old/DC_sa02.wav"]),
    ],
)
def test_features_of_selected_recordings(folder, arguments, names):
    (folder / "list.txt").write_text("in/old/DC_sa02.wav\n")
    assert run(["features", *arguments, "-o", "f.csv", "--workers", "2"]) == 0
    assert pd.read_csv("f.csv")["path"].tolist() == names


def test_plots_of_selected_recordings(folder, capsys):
    for i in range(7):
        shutil.copy("in/DC_a01.wav", f"in/many{i}.wav")
    assert run(["plot", "in"]) == 2
    assert "10 recordings: from 1 to 6" in capsys.readouterr().err
    assert run(["plot", "in", "--exclude", "many*"]) == 0


def test_scores_of_selected_recordings(folder, tiny_folder, capsys):
    model = ["--model", str(tiny_folder)]
    assert run(["evaluate", "in", "--exclude", "old", *model]) == 0
    assert capsys.readouterr().out.startswith("tiny: 2 clips")
    (folder / "list.txt").write_text("in/old/DC_sa02.wav\nin/DC_a01.wav\nin/DC_sa01.wav\n")
    assert run(["evaluate", "--files-from", "list.txt", *model]) == 0
    assert capsys.readouterr().out.startswith("tiny: 3 clips")
    rows = "path,emotion\nin/DC_a01.wav,sad\nin/DC_sa01.wav,angry\nin/old/DC_sa02.wav,angry\n"
    (folder / "labels.csv").write_text(rows)
    (folder / "list.txt").write_text("in/DC_a01.wav\nin/DC_sa01.wav\n")
    assert run(["evaluate", "--labels", "labels.csv", "--files-from", "list.txt", *model]) == 0
    assert capsys.readouterr().out.startswith("tiny: 2 clips")


def test_a_selection_has_no_effect_on_a_split(folder, capsys):
    assert run(["evaluate", "--split", "report", "--include", "a*"]) == 2
    assert "--include: has no effect with --split. Remove it." in capsys.readouterr().err
