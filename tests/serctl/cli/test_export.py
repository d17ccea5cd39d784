"""``serctl export``: its file, and what it refuses."""

import shutil
from pathlib import Path

import onnx
import pytest

from serctl.cli import run


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_a_file_is_written_and_described(tiny_folder, capsys):
    assert run(["export", str(tiny_folder), "-o", "a.onnx"]) == 0
    onnx.checker.check_model("a.onnx")
    assert "a.onnx: " in capsys.readouterr().out
    assert [path.name for path in Path().iterdir()] == ["a.onnx"]


def test_the_file_has_the_name_of_the_folder_by_default(tiny_folder):
    shutil.copytree(tiny_folder, "mine")
    assert run(["export", "mine/"]) == 0
    assert Path("mine.onnx").exists()


def test_an_existing_file_is_kept_without_overwrite(tiny_folder, capsys):
    Path("a.onnx").write_text("kept")
    assert run(["export", str(tiny_folder), "-o", "a.onnx"]) == 2
    assert Path("a.onnx").read_text() == "kept"
    assert "exists already" in capsys.readouterr().err
    assert run(["export", str(tiny_folder), "-o", "a.onnx", "--overwrite"]) == 0


def test_an_unknown_model_is_reported_before_the_output(capsys):
    Path("a.onnx").touch()
    assert run(["export", "nothing", "-o", "a.onnx"]) == 2
    assert "nothing: not available" in capsys.readouterr().err


def test_another_extension_is_refused(tiny_folder, capsys):
    assert run(["export", str(tiny_folder), "-o", "a.tflite"]) == 2
    assert "not one of .onnx" in capsys.readouterr().err
