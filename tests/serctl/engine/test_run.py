"""Runs of the command: stopped, disturbed, and with troubles of output.

What is stopped, limited or without streams is a process of its own; what goes on with it is run here.
"""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest
import soundfile
from support import faulty_worker

from serctl.cli import run
from serctl.engine.workers.supervisor import Supervisor

pytestmark = pytest.mark.slow

N_CLIPS = 80  # more than a batch, so that rows come before the last is read
STOP_S = 20.0  # a tenth of a second on a machine that does nothing else

# The command with a child that has a decoder's faults.
FAULTY = (
    "import sys, serctl.engine.run as run; from serctl.cli import main\n"
    f"sys.path.append({faulty_worker.TESTS!r}); from support import faulty_worker\n"
    "supervisor = run.Supervisor\n"
    "run.Supervisor = lambda request: supervisor(request, faulty_worker.COMMAND)\n"
    "main()"
)
SLOW = {"SERCTL_TEST_SLOW_S": "0.03"}  # for each recording
OPTIONS = ("--speech", "off", "--model")  # any sound will do
PLAIN = "from serctl.cli import main; main()"


@pytest.fixture(scope="module")
def clips(tmp_path_factory, make_signal):
    """Folder with `N_CLIPS` clips, no two alike."""
    folder = tmp_path_factory.mktemp("clips")
    for i in range(N_CLIPS):
        soundfile.write(folder / f"{i:03}.wav", make_signal("noise", 4800, 16000, seed=i), 16000)
    return folder


@pytest.fixture(scope="module")
def uninterrupted(clips, tiny_folder, tmp_path_factory):
    """Bytes of the results of `clips`, with no path's folder."""
    output = tmp_path_factory.mktemp("uninterrupted") / "r.csv"
    assert run(["classify", str(clips), "-o", str(output), *OPTIONS, str(tiny_folder)]) == 0
    return output.read_bytes()


@pytest.fixture
def start(clips, tiny_folder, tmp_path):
    """Give a function that starts the command for `clips` in `tmp_path`."""
    started = []

    def start(*options, code=PLAIN, **how):
        how = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True} | how
        env = os.environ | how.pop("env", {})
        command = [sys.executable, "-P", "-c", code, "classify", str(clips), *options]
        command += [*OPTIONS, str(tiny_folder)]
        # A parent may have been set to ignore it, and a child does as its parent.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            started.append(subprocess.Popen(command, cwd=tmp_path, env=env, **how))
        finally:
            signal.signal(signal.SIGINT, before)
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def classify(clips, tiny_folder, tmp_path, monkeypatch, capfd):
    """Give a function that runs the command for `clips` in `tmp_path`; what it prints and says."""
    monkeypatch.chdir(tmp_path)

    def classify(*options, status=0):
        assert run(["classify", str(clips), *options, *OPTIONS, str(tiny_folder)]) == status
        return capfd.readouterr()

    return classify


@pytest.fixture
def faulty(monkeypatch):
    """Have the runs of this process use a child that has a decoder's faults."""
    monkeypatch.setattr(
        "serctl.engine.run.Supervisor", lambda request: Supervisor(request, faulty_worker.COMMAND)
    )


@contextmanager
def full_at_the_end():
    """Have the results of a run in this process be written to a full disk."""
    with pytest.MonkeyPatch.context() as patch:
        full = lambda path, mode: open("/dev/full", mode)  # noqa: E731
        patch.setattr("serctl.results.writer.open", full, raising=False)
        yield


def wait_for_rows(process, journal):
    deadline_s = time.monotonic() + 120
    while not (journal.exists() and journal.read_bytes().count(b"\n") > 10):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline_s
        time.sleep(0.02)


def finish(process, status=0):
    printed, said = process.communicate(timeout=120)
    assert process.returncode == status, said
    return printed, said


