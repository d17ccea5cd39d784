"""Kill runs at random times, resume them, and compare with one that is not interrupted.

    python tests/soak.py FOLDER WEIGHTS [KILLS] [SEED]

classifies the recordings below FOLDER with a folder of weights, first uninterrupted, and then, for
each format, again and again: a run is sent SIGINT, SIGTERM or SIGKILL, or its child is killed, at a
random moment, and resumed, KILLS times in all (50 by default). Of many journals that a killed run
left, a bit is flipped. Every output must have the bytes of
the uninterrupted one: no row lost, none twice. So must a run of 1 and one of 8 workers. Prints what
it does, and exits with 1 at the first difference.
"""

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

BOTH = "both"  # SIGKILL to the command and to its worker
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL, None, BOTH)  # None: SIGKILL to the worker
STATUS = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGKILL: -9}
EXTENSIONS = (".csv", ".json", ".jsonl")
START_S = 1.0  # of Python itself, on a machine that is busy
FLIP_SHARE = 0.6  # of the journals that a killed run leaves
LONGEST_STOP_S = 20.0  # a tenth of a second on a machine that does nothing else


class Soak:
    """The recordings, the weights, and where results go."""

    def __init__(self, recordings: str, weights: str, folder: Path) -> None:
        self.folder = folder
        self.stops_s: list[float] = []
        self._command = [sys.executable, "-P", "-m", "serctl", "classify", recordings]
        self._command += ["--model", weights]

    def start(self, output: Path, *options: str) -> subprocess.Popen[str]:
        """Start a run."""
        return subprocess.Popen(
            [*self._command, "-o", str(output), *options],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def finish(self, run: subprocess.Popen[str]) -> float:
        """Wait for a run that is not interrupted; give the seconds that it took."""
        began_s = time.monotonic()
        _, said = run.communicate()
        if run.returncode not in (0, 1):
            fail(f"exit status {run.returncode}: {said}")
        return time.monotonic() - began_s

    def interrupt(
        self, output: Path, kill: signal.Signals | str | None, after_s: float, option: str
    ) -> bool:
        """Resume a run and kill it after a while; say whether it had finished before."""
        run = self.start(output, option)
        try:
            run.wait(after_s)
        except subprocess.TimeoutExpired:
            began_s = time.monotonic()
            if kill is None:
                kill_child(run.pid)
                _, said = run.communicate()
                # Killed before it was ready, it is not started again.
                if run.returncode not in (0, 1) and "ended while it started" not in said:
                    fail(f"exit status {run.returncode} after the child was killed: {said}")
                return run.returncode in (0, 1)
            if kill == BOTH:
                kill_child(run.pid)
                kill = signal.SIGKILL
            run.send_signal(kill)
            _, said = run.communicate()
            stop_s = time.monotonic() - began_s
            if run.returncode not in (0, 1):
                self.stops_s.append(stop_s)
            if stop_s > LONGEST_STOP_S:
                fail(f"{kill.name} was obeyed after {stop_s:.1f} s")
            statuses = {STATUS[kill], 0, 1}
            if after_s < START_S:  # as of any process that has not begun to listen
                statuses.add(-kill)
            if run.returncode not in statuses:
                fail(f"exit status {run.returncode} after {kill.name}: {said}")
        else:
            self.finish(run)
        # Its status does not say so: it may be killed when all is written and the summary is not
        # yet printed, and Python ends with 1 when it is interrupted while it starts.
        return is_whole(output)


def is_whole(output: Path) -> bool:
    """Whether a run has finished: its output is there, and its journal is not."""
    return output.exists() and not output.with_name(f"{output.name}.journal").exists()


def flip_bit(journal: Path, rng: random.Random) -> bool:
    """Flip a random bit of a journal that a killed run left; say whether there is one."""
    content = bytearray(journal.read_bytes() if journal.exists() else b"")
    if not content:
        return False
    content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    journal.write_bytes(content)
    return True


def kill_child(parent: int) -> None:
    """Kill a process that classifies for a run, or the one that has forked it (Linux)."""
    loaded = children_of(parent)
    forked = [worker for pid in loaded for worker in children_of(pid)]
    if pids := random.choice([loaded, forked or loaded]):
        with suppress(ProcessLookupError):
            os.kill(random.choice(pids), signal.SIGKILL)


def children_of(pid: int) -> list[int]:
    """Processes that a process has started (Linux)."""
    try:
        return [
            int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        ]
    except OSError:
        return []


def fail(message: str) -> None:
    """Say what is wrong and end."""
    print(f"FAILED: {message}", flush=True)
    sys.exit(1)


def compare(output: Path, expected: Path) -> None:
    """Fail if two results differ, or if something is left beside the first."""
    if output.read_bytes() != expected.read_bytes():
        fail(f"{output} differs from {expected}")
    # A run that is killed when all is written leaves its locks, which the next one to it removes.
    left = {path.name for path in output.parent.glob(f"{output.name}*") if path.suffix != ".lock"}
    if left != {output.name, f"{output.name}.run.json"}:
        fail(f"left behind: {sorted(left)}")


def main() -> None:
    """Soak."""
    # What runs in the background of a shell is set to ignore it, and so are its children.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    recordings, weights = sys.argv[1:3]
    n_kills = int(sys.argv[3]) if len(sys.argv) > 3 else 50
    seed = int(sys.argv[4]) if len(sys.argv) > 4 else 0
    rng = random.Random(seed)
    folder = Path(tempfile.mkdtemp(prefix="serctl-soak-"))
    soak = Soak(recordings, weights, folder)
    expected = {extension: folder / f"expected{extension}" for extension in EXTENSIONS}
    for output in expected.values():
        run_s = soak.finish(soak.start(output))
    n_rows = expected[".csv"].read_bytes().count(b"\n") - 1
    print(f"uninterrupted: {n_rows} recordings in {run_s:.1f} s; seed {seed}; {folder}", flush=True)
    for n_workers in (1, 8):
        output = folder / f"workers-{n_workers}.csv"
        soak.finish(soak.start(output, "--workers", str(n_workers)))
        compare(output, expected[".csv"])
        print(f"{n_workers} workers: the same bytes", flush=True)
    n_done = n_outputs = n_flips = 0
    while n_done < n_kills:
        extension = EXTENSIONS[n_outputs % len(EXTENSIONS)]
        output = folder / f"run-{n_outputs}{extension}"
        n_outputs += 1
        kills = []
        finished = False
        while not finished and n_done < n_kills:
            kill = rng.choice(SIGNALS)
            after_s = rng.uniform(0, run_s * 0.6)
            name = getattr(kill, "name", kill or "worker")
            option = rng.choice(("--resume", "--resume", "--retry-failed"))
            # A finished run is not resumed; its failed recordings may be tried again.
            finished = soak.interrupt(output, kill, after_s, option)
            n_done += 1
            flipped = not finished and rng.random() < FLIP_SHARE
            flipped = flipped and flip_bit(output.with_name(f"{output.name}.journal"), rng)
            n_flips += flipped
            kills.append(f"{name} after {after_s:.1f} s{', a bit flipped' * flipped}")
        if not finished:
            soak.finish(soak.start(output, "--resume"))
        compare(output, expected[extension])
        print(f"{n_done} kills: {output.name}: the same bytes after {'; '.join(kills)}", flush=True)
    stops_s = sorted(soak.stops_s)
    print(
        f"{n_done} kills, {n_flips} flipped bits, {n_outputs} outputs, all as uninterrupted. From "
        f"the signal to the end: {stops_s[len(stops_s) // 2]:.2f} s in the median, "
        f"{stops_s[-1]:.2f} s at most.",
        flush=True,
    )


if __name__ == "__main__":
    main()
