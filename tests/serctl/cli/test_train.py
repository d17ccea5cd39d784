import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from support import synthetic_corpora

from serctl.cli import run
from serctl.cli.options import SPLITS as cli_splits
from serctl.train.corpora.manifest import SOURCES
from serctl.train.corpora.splits import SPLITS
from serctl.train.recipes.schema import Recipe
from serctl.train.training import train

Run = Callable[..., tuple[int, str, str]]
pytestmark = pytest.mark.slow

N_EPOCHS = 40  # so many that a kill comes before the last


PAPER_CNN = ("--model", "paper-cnn")  # which is trained in no time


@pytest.fixture(scope="module", autouse=True)
def torch_settings() -> Iterator[None]:
    """One thread, as the subprocesses have; all is put back."""
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(n_threads)
    if torch.are_deterministic_algorithms_enabled():
        torch.set_deterministic_debug_mode("default")


@pytest.fixture
def serctl(
    clips_folder: Path,
    cache: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Run:
    """Run `serctl train` on the synthetic corpora; exit status, standard output, standard error."""
    synthetic_corpora.install(monkeypatch)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("SERCTL_CACHE", str(cache))
    monkeypatch.setenv("SERCTL_CORPORA", str(clips_folder))

    def serctl(*arguments: object) -> tuple[int, str, str]:
        status = run(["train", *map(str, arguments)])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return serctl


def cells(output: str, first: str) -> list[list[str]]:
    """Cells of the table rows that start with ``first``."""
    rows = [line.replace("│", " ").split() for line in output.splitlines()]
    return [row for row in rows if row[:1] == [first]]


# What it does


def test_bare_it_trains_the_default_model_to_the_default_folder(
    serctl: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def recipe_of_two_epochs(name: str) -> Recipe:
        recipe = synthetic_corpora.small_recipe(name)
        assert recipe.training is not None
        return replace(recipe, training=replace(recipe.training, n_epochs=2))

    monkeypatch.setattr(train, "load_recipe", recipe_of_two_epochs)
    status, output, progress = serctl()
    assert status == 0
    folder = Path("serctl-weights", "cnn")
    assert f"Weights: {folder}" in output.splitlines()
    metrics = json.loads((folder / "metrics.json").read_text())
    assert (metrics["split"], metrics["fold"], metrics["seed"]) == ("new-speakers", 0, 0)
    lines = [line.partition(":")[0] for line in progress.splitlines()]
    # On a busy machine, features take so long that their progress is printed too.
    assert [line for line in lines if line.startswith("network")] == [
        f"network {i} of 2, epoch {n} of at most {len(history['epochs'])}"
        for i, history in enumerate(metrics["histories"], 1)
        for n in range(1, len(history["epochs"]) + 1)
    ]
    assert len(metrics["histories"]) == 2


def test_it_prints_the_scores_of_the_test_part(serctl: Run) -> None:
    status, output, _ = serctl(*PAPER_CNN, "--epochs", 2, "--fold", 3, "-o", "weights")
    assert status == 0
    test = json.loads(Path("weights", "metrics.json").read_text())["test"]
    assert f"paper-cnn, test part of new-speakers, fold 3: {test['n_clips']} clips" in output
    assert f"UA {test['ua']:.1%}" in output
    assert f"WA {test['wa']:.1%}" in output
    for i, emotion in enumerate(test["emotions"]):
        one = test["by_emotion"][emotion]
        by_emotion, confusion = cells(output, emotion)
        shares = [f"{one[key]:.1%}" for key in ("recall", "precision", "f1")]
        assert by_emotion[1:] == [str(one["n_clips"]), *shares]
        assert confusion[1:] == [str(n) for n in test["confusion"][i]]
    for corpus, one in test["by_corpus"].items():
        (row,) = cells(output, corpus)
        assert row[1:] == [str(one["n_clips"]), f"{one['wa']:.1%}", f"{one['ua']:.1%}"]
    assert len(test["by_corpus"]) >= 3
    assert max(map(len, output.splitlines())) <= 80


def test_the_seed_of_the_report_split_is_printed(serctl: Run) -> None:
    status, output, _ = serctl(
        *PAPER_CNN, "--epochs", 1, "--split", "report", "--seed", 5, "-o", "weights"
    )
    assert status == 0
    assert "test part of report, seed 5:" in output
    assert json.loads(Path("weights", "metrics.json").read_text())["seed"] == 5


def test_a_folder_is_printed_as_it_is_called(serctl: Run) -> None:
    status, output, _ = serctl(*PAPER_CNN, "--epochs", 1, "-o", "mine [red]1:smile:")
    assert status == 0
    assert "Weights: mine [red]1:smile:" in output.splitlines()


# Progress


def test_without_a_terminal_progress_is_plain_lines(serctl: Run) -> None:
    status, output, progress = serctl(*PAPER_CNN, "--epochs", 3, "-o", "weights")
    assert status == 0
    (history,) = json.loads(Path("weights", "metrics.json").read_text())["histories"]
    epochs = history["epochs"]
    best = 0.0
    for i, (line, epoch) in enumerate(zip(progress.splitlines(), epochs, strict=True), 1):
        best = max(best, epoch["validation_accuracy"])
        assert line == (
            f"epoch {i} of at most 3: loss {epoch['train_loss']:.3f}, "
            f"validation {epoch['validation_accuracy']:.1%}, kept {best:.1%}"
        )
    assert "\r" not in progress
    assert "\x1b" not in progress + output
    assert "epoch 1" not in output


def test_on_a_terminal_progress_is_a_bar(serctl: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    status, output, progress = serctl(*PAPER_CNN, "--epochs", 2, "-o", "weights")
    assert status == 0
    assert "Features" in progress
    assert "Training: 0/2" in progress
    assert "Training: 2/2" in progress
    assert "validation" in progress
    assert "kept" in progress
    assert "Training" not in output


# Refusals


def test_help_has_examples(serctl: Run) -> None:
    status, output, _ = serctl("--help")
    assert status == 0
    assert "serctl train --corpora ./corpora --resume" in output
    options = "--corpora --model --split --fold --seed --epochs --device --output --resume --all"
    assert all(option in output for option in [*options.split(), "--overwrite"])
    assert "SERCTL_CORPORA" in output


def test_absent_corpora_say_where_they_are_had(
    serctl: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SERCTL_CORPORA")
    status, output, error = serctl()
    assert (status, output) == (3, "")
    assert error.startswith("Error: ./corpora: no such folder.")
    assert all(source in error for source in SOURCES.values())
    assert os.listdir() == []


def test_incomplete_corpora_are_refused(serctl: Run, clips_folder: Path, tmp_path: Path) -> None:
    half = tmp_path / "half"
    half.mkdir()
    (half / "SAVEE").symlink_to(clips_folder / "SAVEE")
    status, _, error = serctl("--corpora", half, "-o", "weights")
    assert status == 3
    assert f"{half}: these corpora are incomplete" in error
    assert "crema-d: 0 of " in error
    assert not Path("weights").exists()


def test_an_unknown_model_is_wrong_usage(serctl: Run) -> None:
    status, _, error = serctl("--model", "paper-nnc")
    assert status == 2
    assert "paper-nnc: no recipe; there are recipes of " in error
    assert os.listdir() == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("--fold", "-1"),
        ("--seed", "-1"),
        ("--seed", str(2**32)),
        ("--epochs", "0"),
        ("--split", "emobox"),
        ("--device", "tpu"),
        ("corpora",),
    ],
)
def test_options_out_of_range_are_wrong_usage(serctl: Run, arguments: tuple[str, ...]) -> None:
    status, output, error = serctl(*arguments)
    assert (status, output) == (2, "")
    assert arguments[-1] in error
    assert os.listdir() == []


def test_a_fold_of_a_split_without_folds_is_wrong_usage(serctl: Run) -> None:
    status, _, error = serctl(*PAPER_CNN, "--split", "report", "--fold", "3")
    assert status == 2
    assert "--fold: the split report has no folds, only --seed. Remove it." in error


def test_a_fold_that_the_split_has_not_is_wrong_usage(serctl: Run) -> None:
    for split, fold, last in (("new-speakers", 5, 4), ("emobox-savee", 4, 3)):
        status, output, error = serctl("--split", split, "--fold", fold)
        assert (status, output) == (2, "")
        assert f"fold {fold}: {split} has folds 0 to {last}." in error
    assert os.listdir() == []


def test_every_split_can_be_named() -> None:
    assert cli_splits == SPLITS


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU, which would be used")
def test_a_device_that_is_not_there_is_wrong_usage(serctl: Run) -> None:
    status, _, error = serctl("--device", "cuda")
    assert status == 2
    assert "device cuda: not available on this machine" in error


def test_the_largest_seed_is_one(serctl: Run) -> None:
    for split in ("report", "new-speakers"):
        arguments = (*PAPER_CNN, "--epochs", 1, "--split", split, "--overwrite")
        assert serctl(*arguments, "--seed", 2**32 - 1, "-o", "weights")[0] == 0


def test_a_model_that_is_there_is_not_replaced_unasked(serctl: Run) -> None:
    assert serctl(*PAPER_CNN, "--epochs", 1, "-o", "weights")[0] == 0
    status, _, error = serctl(*PAPER_CNN, "--epochs", 1, "-o", "weights")
    assert status == 2
    assert "weights: contains a model. Give another folder, or --overwrite." in error
    assert serctl(*PAPER_CNN, "--epochs", 1, "-o", "weights", "--overwrite")[0] == 0


def test_a_damaged_checkpoint_cannot_be_resumed(serctl: Run) -> None:
    Path("weights").mkdir()
    Path("weights", "checkpoint.pt").write_bytes(b"torn")
    status, _, error = serctl(*PAPER_CNN, "--epochs", 1, "-o", "weights")
    assert status == 2
    assert "--resume continues it, --overwrite starts anew" in error
    status, _, error = serctl(*PAPER_CNN, "--epochs", 1, "-o", "weights", "--resume")
    assert status == 3
    assert "weights/checkpoint.pt: not a readable checkpoint" in error
    assert serctl(*PAPER_CNN, "--epochs", 1, "-o", "weights", "--overwrite")[0] == 0


# All of it


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--model", "cnn"), "--model"),
        (("--split", "report", "--seed", 1), "--split, --seed"),
        (("--output", "weights", "--resume"), "--output, --resume"),
    ],
)
def test_all_has_its_own_options(serctl: Run, arguments: tuple[object, ...], named: str) -> None:
    status, output, error = serctl("--all", *arguments)
    assert (status, output) == (2, "")
    assert f"--all cannot be used with {named}." in error