@pytest.mark.parametrize(
    ("number", "status", "message"),
    [
        (signal.SIGINT, 130, "\nInterrupted.\n"),
        (signal.SIGTERM, 143, "Terminated.\n"),
        (signal.SIGKILL, -9, ""),
    ],
)
def test_a_run_that_is_stopped_goes_on_where_it_was(
    start, classify, clips, uninterrupted, tmp_path, number, status, message
):
    journal = tmp_path / "r.csv.journal"
    process = start("-o", "r.csv", "--workers", "1", code=FAULTY, env=SLOW)
    wait_for_rows(process, journal)
    began_s = time.monotonic()
    process.send_signal(number)
    _, said = finish(process, status)
    assert time.monotonic() - began_s < STOP_S
    n_rows = journal.read_bytes().count(b"\n") - 1
    assert 0 < n_rows < N_CLIPS
    if message:
        assert said == (
            f"{message}{n_rows} of {N_CLIPS} recordings are finished and saved in r.csv.journal. "
            "To continue, run the same command with --resume.\n"
        )
    left = {"r.csv.journal"}
    if number == signal.SIGKILL:  # a lock for each file that is named at the end
        left |= {f"r.csv{name}.lock" for name in ("", ".run.json", ".segments.csv")}
    assert set(os.listdir(tmp_path)) == left
    kept = journal.read_bytes()
    _, said = classify("-o", "r.csv", status=2)
    assert "Continue it with --resume" in said
    _, said = classify("-o", "r.csv", "--resume", "--emotions", "angry,sad", status=3)
    assert "emotions was angry,disgust,fear,happy,sad and is now angry,sad" in said
    assert journal.read_bytes() == kept
    classify("-o", "r.csv", "--resume", "--batch-size", "8")  # which changes nothing on a CPU
    assert (tmp_path / "r.csv").read_bytes() == uninterrupted
    assert sorted(os.listdir(tmp_path)) == ["r.csv", "r.csv.run.json"]


@pytest.mark.parametrize("extension", [".json", ".jsonl"])
def test_every_format_is_the_same_after_a_resume(start, classify, tmp_path, extension):
    classify("-o", f"whole{extension}")
    process = start("-o", f"r{extension}", "--workers", "1", code=FAULTY, env=SLOW)
    wait_for_rows(process, tmp_path / f"r{extension}.journal")
    process.kill()
    finish(process, -9)
    classify("-o", f"r{extension}", "--resume")
    whole, resumed = (tmp_path / f"{name}{extension}" for name in ("whole", "r"))
    assert resumed.read_bytes() == whole.read_bytes()


def test_a_second_run_to_one_output_is_refused(start, classify, uninterrupted, tmp_path):
    first = start("-o", "r.csv", "--workers", "1", code=FAULTY, env=SLOW)
    wait_for_rows(first, tmp_path / "r.csv.journal")
    first.send_signal(signal.SIGSTOP)  # lest it finish before the others have begun
    for options in ([], ["--resume"], ["--overwrite"]):
        _, said = classify("-o", "./r.csv", *options, status=3)
        assert "r.csv: another run is writing to it" in said
    first.send_signal(signal.SIGCONT)
    finish(first)
    assert (tmp_path / "r.csv").read_bytes() == uninterrupted


def test_a_finished_run_is_not_gone_on_with(classify, tmp_path):
    (tmp_path / "r.csv").write_text("precious")
    _, said = classify("-o", "r.csv", "--resume", status=2)
    assert "its run has finished" in said
    _, said = classify("-o", "-", "--resume", status=2)
    assert "standard output has no journal" in said
    assert (tmp_path / "r.csv").read_text() == "precious"


def test_a_crash_is_a_row_and_its_neighbours_are_as_ever(
    classify, faulty, clips, uninterrupted, tmp_path
):
    culprit = clips / "crash.wav"
    shutil.copyfile(clips / "010.wav", culprit)
    try:
        printed, _ = classify("-o", "r.csv", status=1)
        streamed, _ = classify("-o", "-", status=1)
    finally:
        culprit.unlink()
    assert "SIGSEGV" in printed
    text = (tmp_path / "r.csv").read_text()
    assert streamed == text
    rows = list(csv.DictReader(text.splitlines()))
    assert len(rows) == N_CLIPS + 1
    assert [row["status"] for row in rows].count("failed") == 1
    assert rows[-1]["path"] == str(culprit)
    others = [line for line in text.splitlines(keepends=True) if not line.startswith(str(culprit))]
    assert "".join(others).encode() == uninterrupted


def test_what_failed_is_done_again(classify, clips, uninterrupted, tmp_path):
    # As after a crash between naming the output and removing the journal.
    bad = clips / "005.wav"
    good = bad.read_bytes()
    stamp = bad.stat()
    bad.write_bytes(bytes(len(good)))
    os.utime(bad, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    try:
        with full_at_the_end():
            classify("-o", "r.csv", status=3)
        journal = (tmp_path / "r.csv.journal").read_bytes()
        classify("-o", "r.csv", "--retry-failed", status=1)
        (tmp_path / "r.csv.journal").write_bytes(journal)
        bad.write_bytes(good)
        os.utime(bad, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))  # another content alone
        classify("-o", "r.csv", "--resume")
    finally:
        bad.write_bytes(good)
    assert (tmp_path / "r.csv").read_bytes() == uninterrupted


