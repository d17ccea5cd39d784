import json
import os
import queue
import signal
import subprocess
import sys
import time

import pytest
import soundfile
from support import faulty_worker
from support.sparse_audio import write_sparse_wav

from serctl.engine.pipeline import classify_recordings
from serctl.engine.workers import child as child_module
from serctl.engine.workers import pool, supervisor
from serctl.engine.workers.child import COMMAND, Child
from serctl.engine.workers.messages import Request
from serctl.engine.workers.supervisor import Supervisor
from serctl.errors import ModelError, RunError, UsageError
from serctl.files.stamps import content_hash
from serctl.results.schema import row_of

CRASHED = "Decoding crashed, and again in a new process"


@pytest.fixture(autouse=True)
def new_processes(monkeypatch):
    """Start every process anew, but those in which recordings are at fault."""
    new, warm = subprocess.Popen, child_module.subprocess.Popen

    def popen(command, **options):
        return (warm if command == faulty_worker.COMMAND else new)(command, **options)

    monkeypatch.setattr(child_module.subprocess, "Popen", popen)


@pytest.fixture
def make_clips(tmp_path, make_signal):
    """Give a function that writes a clip for each name, no two alike, and returns the paths."""

    def make(*names):
        paths = [str(tmp_path / f"{name}.wav") for name in names]
        for seed, path in enumerate(paths):
            soundfile.write(path, make_signal("noise", 8000, 16000, seed=seed), 16000)
        return paths

    return make


@pytest.fixture
def run(tiny_folder):
    """Give a function that classifies in a child and returns the rows, by path."""

    def classify(paths, command=faulty_worker.COMMAND, stall_s=60.0, left=None, timeout_s=None):
        request = Request(
            str(tiny_folder), device="cpu", workers=2, timeout_s=timeout_s, speech="off"
        )
        with Supervisor(request, command, stall_s) as watching:
            left = range(len(paths)) if left is None else left
            done = list(watching.rows(paths, left))
        assert sorted(index for index, *_ in done) == sorted(left)
        for index, stamp, row, content in done:
            assert stamp.size == os.path.getsize(paths[index])
            assert content == content_hash(paths[index]) or (not content and "failed" in row)
        return {paths[index]: json.loads(row) for index, _, row, _ in done}

    return classify


@pytest.fixture
def expected(classifier):
    """Give a function that classifies in this process and returns the rows, by path."""

    def classify(paths):
        results = classify_recordings(paths, classifier)
        rows = (row_of(result, classifier.emotions) for result in results)
        return {row["path"]: json.loads(json.dumps(row)) for row in rows}

    return classify


def check_culprits(rows, expected, reasons):
    """Check that exactly these recordings failed, and that all others are as without them."""
    good = [path for path in rows if os.path.basename(path) not in reasons]
    assert {path: rows[path] for path in good} == expected(good)
    failed = {os.path.basename(path): row for path, row in rows.items() if path not in good}
    assert {row["status"] for row in failed.values()} == {"failed"}
    assert {name: row["reason"] for name, row in failed.items()} == reasons


def test_rows_are_those_of_the_pipeline(run, make_clips, expected):
    paths = make_clips(*"abcdefgh")
    assert run(paths, COMMAND) == expected(paths)


def test_only_what_is_left_is_done(run, make_clips, expected):
    paths = make_clips(*"abcd")
    assert run(paths, left=[1, 3]) == expected([paths[1], paths[3]])
    assert run(paths, left=[]) == {}


def test_recordings_that_crash_are_found_and_cost_themselves_alone(run, make_clips, expected):
    paths = make_clips("a", "crash", "b", "c", "abort", "d", "exit", "memory", "e")
    advice = "Export it again as 16-bit wav or flac."
    rows = run(paths)
    memory = rows[paths[7]]
    assert memory["reason"].startswith("MemoryError: Unable to allocate 16")
    check_culprits(
        rows,
        expected,
        {
            "crash.wav": f"{CRASHED} (SIGSEGV). {advice}",
            "abort.wav": f"{CRASHED} (SIGABRT). {advice}",
            "exit.wav": f"{CRASHED} (exit status 0). {advice}",
            "memory.wav": memory["reason"],
        },
    )


@pytest.mark.parametrize("name", ["hang", "sleep"])
def test_a_recording_that_hangs_is_given_up(run, make_clips, expected, name):
    reason = "Decoding made no progress for 1.5 s, and again in a new process. Export it again as"
    paths = make_clips("a", name, "b", "c")
    check_culprits(
        run(paths, stall_s=1.5), expected, {f"{name}.wav": f"{reason} 16-bit wav or flac."}
    )


