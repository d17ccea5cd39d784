"""``serctl models``, ``doctor`` and ``completion``: what is installed, and whether it works."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import serctl.weights
from serctl.cli import cli, run
from serctl.cli.terminal import checks
from serctl.models.loading import describe_models
from serctl.weights import bundled_models

ROOT = Path(serctl.weights.__file__).parent


def test_every_bundled_model_is_in_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["models"]) == 0
    lines = capsys.readouterr().out.splitlines()
    for name in bundled_models():
        assert any(line.strip().startswith(name) for line in lines)
    assert any("cnn (default)" in line for line in lines)


def test_accuracy_is_that_of_the_measurements() -> None:
    measured = json.loads((ROOT / "models.json").read_text())
    assert {m.name: m.new_speakers_ua for m in describe_models()} == {
        name: values["new_speakers_ua"] for name, values in measured.items()
    }


def test_the_size_counts_the_encoder_and_the_second_model() -> None:
    size = {model.name: model.size_bytes for model in describe_models()}
    head = (ROOT / "whisper" / "model.safetensors").stat().st_size
    encoder = (ROOT / "whisper-base-encoder" / "encoder.safetensors").stat().st_size
    assert size["whisper"] == head + encoder + (ROOT / "cnn" / "model.safetensors").stat().st_size


def test_the_card_of_a_model_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["models", "paper-cnn"]) == 0
    assert capsys.readouterr().out.rstrip() == (ROOT / "paper-cnn" / "card.md").read_text().rstrip()


def test_a_model_without_a_card_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["models", str(tmp_path)]) == 3
    assert "card.md: cannot be read" in capsys.readouterr().err
    assert run(["models", "nothing"]) == 2
    assert "Bundled models: cnn" in capsys.readouterr().err


def test_the_doctor_runs_every_check(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor"]) == 0
    out = capsys.readouterr().out
    for name, _ in checks.CHECKS:
        assert f"ok      {name}" in out
    assert "serctl works on this machine." in out


def test_the_doctor_goes_on_after_a_check_that_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> str:
        raise OSError("no space left")

    monkeypatch.setattr(checks, "CHECKS", (("disk", fail), ("threads", lambda: "2")))
    assert run(["doctor"]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "FAILED  disk              OSError: no space left",
        "ok      threads           2",
        "",
        "1 of 2 checks failed.",
    ]


def test_telemetry_that_is_on_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ORT_DISABLE_TELEMETRY")
    with pytest.raises(RuntimeError, match="telemetry is on"):
        dict(checks.CHECKS)["telemetry"]()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_each_shell_has_a_script(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["completion", shell]) == 0
    assert f"{shell}_complete" in capsys.readouterr().out


def complete(shell: str, words: str, incomplete: str) -> list[str]:
    """What serctl answers a shell."""
    in_bash = str(len(words.split()) - (incomplete != "")) if shell == "bash" else incomplete
    variables = {
        "_SERCTL_COMPLETE": f"{shell}_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": in_bash,
    }
    command = [sys.executable, "-m", "serctl"]
    done = subprocess.run(
        command, env=os.environ | variables, capture_output=True, text=True, check=True
    )
    separator = "," if shell == "bash" else "\t"
    return [line.split(separator)[1] for line in done.stdout.splitlines()]


@pytest.mark.parametrize("shell", ["bash", "powershell"])
def test_commands_models_and_splits_are_completed(shell: str) -> None:
    assert complete(shell, "serctl cl", "cl") == ["classify", "clips"]
    assert complete(shell, "serctl classify --model wh", "wh") == ["whisper"]
    assert complete(shell, "serctl train --split cross", "cross") == [
        f"cross-corpus-{corpus}" for corpus in ("crema-d", "ravdess", "savee", "tess")
    ]
    assert set(complete(shell, "serctl ", "")) == set(cli.commands)
