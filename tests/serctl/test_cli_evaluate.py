import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import synthetic_corpora
import torch

from serctl.cli import run
from serctl.train.corpora import SOURCES

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def clips_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Synthetic clips that pass for complete corpora; tests leave it as it is."""
    return synthetic_corpora.write_clips(tmp_path_factory.mktemp("corpora"))


@pytest.fixture
def serctl(
    tiny_folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Run:
    """Run `serctl evaluate` with the tiny model; exit status, standard output, standard error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("SERCTL_CORPORA", raising=False)
    n_threads = torch.get_num_threads()

    def serctl(*arguments: object, model: object = tiny_folder) -> tuple[int, str, str]:
        status = run(["evaluate", "--model", str(model), *map(str, arguments)])
        torch.set_num_threads(n_threads)
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return serctl


@pytest.fixture
def small_corpora(clips_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder of the synthetic clips, passing for complete corpora."""
    synthetic_corpora.install(monkeypatch)
    return clips_folder


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    """A few clips: three of known emotions, one of another, and one recording of no corpus."""
    names = {
        "DC_a01": "angry",
        "DC_sa01": "sad",
        "JE_sa02": "sad",
        "DC_n01": "neutral",
        "me": "sad",
    }
    folder = tmp_path / "clips [1]"
    folder.mkdir()
    for i, (name, emotion) in enumerate(names.items()):
        samples = synthetic_corpora.speech(emotion, name[:2], i)
        soundfile.write(folder / f"{name}.wav", samples, synthetic_corpora.RATE_HZ)
    return folder


def cells(output: str, first: str) -> list[list[str]]:
    """Cells of the table rows that start with ``first``."""
    rows = [line.replace("│", " ").split() for line in output.splitlines()]
    return [row for row in rows if row[:1] == [first]]


# By name


def test_clips_are_scored_by_their_names(serctl: Run, clips: Path) -> None:
    status, output, error = serctl(clips)
    assert (status, error) == (0, "")
    assert output.startswith("tiny: 3 clips\n")
    assert "Left out: 1 clips of emotions that the model does not know." in output
    assert "Left out: 1 recordings that are no clips of the four corpora." in output
    by_emotion, confusion = cells(output, "sad")
    assert by_emotion[1] == "2"
    assert len(confusion) == 1 + 2  # the model chooses between the emotions that are there
    assert sum(map(int, confusion[1:])) == 2
    assert cells(output, "savee")[0][1] == "3"
    assert max(map(len, output.splitlines())) <= 80


def test_nothing_left_out_is_not_mentioned(serctl: Run, clips: Path) -> None:
    (clips / "me.wav").unlink()
    (clips / "DC_n01.wav").unlink()
    status, output, _ = serctl(clips)
    assert status == 0
    assert "Left out" not in output


def test_a_clip_that_cannot_be_read_counts_as_wrong(serctl: Run, clips: Path) -> None:
    (clips / "DC_sa01.wav").write_bytes(b"not audio")
    status, output, error = serctl(clips)
    assert status == 1
    assert output.startswith("tiny: 3 clips, 1 of them without an answer\n")
    assert f"{clips / 'DC_sa01.wav'}: Format not recognised." in error
    assert float(cells(output, "sad")[0][2].rstrip("%")) <= 50
    assert sum(map(int, cells(output, "sad")[1][1:])) == 1


def test_a_silent_clip_counts_as_wrong_and_was_read(serctl: Run, clips: Path) -> None:
    soundfile.write(clips / "DC_sa01.wav", np.zeros(16000), 16000)
    status, output, error = serctl(clips)
    assert (status, error) == (0, "")
    assert "1 of them without an answer" in output


def test_the_number_of_workers_changes_nothing(serctl: Run, small_corpora: Path) -> None:
    one, three = (serctl(small_corpora / "RAVDESS", "--workers", n) for n in (1, 3))
    assert one[0] == 0
    assert one == three


# By a split


def test_the_test_part_of_a_split_is_scored(serctl: Run, small_corpora: Path) -> None:
    status, output, _ = serctl("--corpora", small_corpora, "--split", "new-speakers", "--fold", 1)
    assert status == 0
    by_fold = cells(output, "tess")
    status, other, _ = serctl("--corpora", small_corpora, "--split", "new-speakers", "--fold", 4)
    assert status == 0
    assert by_fold
    assert not cells(other, "tess")  # its two speakers are in folds 0 and 1
    assert "1 of them without an answer" in other  # the silent clip


def test_the_seed_draws_the_report_split(
    serctl: Run, small_corpora: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SERCTL_CORPORA", str(small_corpora))
    results = [serctl("--split", "report", "--seed", seed) for seed in (0, 0, 1)]
    assert [status for status, _, _ in results] == [0, 0, 0]
    assert results[0] == results[1] != results[2]


# Refusals


def test_help_has_examples(serctl: Run) -> None:
    status, output, _ = serctl("--help")
    assert status == 0
    assert "serctl evaluate --corpora ./corpora --split new-speakers --fold 0" in output
    assert "--labels corpora" in output


def test_paths_and_a_split_exclude_each_other(serctl: Run, clips: Path) -> None:
    for arguments in ((), (clips, "--split", "report")):
        status, output, error = serctl(*arguments)
        assert (status, output) == (2, "")
        assert "Give either PATHS or --split." in error


@pytest.mark.parametrize(
    ("names", "expected", "message"),
    [
        (None, 2, "nowhere"),
        ([], 3, "folder"),
        (["one.wav", "two.wav"], 3, "2 recordings, such as folder/one.wav, none with the name"),
        (["DC_a01.wav", "DC_a02.wav"], 3, "of the model's emotions only angry; to score it"),
    ],
)
def test_what_cannot_be_scored_is_named(
    serctl: Run, names: list[str] | None, expected: int, message: str
) -> None:
    os.mkdir("folder")
    for name in names or []:
        Path("folder", name).touch()
    status, output, error = serctl("nowhere" if names is None else "folder")
    assert (status, output) == (expected, "")
    assert error.startswith("Error: ")
    assert message in error


def test_absent_corpora_say_where_they_are_had(serctl: Run) -> None:
    status, output, error = serctl("--split", "new-speakers")
    assert (status, output) == (3, "")
    assert "./corpora: no such folder." in error
    assert all(source in error for source in SOURCES.values())


@pytest.mark.parametrize("arguments", [("--fold", "5"), ("--seed", "-1"), ("--labels", "mine")])
def test_options_out_of_range_are_wrong_usage(
    serctl: Run, clips: Path, arguments: tuple[str, str]
) -> None:
    status, output, error = serctl(clips, *arguments)
    assert (status, output) == (2, "")
    assert arguments[1] in error


def test_a_model_that_cannot_be_had_or_loaded(
    serctl: Run, clips: Path, tiny_folder: Path, tmp_path: Path
) -> None:
    status, _, error = serctl(clips, model="unknown")
    assert status == 2
    assert "unknown: neither a bundled model" in error
    unfinished = tmp_path / "unfinished"
    shutil.copytree(tiny_folder, unfinished)
    (unfinished / "checkpoint.pt").touch()
    status, _, error = serctl(clips, model=unfinished)
    assert status == 3
    assert "checkpoint.pt" in error


# Fold 0


def test_fold_0_is_scored_whole(serctl: Run, fold0: Path) -> None:
    status, output, _ = serctl(fold0)
    assert status == 0
    assert output.startswith("tiny: 1805 clips\n")
    assert f"Left out: {2258 - 1805} clips of emotions that the model does not know." in output
    assert "no clips of the four corpora" not in output
    counts = {corpus: cells(output, corpus)[0][1] for corpus in ("crema-d", "ravdess", "savee")}
    assert counts == {"crema-d": "1330", "ravdess": "200", "savee": "75"}
