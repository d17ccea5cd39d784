"""Two commands that write one output: the second is refused, whichever the two are.

Each command is run up to where its work begins, and there all others that can name the same file or
folder are run, as another process would.
"""

import itertools
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

import serctl.audio.scan
import serctl.results.shards.merging
import serctl.timeline.clips
import serctl.train.corpora.survey
import serctl.train.custom.recordings  # they keep what is replaced here, if they are imported later
import serctl.train.evaluation.label_table
import serctl.train.training.train
from serctl.cli import run
from serctl.engine.workers import child
from serctl.errors import RunError
from serctl.files import outputs
from serctl.results.segments import Segment, SegmentsWriter

RECORDING = str(Path(__file__).parents[2] / "recordings" / "calls" / "bakery-order.wav")
EVALUATE = ["evaluate", RECORDING, "--labels", "folders", "--map", "calls=angry"]
SEGMENTS, RECORD = ".segments.csv", ".run.json"

# Of each command, what makes it write to a path; WITHOUT is that path without its end, and OWN
# another one that no other command has.
COMMANDS = {
    "classify": ["classify", RECORDING, "-o", "PATH"],
    "segments beside": ["classify", RECORDING, "-o", "WITHOUT"],
    "record beside": ["classify", RECORDING, "-o", "WITHOUT"],
    "segments": ["classify", RECORDING, "-o", "OWN", "--segments-output", "PATH"],
    "windows": ["classify", RECORDING, "-o", "OWN", "--windows-output", "PATH"],
    "windows of a stream": ["classify", RECORDING, "-o", "-", "--windows-output", "PATH"],
    "exports": [
        *("classify", RECORDING, "-o", "OWN"),
        *("--segment-formats", "srt", "--segments-dir", "PATH"),
    ],
    "features": ["features", RECORDING, "-o", "PATH"],
    "frames": ["features", RECORDING, "--frames", "-o", "PATH"],
    "evaluate": [*EVALUATE, "-o", "PATH"],
    "scores": [*EVALUATE, "--figures", "FOLDER"],
    "plot": ["plot", RECORDING, "-o", "PATH"],
    "corpora": ["corpora", ".", "-o", "PATH"],
    "counts": ["corpora", ".", "--figure", "PATH"],
    "weights": ["train", "--corpora", ".", "-o", "FOLDER"],
    "train": ["train", "--corpora", ".", "-o", "PATH"],
    "scan": ["scan", RECORDING, "-o", "PATH"],
    "merge": ["merge", "shards", "-o", "PATH"],
    "beside merged": ["merge", "shards", "-o", "WITHOUT"],
    "clips": ["clips", "given.csv", "-o", "PATH"],
}
CSV = ("classify", "segments", "windows", "features", "corpora", "scan", "merge")
JSON = ("classify", "segments", "windows", "windows of a stream", "evaluate", "merge")
TARGETS = {
    "r.csv": CSV,
    f"r.csv{SEGMENTS}": (*CSV, "segments beside", "beside merged"),
    "r.json": JSON,
    f"r.csv{RECORD}": (*JSON, "record beside", "beside merged"),
    "r.jsonl": ("classify", "segments", "windows"),
    "r.npz": ("features", "frames"),
    "r.png": ("plot", "counts"),
    "r.svg": ("plot", "counts"),
    "d/confusion_matrix.png": ("plot", "counts", "scores", "weights"),
    "d/metrics.json": ("classify", "evaluate", "weights"),
    "d/config.json": ("classify", "evaluate", "weights"),
    "d": ("exports", "train", "clips"),
}
NUMBERS = itertools.count()
WORK = (  # what each command calls when its outputs are its own
    (serctl.audio.scan, "scan"),
    (serctl.train.corpora.survey, "survey"),
    (serctl.train.training.train, "clip_table"),
    (serctl.timeline.clips, "private_folder"),
    (serctl.results.shards.merging, "_write_merged"),
)


def arguments(name, target, model):
    places = {
        "PATH": target,
        "FOLDER": os.path.dirname(target),
        "OWN": f"own-{next(NUMBERS)}.csv",
        "WITHOUT": target.removesuffix(SEGMENTS).removesuffix(RECORD),
    }
    given = [places.get(word, word) for word in COMMANDS[name]]
    return [*given, *(["--model", model] if given[0] in ("classify", "evaluate") else [])]


@pytest.mark.skipif(os.name != "posix", reason="Windows has no lock that goes with its file")
@pytest.mark.parametrize(
    ("target", "first"), [(target, name) for target, names in TARGETS.items() for name in names]
)
def test_all_others_are_refused_while_one_writes(
    target, first, tmp_path, monkeypatch, capfd, tiny_folder
):
    monkeypatch.chdir(tmp_path)
    if "/" in target:
        os.mkdir(os.path.dirname(target))
    soundfile.write("a.wav", np.ones(16000) / 9, 16000)
    with SegmentsWriter("given.csv.segments.csv", ("angry", "sad")) as file:
        file.write(Segment("a.wav", None, "", 0.0, 1.0, 1.0, "angry", 0.9, (0.9, 0.1)))
    statuses = {}

    def begin(*_, **__):
        held, outputs._locked = outputs._locked, set()  # as in another process
        capfd.readouterr()
        for name in TARGETS[target]:
            status = run(arguments(name, target, str(tiny_folder)))
            said = capfd.readouterr().err
            statuses[name] = status, "another run is writing to it" in said
        outputs._locked = held
        raise RunError("broken off")

    monkeypatch.setattr(child, "KILL_S", 30.0)  # for workers that are killed while they start
    for module, name in WORK:
        monkeypatch.setattr(module, name, begin)
    for name in ("_files", "_check_complete"):  # merge reads its shards first; there are none here
        monkeypatch.setattr(serctl.results.shards.merging, name, lambda _: [])
    before = set(os.listdir())
    assert run(arguments(first, target, str(tiny_folder))) == 3
    assert "broken off" in capfd.readouterr().err
    assert statuses == dict.fromkeys(TARGETS[target], (3, True))
    # No lock is left; a journal is, as after any run that broke off.
    assert {name for name in os.listdir() if not name.endswith(".journal")} == before
