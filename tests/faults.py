"""Let every write, rename and sync of a command fail, one a run: `just faults`.

Each run begins with a finished output of an earlier run in place. One operation of the command then
fails: the disk is full, has an error, refuses, takes half, or the process is killed. Afterwards

- every output is as it was or as the command would have made it, and never a part of it,
- a command that ends with an error names a path, with no traceback and no word of a bug,
- the next run of the command ends well, gives the same bytes, and leaves nothing else behind.

Prints the number of operations and runs of each command, and ends with 1 if anything is wrong.
"""

import contextlib
import io
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import click
import numpy as np
import soundfile
from support.faults import KILL, KINDS, Faults

sys.path.pop(0)  # of this script, where another folder is called serctl

from serctl.cli import run as run_serctl

RECORDINGS = Path(__file__).parent / "recordings"
MODEL = Path(__file__).parents[1] / "weights" / "paper-svm"
LONG_S = 40  # longer than the window of the model, so that there are segments
OLD = b"old\n"
# Arguments, and outputs; INPUT is a folder with results, shards, labelled and long recordings.
COMMANDS = {
    "report": ("report INPUT/r.csv -o page.html", "page.html"),
    "workbook": ("report INPUT/r.csv -o book.xlsx", "book.xlsx"),
    "scan": ("scan INPUT/few -o m.csv", "m.csv"),
    "merge": ("merge INPUT/1.csv INPUT/2.csv -o m.csv", "m.csv m.csv.run.json"),
    "export": (f"export {MODEL.parent / 'paper-cnn'} -o m.onnx", "m.onnx"),
    "clips": ("clips INPUT/r.csv -o clips --top 3", ""),
    "classify": (f"classify INPUT/few -o r.csv --model {MODEL}", "r.csv r.csv.run.json"),
    "segments": (
        f"classify INPUT/long -o r.csv --model {MODEL} --segment-formats srt --segments-dir s",
        "r.csv r.csv.run.json r.csv.segments.csv",
    ),
    "features": ("features INPUT/few -o f.csv", "f.csv"),
    "frames": ("features INPUT/few -o f.npz --frames", "f.npz"),
    "evaluate": (
        f"evaluate --labels folders INPUT/labelled -o s.json --figures f --model {MODEL}",
        "s.json",
    ),
    "plot": ("plot INPUT/few/train-times.wav -o p.png", "p.png"),
}
FAST = ("report", "workbook", "scan", "merge")  # without a worker process
UNLIKE = (
    ".run.json",
    ".npz",
    ".png",
    ".xlsx",
    ".html",
    "s.json",
)  # have the time, or a path, in them


def make_input(folder):
    """Make what the commands read."""
    few, long, labelled = (folder / name for name in ("few", "long", "labelled"))
    for made in (few, long, labelled / "angry", labelled / "sad"):
        made.mkdir(parents=True)
    for i, path in enumerate(sorted(RECORDINGS.glob("calls/*.wav"))):
        samples, rate_hz = soundfile.read(path)
        soundfile.write(few / path.name, samples[: 2 * rate_hz], rate_hz)
        soundfile.write(labelled / ("angry", "sad")[i % 2] / path.name, samples[:rate_hz], rate_hz)
    samples, rate_hz = soundfile.read(sorted(RECORDINGS.glob("podcast/opening.wav"))[0])
    for name in ("a.wav", "b.wav"):
        longer = np.tile(samples, 1 + LONG_S * rate_hz // len(samples))
        soundfile.write(long / name, longer, rate_hz)
    made = [f"classify {long} -o {folder}/r.csv --model {MODEL}"]
    made += [f"classify {few} -o {folder}/{i}.csv --model {MODEL} --shard {i}/2" for i in (1, 2)]
    for arguments in made:
        status, said = run(arguments.split(), None)
        if status:
            sys.exit(f"{arguments}: status {status}: {said}")


def run(arguments, faults, folder=None):
    """Run a command in a process of its own: status, and what it said."""
    read, write = os.pipe()
    pid = os.fork()
    if not pid:
        status = 70
        try:
            os.close(read)
            for descriptor in (1, 2):
                os.dup2(write, descriptor)
            sys.stdout, sys.stderr = open(1, "w"), open(2, "w")
            if folder is not None:
                os.chdir(folder)
            if faults is None:
                status = run_serctl(arguments)
            else:
                with faults.installed():
                    status = run_serctl(arguments)
            sys.stderr.write(f"operations: {faults.count}\n" if faults else "")
            for stream in (sys.stdout, sys.stderr):
                stream.flush()
        finally:
            os._exit(status)
    os.close(write)
    with open(read, "rb") as pipe:
        said = pipe.read().decode(errors="replace")
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), said


