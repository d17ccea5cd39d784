"""serctl against what one would run instead, as whole processes, in turns.

    python benchmarks/bench.py [FOLDER] [--model MODEL] [--rounds N] [-o FILE.json]

Without FOLDER, 3000 synthetic clips are written first (`synthetic_clips.py`). Each round runs, one after
the other: serctl; serctl on the first of the recordings alone, which is its start-up; the loop of
librosa and torch (`contenders/loop.py`) on one process, at its best number of threads, which is one;
the same over a process for each core; openSMILE's eGeMAPS over all cores, if the package opensmile is
installed; and the floor (`contenders/floor.py`): decoding, resampling and the FFT of every frame, in
threads, nothing else, whose time is its own, without start-up. Before the rounds, serctl runs once,
so that its kernels are compiled.

Prints the medians of clips a second, of hours of audio an hour and of the largest process's memory,
and how many times serctl is as fast, with the least and the most of the rounds; and how many times
the floor's time serctl takes without its start-up.
"""

import argparse
import importlib.util
import json
import platform
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from statistics import median

import soundfile
from processes import Time, classify, timed
from synthetic_clips import write_clips

from serctl.audio.scan import scan
from serctl.errors import SerctlError
from serctl.models.loading import DEFAULT_MODEL, load_model
from serctl.threads import n_cores

CONTENDERS = Path(__file__).with_name("contenders")
START_UP, FLOOR = "serctl, one recording", "floor"

Round = dict[str, Time]


def commands(folder: str, first: str, model: str, results: str) -> dict[str, list[str]]:
    """What is run, by name; serctl first."""
    cores, spec = str(n_cores()), load_model(model).config.features
    frames = [str(number) for number in (spec.rate_hz, spec.n_fft, spec.hop_samples)]
    egemaps = {"openSMILE eGeMAPS": [str(CONTENDERS / "egemaps.py"), folder, cores]}
    if importlib.util.find_spec("opensmile") is None:
        print("opensmile is not installed: eGeMAPS is left out.", file=sys.stderr)
        egemaps = {}
    return {
        "serctl": classify(folder, "--model", model, results=results),
        START_UP: classify(first, "--model", model, results=results),
        "librosa loop": [str(CONTENDERS / "loop.py"), folder, model, "1"],
        "librosa loop, all cores": [str(CONTENDERS / "loop.py"), folder, model, cores],
        **egemaps,
        FLOOR: [str(CONTENDERS / "floor.py"), folder, *frames, cores],
    }


def seconds_of(name: str, time: Time) -> float:
    """By the clock; the floor's are its own, without start-up."""
    return float(time.output.split()[-1]) if name == FLOOR else time.seconds


def over_floor(times: Round) -> float:
    """Serctl's time without its start-up, in the floor's times."""
    without = times["serctl"].seconds - times[START_UP].seconds
    return without / seconds_of(FLOOR, times[FLOOR])


def spread(numbers: list[float]) -> str:
    """Median, least and most."""
    return f"{median(numbers):.2f} ({min(numbers):.2f} to {max(numbers):.2f})"


def bench(folder: str, model: str, n_rounds: int) -> dict[str, object]:
    """Times of all rounds, and what they were of."""
    paths = scan([folder])
    hours = sum(soundfile.info(path).duration for path in paths) / 3600
    with tempfile.TemporaryDirectory() as temporary:
        contenders = commands(folder, paths[0], model, str(Path(temporary, "results.csv")))
        timed(contenders["serctl"])
        rounds: list[Round] = []
        for i in range(n_rounds):
            rounds.append({name: timed(command) for name, command in contenders.items()})
            print(f"round {i + 1} of {n_rounds}", file=sys.stderr)
    print(f"{model}, {len(paths)} clips, {hours:.2f} hours, {n_rounds} rounds, {n_cores()} cores")
    print(f"{'':24} {'seconds':>8} {'clips/s':>8} {'hours/h':>8} {'MiB':>6}  serctl is faster by")
    for name in contenders:
        seconds = median(seconds_of(name, times[name]) for times in rounds)
        ratios = [seconds_of(name, times[name]) / times["serctl"].seconds for times in rounds]
        n_clips, n_hours = (1, 0.0) if name == START_UP else (len(paths), hours)
        print(
            f"{name:24} {seconds:8.2f} {n_clips / seconds:8.1f} {n_hours * 3600 / seconds:8.0f} "
            f"{median(times[name].largest_mib for times in rounds):6.0f}  {spread(ratios)}"
        )
    print(f"Without start-up, serctl takes {spread(list(map(over_floor, rounds)))} floors.")
    return {
        "model": model,
        "n_clips": len(paths),
        "hours": hours,
        "n_cores": n_cores(),
        "processor": platform.processor() or platform.machine(),
        "rounds": [
            {
                name: asdict(time) | {"seconds": seconds_of(name, time), "output": ""}
                for name, time in times.items()
            }
            for times in rounds
        ],
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
