"""What a network costs: its processor time, in float32 on one thread, against librosa's features.

    python benchmarks/network_cost.py FOLDER [MODEL]

Takes up to 200 recordings below FOLDER, evenly from the scan; decodes and extracts them
beforehand, and then lets the network of MODEL (the default one, if none is given), and librosa's
mel spectrogram and MFCC at its defaults (22050 Hz), hear each of them, in turns, five times.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"  # before anything that counts threads is imported

import sys
import time
from collections.abc import Callable
from statistics import median

import librosa
import torch

from serctl.audio import decoding
from serctl.audio.scan import scan
from serctl.errors import SerctlError
from serctl.models.classifier import Classifier
from serctl.models.loading import DEFAULT_MODEL

N_CLIPS, N_ROUNDS = 200, 5
LIBROSA_RATE_HZ = 22050


def processor_time(work: Callable[[], None]) -> float:
    """Seconds of processor time."""
    start = time.process_time()
    work()
    return time.process_time() - start


def main() -> None:
    """Run from the command line."""
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    torch.set_num_threads(1)
    classifier = Classifier(sys.argv[2] if len(sys.argv) == 3 else DEFAULT_MODEL, device="cpu")
    config = classifier.config
    paths = scan([sys.argv[1]])
    paths = paths[:: max(1, len(paths) // N_CLIPS)][:N_CLIPS]
    inputs, samples = [], []
    for path in paths:
        _, windows = decoding.read_windows(path, config.features.rate_hz, config.window_s)
        inputs.append(classifier.input_of(next(iter(windows))))
        samples.append(librosa.load(path, sr=LIBROSA_RATE_HZ)[0])

    def network() -> None:
        for one in inputs:
            classifier.window_logits([one])

    def features() -> None:
        for one in samples:
            librosa.feature.melspectrogram(y=one, sr=LIBROSA_RATE_HZ).mean(axis=1)
            librosa.feature.mfcc(y=one, sr=LIBROSA_RATE_HZ).mean(axis=1)

    network()
    features()
    rounds = [(processor_time(network), processor_time(features)) for _ in range(N_ROUNDS)]
    for ours, theirs in rounds:
        each = [seconds / len(paths) * 1e3 for seconds in (ours, theirs)]
        print(f"network {each[0]:.2f} ms a clip, librosa {each[1]:.2f} ms: {ours / theirs:.2f}")
    print(f"median ratio {median(ours / theirs for ours, theirs in rounds):.2f}")


if __name__ == "__main__":
    try:
        main()
    except SerctlError as error:
        sys.exit(f"Error: {error}")
