"""serctl against a loop of librosa calls: whole processes over one folder, in turns.

    python benchmarks/librosa_loop.py FOLDER [ROUNDS]

The loop is what a reader of the report would write: load, mel spectrogram, MFCC, network, one recording
after another, on one thread (several fight each other). Prints clips a second of both and their ratio.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

LOOP = """
import sys, librosa, numpy, torch
from serctl.emotions import REPORT_FIVE
from serctl.models import load_model
from serctl.scan import scan

torch.set_num_threads(1)
model = load_model("paper-cnn")
for path in scan(sys.argv[1:]):
    samples, rate = librosa.load(path)
    mel = librosa.feature.melspectrogram(y=samples, sr=rate).mean(axis=1)
    mfcc = librosa.feature.mfcc(y=samples, sr=rate).mean(axis=1)
    statistics = numpy.concatenate([mel, mfcc]).astype(numpy.float32)
    config = model.config
    scaled = config.inputs.scaled(statistics, config.scaling, config.features)
    with torch.inference_mode():
        heard = model.network(torch.from_numpy(scaled)[None]).argmax().item()
    print(path, REPORT_FIVE[heard], sep=",")
"""


def seconds(command: list[str], environment: dict[str, str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, env=os.environ | environment, check=True, capture_output=True)
    return time.perf_counter() - began


def main(folder: str, n_rounds: int) -> None:
    from serctl.scan import scan

    n_clips = len(scan([folder]))
    loop = [sys.executable, "-c", LOOP, folder]
    with tempfile.TemporaryDirectory() as temporary:
        results = str(Path(temporary, "results.csv"))
        serctl = [sys.executable, "-m", "serctl", "classify", folder, "-o", results, "--overwrite"]
        seconds(serctl, {})  # compiles the kernels, once
        times = [
            (seconds(serctl, {}), seconds(loop, {"OMP_NUM_THREADS": "1"})) for _ in range(n_rounds)
        ]
    print(f"{n_clips} clips, {n_rounds} rounds, medians")
    print(f"serctl        {n_clips / median(t for t, _ in times):8.1f} clips/s")
    print(f"librosa loop  {n_clips / median(t for _, t in times):8.1f} clips/s")
    ratios = sorted(slow / quick for quick, slow in times)
    print(f"ratio         {median(ratios):8.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})")


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) == 3 else 3)