@pytest.mark.parametrize("name", ["hang", "sleep", "endless"])
def test_a_recording_that_takes_longer_than_it_may_costs_itself_alone(
    run, make_clips, expected, monkeypatch, name
):
    monkeypatch.setattr(pool, "LATE_GRACE_S", 0.5)
    paths = make_clips("a", name, "b", "c")
    reason = "Not finished after 2 s, the limit set by --timeout."
    check_culprits(run(paths, timeout_s=2.0), expected, {f"{name}.wav": reason})


def test_no_recording_waits_for_a_long_one(tiny_folder, make_clips):
    paths = make_clips("endless", *map(str, range(100)))  # more than are read ahead
    request = Request(str(tiny_folder), device="cpu", workers=2)
    with Supervisor(request, faulty_worker.COMMAND, 60.0) as watching:
        rows = watching.rows(paths, range(len(paths)))
        assert sorted(next(rows).place for _ in paths[1:]) == list(range(1, 101))
        rows.close()


def test_how_much_of_a_long_recording_is_done_is_said(tiny_folder, tmp_path, monkeypatch):
    monkeypatch.setenv("SERCTL_TEST_PROGRESS_S", "0.1")
    path = write_sparse_wav(tmp_path / "long.wav", 60 * 3600)
    request = Request(str(tiny_folder), device="cpu", workers=1, speech="off", timeout_s=3.0)
    shares = []
    with Supervisor(request, faulty_worker.COMMAND, 60.0) as watching:
        watching.on_share = shares.append
        list(watching.rows([path], [0]))
    assert shares == sorted(shares)
    assert len(set(shares)) > 2
    assert 0 <= shares[0] < shares[-1] < 1


def test_a_file_that_is_changed_while_it_is_read_has_no_hash(tiny_folder, make_clips):
    paths = make_clips("a", "changed")
    request = Request(str(tiny_folder), device="cpu", workers=1)
    with Supervisor(request, faulty_worker.COMMAND) as watching:
        contents = {done.place: done.content for done in watching.rows(paths, [0, 1])}
    assert contents == {0: content_hash(paths[0]), 1: ""}


def test_a_crash_that_does_not_come_again_costs_nothing(run, make_clips, expected):
    paths = make_clips("a", "once", "b")
    with open(f"{paths[1]}.not-yet", "w"):
        pass
    assert run(paths) == expected(paths)


def test_a_network_that_crashes_is_found_out_at_the_start(run, make_clips, monkeypatch):
    monkeypatch.setenv("SERCTL_TEST_NETWORK", "crashes")
    with pytest.raises(RunError, match=r"ended while it started \(SIGILL\)\."):
        run(make_clips("a"))


def test_a_network_that_crashes_with_every_recording_ends_the_run(run, make_clips, monkeypatch):
    monkeypatch.setenv("SERCTL_TEST_NETWORK", "crashes later")
    monkeypatch.setattr(supervisor, "MOST_CRASHES", 3)
    with pytest.raises(RunError, match=r"ended with each of 3 recordings \(SIGILL\)\. Is there"):
        run(make_clips(*"abcde"))


def child(code):
    return (sys.executable, "-P", "-c", code)


def test_a_child_that_does_not_start_is_said_with_its_words():
    code = "import sys; print('no torch here', file=sys.stderr); sys.exit(7)"
    words = r"while it started \(exit status 7\)\. Its last lines:\nno torch here"
    with Supervisor(Request(), child(code)) as watching, pytest.raises(RunError, match=words):
        watching.description()


def test_a_first_child_that_hangs_while_it_starts_is_killed(monkeypatch):
    monkeypatch.setattr(pool, "START_S", 0.5)
    code = "import sys, time; print('mounting', file=sys.stderr, flush=True); time.sleep(60)"
    words = r"was not ready after 0\.5 s, and was killed\..* Its last lines:\nmounting"
    began_s = time.monotonic()
    with Supervisor(Request(), child(code)) as watching, pytest.raises(RunError, match=words):
        watching.description()
    assert time.monotonic() - began_s < 10


READY = (
    "import sys; sys.stdin.readline(); "
    'print(\'R {"model": "m", "workers": 1, "emotions": []}\', flush=True); '
)


def test_a_child_that_the_system_does_not_end_is_not_waited_for(monkeypatch):
    started = Child(child("import time; time.sleep(60)"), Request(), queue.SimpleQueue())
    started.own.send(f"[{i}, 'recording']\n" for i in range(100_000))  # more than a pipe holds
    kill = started._process.kill
    monkeypatch.setattr(started._process, "kill", lambda: None)
    began_s = time.monotonic()
    started.end([], at_once=True)
    assert time.monotonic() - began_s < 2
    assert started._process.poll() is None
    kill()
    started._process.wait()