class Trial:
    """One command: what it makes, and every fault."""

    def __init__(self, name, inputs, work):
        arguments, outputs = COMMANDS[name]
        self.name, self._work = name, work
        self._arguments = arguments.replace("INPUT", str(inputs)).split()
        self._outputs = outputs.split()
        self.n_runs = 0
        self.wrong = []
        self._expected, said = self._uninterrupted()
        self.n_operations = int(said.rpartition("operations: ")[2])

    def _folder(self):
        """A new folder, with the outputs of an earlier run in it."""
        shutil.rmtree(self._work, ignore_errors=True)
        self._work.mkdir()
        for output in self._outputs:
            (self._work / output).write_bytes(OLD)
        return self._work

    def _command(self, *more):
        return [*self._arguments, *more]

    def _uninterrupted(self):
        folder = self._folder()
        # In this process first, so that those to come need not import everything.
        with contextlib.redirect_stdout(io.StringIO()), contextlib.chdir(folder):
            run_serctl(self._command("--overwrite"))
        folder = self._folder()
        status, said = run(self._command("--overwrite"), Faults(folder, 0, KILL), folder)
        if status:
            sys.exit(f"{self.name}: status {status}: {said}")
        return self._contents(folder), said

    @staticmethod
    def _contents(folder):
        """Files below a folder, with the bytes of those that are the same every time."""
        return {
            str(path.relative_to(folder)): None if path.name.endswith(UNLIKE) else path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }

    def try_fault(self, number, kind):
        """Run it with one fault, and again."""
        folder = self._folder()
        self.n_runs += 1
        status, said = run(self._command("--overwrite"), Faults(folder, number, kind), folder)
        what = f"{self.name}: {kind} at {number} of {self.n_operations}"
        if status == -signal.SIGKILL and kind == KILL:
            pass
        elif status not in (0, 3):
            self.wrong.append(f"{what}: status {status}: {said}")
        elif "Traceback" in said or "bug in serctl" in said:
            self.wrong.append(f"{what}: {said}")
        elif status == 3 and "." not in said.split("Error:")[-1].split(" ")[1]:
            self.wrong.append(f"{what}: names no path: {said}")
        elif status == 0 and self._contents(folder) != self._expected:
            self.wrong.append(f"{what}: status 0, and {sorted(self._contents(folder))}")
        for name, content in self._contents(folder).items():
            if name in self._outputs and content not in (None, OLD, self._expected[name]):
                self.wrong.append(f"{what}: {name} is a part")
        resume = ("--resume",) if list(folder.glob("*.journal")) else ("--overwrite",)
        status, said = run(self._command(*resume), None, folder)
        if status and "--overwrite" in said:
            status, said = run(self._command("--overwrite"), None, folder)
        if status:
            self.wrong.append(f"{what}: the next run: status {status}: {said}")
        elif (found := self._contents(folder)) != self._expected:
            unlike = {n for n in found if found.get(n) != self._expected.get(n)}
            unlike |= set(self._expected) - set(found)
            self.wrong.append(f"{what}: after the next run, not as without: {sorted(unlike)}")


@click.command()
@click.option("--command", "names", multiple=True, type=click.Choice(list(COMMANDS)))
@click.option("--fast", is_flag=True, help="Only commands without a worker process.")
@click.option("--kind", "kinds", multiple=True, type=click.Choice(KINDS), default=KINDS)
def main(names, fast, kinds):
    """Let every operation of commands fail, all by default."""
    work = Path(tempfile.mkdtemp(prefix="serctl-faults-"))
    make_input(work / "input")
    n_wrong = 0
    for name in names or (FAST if fast else COMMANDS):
        trial = Trial(name, work / "input", work / "run")
        for number in range(1, trial.n_operations + 1):
            for kind in kinds:
                trial.try_fault(number, kind)
        print(f"{name}: {trial.n_operations} operations, {trial.n_runs} runs", flush=True)
        for wrong in trial.wrong:
            print(f"  {wrong.strip()}", flush=True)
        n_wrong += len(trial.wrong)
    shutil.rmtree(work)
    sys.exit(1 if n_wrong else 0)


if __name__ == "__main__":
    main()
