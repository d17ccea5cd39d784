import os

import numpy as np
import pytest
from support import faulty_worker

from serctl.audio.decoding import read_whole
from serctl.engine.workers import pool
from serctl.engine.workers.isolated import decode_isolated, describe_isolated, outline_isolated
from serctl.engine.workers.supervisor import Supervisor
from serctl.errors import AudioError
from serctl.features.table import write_features
from serctl.timeline.outline import read_outlines


def start_faulty(request):
    return Supervisor(request, faulty_worker.COMMAND, 1.5)


def isolated(paths, folder, n_workers):
    yield from describe_isolated(paths, folder, n_workers, None, start_faulty)


@pytest.mark.parametrize("name", ["f.csv", "f.npz"])
def test_a_table_is_the_same_as_without_a_worker(write_recording, tmp_path, name):
    (tmp_path / "text.wav").write_text("not sound")
    paths = [write_recording(f"{i}.wav", "noise", 0.3 + 0.1 * i) for i in range(8)]
    paths.insert(2, str(tmp_path / "text.wav"))
    (tmp_path / "out").mkdir()
    tables = []
    for describe_all in (None, isolated):
        output = tmp_path / "out" / name
        rows = write_features(
            paths, output, frames=name == "f.npz", n_workers=2, describe_all=describe_all
        )
        assert [row.path for row in rows] == paths
        assert os.listdir(tmp_path / "out") == [name]
        tables.append(output.read_bytes())
        output.unlink()
    assert tables[0] == tables[1]


def test_recordings_that_crash_or_hang_cost_themselves_alone(write_recording, tmp_path):
    paths = [write_recording(f"{name}.wav", "noise", 0.3) for name in ("a", "crash", "b", "hang")]
    described = list(isolated(paths, None, 2))
    assert [description.path for description, _ in described] == paths
    assert [description.status for description, _ in described] == ["ok", "failed", "ok", "failed"]
    assert described[1][0].reason.startswith(
        "Decoding crashed, and again in a new process (SIGSEGV)"
    )
    assert described[3][0].reason.startswith("Decoding made no progress for 1.5 s, and again")
    assert np.array_equal(described[1][0].values, np.empty(0, np.float32))


def test_a_time_limit_is_for_each_recording(write_recording):
    paths = [write_recording(f"{name}.wav", "noise", 0.3) for name in ("endless", "a")]

    def start(request):  # that waits longer than the limit for a sign of progress
        return Supervisor(request, faulty_worker.COMMAND, 60.0)

    described = [d for d, _ in describe_isolated(paths, None, 1, 2.0, start)]
    assert [description.status for description in described] == ["failed", "ok"]
    assert described[0].reason == "Not finished after 2 s, the limit set by --timeout."


def test_few_frames_wait_behind_a_long_recording(write_recording, tmp_path, monkeypatch):
    monkeypatch.setenv("SERCTL_TEST_SLOW_S", "0.05")
    paths = [write_recording(f"{i}.wav", "noise", 0.1) for i in range(20)]
    most = []
    for description, spool in isolated(paths, str(tmp_path), 2):
        assert description.status == "ok"
        assert spool.n_frames == 1 + 2205 // 512
        most.append(len([name for name in os.listdir(tmp_path) if name.endswith(".mel")]))
    assert len(most) == 20
    assert max(most) <= 2 * 2 + 2
    assert not [name for name in os.listdir(tmp_path) if name.endswith((".mel", ".mfcc"))]


def test_samples_are_those_of_this_process(write_recording, tmp_path):
    paths = [write_recording(f"{i}.wav", "noise", 0.1 + 0.1 * i, 16000, 2) for i in range(4)]
    (tmp_path / "spool").mkdir()
    decoded = list(decode_isolated(paths, str(tmp_path / "spool")))
    for path, (samples, reason) in zip(paths, decoded, strict=True):
        assert np.array_equal(samples, read_whole(path, 22050)[0])
        assert reason == ""
    assert os.listdir(tmp_path / "spool") == []


def test_outlines_are_those_of_this_process(write_recording):
    path = write_recording("a.wav", "speech", 3.0, 16000, 2)
    outlines = outline_isolated(path, [1, 2])
    for channel, outline in zip((1, 2), outlines, strict=True):
        (here,) = read_outlines(path, [channel])
        assert np.array_equal(outline.peaks, here.peaks)
        assert outline.speech_s == here.speech_s != []
        assert outline.step_s == here.step_s


@pytest.mark.parametrize(
    ("name", "timeout_s", "reason"),
    [
        ("crash", None, r"crash\.wav: Decoding crashed, and again in a new process \(SIGSEGV\)"),
        ("hang", None, r"hang\.wav: Decoding made no progress for 1\.5 s, and again"),
        ("sleep", 0.5, r"sleep\.wav: Not finished after 0\.5 s, the limit set by --timeout"),
        ("text", None, r"text\.wav: Format not recognised"),
    ],
)
def test_what_cannot_be_drawn_raises(
    write_recording, tmp_path, monkeypatch, name, timeout_s, reason
):
    monkeypatch.setattr(pool, "LATE_GRACE_S", 0.5)
    paths = [write_recording("a.wav", "noise", 0.3), str(tmp_path / f"{name}.wav")]
    (tmp_path / f"{name}.wav").write_text("some words" if name == "text" else "")
    if name != "text":
        write_recording(f"{name}.wav", "noise", 0.3)
    with pytest.raises(AudioError, match=reason):
        list(decode_isolated(paths, str(tmp_path), timeout_s, start_faulty))
    with pytest.raises(AudioError, match=reason):
        outline_isolated(paths[1], [None], timeout_s, start_faulty)


def test_an_endless_recording_has_no_outline(write_recording):
    path = write_recording("endless.wav", "noise", 0.3)
    with pytest.raises(AudioError, match=r"Not finished after 0\.5 s"):
        outline_isolated(path, [None], 0.5, start_faulty)
