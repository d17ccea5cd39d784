"""Runs over objects: the rows of local files, and failures with their reasons."""

import json
import os
import shutil

import pytest
from support import buckets as stores

from serctl.cli import run
from serctl.engine import run as run_module
from serctl.engine.workers import isolated
from serctl.engine.workers.cutting import cut_isolated
from serctl.engine.workers.supervisor import Supervisor
from serctl.errors import AudioError
from serctl.files import objects


def start(request):
    return Supervisor(request, stores.COMMAND, 60.0)


@pytest.fixture
def bucket(buckets, write_recording, monkeypatch):
    """Bucket with recordings, which workers see too."""

    monkeypatch.setattr(run_module, "Supervisor", start)
    monkeypatch.setattr(isolated.describe_isolated, "__defaults__", (None, start, "report"))
    for name, kind in (("a.wav", "speech"), ("b/stereo.flac", "noise"), ("b/c.wav", "speech")):
        (buckets / "b" / name).parent.mkdir(parents=True, exist_ok=True)
        n_channels = 2 if "stereo" in name else 1
        shutil.move(write_recording(name, kind, n_channels=n_channels), buckets / "b" / name)
    (buckets / "b" / "broken.wav").write_bytes(b"RIFF")
    return buckets / "b"


def classify(output, *arguments):
    return run(["classify", *map(str, arguments), "-o", str(output), "--workers", "2", "-q"])


def rows_of(output):
    with open(output, encoding="utf-8") as file:
        return {row["path"]: row for row in map(json.loads, file)}


def test_rows_are_those_of_local_files(bucket, tiny_folder, tmp_path):
    options = ("--model", tiny_folder, "--channels", "each")
    assert classify(tmp_path / "local.csv", bucket, *options) == 1
    assert classify(tmp_path / "remote.csv", "s3://b", *options) == 1
    local = (tmp_path / "local.csv").read_bytes()
    assert local.count(b"\n") == 6
    assert local.replace(os.fsencode(bucket), b"s3://b") == (tmp_path / "remote.csv").read_bytes()


def test_what_cannot_be_downloaded_has_a_row_and_is_tried_again(bucket, tiny_folder, tmp_path):
    (tmp_path / "list.txt").write_text("s3://b/a.wav\ns3://b/gone.wav\ns3://b/b//c.wav\n")
    arguments = ("--files-from", tmp_path / "list.txt", "--model", tiny_folder)
    output = tmp_path / "r.jsonl"
    assert classify(output, *arguments) == 1
    rows = rows_of(output)
    assert rows["s3://b/a.wav"]["status"] == "ok"
    assert rows["s3://b/gone.wav"]["status"] == "failed"
    assert "There is no such object" in rows["s3://b/gone.wav"]["reason"]
    shutil.copy(bucket / "a.wav", bucket / "gone.wav")
    objects._known.clear()
    assert classify(output, *arguments, "--retry-failed") in (0, 1)
    assert rows_of(output)["s3://b/gone.wav"]["status"] == "ok"


def test_a_resumed_run_classifies_what_has_changed(bucket, tiny_folder, tmp_path, monkeypatch):
    output = tmp_path / "r.jsonl"
    arguments = ("s3://b", "--model", tiny_folder)

    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(run_module, "write_run", stop)  # all rows are in the journal
        assert classify(output, *arguments) == 130
    output.unlink(missing_ok=True)
    shutil.copy(bucket / "b" / "c.wav", bucket / "a.wav")
    os.utime(bucket / "a.wav", (1, 1))
    objects._known.clear()
    begun = []
    hand_out = Supervisor.rows
    monkeypatch.setattr(
        Supervisor,
        "rows",
        lambda self, found, left: begun.extend(left) or hand_out(self, found, left),
    )
    assert classify(output, *arguments, "--resume") == 1
    assert begun == [0]
    assert len(rows_of(output)) == 4


def test_no_copy_is_left(bucket, tiny_folder, tmp_path, monkeypatch):
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr("tempfile.tempdir", None)
    assert classify(tmp_path / "r.csv", "s3://b", "--model", tiny_folder) == 1
    assert os.listdir(tmp_path / "tmp") == []


def test_features_of_objects_are_those_of_files(bucket, tmp_path):
    for name, path in (("local.csv", bucket), ("remote.csv", "s3://b")):
        assert run(["features", str(path), "-o", str(tmp_path / name)]) == 1
    local = (tmp_path / "local.csv").read_bytes()
    assert local.replace(os.fsencode(bucket), b"s3://b") == (tmp_path / "remote.csv").read_bytes()


def test_samples_and_clips_of_objects_are_those_of_files(bucket, tmp_path):
    (tmp_path / "spool").mkdir()
    for path in (str(bucket / "a.wav"), "s3://b/a.wav"):
        ((samples, _),) = isolated.decode_isolated([path], str(tmp_path / "spool"), start=start)
        (clip,) = cut_isolated({path: [(None, 0.25, 0.5)]}, str(tmp_path / "spool"), start)
        assert len(samples) == 22050
        assert clip.path == path
        assert len(clip.samples) == 4000
    with pytest.raises(AudioError, match=r"s3://b/gone\.wav: There is no such object"):
        next(isolated.decode_isolated(["s3://b/gone.wav"], str(tmp_path / "spool"), start=start))


def test_a_manifest_has_the_sizes_of_objects(bucket, tmp_path):
    assert run(["scan", "s3://b", "-o", str(tmp_path / "m.csv")]) == 0
    lines = (tmp_path / "m.csv").read_text().splitlines()
    size = os.path.getsize(bucket / "a.wav")
    assert lines[1].startswith(f"s3://b/a.wav,{size},")


@pytest.mark.parametrize(
    "arguments",
    [
        ["evaluate", "s3://b", "--labels", "folders"],
        ["features", "s3://b", "--labels", "folders", "-o", "f.csv"],
    ],
)
def test_what_needs_local_files_says_so(arguments, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(arguments) == 2
    assert "Copy the recordings first" in capsys.readouterr().err