@pytest.mark.parametrize("output", ["r.csv", "r.jsonl"])
def test_what_failed_in_a_finished_run_is_done_again(classify, clips, tmp_path, output):
    classify("-o", f"whole-{output}")
    for path in clips.iterdir():
        os.utime(path, (1, 1))
    bad = clips / "005.wav"
    good = bad.read_bytes()
    new = clips / "new.wav"
    bad.write_bytes(bytes(len(good)))
    try:
        classify("-o", output, status=1)
        bad.write_bytes(good)
        shutil.copyfile(clips / "007.wav", new)
        classify("-o", output, "--retry-failed")
        again = (tmp_path / output).read_text().splitlines(keepends=True)
    finally:
        bad.write_bytes(good)
        new.unlink(missing_ok=True)
    others = [line for line in again if "new.wav" not in line]
    assert len(again) == len(others) + 1
    assert "".join(others) == (tmp_path / f"whole-{output}").read_text()
    assert not (tmp_path / f"{output}.journal").exists()


def test_what_was_put_in_its_place_since_is_done_again(tmp_path, write_recording, tiny_folder):
    old, other = (write_recording(f"{name}/x.wav", name, 1.0) for name in ("noise", "tone"))
    for path in (old, other):
        os.utime(path, (1, 1))
    arguments = ["classify", str(tmp_path / "noise"), "-o", str(tmp_path / "r.jsonl")]
    arguments += [*OPTIONS, str(tiny_folder)]
    assert run(arguments) == 0
    before = json.loads((tmp_path / "r.jsonl").read_text())
    os.replace(other, old)  # with its time of change, and of the same size
    assert run([*arguments, "--retry-failed"]) == 0
    assert json.loads((tmp_path / "r.jsonl").read_text())["confidence"] != before["confidence"]


def test_of_a_finished_run_only_what_failed_is_done_again(classify, clips, tmp_path):
    for path in clips.iterdir():
        os.utime(path, (1, 1))
    classify("-o", "r.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "r.jsonl").read_text().splitlines()]
    rows[3] |= {"status": "silent", "reason": "as no run would say"}
    rows[4] |= {"status": "failed", "reason": "for a while"}
    rows[5]["reason"] = "changed since"
    edited = "".join(json.dumps(row) + "\n" for row in rows)
    (tmp_path / "r.jsonl").write_text(edited)
    os.utime(rows[5]["path"])
    classify("-o", "r.jsonl", "--retry-failed")
    again = [json.loads(line) for line in (tmp_path / "r.jsonl").read_text().splitlines()]
    reasons = {os.path.basename(row["path"]): row["reason"] for row in again if row["reason"]}
    assert reasons == {"003.wav": "as no run would say"}
    (tmp_path / "r.jsonl").write_text(edited)
    _, said = classify("-o", "r.jsonl", "--retry-failed", "--emotions", "angry,sad", status=3)
    assert "r.jsonl.run.json: belongs to a run with other settings: emotions was angry," in said
    shutil.copyfile(clips / "000.wav", tmp_path / "other.wav")
    (tmp_path / "r.jsonl").write_text(edited.replace(rows[7]["path"], "other.wav"))
    _, said = classify("-o", "r.jsonl", "--retry-failed", status=3)
    assert "r.jsonl: has a row of other.wav, which is not among the recordings found" in said
    assert not (tmp_path / "r.jsonl.journal").exists()
    (tmp_path / "r.jsonl").write_text(edited)
    (tmp_path / "r.jsonl.run.json").unlink()
    _, said = classify("-o", "r.jsonl", "--retry-failed", status=2)
    assert "r.jsonl.run.json: No such file or directory; --retry-failed needs the record" in said
    assert (tmp_path / "r.jsonl").read_text() == edited


def limited(n_bytes):
    """Let files grow so far only, as a full disk does."""
    import resource

    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, n_bytes))


