"""``serctl classify --voices`` and ``--same-room``, from recordings to files."""

import csv
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from support import faulty_worker

from serctl.cli import run
from serctl.engine.run import ResultsWriter
from serctl.engine.workers.supervisor import Supervisor
from serctl.errors import ResultsError
from serctl.models.classifier import Classifier

pytestmark = pytest.mark.slow

FILES = {
    "a/1.wav": "calls/bakery-order.wav",
    "a/2.wav": "calls/train-times.wav",
    "a/3.wav": "calls/wrong-number.wav",
    "b/1.flac": "interview/answer.flac",
    "b/2.flac": "interview/question.flac",
    "c/1.ogg": "podcast/weather.ogg",
}


def fill(folder, recordings):
    """Write recordings of three voices, and one that cannot be read."""
    for name, source in FILES.items():
        (folder / "talks" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(recordings / source, folder / "talks" / name)
    (folder / "talks/a/0.wav").write_text("no sound")


def classify(*options):
    model = () if "--model" in options else ("--model", "whisper")
    return run(["classify", "talks", *model, *options])


@pytest.fixture(scope="module")
def finished(tmp_path_factory, recordings):
    """Folder with the recordings, and results by folder and without voices."""
    folder = tmp_path_factory.mktemp("finished")
    fill(folder, recordings)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert classify("-o", "alone.csv") == 1
        assert classify("-o", "voices.csv", "--voices", "folder", "--workers", "2") == 1
    return folder


@pytest.fixture
def talks(tmp_path, finished, monkeypatch):
    """Go to a copy of that folder."""
    shutil.copytree(finished, tmp_path, dirs_exist_ok=True, copy_function=os.link)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "talks"


def rows_of(path):
    with open(path, newline="") as file:
        return {row["path"].removeprefix("talks/"): row for row in csv.DictReader(file)}


def shares(row):
    return [float(row[name]) for name in row if name.startswith("p_")]


def test_rows_are_those_of_the_api_and_say_whose_they_are(talks):
    rows, alone = rows_of("voices.csv"), rows_of("alone.csv")
    assert list(rows) == ["a/0.wav", *FILES]
    whose = {path: (row["voice"], row["voice_n"]) for path, row in rows.items()}
    assert whose == {
        "a/0.wav": ("talks/a", ""),
        **dict.fromkeys(["a/1.wav", "a/2.wav", "a/3.wav"], ("talks/a", "3")),
        **dict.fromkeys(["b/1.flac", "b/2.flac"], ("talks/b", "2")),
        "c/1.ogg": ("talks/c", "1"),
    }
    paths = [f"talks/{path}" for path in FILES]
    found = Classifier("whisper", device="cpu").classify_many(paths, os.path.dirname)
    for result, path in zip(found, FILES, strict=True):
        np.testing.assert_allclose(shares(rows[path]), result.probabilities, rtol=0, atol=1e-6)
        assert (rows[path]["emotion"], rows[path]["windows"]) == (
            result.emotion,
            str(result.windows),
        )
    assert shares(rows["c/1.ogg"]) == shares(alone["c/1.ogg"])
    assert all(shares(rows[path]) != shares(alone[path]) for path in FILES if path[0] != "c")
    assert {row["voice"] + row["voice_n"] for row in alone.values()} == {""}


def test_the_record_has_what_the_voices_come_from(talks):
    record = json.loads(Path("voices.csv.run.json").read_text())
    assert record["grouped"] is True
    assert record["voices"] == {
        "from": "folder",
        "value": "",
        "table_sha256": "",
        "n_alone": 0,
        "n_recordings": {"talks/a": 3, "talks/b": 2, "talks/c": 1},
    }
    assert json.loads(Path("alone.csv.run.json").read_text())["grouped"] is False


def test_a_table_gives_the_same_rows_and_recordings_without_a_voice_are_alone(talks, capsys):
    Path("v.csv").write_text("path;voice\r\na/1.wav;A\r\na/2.wav;A\r\na/3.wav;A\r\nb/1.flac;A\r\n")
    Path("talks/b/1.flac").unlink()
    assert classify("-o", "t.jsonl", "--voices", "v.csv", "--workers", "1") == 1
    found = [json.loads(line) for line in Path("t.jsonl").read_text().splitlines()]
    rows, alone = rows_of("voices.csv"), rows_of("alone.csv")
    for row in found[1:]:
        path = row["path"].removeprefix("talks/")
        assert (row["voice"], row["voice_n"]) == (("A", 3) if path[0] == "a" else ("", None))
        assert shares(row) == shares((rows if path[0] == "a" else alone)[path])
    printed = " ".join(capsys.readouterr().out.split())
    assert (
        "Voices: 1, with 3 recordings. Recordings without a voice, classified alone: 3." in printed
    )


def test_one_room_is_one_group(talks):
    assert classify("-o", "r.csv", "--same-room") == 1
    rows = rows_of("r.csv")
    assert {row["voice_n"] for row in rows.values()} == {"6", ""}
    assert {row["voice"] for row in rows.values()} == {"same-room"}


@pytest.fixture
def interrupted(talks, monkeypatch):
    """Journal ``v.csv.journal`` of a run by folder that has all its rows, and no results."""

    class Full(ResultsWriter):
        def __enter__(self):
            raise ResultsError("full")

    with monkeypatch.context() as patch:
        patch.setattr("serctl.engine.run.ResultsWriter", Full)
        assert classify("-o", "v.csv", "--voices", "folder", "--workers", "1") == 3
    return Path("v.csv.journal")


def test_the_same_bytes_for_other_workers_and_after_an_interruption(interrupted):
    lines = interrupted.read_bytes().splitlines(keepends=True)
    assert len(lines) == 2 + len(FILES)
    interrupted.write_bytes(b"".join(lines[:4]) + lines[4][:5000])  # torn in an embedding
    assert classify("-o", "v.csv", "--voices", "folder", "--resume") == 1
    assert Path("v.csv").read_bytes() == Path("voices.csv").read_bytes()
    assert not interrupted.exists()


def test_new_recordings_of_a_voice_change_its_rows_from_what_was_kept(
    interrupted, recordings, monkeypatch
):
    shutil.copy(recordings / "calls/voicemail.mp3", "talks/b/0.mp3")
    kept = interrupted.read_bytes()
    assert classify("-o", "v.csv", "--voices", "folder", "--resume") == 1
    assert classify("-o", "whole.csv", "--voices", "folder") == 1
    assert Path("v.csv").read_bytes() == Path("whole.csv").read_bytes()
    rows, before = rows_of("v.csv"), rows_of("voices.csv")
    assert rows["b/1.flac"]["voice_n"] == "3"
    assert shares(rows["b/1.flac"]) != shares(before["b/1.flac"])
    assert rows["a/1.wav"] == before["a/1.wav"]
    assert kept.count(b'"embedding"') == len(FILES)


def test_a_run_without_voices_is_not_gone_on_with_as_one_with_them(interrupted, capsys):
    assert classify("-o", "v.csv", "--resume") == 3
    assert "grouped was True and is now False" in capsys.readouterr().err
    assert interrupted.exists()


def test_a_damaged_embedding_is_computed_again(interrupted):
    content = bytearray(interrupted.read_bytes())
    at = content.index(b'"embedding"') + 1000
    content[at] ^= 1
    interrupted.write_bytes(content)
    assert classify("-o", "v.csv", "--voices", "folder", "--resume") == 1
    assert Path("v.csv").read_bytes() == Path("voices.csv").read_bytes()


def test_a_retry_reads_again_only_what_its_rows_depend_on(talks, recordings, monkeypatch):
    began = []
    done = Supervisor._done

    def noted(self, place, *arguments):
        began.append(place)
        return done(self, place, *arguments)

    def retry(*options):
        """Retry a finished run; the recordings read, and whether it is as if it were new."""
        began.clear()
        status = classify("-o", "r.csv", "--retry-failed", *options)
        read = sorted(began)
        assert classify("-o", "whole.csv", "--overwrite", *options) == status
        assert Path("r.csv").read_bytes() == Path("whole.csv").read_bytes()
        return read

    monkeypatch.setattr(Supervisor, "_done", noted)
    assert classify("-o", "r.csv", "--voices", "folder") == 1  # now, since links changed the files
    assert retry("--voices", "folder") == [0]
    os.unlink("talks/a/0.wav")
    shutil.copy(recordings / "calls/voicemail.mp3", "talks/a/0.wav")
    assert retry("--voices", "folder") == [0, 1, 2, 3]
    assert rows_of("r.csv")["a/1.wav"]["voice_n"] == "4"
    assert retry("--voices", "(?P<voice>talks/[bc])/") == [0, 1, 2, 3]


def test_a_crash_at_the_end_is_a_row_and_the_others_are_compared(talks, monkeypatch):
    monkeypatch.setattr(
        "serctl.engine.run.Supervisor", lambda request: Supervisor(request, faulty_worker.COMMAND)
    )
    os.mkdir("talks/z")
    shutil.copy("talks/a/1.wav", "talks/z/crash.wav")
    assert classify("-o", "r.csv", "--voices", "folder") == 1
    *others, crashed = Path("r.csv").read_text().splitlines(keepends=True)
    assert "SIGSEGV" in crashed
    assert crashed.endswith(",talks/z,\n")
    assert "".join(others) == Path("voices.csv").read_text()


@pytest.mark.parametrize(
    ("options", "status", "message"),
    [
        (["--voices", "folder", "--same-room"], 2, "--voices and --same-room: give one of them"),
        (["--voices", "folder", "--channels", "each"], 2, "remove --channels each"),
        (["--voices", "folder", "--shard", "1/2"], 2, "remove --shard"),
        (["--voices", "folder", "-o", "-"], 2, "-: with voices no row is known"),
        (["--voices", "none.csv"], 2, "--voices none.csv: there is no such table"),
        (["--voices", "(?P<voice>"], 2, "not a regular expression"),
        (["--voices", "(?P<voice>zzz)"], 2, "matches none of 7 recordings"),
        (["--voices", "folder", "--model", "cnn"], 2, "the model cnn cannot"),
        (["--same-room", "--model", "paper-svm"], 2, "Use --model whisper"),
    ],
)
def test_what_cannot_be_is_refused_and_leaves_nothing(talks, capsys, options, status, message):
    before = sorted(os.listdir())
    output = () if "-o" in options else ("-o", "r.csv")
    assert classify(*output, *options) == status
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.out == ""
    assert sorted(os.listdir()) == before
