"""What a few labelled recordings give: `serctl train --data` on clips as a user would have them.

    python -m serctl.train.experiments.own_labels CORPORA

Run in a checkout. Two tasks, with 5, 10, 20 and 50 clips of each label (or all, if there are fewer),
drawn `N_DRAWS` times, evenly from the speakers: emotions of three speakers of SAVEE, by heads that had
no clip of SAVEE in training (``cross-corpus-savee``, trained into ``serctl-weights/protocols`` unless
it is there); and the sex of RAVDESS's actors outside fold 0, by heads that had none of RAVDESS. No clip
of fold 0 is used. Writes ``train/results/own-labels-whisper.json``.
"""

import csv
import json
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
import pandas as pd

from serctl.emotions import REPORT_FIVE
from serctl.models.config import CONFIG_FILE
from serctl.train.corpora.manifest import clip_table
from serctl.train.custom.recordings import DataOptions
from serctl.train.custom.training import CustomOptions, train_custom
from serctl.train.documents.measurements import RESULTS
from serctl.train.experiments.protocols import WORK
from serctl.train.training.progress import TrainingProgress
from serctl.train.training.train import Watcher, train_model
from serctl.train.training.weights_folder import TrainingOptions

SIZES = (5, 10, 20, 50)
N_DRAWS = 5
SAVEE_SPEAKERS = ("saveeJE", "saveeJK", "saveeKL")  # the fourth is in fold 0


@dataclass(frozen=True)
class Task:
    """What is learned.

    Attributes
    ----------
    name : str
        In the results.
    corpus : str
        Whose clips are the user's, and which the model to start from has never had.
    clips : DataFrame
        With ``path``, ``speaker`` and ``label``.
    """

    name: str
    corpus: str
    clips: pd.DataFrame


def tasks(corpora: str) -> list[Task]:
    """Both tasks, on the clips outside fold 0."""
    table = clip_table(corpora)
    table = table[table["fold"] != 0]
    of_five = table["emotion"].isin(REPORT_FIVE)
    emotions = table[table["speaker"].isin(SAVEE_SPEAKERS) & of_five]
    actors = table[table["corpus"] == "ravdess"]
    # Actors with an odd number are men.
    is_man = actors["speaker"].str.extract(r"(\d+)$")[0].astype(int) % 2 == 1
    sexes = is_man.map({True: "male", False: "female"})
    return [
        Task("emotion", "savee", emotions.assign(label=emotions["emotion"])),
        Task("sex", "ravdess", actors.assign(label=sexes)),
    ]


def measure(corpora: str, watcher: Watcher) -> dict[str, Any]:
    """Train with every number of clips, and score by cross-validation over speakers.

    Parameters
    ----------
    corpora : str
        Folder of the four corpora.
    watcher : Watcher
        Shows the progress of a training that the tasks start from.

    Returns
    -------
    dict
        As ``train/results/own-labels-whisper.json`` holds it.
    """
    results: dict[str, Any] = {
        "command": "python -m serctl.train.experiments.own_labels CORPORA",
        "n_draws": N_DRAWS,
        "tasks": {},
    }
    for task in tasks(corpora):
        start = _start(corpora, task.corpus, watcher)
        rows = [_measured(task, start, n) for n in SIZES]
        results["tasks"][task.name] = {
            "corpus": task.corpus,
            "labels": sorted(set(task.clips["label"])),
            "n_speakers": task.clips["speaker"].nunique(),
            "rows": rows,
        }
    return results


def draw_clips(clips: pd.DataFrame, n: int, seed: int) -> pd.DataFrame:
    """Draw ``n`` clips of each label, or all if there are fewer, evenly from its speakers."""
    shuffled = clips.sample(frac=1, random_state=seed)
    turn = shuffled.groupby(["label", "speaker"]).cumcount()  # a speaker's first, second, ...
    in_turns = shuffled.assign(turn=turn).sort_values("turn", kind="stable")
    return in_turns.groupby("label").head(n)


def _measured(task: Task, start: Path, n: int) -> dict[str, Any]:
    """Scores of all draws of one number of clips."""
    outcomes, seconds = [], []
    for seed in range(N_DRAWS):
        drawn = draw_clips(task.clips, n, seed)
        with tempfile.TemporaryDirectory() as folder:
            table = Path(folder, "labels.csv")
            with open(table, "w", newline="", encoding="utf-8") as file:
                writer = csv.writer(file)
                writer.writerow(("path", "label", "speaker"))
                for row in drawn.itertuples():
                    writer.writerow((Path(str(row.path)).resolve(), row.label, row.speaker))
            options = CustomOptions(DataOptions(str(table)), Path(folder, "own"), str(start))
            began = time.monotonic()
            outcomes.append(train_custom(options, lambda found, n: iter(found)))
            seconds.append(time.monotonic() - began)
    after = [one.scores.ua for one in outcomes]
    before = [one.before.ua for one in outcomes if one.before is not None]
    return {
        "n": n,
        "n_clips": outcomes[0].scores.n_clips,
        "ua": mean(after),
        "ua_lowest": min(after),
        "ua_highest": max(after),
        "before": mean(before) if before else None,
        "ece": mean(one.calibration.ece for one in outcomes),
        "seconds": round(float(np.median(seconds)), 1),
    }


def _start(corpora: str, corpus: str, watcher: Watcher) -> Path:
    """Folder of heads that had no clip of a corpus."""
    split = f"cross-corpus-{corpus}"
    folder = WORK / "whisper" / f"{split}-0"
    if not (folder / CONFIG_FILE).exists():
        options = TrainingOptions(corpora, "whisper", split, 0, 0, None, "cpu", folder, False, True)
        train_model(options, watcher)
    return folder


def main() -> None:
    """Measure, and write ``train/results/own-labels-whisper.json``."""
    with TrainingProgress() as watcher:
        results = measure(sys.argv[1], watcher)
    path = RESULTS / "own-labels-whisper.json"
    path.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(path)


if __name__ == "__main__":
    main()
