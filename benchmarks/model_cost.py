"""Processor time of each bundled model for a clip, start-up left out, for ``serctl models``.

    python benchmarks/model_cost.py FOLDER

Classifies every sixth clip of FOLDER (fold 0) with one worker and without speech detection, three
times, takes what one clip alone costs off, and writes the medians to train/results/speed.json.
"""

import json
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from serctl.audio.scan import scan
from serctl.weights import bundled_models

OUTPUT = Path(__file__).parents[1] / "train" / "results" / "speed.json"
EVERY, N_ROUNDS = 6, 3


def cpu_s(clips: list[str], model: str, folder: str) -> float:
    """Seconds of processor time, of user and system, of one command over some clips."""
    listed = Path(folder, "clips.txt")
    listed.write_text("\n".join(clips), encoding="utf-8")
    command = [sys.executable, "-m", "serctl", "classify", "--files-from", str(listed), "--quiet"]
    command += ["--model", model, "--speech", "off", "--workers", "1", "--overwrite"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([*command, "-o", str(Path(folder, "r.csv"))], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Measure all models."""
    clips = scan([sys.argv[1]])[::EVERY]
    measured = {}
    with tempfile.TemporaryDirectory() as folder:
        for model in bundled_models():
            cpu_s(clips[:1], model, folder)  # kernels are compiled
            rounds = [
                cpu_s(clips, model, folder) - cpu_s(clips[:1], model, folder)
                for _ in range(N_ROUNDS)
            ]
            measured[model] = round(1000 * statistics.median(rounds) / (len(clips) - 1), 1)
            print(f"{model}: {measured[model]} ms a clip")
    command = "python benchmarks/model_cost.py FOLD0"
    OUTPUT.write_text(json.dumps({"command": command, "cpu_ms": measured}, indent=1) + "\n")


if __name__ == "__main__":
    main()
