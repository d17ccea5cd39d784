"""serctl against what one would run instead, as whole processes, in turns.

    python benchmarks/bench.py [FOLDER] [--model MODEL] [--rounds N] [-o FILE.json]

Without FOLDER, 3000 made-up clips are written first (`made_up_clips.py`). Each round runs, one after
the other: serctl; the loop of librosa and torch (`contenders/loop.py`) on one process, at its best
number of threads, which is one; the same over a process for each core; openSMILE's eGeMAPS over all
cores, if the package opensmile is installed; and the floor (`contenders/floor.py`): decoding,
resampling and the FFT of every frame, in threads, nothing else, whose time is its own, without
start-up. Before the rounds, serctl runs once, so that its kernels are compiled.

Prints the medians of clips a second, of hours of audio an hour and of the largest process's memory,
and how many times serctl is as fast, with the least and the most of the rounds.
"""

import argparse
import importlib.util
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

import soundfile
from made_up_clips import write_clips

from serctl.errors import SerctlError
from serctl.models import DEFAULT_MODEL, load_model
from serctl.scan import scan
from serctl.threads import n_cores

CONTENDERS = Path(__file__).with_name("contenders")
KIB_PER_MIB = 1024  # the system counts in KiB


@dataclass(frozen=True)
class Time:
    """Of one process.

    Attributes
    ----------
    seconds : float
        By the clock.
    processor_seconds : float
        Of it and of its children.
    largest_mib : float
        Most memory that one of these had at once.
    """

    seconds: float
    processor_seconds: float
    largest_mib: float


def timed(command: list[str]) -> Time:
    """Run a command to its end; an error if it fails."""
    start = time.perf_counter()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            command, env=os.environ | {"OMP_NUM_THREADS": "1"}, stdout=said, stderr=said
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        said.seek(0)
        text = said.read().decode(errors="replace")
    if status:
        sys.exit(f"{' '.join(command)}\nfailed:\n{text[-2000:]}")
    if command[1].endswith("floor.py"):
        seconds = float(text.split()[-1])
    return Time(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / KIB_PER_MIB)


def commands(folder: str, model: str, results: str) -> dict[str, list[str]]:
    """What is run, by name; serctl first."""
    cores, spec = str(n_cores()), load_model(model).config.features
    frames = [str(number) for number in (spec.rate_hz, spec.n_fft, spec.hop_samples)]
    serctl = ["-m", "serctl", "classify", folder, "--model", model, "-o", results, "--overwrite"]
    egemaps = {"openSMILE eGeMAPS": [str(CONTENDERS / "egemaps.py"), folder, cores]}
    if importlib.util.find_spec("opensmile") is None:
        print("opensmile is not installed: eGeMAPS is left out.", file=sys.stderr)
        egemaps = {}
    named = {
        "serctl": serctl,
        "librosa loop": [str(CONTENDERS / "loop.py"), folder, model, "1"],
        "librosa loop, all cores": [str(CONTENDERS / "loop.py"), folder, model, cores],
        **egemaps,
        "floor": [str(CONTENDERS / "floor.py"), folder, *frames, cores],
    }
    return {name: [sys.executable, *arguments] for name, arguments in named.items()}


def bench(folder: str, model: str, n_rounds: int) -> dict[str, object]:
    """Times of all rounds, and what they were of."""
    paths = scan([folder])
    hours = sum(soundfile.info(path).duration for path in paths) / 3600
    with tempfile.TemporaryDirectory() as temporary:
        contenders = commands(folder, model, str(Path(temporary, "results.csv")))
        timed(contenders["serctl"])
        rounds = []
        for i in range(n_rounds):
            rounds.append({name: timed(command) for name, command in contenders.items()})
            print(f"round {i + 1} of {n_rounds}", file=sys.stderr)
    print(f"{model}, {len(paths)} clips, {hours:.2f} hours, {n_rounds} rounds, {n_cores()} cores")
    print(f"{'':24} {'clips/s':>8} {'hours/h':>8} {'MiB':>6}  serctl is faster by")
    for name in contenders:
        seconds = median(times[name].seconds for times in rounds)
        ratios = sorted(times[name].seconds / times["serctl"].seconds for times in rounds)
        print(
            f"{name:24} {len(paths) / seconds:8.1f} {hours * 3600 / seconds:8.0f} "
            f"{median(times[name].largest_mib for times in rounds):6.0f}  "
            f"{median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"
        )
    return {
        "model": model,
        "n_clips": len(paths),
        "hours": hours,
        "n_cores": n_cores(),
        "processor": platform.processor() or platform.machine(),
        "rounds": [{name: asdict(one) for name, one in times.items()} for times in rounds],
    }


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", nargs="?", metavar="FOLDER")
    parser.add_argument("--model", default=DEFAULT_MODEL)
    parser.add_argument("--rounds", type=int, default=5, metavar="N")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE.json")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        if given.folder is None:
            write_clips(Path(made))
        measured = bench(given.folder or made, given.model, given.rounds)
    if given.output:
        given.output.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    try:
        main()
    except SerctlError as error:
        sys.exit(f"Error: {error}")
