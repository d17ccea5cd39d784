"""`serctl features` against a loop of librosa calls: whole processes, one after the other.

    python benchmarks/feature_loop.py FOLDER [EVERY]

The loop is what one would otherwise write: load, and the same features, one recording after another,
on one thread (several fight each other). It may be run over every EVERY-th recording alone; its time
for all is then that of the sample times the ratio of their numbers.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from serctl.audio.scan import scan

LOOP = """
import sys, librosa, pandas
from librosa import feature

rows = []
for path in open(sys.argv[1]).read().splitlines():
    samples, rate = librosa.load(path)
    rows.append([
        path,
        *feature.melspectrogram(y=samples, sr=rate).mean(axis=1),
        *feature.mfcc(y=samples, sr=rate).mean(axis=1),
    ])
    for curve in (
        feature.zero_crossing_rate(samples),
        feature.spectral_centroid(y=samples, sr=rate),
        feature.spectral_rolloff(y=samples, sr=rate),
    ):
        rows[-1] += [curve.mean(), curve.std()]
pandas.DataFrame(rows).to_csv(sys.argv[2], index=False)
"""


def seconds(command: list[str]) -> tuple[float, float]:
    """Of the clock, and of processors, which other work on the machine hardly changes."""
    began, used = time.perf_counter(), processor_seconds()
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began, processor_seconds() - used


def processor_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def main(folder: str, every: int) -> None:
    recordings = scan([folder])
    sample = recordings[::every]
    with tempfile.TemporaryDirectory() as temporary:
        names, table = Path(temporary, "names.txt"), str(Path(temporary, "table.csv"))
        names.write_text("\n".join(sample))
        serctl = [sys.executable, "-m", "serctl", "features", "--labels", "corpora", "-o", table]
        seconds([*serctl, sample[0]])  # compiles the kernels, once
        quick = seconds([*serctl, "--overwrite", folder])
        loop = [sys.executable, "-c", LOOP, str(names), str(Path(temporary, "loop.csv"))]
        slow = seconds(loop)
    for name, n, (clock_s, processor_s) in (
        ("serctl", len(recordings), quick),
        ("librosa loop", len(sample), slow),
    ):
        print(
            f"{name:12} {n:6} recordings {clock_s:7.1f} s ({n / clock_s:6.1f} a second), "
            f"{processor_s:7.1f} s of processor time"
        )
    share = len(recordings) / len(sample)
    print(f"ratio        {slow[0] * share / quick[0]:.1f}, of processor time", end=" ")
    print(f"{slow[1] * share / quick[1]:.1f}; the loop over all: {slow[0] * share:.0f} s")


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) == 3 else 1)
