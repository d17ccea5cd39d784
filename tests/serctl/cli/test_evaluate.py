import json
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
import torch
from support import synthetic_corpora
from support.sparse_audio import write_sparse_wav

from serctl.cli import run
from serctl.models.loading import load_model, save_model
from serctl.train.corpora.manifest import SOURCES
from serctl.weights import find_model

Run = Callable[..., tuple[int, str, str]]
Capture = pytest.CaptureFixture[str]


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
    # There are few clips in these tests, which is not what they are about.
    monkeypatch.setattr("serctl.train.evaluation.statistics.intervals.cautions", lambda *_: [])
    n_threads = torch.get_num_threads()

    def serctl(*arguments: object, model: object = tiny_folder) -> tuple[int, str, str]:
        models = model if isinstance(model, list) else [model]
        named = [word for one in models for word in ("--model", str(one))]
        status = run(["evaluate", *named, *map(str, arguments)])
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


def test_scores_are_written_though_nobody_reads_what_is_printed(
    serctl: Run, clips: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object) -> None:
        raise BrokenPipeError

    monkeypatch.setattr("serctl.cli.terminal.scores.print_scores", gone)
    status, _, _ = serctl(clips, "-o", "scores.json")
    assert status == 141
    assert json.loads(Path("scores.json").read_text())["recordings"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("PATH", "--fold", "3"), "--fold: needs --split. Remove it."),
        (
            ("PATH", "--corpora", "x", "--seed", "1"),
            "--corpora, --seed: needs --split. Remove them.",
        ),
        (
            ("--split", "report", "--fold", "1"),
            "--fold: the split report has no folds, only --seed",
        ),
    ],
)
def test_options_that_would_do_nothing_are_refused(
    serctl: Run, arguments: tuple[str, ...], message: str
) -> None:
    status, _, error = serctl(*arguments)
    assert status == 2
    assert message in error


# By name


def test_clips_are_scored_by_their_names(serctl: Run, clips: Path) -> None:
    status, output, error = serctl(clips)
    assert (status, error) == (0, "")
    assert output.startswith("tiny: 3 clips\nUA ")
    assert "Left out: 1 recording: tiny does not know their emotions (1 neutral)." in output
    assert "tiny has no neutral: it names one of its own emotions for such recordings" in output
    unnamed = "not named like a clip of a corpus that serctl knows"
    assert f"Left out: 1 recording: {unnamed}." in output
    assert "tiny chose between angry, sad only." in output
    by_emotion, confusion = cells(output, "sad")
    assert by_emotion[1] == "2"
    assert len(confusion) == 1 + 2  # the model chooses between the emotions that are there
    assert sum(map(int, confusion[1:])) == 2
    assert cells(output, "savee")[0][1] == "3"
    assert [cells(output, name)[0][1] for name in ("saveeDC", "saveeJE")] == ["2", "1"]
    tables = output.partition("tiny chose")[0]  # sentences below them are wrapped by the terminal
    assert max(map(len, tables.splitlines())) <= 80


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
    assert output.startswith("tiny: 3 clips, 1 of them without a prediction\n")
    assert f"{clips / 'DC_sa01.wav'}: Format not recognised." in error
    assert float(cells(output, "sad")[0][2].rstrip("%")) <= 50
    assert sum(map(int, cells(output, "sad")[1][1:])) == 1


def test_a_silent_clip_counts_as_wrong_and_was_read(serctl: Run, clips: Path) -> None:
    soundfile.write(clips / "DC_sa01.wav", np.zeros(16000), 16000)
    status, output, error = serctl(clips)
    assert (status, error) == (0, "")
    assert "1 of them without a prediction" in output


def test_the_number_of_workers_changes_nothing(serctl: Run, small_corpora: Path) -> None:
    one, three = (serctl(small_corpora / "RAVDESS", "--workers", n) for n in (1, 3))
    assert one[0] == 0
    assert one == three


# What is printed


