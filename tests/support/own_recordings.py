"""Recordings as a user would have: tones, a resonance for each label, a pitch for each speaker."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import soundfile
from support.synthetic_corpora import RATE_HZ, speech

LABELS = ("calm", "angry", "surprise")  # for `speech`, whatever they are called in a test


def write_tone(path: Path, kind: int, speaker: str, seed: int) -> Path:
    """One recording of 0.4 s whose label is number ``kind`` of `LABELS`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, speech(LABELS[kind], speaker, seed), RATE_HZ)
    return path


def write_folders(
    root: Path,
    labels: Iterable[str] = ("low", "high"),
    speakers: str = "abc",
    n_each: int = 3,
    seed: int = 0,
) -> Path:
    """``n_each`` recordings of each label and speaker: ``root/label/<speaker>_<word>.wav``."""
    words = ("one", "two", "three", "four", "five", "six")
    for kind, label in enumerate(labels):
        for i, speaker in enumerate(speakers):
            for j in range(n_each):
                name = f"{speaker}_{words[j]}.wav"
                write_tone(root / label / name, kind, speaker, seed + 100 * kind + 10 * i + j)
    return root


def noise(path: Path, seed: int = 0) -> Path:
    """Bytes that are no recording."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(np.random.default_rng(seed).bytes(4000))
    return path
