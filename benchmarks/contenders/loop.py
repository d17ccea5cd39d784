"""What a reader of the report would write: librosa and torch, one recording after another.

    python loop.py FOLDER MODEL N_PROCESSES

Prints a row for each recording. With several processes, each classifies every n-th recording.
"""

import multiprocessing
import sys


def classify(paths: list[str], model_name: str) -> list[tuple[str, str]]:
    """Paths and emotions."""
    import librosa
    import numpy as np
    import torch

    from serctl.models.loading import load_model

    torch.set_num_threads(1)
    model = load_model(model_name)
    config = model.config
    spec = config.features
    rows = []
    for path in paths:
        samples, rate = librosa.load(path, sr=spec.rate_hz)
        mel = librosa.feature.melspectrogram(
            y=samples, sr=rate, n_fft=spec.n_fft, hop_length=spec.hop_samples, n_mels=spec.n_mels
        )
        if config.inputs.name == "clip-statistics":
            mfcc = librosa.feature.mfcc(y=samples, sr=rate, n_mfcc=spec.n_mfcc)
            raw = np.concatenate([mel.mean(axis=1), mfcc.mean(axis=1)]).astype(np.float32)
        else:
            decibels = librosa.power_to_db(mel, ref=mel.mean(), top_db=None)
            raw = np.maximum(decibels, -spec.top_db).T.astype(np.float32)
        scaled = config.inputs.normalize(raw, config.normalization, spec)
        with torch.inference_mode():
            logits = model.network(torch.from_numpy(scaled)[None])
        rows.append((path, config.emotions[int(logits.argmax())]))
    return rows


def main(folder: str, model: str, n_processes: int) -> None:
    from serctl.audio.scan import scan

    paths = scan([folder])
    shares = [(paths[i::n_processes], model) for i in range(n_processes)]
    if n_processes == 1:
        rows = [classify(*shares[0])]
    else:
        with multiprocessing.get_context("spawn").Pool(n_processes) as pool:
            rows = pool.starmap(classify, shares)
    for path, emotion in (row for share in rows for row in share):
        print(path, emotion, sep=",")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
