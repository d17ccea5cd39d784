"""A package of the whole install that is missing is named, with what to install."""

import sys
from pathlib import Path

import pytest

from serctl.cli import run
from serctl.errors import MissingPackageError, missing_package

RECORDING = Path(__file__).parents[1] / "recordings" / "calls" / "train-times.wav"


@pytest.mark.parametrize(
    ("error", "package"),
    [
        (ModuleNotFoundError("no", name="torch.nn"), "torch"),
        (ModuleNotFoundError("no", name="sklearn"), "sklearn"),
        (ModuleNotFoundError("no", name="serctl.nothing"), ""),
        (ModuleNotFoundError("no"), ""),
        (ImportError("no", name="torch"), ""),
    ],
)
def test_packages_of_the_whole_install_are_named(error: Exception, package: str) -> None:
    missing = missing_package(error)
    assert isinstance(missing, MissingPackageError) == bool(package)
    assert not missing or f"this needs {package}, which is not installed" in str(missing)


def test_a_command_says_what_it_needs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "librosa", None)
    monkeypatch.setitem(sys.modules, "librosa.display", None)
    assert run(["plot", str(RECORDING), "-o", str(tmp_path / "a.png")]) == 3
    assert "Error: this needs librosa, which is not installed" in capsys.readouterr().err


@pytest.mark.usefixtures("new_workers")
def test_a_worker_says_what_it_needs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """As the lean install does: SciPy is needed by one of the models."""
    (tmp_path / "sitecustomize.py").write_text("import sys; sys.modules['scipy'] = None\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    output = str(tmp_path / "r.csv")
    assert run(["classify", str(RECORDING), "--model", "paper-rnn", "-o", output]) == 3
    assert "Error: this needs scipy, which is not installed" in capsys.readouterr().err
