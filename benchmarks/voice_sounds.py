"""What becomes of voices that do not speak: made sounds, since recordings with known labels are lacking.

Run from the checkout: python benchmarks/voice_sounds.py [MODEL]

Glottal pulses through the formants of vowels: singing holds notes with vibrato; laughter is bursts of
"ha", five a second, that fall in pitch; crying is long falling wails between sobbed breaths. Real ones
differ; this shows only that a voice without words can pass for speech.
"""

import collections
import sys
import tempfile
from pathlib import Path

import numpy as np
import soundfile
from scipy.signal import lfilter

from serctl.models.classifier import Classifier

RATE_HZ = 16000
N = 40
FORMANTS_HZ = ((730, 1090, 2440), (530, 1840, 2480), (390, 1990, 2550), (570, 840, 2410))


def voice(pitch_hz: np.ndarray, breath: float, rng: np.random.Generator) -> np.ndarray:
    """Vowel with a pitch for each sample; ``breath`` is the noise beside the pulses."""
    phase = np.cumsum(pitch_hz / RATE_HZ)
    source = np.diff(np.floor(phase), prepend=0) - 0.01
    source = lfilter([1], [1, -0.97], source) + breath * rng.standard_normal(len(phase))
    for centre, width in zip(FORMANTS_HZ[rng.integers(4)], (80, 100, 140), strict=True):
        radius = np.exp(-np.pi * width / RATE_HZ)
        source = lfilter(
            [1 - radius], [1, -2 * radius * np.cos(2 * np.pi * centre / RATE_HZ), radius**2], source
        )
    return source / np.abs(source).max()


def piece(seconds: float, from_hz: float, to_hz: float, vibrato: float) -> np.ndarray:
    """Pitch that glides, with vibrato of 5.5 Hz, for each sample."""
    n = round(seconds * RATE_HZ)
    wave = 1 + vibrato * np.sin(2 * np.pi * 5.5 * np.arange(n) / RATE_HZ)
    return np.geomspace(from_hz, to_hz, n) * wave


def faded(samples: np.ndarray, seconds: float) -> np.ndarray:
    """Samples that begin and end softly."""
    n = min(round(seconds * RATE_HZ), len(samples) // 2)
    ramp = np.ones(len(samples))
    ramp[:n] = np.linspace(0, 1, n)
    ramp[len(ramp) - n :] = np.linspace(1, 0, n)
    return samples * ramp


def make(kind: str, rng: np.random.Generator) -> np.ndarray:
    """About five seconds of a kind of sound."""
    base = rng.uniform(110, 280)
    parts = []
    while sum(map(len, parts)) < 5 * RATE_HZ:
        if kind == "singing":
            note = base * 2 ** (rng.choice([0, 2, 4, 5, 7, 9]) / 12)
            parts.append(
                faded(voice(piece(rng.uniform(0.4, 1.2), note, note, 0.02), 0.0, rng), 0.04)
            )
        elif kind == "laughter":
            for i in range(rng.integers(4, 9)):
                pitch = 1.6 * base * 0.94**i
                parts += [
                    faded(voice(piece(0.11, pitch, 0.9 * pitch, 0), 0.05, rng), 0.03),
                    0.03 * rng.standard_normal(round(0.09 * RATE_HZ)),
                ]
            parts.append(np.zeros(round(0.4 * RATE_HZ)))
        else:
            pitch = 2 * base
            wail = piece(rng.uniform(0.8, 1.8), 1.1 * pitch, 0.7 * pitch, 0.04)
            parts.append(faded(voice(wail, 0.03, rng), 0.15))
            parts += [faded(0.1 * rng.standard_normal(1600), 0.03) for _ in range(3)]
    samples = np.concatenate(parts)
    return 0.3 * samples / np.abs(samples).max() + 1e-3 * rng.standard_normal(len(samples))


def main(model: str = "cnn") -> None:
    classifier = Classifier(model, device="cpu")
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder, "a.wav"))
        for kind in ("singing", "laughter", "crying"):
            labels = collections.Counter[str]()
            for seed in range(N):
                soundfile.write(path, make(kind, np.random.default_rng(seed)), RATE_HZ)
                result = classifier.classify(path)
                labels[result.emotion or result.status] += 1
            print(f"{kind}: of {N}", ", ".join(f"{n} {label}" for label, n in labels.most_common()))


if __name__ == "__main__":
    main(*sys.argv[1:])