def test_measures_have_intervals_and_there_is_calibration(serctl: Run, clips: Path) -> None:
    _, output, _ = serctl(clips)
    percent = r"\d+\.\d%"
    assert re.search(rf"^UA {percent} \(95%: {percent} to {percent}\), ", output, re.M)
    both = rf"95%: {percent} to {percent}; speakers: {percent} to {percent}"
    assert re.search(rf"^WA {percent} \({both}\), ", output, re.M)
    assert re.search(rf"^ECE {percent}, .*\({percent} and {percent} overall\)$", output, re.M)
    assert re.search(r"^Brier score \d\.\d{3}, .*; 0\.500 for equal probabilities$", output, re.M)
    headers = ["Emotion", "Clips", "Recall", "Precision", "F1", "Recall", "95%,", "speakers"]
    assert cells(output, "Emotion")[0] == headers
    assert cells(output, "angry")[0][5:] == ["-"]  # of one speaker alone
    (clips / "labels.csv").write_text("path,emotion\nDC_a01.wav,angry\nDC_sa01.wav,sad\n")
    _, output, _ = serctl("--labels", clips / "labels.csv")
    assert cells(output, "Emotion")[0][5:] == ["Recall", "95%,", "clips"]


def test_of_many_speakers_few_are_printed_and_all_are_kept(
    serctl: Run, small_corpora: Path
) -> None:
    _, output, _ = serctl(small_corpora, "-o", "scores.json")
    by_speaker = json.loads(Path("scores.json").read_text())["scores"]["by_speaker"]
    assert f"By speaker: {len(by_speaker)}, by UA; the lowest, the median and the high" in output
    assert len(by_speaker) > 20
    table = output.partition("By speaker")[2].partition("Confusion matrix")[0]
    shown = [line.split() for line in table.splitlines()[3:] if line.strip()]
    assert len(shown) == 7
    expected = sorted(one["ua"] for one in by_speaker.values())
    middle = expected[len(expected) // 2]
    assert [row[3] for row in shown] == [
        f"{ua:.1%}" for ua in (*expected[:3], middle, *expected[-3:])
    ]


def test_chosen_emotions_alone_are_scored(serctl: Run, clips: Path) -> None:
    status, output, _ = serctl(clips, "--emotions", "sad,fear,angry")
    assert status == 0
    assert len(cells(output, "sad")[1]) == 1 + 3  # fear may be predicted without a reference
    assert cells(output, "fear") == [["fear", "0", "0", "0"]]
    assert "tiny chose between angry, fear, sad only." in output


def test_a_model_trained_on_the_clips_is_found_out(
    serctl: Run, clips: Path, tiny_folder: Path, tmp_path: Path
) -> None:
    trained = tmp_path / "trained"
    shutil.copytree(tiny_folder, trained)
    (trained / "metrics.json").write_text('{"split": "report", "fold": null, "seed": 0}')
    status, _, error = serctl(clips, model=trained)
    assert status == 0
    assert "Warning: tiny was trained (report, seed 0) on" in error
    assert "and on the voices of 3:" in error


# By folders and by a table


@pytest.fixture
def folders(clips: Path) -> Path:
    """The same clips in folders named after emotions, one of them in another word."""
    root = clips.parent / "folders"
    for name, folder in (("DC_a01", "Anger"), ("DC_sa01", "sad"), ("me", "sad"), ("DC_n01", "joy")):
        (root / folder).mkdir(parents=True, exist_ok=True)
        shutil.copy(clips / f"{name}.wav", root / folder / f"{name}.wav")
    return root


def test_folders_say_the_emotions(serctl: Run, folders: Path) -> None:
    status, output, error = serctl(folders, "--labels", "folders", "--map", "joy=happy")
    assert (status, error) == (0, "")
    assert output.startswith("tiny: 4 clips\n")
    assert [cells(output, emotion)[0][1] for emotion in ("angry", "happy", "sad")] == list("112")
    assert "Counted: Anger as angry (1), joy as happy (1)." in output
    assert "By corpus" not in output
    assert "By speaker" not in output
    copy = folders.parent / "copy"
    shutil.copytree(folders, copy)
    again = serctl(folders, copy, folders, "--labels", "folders", "--map", "joy=happy")[1]
    assert again == output + "Left out: 4 recordings: copies, which count once.\n"


def test_unknown_folders_are_left_to_the_user(serctl: Run, folders: Path) -> None:
    status, output, error = serctl(folders, "--labels", "folders")
    assert (status, output) == (3, "")
    assert "joy (1): no emotions that serctl knows" in error
    assert "A suggestion to copy and to correct: --map joy=happy" in error
    status, output, _ = serctl(folders, "--labels", "folders", "--map", "joy=-")
    assert status == 0
    assert "Left out: 1 recording: --map leaves them out." in output


def test_a_table_says_the_emotions(serctl: Run, clips: Path) -> None:
    table = clips / "labels.csv"
    table.write_text(
        "path,emotion,speaker,corpus\nDC_a01.wav,angry,s1,mine\nme.wav,sad,s2,mine\nme.wav,sad,,\n"
    )
    status, output, error = serctl("--labels", table)
    assert (status, error) == (0, "")
    assert output.startswith("tiny: 2 clips\n")
    assert cells(output, "mine")[0][1] == "2"
    assert [cells(output, name)[0][1] for name in ("s1", "s2")] == ["1", "1"]
    assert "Left out: 1 recording: copies, which count once." in output
    assert serctl(clips, "--labels", table)[1].startswith(output.rstrip().rpartition("\n")[0])


def test_speakers_on_both_sides_of_a_split_give_a_warning(serctl: Run, clips: Path) -> None:
    table = clips / "labels.csv"
    table.write_text(
        "path,emotion,speaker,split\nDC_a01.wav,angry,s1,test\nme.wav,sad,s2,test\n"
        "DC_sa01.wav,sad,s2,train\n"
    )
    status, output, error = serctl("--labels", table)
    assert status == 0
    assert output.startswith("tiny: 2 clips\n")
    assert "into another part than test (train)." in output
    assert "Warning: " in error
    assert "1 of 2 speakers of the test part (1 of 2 rows) are in another part too." in error


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "labels.csv: there is no such file"),
        ("path,emotion\nDC_a01.wav,angry\ngone.wav,sad\n", "1 of 2 rows name files that are not"),
        ("path,emotion\nDC_a01.wav,angry\nDC_a01.wav,sad\n", "1 recording with two labels"),
        ("path,emotion\nDC_a01.wav,angry\nme.wav,bored\n", "bored (1): no emotions that serctl"),
        ("path,emotion\nDC_a01.wav,angry\n", "1 clip of the emotions to choose between, only"),
        ("path,emotion\n", "no row below the header"),
        ("name,tag\nDC_a01.wav,angry\n", "no column path and no column emotion"),
        ("path,emotion\nDC_a01.wav,ang\xe9\n", "The table is not in UTF-8 (line 2): save it so."),
    ],
)
def test_tables_that_cannot_be_used(
    serctl: Run, clips: Path, content: str | None, message: str
) -> None:
    if content is not None:
        (clips / "labels.csv").write_bytes(content.encode("latin-1"))
    status, output, error = serctl("--labels", clips / "labels.csv")
    assert (status, output) == (2 if content is None else 3, "")
    assert error.startswith("Error: ")
    assert message in error
    assert "Traceback" not in error