def test_a_full_disk_keeps_what_is_done(start, classify, uninterrupted, tmp_path):
    _, said = finish(start("-o", "r.csv", preexec_fn=limited(8000)), 3)
    journal = tmp_path / "r.csv.journal"
    n_rows = journal.read_bytes().count(b"\n") - 1
    assert 10 < n_rows < N_CLIPS
    assert said == (
        f"Error: r.csv.journal: could not be written, after {n_rows} rows (File too large). Free "
        f"some space, or choose an output elsewhere.\n{n_rows} of {N_CLIPS} recordings are finished "
        "and saved in r.csv.journal. To continue, run the same command with --resume.\n"
    )
    assert journal.read_bytes().endswith(b"}\n")
    classify("-o", "r.csv", "--resume")
    assert (tmp_path / "r.csv").read_bytes() == uninterrupted


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_disk_that_is_full_at_the_end_keeps_the_journal(classify, uninterrupted, tmp_path):
    with full_at_the_end():
        _, said = classify("-o", "r.csv", status=3)
    assert f"{N_CLIPS} of {N_CLIPS} recordings are finished and saved in r.csv.journal" in said
    assert os.listdir(tmp_path) == ["r.csv.journal"]
    classify("-o", "r.csv", "--resume")
    assert (tmp_path / "r.csv").read_bytes() == uninterrupted


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_summary_that_cannot_be_printed_is_not_a_failed_run(start, uninterrupted, tmp_path):
    with open("/dev/full", "wb") as stdout:
        _, said = finish(start("-o", "r.csv", stdout=stdout), 4)
    assert "standard output cannot be written (No space left on device)" in said
    assert (tmp_path / "r.csv").read_bytes() == uninterrupted
    assert sorted(os.listdir(tmp_path)) == ["r.csv", "r.csv.run.json"]


@pytest.mark.skipif(sys.platform != "linux", reason="a limit on address space as Linux has it")
def test_a_limit_on_address_space_that_is_too_low_is_said(start):
    import resource

    limit = lambda: resource.setrlimit(resource.RLIMIT_AS, (500_000_000, 500_000_000))  # noqa: E731
    _, said = finish(start("-o", "r.csv", preexec_fn=limit), 3)
    assert said.startswith("Error: The limit on address space (ulimit -v) is 0.5 GB, and at least")


@pytest.mark.parametrize("output", ["-", "r.csv"])
def test_a_reader_that_has_gone_is_passed_over_quietly(start, uninterrupted, tmp_path, output):
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as stdout:
        process = start("-o", output, stdout=stdout)
    _, said = finish(process, 141)
    assert said == ""
    if output == "r.csv":
        assert (tmp_path / "r.csv").read_bytes() == uninterrupted
        assert sorted(os.listdir(tmp_path)) == ["r.csv", "r.csv.run.json"]


def test_neither_home_nor_locale_nor_terminal_is_needed(start, clips, uninterrupted, tmp_path):
    umlaut = clips / os.fsdecode("ä\N{PILE OF POO}".encode() + b"\xff.wav")
    shutil.copyfile(clips / "000.wav", umlaut)
    env = {"LANG": "C", "LC_ALL": "C", "PYTHONIOENCODING": "ascii", "HOME": "/nonexistent"}
    env |= {"XDG_CACHE_HOME": "/proc/none", "TERM": ""}
    try:
        finish(start("-o", "r.csv", env=env, stdin=subprocess.DEVNULL))
        printed, _ = finish(start("-o", "-", env=env, text=False))
    finally:
        umlaut.unlink()
    content = (tmp_path / "r.csv").read_bytes()
    assert printed == content
    assert os.fsencode(umlaut) in content
    last = content.splitlines()[-1] + b"\n"
    assert last.startswith(os.fsencode(umlaut))
    assert content.removesuffix(last) == uninterrupted


def test_closed_streams_harm_nothing(start, uninterrupted, tmp_path):
    def close():
        for descriptor in range(3):
            os.close(descriptor)

    finish(start("-o", "r.csv", preexec_fn=close))
    assert (tmp_path / "r.csv").read_bytes() == uninterrupted


def test_the_record_of_a_run_says_what_results_depend_on(classify, tmp_path):
    classify("-o", "r.csv", "--workers", "3")
    record = json.loads((tmp_path / "r.csv.run.json").read_text())
    assert record["counts"]["ok"] == record["n_found"] == N_CLIPS
    assert (record["model"], record["workers"], record["batch_size"]) == ("tiny", 3, 64)
    assert len(record["config_sha256"]) == len(record["model_sha256"]) == 64
