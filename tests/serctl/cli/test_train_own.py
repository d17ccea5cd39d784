"""`serctl train --data`, and what other commands do with a model of a user's own labels."""

import csv
from pathlib import Path

import numpy as np
import pytest
import soundfile
from support.own_recordings import noise, write_folders

from serctl.cli import run

pytestmark = pytest.mark.slow
PATTERN = ("--speaker-pattern", r"(?P<speaker>[a-z])_\w+\.wav")
QUICK = ("--start", "cnn", "--speech", "off")


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SERCTL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "80")


def test_from_a_folder_to_a_report(capsys: pytest.CaptureFixture[str]) -> None:
    write_folders(Path("data"))
    assert run(["train", "--data", "data", *PATTERN, *QUICK, "-o", "mine"]) == 0
    printed = capsys.readouterr()
    assert "Learned: 18 recordings, 3 speakers (from --speaker-pattern)" in printed.out
    assert "Cross-validation, 3 folds, one speaker each: 18 clips" in printed.out
    assert "Use them: serctl classify RECORDINGS --model mine" in printed.out
    assert "Warning: Only 3 speakers" in printed.err
    command = f"serctl train --data data --speaker-pattern '{PATTERN[1]}' --start cnn --speech off"
    assert f"    {command} -o mine\n" in Path("mine/card.md").read_text()

    # A recording that is longer than a window, so that there are segments.
    tones = [soundfile.read(path) for path in sorted(Path("data").rglob("*.wav"))]
    soundfile.write("data/low/long.wav", np.concatenate([tone for tone, _ in tones] * 3), 16000)
    classify = ["classify", "data", "--model", "mine", "--speech", "off"]
    assert run(classify) == 0
    rows = list(csv.DictReader(Path("serctl-results.csv").read_text("utf-8").splitlines()))
    assert len(rows) == 19
    assert [name for name in rows[0] if name.startswith("p_")] == ["p_high", "p_low"]
    right = [row["emotion"] == Path(row["path"]).parent.name for row in rows]
    assert sum(right) >= 16

    capsys.readouterr()
    for arguments in (["report"], ["report", "--rank", "low"], ["report", "--by", "folder"]):
        assert run(arguments) == 0
        assert "low" in capsys.readouterr().out
    assert run(["report", "--moments", "2", "--emotion", "high"]) in (0, 3)  # 3: there is none
    assert (
        run(["plot", "data/low/long.wav", "--timeline", "serctl-results.csv", "-o", "t.png"]) == 0
    )
    capsys.readouterr()

    Path("data/low/long.wav").unlink()
    assert run(["evaluate", "data", "--labels", "folders", "--model", "mine"]) == 0
    assert "mine: 18 clips" in capsys.readouterr().out
    classify += ["--emotions", "low,high", "-o", "-"]
    assert run(classify) == 0
    assert (
        run(["evaluate", "data", "--labels", "folders", "--map", "low=loud", "--model", "mine"])
        == 2
    )
    assert "calm, surprise, high, low are needed" in " ".join(capsys.readouterr().err.split())


def test_recordings_that_cannot_be_read_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    write_folders(Path("data"))
    noise(Path("data/low/z_bad.wav"))
    assert run(["train", "--data", "data", *PATTERN, *QUICK, "-o", "mine"]) == 1
    error = capsys.readouterr().err
    assert "1 recording could not be used:\n  data/low/z_bad.wav: " in error


def test_the_folder_is_named_after_the_data_by_default() -> None:
    write_folders(Path("data"))
    assert run(["train", "--data", "data", *QUICK]) == 0
    assert Path("serctl-weights/data/config.json").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--start", "cnn"], "--start: needs --data"),
        (["--map", "a=b", "--labels", "folders"], "--labels, --map: needs --data"),
        (["--data", "data", "--split", "report"], "--split: has no effect with --data"),
        (["--data", "data", "--resume", "--model", "cnn"], "--model, --resume: has no effect with"),
        (["--data", "nowhere"], "--data nowhere: does not exist"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("data").mkdir()
    assert run(["train", *arguments]) == 2
    assert message in " ".join(capsys.readouterr().err.split())


def test_labels_that_cannot_be_learned_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    write_folders(Path("data"), labels=("low",))
    assert run(["train", "--data", "data", "-o", "mine"]) == 3
    assert "labels found: low (9); at least two are needed" in capsys.readouterr().err
    assert not Path("mine").exists()