# What is written


def test_everything_is_written_as_json(serctl: Run, clips: Path) -> None:
    status, output, _ = serctl(clips, "-o", "scores.json")
    assert status == 0
    assert output.endswith("Scores: scores.json\n")
    record = json.loads(Path("scores.json").read_text())
    assert record["source"] == str(clips)
    assert f"UA {record['scores']['ua']:.1%} (" in output
    assert f"ECE {record['calibration']['ece']:.1%}," in output
    assert [one["reference"] for one in record["recordings"]] == ["angry", "sad", "sad"]
    assert all(abs(sum(one["probabilities"]) - 1) < 1e-5 for one in record["recordings"])
    assert serctl(clips, "-o", "scores.json")[0] == 2
    assert serctl(clips, "-o", "scores.json", "--overwrite")[0] == 0
    assert json.loads(Path("scores.json").read_text()) == record


def test_figures_are_drawn(serctl: Run, clips: Path) -> None:
    folder = Path("new", "figures")
    folder.mkdir(parents=True)
    (folder / "reliability.svg").touch()
    status, output, error = serctl(clips, "--figures", folder)
    assert (status, output) == (2, "")
    assert "reliability.svg: exists already" in error
    status, output, _ = serctl(clips, "--figures", folder, "--overwrite")
    assert status == 0
    assert output.endswith(f"Figures: {folder}\n")
    names = {"confusion_matrix", "precision_recall", "accuracy_by_emotion", "reliability"}
    expected = {f"{name}.{form}" for name in names for form in ("png", "svg")}
    assert {path.name for path in folder.iterdir()} == expected
    assert all(path.stat().st_size > 1000 for path in folder.iterdir())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("-o", "nowhere/scores.json"), "the folder nowhere does not exist"),
        (("-o", "folder.json"), "is a folder"),
        (("--figures", "file"), "file: cannot be created as a folder (File exists)"),
    ],
)
def test_outputs_that_cannot_be_written_are_refused_first(
    serctl: Run, clips: Path, arguments: tuple[str, str], message: str
) -> None:
    os.mkdir("folder.json")
    Path("file").touch()
    status, output, error = serctl(clips, *arguments)
    assert (status, output) == (3, "")
    assert message in error


