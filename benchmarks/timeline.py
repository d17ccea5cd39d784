"""How right timelines of long recordings are: a table, as in docs/long-recordings.md.

Run from the checkout: python benchmarks/timeline.py CORPORA [FOLD] [MODEL] [MINUTES] [SEED ...]
"""

import sys
import tempfile
from pathlib import Path

from serctl.models.loading import load_model

# Before tests/ is searched, which has a folder of the same name.
from serctl.weights import find_model

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from support.conversations import shares
from support.timeline_scores import SPECS, clips_of_fold, score_timelines


def main(
    corpora: str, fold: str = "0", model: str = "cnn", minutes: str = "22", *seeds: str
) -> None:
    emotions = load_model(str(find_model(model))).config.emotions
    clips = clips_of_fold(corpora, int(fold), emotions)
    numbers = [int(seed) for seed in seeds] or [7, 8, 9]
    with tempfile.TemporaryDirectory() as folder:
        counts = score_timelines(model, clips, numbers, 60 * float(minutes), folder, SPECS)
    names = list(shares(next(iter(counts.values()))))
    print("| |", " | ".join(names), "|")
    print("| --- |", " | ".join(["---:"] * len(names)), "|")
    for name, of_seeds in counts.items():
        print(f"| {name} |", " | ".join(f"{x:.1f}" for x in shares(of_seeds).values()), "|")


if __name__ == "__main__":
    main(*sys.argv[1:])
