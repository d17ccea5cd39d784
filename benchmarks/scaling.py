"""How time and memory grow with the number of recordings, and speed with the number of workers.

    python benchmarks/scaling.py FOLDER [--model MODEL] [-o FILE.json]

FOLDER is laid out again as 1000, 10000 and 100000 recordings, by hard links (beside it, and removed
again), and classified: once each with all cores, and 10000 with one worker too.
"""

import argparse
import itertools
import json
import os
import tempfile
from pathlib import Path

from processes import classify, timed

from serctl.audio.scan import scan
from serctl.models.loading import DEFAULT_MODEL
from serctl.threads import n_cores

COUNTS = (1000, 10_000, 100_000)
COUNT_OF_WORKERS = 10_000
PER_FOLDER = 1000


def linked(paths: list[str], folder: Path, n_clips: int) -> None:
    """Fill a folder with so many links to the recordings, over and over."""
    for i, path in enumerate(itertools.islice(itertools.cycle(paths), n_clips)):
        link = folder / str(i // PER_FOLDER) / f"{i}{Path(path).suffix}"
        link.parent.mkdir(exist_ok=True)
        os.link(path, link)


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", metavar="FOLDER")
    parser.add_argument("--model", default=DEFAULT_MODEL)
    parser.add_argument("-o", "--output", type=Path, metavar="FILE.json")
    given = parser.parse_args()
    paths = scan([given.folder])
    rows = []
    print(f"{'clips':>8} {'workers':>8} {'seconds':>8} {'clips/s':>8} {'MiB':>6}")
    for n_clips in COUNTS:
        for n_workers in sorted({1, n_cores()}) if n_clips == COUNT_OF_WORKERS else [n_cores()]:
            with tempfile.TemporaryDirectory(dir=Path(given.folder).parent) as made:
                linked(paths, Path(made), n_clips)
                command = ["--model", given.model, "--workers", str(n_workers)]
                time = timed(classify(made, *command, results=f"{made}/results.csv"))
            rows.append(
                {
                    "n_clips": n_clips,
                    "n_workers": n_workers,
                    "seconds": time.seconds,
                    "largest_mib": time.largest_mib,
                }
            )
            print(
                f"{n_clips:8} {n_workers:8} {time.seconds:8.2f} {n_clips / time.seconds:8.1f} "
                f"{time.largest_mib:6.0f}",
                flush=True,
            )
    if given.output:
        measured = {"model": given.model, "rows": rows}
        given.output.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