@pytest.mark.parametrize(("n_kills", "is_ready"), [(1, True), (2, True), (3, False)])
def test_a_child_that_is_killed_while_it_starts_is_started_again(tmp_path, n_kills, is_ready):
    code = (
        "import os, sys, signal; sys.stdin.readline()\n"
        f"path = {str(tmp_path / 'starts')!r}; open(path, 'a').write('.')\n"
        f"if os.path.getsize(path) <= {n_kills}: os.kill(os.getpid(), signal.SIGKILL)\n"
        'print(\'R {"model": "m", "workers": 1}\', flush=True)'
    )
    with Supervisor(Request(), child(code)) as watching:
        if is_ready:
            assert watching.description() == {"model": "m", "workers": 1}
        else:
            with pytest.raises(RunError, match=r"ended while it started \(SIGKILL"):
                watching.description()
    assert (tmp_path / "starts").read_text() == "." * min(n_kills + 1, 3)


def test_children_that_do_nothing_are_not_started_for_ever(monkeypatch):
    monkeypatch.setattr(supervisor, "MOST_CRASHES", 2)
    with Supervisor(Request(), child(READY + "sys.exit(5)")) as watching:
        # By whether it had ended when recordings were handed out.
        when = "before any recording, 3 times|with each of 2 recordings"
        with pytest.raises(RunError, match=rf"process ended ({when}) \(exit status 5\)"):
            list(watching.rows(["a", "b"], [0, 1]))


def test_a_model_that_is_changed_during_the_run_ends_it(tmp_path):
    code = (
        "import os, sys; sys.stdin.readline()\n"
        'print(\'R {"model": "m", "workers": 1, "is": %d}\' % os.getpid(), flush=True)\n'
        "sys.stdin.readline(); print('b 0', flush=True)\n"
    )
    with Supervisor(Request(), child(code)) as watching:
        with pytest.raises(RunError, match="The model m was changed during the run"):
            list(watching.rows(["a", "b"], [0, 1]))


@pytest.mark.parametrize(
    ("request_", "error", "message"),
    [
        (Request("nowhere"), UsageError, "nowhere: not available, and not a folder"),
        (Request(os.path.dirname(__file__)), ModelError, r"config\.json: No such file"),
    ],
)
def test_an_error_of_the_child_is_raised_as_it_was_there(request_, error, message):
    with Supervisor(request_) as watching, pytest.raises(error, match=message):
        watching.description()


def test_a_defect_is_said_as_one(tiny_folder):
    request = Request(str(tiny_folder), device=["cpu"])
    words = r"worker process failed: TypeError: .* This is a bug in serctl"
    with Supervisor(request) as watching, pytest.raises(RunError, match=words):
        watching.description()


def test_the_child_is_not_misled_by_modules_where_it_is_started(tmp_path, monkeypatch, tiny_folder):
    (tmp_path / "random.py").write_text("raise SystemExit(9)")
    (tmp_path / "numpy.py").write_text("raise SystemExit(9)")
    monkeypatch.chdir(tmp_path)
    with Supervisor(Request(str(tiny_folder), device="cpu")) as watching:
        assert watching.description()["model"] == "tiny"


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("n_workers", [1, 2])
def test_no_child_outlives_a_killed_parent(make_clips, tiny_folder, n_workers):
    code = (
        "import sys; from serctl.engine.workers.supervisor import *\n"
        f"sys.path.append({faulty_worker.TESTS!r}); from support import faulty_worker\n"
        f"request = Request(sys.argv[1], device='cpu', workers={n_workers})\n"
        "with Supervisor(request, faulty_worker.COMMAND) as watching:\n"
        "    for _ in watching.rows(sys.argv[2:], range(4)): print(flush=True)\n"
    )
    paths = make_clips("a", "b", "hang", "hang2")
    command = [*child(code), str(tiny_folder), *paths]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout.readline()
        time.sleep(0.5)  # until it hangs in native code
        pids = descendants(parent.pid)
        parent.send_signal(signal.SIGKILL)
    assert len(pids) == (1 if n_workers == 1 else 3)
    deadline_s = time.monotonic() + 5
    while any(map(is_alive, pids)):
        assert time.monotonic() < deadline_s, f"one of {pids} still lives"
        time.sleep(0.05)


def descendants(pid):
    found = []
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/children") as file:
            for one in map(int, file.read().split()):
                found += [one, *descendants(one)]
    return found


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_this_process_stays_thin():
    code = (
        "import sys, serctl.engine.run, serctl.cli, serctl.results.summary\n"
        "import serctl.engine.workers.worker\n"
        "heavy = {'torch', 'numpy', 'numba', 'scipy', 'soundfile', 'pandas', 'rich', 'librosa'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    found = subprocess.run(child(code), capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"


def test_a_child_that_ends_before_its_job_is_done_ends_the_run():
    code = READY + "sys.stdin.readline(); print('v 3 [0.5]', flush=True)"
    with Supervisor(Request(grouped=True), child(code)) as watching:
        watching.description()
        job = watching.job(["[-1]\n"])
        assert next(job).place == 3
        with pytest.raises(RunError, match=r"ended while it compared recordings \(exit status 0\)"):
            list(job)