def test_predictions_are_written_as_csv(serctl: Run, clips: Path) -> None:
    (clips / "DC_sa01.wav").write_bytes(b"not audio")
    table = clips / "labels.csv"
    table.write_text(
        "path,emotion,speaker,fold\nDC_a01.wav,angry,s1,2\nme.wav,sad,s2,3\nDC_sa01.wav,sad,,\n"
    )
    status, output, _ = serctl("--labels", table, "-o", "p.csv", "-o", "scores.json")
    assert status == 1
    assert output.endswith("Predictions: p.csv\nScores: scores.json\n")
    rows = pd.read_csv("p.csv", dtype=str, keep_default_na=False)
    assert rows.columns.tolist() == [
        *("model", "path", "label", "prediction", "confidence", "p_angry", "p_sad"),
        *("speaker", "corpus", "fold", "status", "reason"),
    ]
    record = json.loads(Path("scores.json").read_text())
    assert rows["path"].tolist() == [one["path"] for one in record["recordings"]]
    assert rows["prediction"].tolist() == [one["predicted"] for one in record["recordings"]]
    assert rows["label"].tolist() == ["angry", "sad", "sad"]
    assert rows["speaker"].tolist() == ["s1", "s2", ""]
    assert rows["fold"].tolist() == ["2", "3", ""]
    assert rows["status"].tolist() == ["ok", "ok", "unreadable"]
    assert rows["model"].tolist() == ["tiny"] * 3
    first = rows.iloc[0]
    assert float(first["confidence"]) == max(float(first["p_angry"]), float(first["p_sad"]))
    assert rows.iloc[2][["confidence", "p_angry", "p_sad"]].tolist() == ["", "", ""]
    assert record["intervals"]["n_speakers"] == 0


