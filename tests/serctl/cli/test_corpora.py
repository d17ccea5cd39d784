import os
import re
import shutil
import wave
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from serctl.cli import run
from serctl.cli.corpora import corpora
from serctl.train.corpora.manifest import SOURCES, manifest

Run = Callable[..., tuple[int, str, str]]


def write_wav(path: Path, number: int) -> None:
    """Write four samples, which say ``number`` and are never all zero."""
    if not path.parent.is_dir():
        path.parent.mkdir(parents=True)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes(number.to_bytes(4, "little") + b"\x00\x10\x00\x20")


@pytest.fixture(scope="module")
def complete(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny file for each clip of the four corpora; tests leave it as it is."""
    root = tmp_path_factory.mktemp("complete")
    for number, path in enumerate(manifest()["path"]):
        write_wav(root / path, number)
    return root


@pytest.fixture
def few(tmp_path: Path) -> Path:
    """Clips with one of each oddity."""
    root = tmp_path / "few [clips]"
    for number, take in enumerate(("a01", "a02", "f01", "h01", "h02")):
        write_wav(root / "SAVEE" / f"DC_{take}.wav", number)
    shutil.copy(root / "SAVEE" / "DC_h01.wav", root / "SAVEE" / "DC_h02.wav")
    shutil.copytree(root / "SAVEE", root / "SAVEE" / "SAVEE")
    write_wav(root / "SAVEE" / "SAVEE" / "DC_a02.wav", 99)
    (root / "SAVEE" / "DC_n01.wav").write_bytes(b"not audio")
    with wave.open(str(root / "SAVEE" / "DC_n02.wav"), "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes(bytes(64))
    write_wav(root / "mine [1] \x1b[31m.wav", 7)
    write_wav(root / "03-02-02-01-01-01-01.wav", 8)
    return root


@pytest.fixture
def serctl(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the command line on a wide terminal; exit status, standard output, standard error."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("SERCTL_CORPORA", raising=False)

    def serctl(*arguments: object) -> tuple[int, str, str]:
        status = run(["corpora", *map(str, arguments)])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return serctl


def cells(output: str, first: str) -> list[str]:
    """Cells of the table row that starts with ``first``, without the empty ones."""
    (line,) = (line for line in output.splitlines() if re.match(rf" {re.escape(first)}  ", line))
    return re.split(" {2,}", line.strip())


def test_complete_corpora(complete: Path, serctl: Run) -> None:
    status, output, _ = serctl(complete)
    assert status == 0
    assert cells(output, "sad") == ["sad", "1271", "192", "60", "400", "1923", "1923"]
    assert cells(output, "calm") == ["calm", "192", "192", "192"]
    assert cells(output, "all") == ["all", "7442", "1440", "480", "2800", "12162", "12162"]
    assert "The report's five emotions: 9615 of 9615 clips, 1923 each." in output
    assert "Neutral, including calm: 1895 of 1895 clips." in output
    assert "None: missing; unreadable; silent; identical to another;" in output
    assert cells(output, "modified")[1] == "12162"
    assert "Download the missing" not in output


def test_every_oddity_is_counted_and_named(few: Path, serctl: Run) -> None:
    status, output, _ = serctl(few)
    assert status == 1
    assert cells(output, "missing (tess)")[1] == "2800"
    assert cells(output, "missing (savee)")[1] == "473"
    names = "DC_a03, DC_a04, DC_a05, ..."
    assert cells(output, "missing (savee)")[2] == names
    reason = "SAVEE/DC_n01.wav (Format not recognised)"
    assert cells(output, "unreadable")[1:] == ["1", reason]
    assert cells(output, "silent")[1:] == ["1", "DC_n02"]
    assert cells(output, "identical to another")[1:] == ["1", "DC_h01 = DC_h02"]
    repeat = "SAVEE/SAVEE/DC_a01.wav (of SAVEE/DC_a01.wav)"
    assert cells(output, "duplicate (same bytes)")[1:] == ["4", repeat]
    repeat = "SAVEE/SAVEE/DC_a02.wav (of SAVEE/DC_a02.wav)"
    assert cells(output, "duplicate (other bytes)")[1:] == ["1", repeat]
    assert cells(output, "unknown name")[1:] == ["1", r"mine [1] \x1b[31m.wav"]
    assert cells(output, "song (left out)")[1:] == ["1", "03-02-02-01-01-01-01.wav"]
    assert cells(output, "modified")[1] == "6"
    assert "None:" not in output
    assert all(source in output for source in SOURCES.values())
    assert cells(output, "happy") == ["happy", "0", "0", "2", "0", "2", "1923"]
    assert "5 of 9615 clips, 0 to 2 each" in output
    assert str(few) in output


def test_one_unreadable_clip_of_complete_corpora_is_told_by_the_status(
    complete: Path, tmp_path: Path, serctl: Run
) -> None:
    for corpus in ("CREMA-D", "RAVDESS", "TESS"):
        (tmp_path / corpus).symlink_to(complete / corpus, target_is_directory=True)
    shutil.copytree(complete / "SAVEE", tmp_path / "SAVEE")
    (tmp_path / "SAVEE" / "ALL" / "DC_a01.wav").write_bytes(b"")
    status, output, _ = serctl(tmp_path)
    assert status == 1
    assert cells(output, "unreadable")[1:] == ["1", "SAVEE/ALL/DC_a01.wav (0 bytes)"]
    assert "Download the missing" not in output


def test_the_table_is_written(few: Path, tmp_path: Path, serctl: Run) -> None:
    output = tmp_path / "clips.csv"
    status, printed, _ = serctl(few, "-o", output)
    assert status == 1
    assert f"Table: {output}" in printed
    table = pd.read_csv(output)
    assert (
        list(table)
        == (
            "path corpus clip speaker emotion fold test emobox duration_s sample_rate_hz channels "
            "sha256 original status reason"
        ).split()
    )
    clips = ["DC_a01", "DC_a02", "DC_f01", "DC_h01", "DC_h02", "DC_n01", "DC_n02"]
    assert table["clip"].tolist() == clips
    assert table["status"].tolist() == ["ok"] * 5 + ["unreadable", "silent"]
    assert table["path"].map(os.path.isfile).all()
    assert sorted(os.listdir(tmp_path)) == ["clips.csv", "few [clips]"]


def test_a_table_is_not_overwritten_unasked(few: Path, tmp_path: Path, serctl: Run) -> None:
    output = tmp_path / "clips.csv"
    output.write_text("mine")
    status, _, error = serctl(few, "-o", output)
    assert status == 2
    assert f"{output}: exists already" in error
    assert output.read_text() == "mine"
    status, _, _ = serctl(few, "-o", output, "--overwrite")
    assert status == 1
    assert output.read_text().startswith("path,corpus,clip")


@pytest.mark.parametrize(
    ("output", "expected", "message"),
    [("clips.json", 2, "Choose a name that ends in .csv"), ("no/clips.csv", 3, "does not exist")],
)
def test_an_output_that_cannot_be(
    few: Path, tmp_path: Path, serctl: Run, output: str, expected: int, message: str
) -> None:
    status, printed, error = serctl(few, "-o", tmp_path / output)
    assert (status, printed) == (expected, "")
    assert message in error


def test_a_failed_write_leaves_nothing(
    few: Path, tmp_path: Path, serctl: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*paths: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", refuse)
    status, _, error = serctl(few, "-o", tmp_path / "clips.csv")
    assert status == 3
    assert "clips.csv: cannot be written (No space left on device)" in error
    assert os.listdir(tmp_path) == ["few [clips]"]


def test_clips_that_are_all_unreadable_are_still_listed(tmp_path: Path, serctl: Run) -> None:
    (tmp_path / "DC_a01.wav").write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    status, output, _ = serctl(tmp_path)
    assert status == 1
    assert cells(output, "all") == ["all", "0", "0", "0", "0", "0", "12162"]
    assert "Git LFS pointer" in cells(output, "unreadable")[2]


def test_a_folder_that_does_not_exist_is_wrong_usage(tmp_path: Path, serctl: Run) -> None:
    status, output, error = serctl(tmp_path / "nowhere")
    assert (status, output) == (2, "")
    assert f"{tmp_path / 'nowhere'}: does not exist" in error
    assert all(source in error for source in SOURCES.values())


def test_a_file_is_no_folder(tmp_path: Path, serctl: Run) -> None:
    (tmp_path / "a.wav").touch()
    status, _, error = serctl(tmp_path / "a.wav")
    assert status == 2
    assert "a.wav: is a file; a folder is needed" in error


def test_without_corpora_it_says_where_each_is_had(
    tmp_path: Path, serctl: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    status, output, error = serctl()
    assert (status, output) == (3, "")
    assert "./corpora: no such folder" in error
    for known in ("CheyneyComputerScience/CREMA-D", "1188976", "kahlan.eps.surrey", "SP2/E8H2MF"):
        assert known in error
    (tmp_path / "corpora").mkdir()
    status, _, error = serctl()
    assert status == 3
    assert "./corpora: no clip of the four corpora below it" in error


def test_the_folder_may_come_from_the_environment(
    few: Path, serctl: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SERCTL_CORPORA", str(few))
    status, output, _ = serctl()
    assert status == 1
    assert str(few) in output


def test_help_has_an_example() -> None:
    result = CliRunner().invoke(corpora, ["--help"])
    assert result.exit_code == 0
    assert "serctl corpora ~/corpora -o clips.csv" in result.output


def test_the_counts_are_drawn(few: Path, tmp_path: Path, serctl: Run) -> None:
    pictures = [tmp_path / "counts.png", tmp_path / "counts.svg"]
    options = [option for picture in pictures for option in ("--figure", picture)]
    status, printed, _ = serctl(few, *options)
    assert status == 1
    assert all(f"Figure: {picture}" in printed for picture in pictures)
    assert pictures[0].read_bytes().startswith(b"\x89PNG")
    assert pictures[1].read_text().startswith("<?xml")
    status, _, error = serctl(few, *options)
    assert status == 2
    assert f"{pictures[0]}: exists already" in error
    assert serctl(few, *options, "--overwrite")[0] == 1


def test_a_picture_needs_a_known_extension(few: Path, tmp_path: Path, serctl: Run) -> None:
    status, printed, error = serctl(few, "--figure", tmp_path / "counts.pdf")
    assert (status, printed) == (2, "")
    assert ".pdf is not one of .png, .svg" in error
