"""``serctl classify`` from recordings to files, as a user runs it."""

import csv
import hashlib
import json
import math
import os
import re
import shutil
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
import torch

import serctl
from serctl.cli import run
from serctl.models.config import CONFIG_FILE, WEIGHTS_FILE
from serctl.results.schema import STATUSES, columns
from serctl.weights import bundled_models

EMOTIONS = ("angry", "disgust", "fear", "happy", "sad")
HEADER = ",".join(columns(EMOTIONS))


@pytest.fixture
def classify(capsys, monkeypatch, tiny_folder):
    """Run `serctl classify` with the tiny model; exit status, standard output, standard error."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr("serctl.progress.PLAIN_LINE_EVERY_S", math.inf)  # however busy it is

    def classify(*arguments, model=tiny_folder):
        options = ["--model", str(model)] if model else []
        options += ["--speech", "off"]  # any sound will do
        status = run(["classify", *map(str, arguments), *options])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return status, captured.out, captured.err

    return classify


@pytest.fixture
def talks(tmp_path, monkeypatch, write_recording):
    """Go to a folder with `talks/` in it: four recordings of different sounds."""
    write_recording("talks/b.wav", "speech", 1.0, 16000)
    write_recording("talks/a/z.flac", "noise", 2.0, 44100, 2)
    write_recording("talks/a/B.wav", "chirp", 0.5, 8000)
    write_recording("talks/c.ogg", "tone", 1.5, 22050)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "talks"


IN_ORDER = ["talks/a/B.wav", "talks/a/z.flac", "talks/b.wav", "talks/c.ogg"]


@pytest.fixture
def broken(talks, write_recording):
    """Put one of each kind of trouble among the talks."""
    (talks / "text.wav").write_text("not sound")
    (talks / "empty.wav").touch()
    (talks / "phone.m4a").write_bytes(b"\0\0\0\x20ftypM4A " + bytes(100))
    write_recording("talks/cut.flac", "noise", 3.0)
    os.truncate(talks / "cut.flac", 20000)
    write_recording("talks/nan.wav", np.array([0.1, np.nan] * 8000), subtype="FLOAT")
    write_recording("talks/silent.wav", "silence", 1.0)
    write_recording("talks/short.wav", "noise", 0.01)
    return talks


BROKEN = {"text.wav", "empty.wav", "phone.m4a", "nan.wav"}


def rows_of(path):
    with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
        return list(csv.DictReader(file))


def read_json(path):
    return json.loads(Path(path).read_text())


def cells(row):
    """Give the probabilities in a row."""
    return [float(row[f"p_{emotion}"]) for emotion in EMOTIONS]


def test_a_folder_becomes_a_table(classify, talks, classifier):
    status, printed, said = classify("talks")
    assert (status, said) == (0, "")
    assert sorted(os.listdir()) == ["serctl-results.csv", "serctl-results.csv.run.json", "talks"]
    assert Path("serctl-results.csv").read_text().startswith(HEADER + "\n")
    rows = rows_of("serctl-results.csv")
    assert [row["path"] for row in rows] == IN_ORDER
    assert [(row["status"], row["reason"], row["windows"]) for row in rows] == [("ok", "", "1")] * 4
    known = [(row["duration_s"], row["sample_rate_hz"], row["channels"]) for row in rows]
    assert known == [
        ("0.500", "8000", "1"),
        ("2.000", "44100", "2"),
        ("1.000", "16000", "1"),
        ("1.500", "22050", "1"),
    ]
    for row in rows:
        result = classifier.classify(row["path"])
        assert row["emotion"] == result.emotion
        assert row["confidence"] == row[f"p_{result.emotion}"]
        np.testing.assert_allclose(cells(row), result.probabilities, rtol=0, atol=2e-6)
    assert len({row["emotion"] for row in rows}) > 1
    assert "serctl-results.csv: 4 recordings, 4 labelled, 0:00:05 of audio" in printed
    for row in rows:
        assert re.search(
            rf"{row['path']} +{row['emotion']} +{float(row['confidence']):.3f}", printed
        )


def test_jsonl_and_json_hold_the_same(classify, talks):
    assert classify("talks", "-o", "r.csv")[0] == 0
    assert classify("talks", "-o", "r.jsonl")[0] == 0
    assert classify("talks", "-o", "r.json")[0] == 0
    lines = [json.loads(line) for line in Path("r.jsonl").read_text().splitlines()]
    assert read_json("r.json") == lines
    rows = rows_of("r.csv")
    assert [list(line) for line in lines] == [list(columns(EMOTIONS))] * 4
    for line, row in zip(lines, rows, strict=True):
        assert (line["path"], line["emotion"]) == (row["path"], row["emotion"])
        assert [line[f"p_{emotion}"] for emotion in EMOTIONS] == cells(row)
        assert (line["duration_s"], line["windows"]) == (float(row["duration_s"]), 1)


def test_standard_output_holds_nothing_but_csv(classify, talks):
    assert classify("talks", "-o", "r.csv")[0] == 0
    status, printed, said = classify("talks", "-o", "-")
    assert status == 0
    assert printed == (talks.parent / "r.csv").read_text()
    assert "standard output: 4 recordings, 4 labelled" in said
    assert sorted(os.listdir()) == ["r.csv", "r.csv.run.json", "talks"]


def test_the_record_of_a_run(classify, broken, tiny_folder):
    began = datetime.now().astimezone().replace(microsecond=0)
    assert classify("talks", "talks/b.wav", "--workers", 3, "--batch-size", 7)[0] == 1
    record = read_json("serctl-results.csv.run.json")
    times = [datetime.fromisoformat(record.pop(key)) for key in ("began", "ended")]
    assert began <= times[0] <= times[1] <= datetime.now().astimezone()
    weights = (tiny_folder / WEIGHTS_FILE).read_bytes()
    counts = {"ok": 5, "silent": 1, "no_speech": 0, "too_short": 1, "unreadable": 4, "failed": 0}
    expected = {
        "schema_version": 3,
        "serctl_version": serctl.__version__,
        "model": "tiny",
        "model_sha256": hashlib.sha256(weights).hexdigest(),
        "emotions": list(EMOTIONS),
        "batch_size": 7,
        "workers": 3,
        "counts": counts,
        "arguments": ["talks", "talks/b.wav"],
    }
    assert record.items() >= expected.items()
    assert tuple(record["counts"]) == STATUSES
    assert record["device"] in ("cpu", "cuda", "mps")
    assert f"serctl {serctl.__version__}, model tiny (weights" in record["citation"]
    assert expected["model_sha256"] in record["citation"]


def test_broken_recordings_are_rows_and_their_neighbours_are_classified(classify, broken):
    status, printed, said = classify(*IN_ORDER, "-o", "good.csv")
    assert (status, said) == (0, "")
    good = {row["path"]: row for row in rows_of("good.csv")}
    status, printed, said = classify("talks")
    assert (status, said) == (1, "")
    rows = {row["path"]: row for row in rows_of("serctl-results.csv")}
    assert len(rows) == 11
    for path in IN_ORDER:
        assert rows[path]["emotion"] == good[path]["emotion"]
        np.testing.assert_allclose(cells(rows[path]), cells(good[path]), rtol=0, atol=2e-6)
    for name in BROKEN:
        row = rows[f"talks/{name}"]
        assert (row["status"], row["emotion"], row["confidence"]) == ("unreadable", "", "")
        assert len(row["reason"]) > 20
        assert {row[f"p_{emotion}"] for emotion in EMOTIONS} == {""}
        assert f"  talks/{name}\n" in printed
        assert row["reason"] in " ".join(printed.split())
    assert (rows["talks/silent.wav"]["status"], rows["talks/short.wav"]["status"]) == (
        "silent",
        "too_short",
    )
    assert "Its index is missing" in rows["talks/phone.m4a"]["reason"]
    cut = rows["talks/cut.flac"]  # classified by the part that exists
    assert (cut["status"], cut["reason"][:11]) == ("ok", "truncated: ")
    assert "11 recordings, 5 labelled" in printed
    assert re.search(r"^ unreadable +4 +36\.4%", printed, re.MULTILINE)


def test_silent_and_short_recordings_were_read(classify, talks, write_recording):
    paths = [write_recording("s.wav", "silence"), write_recording("t.wav", "noise", 0.01)]
    status, printed, _ = classify(*paths)
    assert status == 0
    assert "2 recordings, 0 labelled" in printed
    assert [row["status"] for row in rows_of("serctl-results.csv")] == ["silent", "too_short"]


# The rows of all formats come from one journal: one has every number of workers.
@pytest.mark.parametrize(
    ("extension", "numbers"), [(".csv", (1, 2, 8)), (".jsonl", (1, 8)), (".json", (2, 8))]
)
def test_results_are_the_same_bytes_for_any_number_of_workers(
    classify, broken, write_recording, extension, numbers
):
    write_recording("talks/long.flac", "speech", 65.0, 8000)
    texts = set()
    for workers in numbers:
        output = f"{workers}{extension}"
        assert classify("talks", "-o", output, "--workers", workers)[0] == 1
        texts.add(Path(output).read_bytes())
    assert len(texts) == 1
    assert texts.pop().count(b"talks/") == 12


def test_another_batch_size_gives_the_same_labels(classify, broken):
    assert classify("talks", "-o", "a.csv")[0] == 1
    for batch_size in (1, 3, 1000):
        output = f"{batch_size}.csv"
        assert classify("talks", "-o", output, "--batch-size", batch_size)[0] == 1
        for one, other in zip(rows_of("a.csv"), rows_of(output), strict=True):
            assert (one["path"], one["emotion"]) == (other["path"], other["emotion"])
            if one["emotion"]:
                np.testing.assert_allclose(cells(one), cells(other), rtol=0, atol=1e-5)


def test_emotions_restrict_the_columns(classify, talks):
    assert classify("talks", "-o", "all.csv")[0] == 0
    assert classify("talks", "-o", "two.csv", "--emotions", "SAD, happy")[0] == 0
    assert Path("two.csv").read_text().startswith(",".join(columns(("happy", "sad"))) + "\n")
    for row, of_all in zip(rows_of("two.csv"), rows_of("all.csv"), strict=True):
        happy, sad = float(of_all["p_happy"]), float(of_all["p_sad"])
        assert float(row["p_sad"]) == pytest.approx(sad / (happy + sad), abs=1e-3)
        assert row["emotion"] == ("sad" if sad > happy else "happy")
    assert read_json("two.csv.run.json")["emotions"] == ["happy", "sad"]


def test_results_are_not_overwritten_unasked(classify, talks):
    output = talks.parent / "r.csv"
    output.write_text("mine")
    status, printed, said = classify("talks", "-o", "r.csv")
    assert (status, printed) == (2, "")
    assert said == ("Error: r.csv: exists already. Choose another output, or use --overwrite.\n")
    assert output.read_text() == "mine"
    assert classify("talks", "-o", "r.csv", "--overwrite")[0] == 0
    assert output.read_text().startswith(HEADER)
    assert sorted(os.listdir()) == ["r.csv", "r.csv.run.json", "talks"]


@pytest.mark.parametrize(
    ("arguments", "expected", "message"),
    [
        (["nowhere"], 2, "nowhere: does not exist"),
        (["talks/*.mp4"], 2, "matches nothing"),
        (["talks", "nowhere"], 2, "nowhere: does not exist"),
        (["empty"], 3, "empty: no recordings found: no files"),
        (["papers"], 3, "papers: no recordings found: 1 not audio (.txt 1)"),
        (["talks", "-o", "r.xlsx"], 2, "r.xlsx: the file extension selects the format"),
        (["talks", "-o", "r"], 2, "the file extension selects the format, and none is not one of"),
        (["talks", "-o", "no/r.csv"], 3, "no/r.csv: the folder no does not exist"),
        (["talks", "-o", "folder.csv"], 3, "folder.csv: is a folder"),
        (["talks", "--emotions", "angry"], 2, "at least two emotions are needed"),
        (["talks", "--emotions", "angry,joy"], 2, "joy: not an emotion of this model"),
        (["talks", "--emotions", ""], 2, "at least two emotions are needed"),
        (
            ["talks", "--device", "cuda"],
            2,
            "device cuda: not available on this machine. Available: ",
        ),
    ],
)
def test_what_cannot_be_run_says_so_and_leaves_nothing(
    classify, talks, monkeypatch, arguments, expected, message
):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    os.mkdir("empty")
    os.mkdir("folder.csv")
    os.mkdir("papers")
    (talks.parent / "papers" / "a.txt").touch()
    before = sorted(os.listdir())
    status, printed, said = classify(*arguments)
    assert (status, printed) == (expected, "")
    assert said.startswith("Error: ")
    assert message in said
    assert sorted(os.listdir()) == before


@pytest.mark.parametrize(
    ("model", "expected", "message"),
    [
        ("nonsense", 2, "nonsense: not available, and not a folder"),
        ("talks", 3, f"talks/{CONFIG_FILE}: No such file or directory. A weights folder has"),
        ("pickled", 3, "pickled: holds model.pt, which may be a pickle"),
    ],
)
def test_a_model_that_is_none(classify, talks, model, expected, message):
    os.mkdir("pickled")
    (talks.parent / "pickled" / "model.pt").touch()
    status, printed, said = classify("talks", model=model)
    assert (status, printed) == (expected, "")
    assert message in said
    assert sorted(os.listdir()) == ["pickled", "talks"]


def test_any_file_that_is_named_is_tried(classify, talks):
    os.rename("talks/b.wav", "talks/b.data")
    assert classify("talks/b.data")[0] == 0
    assert [row["path"] for row in rows_of("serctl-results.csv")] == ["talks/b.data"]


def test_odd_names_are_shown_and_kept(classify, talks):
    names = ["[bold]x[red].wav", "esc\x1b[31m.wav", ":smile:.wav", 'a,b\n"c".wav']
    names.append(os.fsdecode(b"caf\xe9.wav"))
    for name in names:
        (talks / name).write_text("not sound")
    status, printed, said = classify("talks")
    assert (status, said) == (1, "")
    assert {f"talks/{name}" for name in names} <= {r["path"] for r in rows_of("serctl-results.csv")}
    assert "talks/[bold]x[red].wav" in printed
    assert "talks/:smile:.wav" in printed
    assert "\x1b" not in printed
    assert r"esc\x1b[31m.wav" in printed
    assert printed.encode("utf-8")  # no half characters


def test_many_recordings_are_not_listed_one_by_one(classify, talks):
    for i in range(30):
        os.link("talks/b.wav", f"talks/{i:02}.wav")
    status, printed, _ = classify("talks")
    assert status == 0
    assert "34 recordings, 34 labelled" in printed
    assert "talks/" not in printed


def test_the_recordings_of_the_tests_with_the_bundled_model(classify, tmp_path, recordings):
    output = tmp_path / "r.csv"
    status, printed, said = classify(recordings, "-o", output, model=None)
    assert (status, said) == (0, "")
    rows = rows_of(output)
    assert [row["path"] for row in rows] == sorted(row["path"] for row in rows)
    assert len(rows) == 12
    assert {row["status"] for row in rows} == {"ok"}
    assert {(int(row["sample_rate_hz"]), int(row["channels"])) for row in rows} >= {
        (8000, 1),
        (8000, 2),
        (48000, 2),
    }
    assert "12 recordings, 12 labelled" in printed
    assert read_json(f"{output}.run.json")["model"] in bundled_models()


def shares(out):
    """Stage to its share in per cent, of the tables that --profile prints."""
    rows = re.findall(r"^ (\w[\w ]*?) +([\d.]+) +(\d+)% *$", out, re.MULTILINE)
    return {name: int(share) for name, _, share in rows}


def test_the_profile_says_where_the_time_went(classify, talks):
    status, out, _ = classify(str(talks), "--profile", "--workers", "1")
    assert status == 0
    found = shares(out[out.index("Time spent") :])
    parts = ["find recordings", "start", "classify", "write results"]
    stages = ["open", "decode", "resample", "speech", "features", "network", "smoothing"]
    stages.append("waiting and other")
    assert set(found) == {*parts, "all", *stages}
    assert sum(found[part] for part in parts) == pytest.approx(found["all"], abs=3) == 100
    assert sum(found[stage] for stage in stages) == pytest.approx(100, abs=4)
    assert "over 1 worker\n" in out


def test_where_nothing_is_classified_the_profile_has_no_stages(classify, talks):
    for name in IN_ORDER:
        os.utime(name, (0, 0))  # before the run, so that its rows hold
    classify("talks")
    status, out, _ = classify("talks", "--retry-failed", "--profile")
    assert status == 0
    assert "Time spent" in out
    assert "Classifying, over" not in out


def test_an_update_does_what_is_new_or_changed(recordings, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(recordings / "calls", "calls")
    update = ["classify", "calls", "--update", "--model", "paper-cnn"]

    def updated():
        assert run(update) == 0
        return capsys.readouterr().out.splitlines()[-1]

    counts = "Update: {} classified (new, changed or failed before), {} kept, {} gone and left out."
    assert updated() == counts.format(4, 0, 0)
    assert updated() == counts.format(0, 4, 0)
    os.unlink("calls/voicemail.mp3")
    shutil.copy("calls/train-times.wav", "calls/new.wav")
    os.utime("calls/bakery-order.wav")
    assert updated() == counts.format(2, 2, 1)
    updates = Path("serctl-results.csv").read_bytes()
    assert run(["classify", "calls", "--overwrite", "--model", "paper-cnn"]) == 0
    assert Path("serctl-results.csv").read_bytes() == updates


def test_a_quiet_run_prints_only_what_is_wrong(recordings, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    call = str(recordings / "calls" / "train-times.wav")
    assert run(["classify", call, "--quiet", "--model", "paper-cnn"]) == 0
    assert capsys.readouterr() == ("", "")
    assert run(["classify", call, "--quiet", "--model", "paper-cnn"]) == 2
    assert "exists already" in capsys.readouterr().err