def test_what_makes_scores_mean_less_is_said(
    serctl: Run, clips: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    monkeypatch.chdir(clips.parent)
    status, _, error = serctl(clips, "-o", "scores.json")
    assert status == 0
    for said in ("Fewer than 20 clips of angry (1), sad (2)", "of one speaker: saveeDC (67%)"):
        assert said in error
        assert any(said in one for one in json.loads(Path("scores.json").read_text())["warnings"])


# Several models


@pytest.fixture
def other_folder(tiny_folder: Path, tmp_path: Path) -> Path:
    """A model of other weights, under the name of the tiny one."""
    other = tmp_path / "other"
    model = load_model(tiny_folder)
    tensors = {name: -np.asarray(tensor) for name, tensor in model.tensors.items()}
    other.mkdir()
    save_model(other, replace(model, tensors=tensors))
    return other


def test_models_are_compared_on_the_same_clips(
    serctl: Run, small_corpora: Path, tiny_folder: Path, other_folder: Path
) -> None:
    folder = small_corpora / "RAVDESS"
    models = [tiny_folder, other_folder]
    files = ["-o", "s.json", "-o", "p.csv", "--figures", "figures"]
    status, output, error = serctl(folder, *files, model=models)
    assert (status, error) == (0, "")
    record = json.loads(Path("s.json").read_text())
    alone = json.loads(_scores_of(serctl, folder, other_folder))
    assert [one["model"]["name"] for one in record["models"]] == [one.name for one in models]
    assert record["models"][1]["scores"] == alone["scores"]
    assert record["models"][1]["recordings"] == alone["recordings"]
    (difference,) = record["differences"]
    first, second = (one["scores"]["ua"] for one in record["models"])
    assert difference["ua"] == pytest.approx(second - first)
    n_clips, n_speakers = alone["scores"]["n_clips"], alone["intervals"]["n_speakers"]
    assert output.startswith(f"2 models, the same {n_clips} clips of {n_speakers} speakers\n")
    assert f"{100 * difference['ua']:+.1f}" in output
    assert "p is not corrected for the 3 comparisons." not in output
    (headers,) = (row for row in cells(output, "Models") if "over" in row)
    assert headers == ["Models", "UA", "over", "clips", "p", "over", "speakers", "p"]
    assert len(pd.read_csv("p.csv")) == 2 * n_clips
    names = {path.name for path in Path("figures").iterdir()}
    assert names == {"comparison.png", "comparison.svg"}


def _scores_of(serctl: Run, folder: Path, model: Path) -> str:
    serctl(folder, "-o", "alone.json", model=model)
    return Path("alone.json").read_text()


def test_models_choose_between_the_emotions_that_all_know(serctl: Run, clips: Path) -> None:
    shutil.copy(clips / "DC_n01.wav", clips / "DC_n02.wav")
    status, output, _ = serctl(clips, model=["cnn", "paper-cnn"])
    assert status == 0
    assert "one of cnn, paper-cnn does not know their emotions (2 neutral)." in output
    assert "cnn, paper-cnn chose between angry, sad only." in output
    (clips / "labels.csv").write_text("path,emotion\nDC_a01.wav,angry\nDC_sa01.wav,sad\n")
    _, output, _ = serctl("--labels", clips / "labels.csv", model=["cnn", "paper-cnn"])
    assert output.startswith("2 models, the same 2 clips\n")
    assert "over speakers" not in output
    assert cells(output, "paper-cnn")[0][:2] == ["paper-cnn", cells(output, "paper-cnn")[0][1]]


def test_a_model_is_compared_with_others_alone(
    serctl: Run, clips: Path, tiny_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to(tiny_folder)
    status, output, error = serctl(clips, model=[tiny_folder, tmp_path / "link"])
    assert (status, output) == (2, "")
    assert f"--model {tmp_path / 'link'}: given twice. Name each model once." in error


def test_the_environment_names_one_model(
    clips: Path, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    spaced = clips.parent / "my models"
    shutil.copytree(tiny_folder, spaced)
    monkeypatch.setenv("SERCTL_MODEL", str(spaced))
    assert run(["evaluate", str(clips)]) == 0
    assert capsys.readouterr().out.startswith("tiny: 3 clips\n")


def test_one_file_is_not_written_twice(serctl: Run, clips: Path) -> None:
    status, _, error = serctl(clips, "-o", "a.json", "-o", "./a.json")
    assert status == 2
    assert "-o a.json -o ./a.json: the same file twice." in error


# By a split


def test_the_test_part_of_a_split_is_scored(serctl: Run, small_corpora: Path) -> None:
    status, output, _ = serctl("--corpora", small_corpora, "--split", "new-speakers", "--fold", 1)
    assert status == 0
    by_fold = cells(output, "tess")
    status, other, _ = serctl("--corpora", small_corpora, "--split", "new-speakers", "--fold", 4)
    assert status == 0
    assert by_fold
    assert not cells(other, "tess")  # its two speakers are in folds 0 and 1
    assert "1 of them without a prediction" in other  # the silent clip


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
        assert "Use either PATHS or --split;" in error
    for arguments in (("--labels", "folders"), ("--map", "joy=happy"), ("--labels", "labels.csv")):
        status, output, error = serctl("--split", "report", *arguments)
        assert (status, output) == (2, "")
        assert "--split has its own labels." in error


@pytest.mark.parametrize(
    ("names", "expected", "message"),
    [
        (None, 2, "nowhere"),
        ([], 3, "folder"),
        (["one.wav", "two.wav"], 3, "2 recordings, such as folder/one.wav, none with the name"),
        (["DC_a01.wav", "DC_a02.wav"], 3, "2 clips of the emotions to choose between, only angry;"),
        (["DC_n01.wav"], 3, "tiny does not know their emotions (1 neutral)."),
        (["DC_a01.wav", "DC_sa01.wav"], 3, "none of 2 recordings has a prediction (2 unreadable)"),
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


@pytest.mark.parametrize(
    "arguments",
    [
        ("--fold", "6"),
        ("--seed", "-1"),
        ("--labels", "mine"),
        ("--map", "joy=joyful"),
        ("--emotions", "bored"),
        ("--emotions", "angry"),
        ("-o", "scores.txt"),
        ("-o", "-"),
    ],
)
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
    assert "unknown: not available, and not a folder" in error
    unfinished = tmp_path / "unfinished"
    shutil.copytree(tiny_folder, unfinished)
    (unfinished / "checkpoint.pt").touch()
    status, _, error = serctl(clips, model=unfinished)
    assert status == 3
    assert "checkpoint.pt" in error


# Fold 0


def test_fold_0_is_scored_whole_and_the_bundled_model_has_the_figure_of_its_card(
    serctl: Run, fold0: Path
) -> None:
    status, output, error = serctl(fold0, fold0, "--labels", "corpora", model="paper-cnn")
    assert status == 0
    assert "Warning" not in error
    test = json.loads((find_model("paper-cnn") / "metrics.json").read_text())["test"]
    assert test["n_clips"] == 1805
    assert output.startswith(f"paper-cnn: 1805 clips\nUA {test['ua']:.1%} (")
    for emotion, row in zip(test["emotions"], test["confusion"], strict=True):
        assert cells(output, emotion)[1][1:] == [str(n) for n in row]
    assert f"Left out: {2258 - 1805} recordings: paper-cnn does not know their emotions (" in output
    assert "not named like a clip" not in output
    counts = {corpus: cells(output, corpus)[0][1] for corpus in ("crema-d", "ravdess", "savee")}
    assert counts == {"crema-d": "1330", "ravdess": "200", "savee": "75"}


def test_a_recording_that_takes_too_long_is_given_up(serctl: Run, clips: Path) -> None:
    for emotion, name in (("angry", "DC_a01.wav"), ("sad", "DC_sa01.wav")):
        (clips / "of" / emotion).mkdir(parents=True)
        (clips / name).rename(clips / "of" / emotion / name)
    write_sparse_wav(clips / "of" / "angry" / "long.wav", 60 * 3600)
    options = ["--labels", "folders", "--timeout", "1", "--workers", "1"]
    status, out, err = serctl(clips / "of", *options)
    assert status == 1, err
    assert "long.wav: Not finished after 1 s, the limit set by --timeout." in err
    assert "DC_a01" not in err
    assert cells(out, "angry")
