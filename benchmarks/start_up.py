"""Start-up: one recording in a cold process, against importing torch alone, in turns.

    python benchmarks/start_up.py RECORDING [--model MODEL] [--rounds N]

Prints the medians, the ratio, and the time of a very first run, which compiles the kernels.
"""

import argparse
import tempfile
from statistics import median

from processes import classify, timed

from serctl.models.loading import DEFAULT_MODEL


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("recording", metavar="RECORDING")
    parser.add_argument("--model", default=DEFAULT_MODEL)
    parser.add_argument("--rounds", type=int, default=11, metavar="N")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        command = classify(given.recording, "--model", given.model, results=f"{made}/r.csv")
        first = timed(command, {"NUMBA_CACHE_DIR": f"{made}/kernels"}).seconds
        timed(command)
        rounds = [
            (timed(command).seconds, timed(["-c", "import torch"]).seconds)
            for _ in range(given.rounds)
        ]
    ours, torch = (median(column) for column in zip(*rounds, strict=True))
    ratios = [one / other for one, other in rounds]
    print(f"serctl classify {ours:.2f} s, import torch {torch:.2f} s")
    print(f"ratio {median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")
    print(f"the very first run, which compiles the kernels, {first:.2f} s")


if __name__ == "__main__":
    main()