def test_all_is_of_a_checkout(serctl: Run) -> None:
    status, _, error = serctl("--all")
    assert status == 2
    assert "not the checkout of serctl that is installed" in error
    assert os.listdir() == []


def test_all_prints_its_steps(serctl: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def fake(corpora: str, watcher: train.Watcher, log: Callable[[str], None]) -> None:
        calls.append(corpora)
        log("cnn: all protocols")

    monkeypatch.setattr("serctl.train.experiments.train_all.train_everything", fake)
    status, output, error = serctl("--all", "--corpora", "somewhere")
    assert (status, output, error) == (0, "", "cnn: all protocols\n")
    assert calls == ["somewhere"]


# Cut off


def test_interrupted_it_keeps_its_checkpoint(serctl: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    save = train.Training._save

    def interrupt(self: train.Training, *arguments: object) -> None:
        save(self, *arguments)
        if len(self.history.epochs) == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(train.Training, "_save", interrupt)
        status, output, error = serctl(*PAPER_CNN, "--epochs", 4, "-o", "weights")
    assert (status, output) == (130, "")
    assert error.endswith("Interrupted.\n")
    assert os.listdir("weights") == ["checkpoint.pt"]
    status, _, error = serctl(*PAPER_CNN, "--epochs", 4, "-o", "weights", "--resume")
    assert status == 0
    lines = [line.partition(":")[0] for line in error.splitlines()]
    assert lines == [f"epoch {i} of at most 4" for i in (2, 3, 4)]


def test_interrupted_in_its_second_network_it_goes_on_there(
    serctl: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = train.Training._save

    def interrupt(self: train.Training, path: Path, *arguments: object) -> None:
        save(self, path, *arguments)
        if path.name == "checkpoint-1.pt":
            raise KeyboardInterrupt

    serctl("--epochs", 2, "-o", "unbroken")
    with monkeypatch.context() as patch:
        patch.setattr(train.Training, "_save", interrupt)
        status, _, _ = serctl("--epochs", 2, "-o", "weights")
    assert status == 130
    assert sorted(os.listdir("weights")) == ["checkpoint-1.pt", "checkpoint.pt"]
    status, _, error = serctl("--epochs", 2, "-o", "weights", "--resume")
    assert status == 0
    lines = [line.partition(":")[0] for line in error.splitlines()]
    assert lines == [
        f"network {i} of 2, epoch {n} of at most 2" for i, n in ((1, 2), (2, 1), (2, 2))
    ]
    unbroken, resumed = (Path(name, "model.safetensors") for name in ("unbroken", "weights"))
    assert resumed.read_bytes() == unbroken.read_bytes()
    assert not list(Path("weights").glob("checkpoint*"))


def test_killed_and_resumed_it_ends_with_the_same_weights(
    serctl: Run, clips_folder: Path, cache: Path, tmp_path: Path
) -> None:
    # -P: without the folder of the script, whose folder `serctl` would pass for the package.
    command = [sys.executable, "-P", synthetic_corpora.__file__, "train"]
    arguments = (*PAPER_CNN, "--epochs", f"{N_EPOCHS}")
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "SERCTL_CACHE": str(cache),
        "SERCTL_CORPORA": str(clips_folder),
    }
    killed = tmp_path / "killed"
    with subprocess.Popen(
        [*command, *arguments, "-o", str(killed)],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("epoch 5 "):
                process.kill()
                break
    assert process.returncode == -signal.SIGKILL
    left = {path.name for path in killed.iterdir() if not path.name.endswith(".lock")}
    assert "checkpoint.pt" in left
    assert left <= {"checkpoint.pt", "checkpoint.pt.part"}

    status, _, progress = serctl(*arguments, "-o", killed, "--resume")
    assert status == 0
    first = progress.removeprefix("epoch ").split()
    assert 5 <= int(first[0]) < N_EPOCHS
    unbroken = tmp_path / "unbroken"
    assert serctl(*arguments, "-o", unbroken)[0] == 0
    for name in ("model.safetensors", "config.json", "metrics.json", "card.md"):
        assert (killed / name).read_bytes() == (unbroken / name).read_bytes()
    assert not (killed / "checkpoint.pt.part").exists()
