"""Speech-like clips of many lengths, rates and formats, the same for a seed.

    python benchmarks/synthetic_clips.py FOLDER [N_CLIPS]

Buzzes through moving formants, in syllables with pauses: not speech, but as long, as loud and as hard
to decode as it.
"""

import sys
from pathlib import Path

import numpy as np
import scipy.signal
import soundfile
from numpy.typing import NDArray

SEED = 20261123
N_CLIPS = 3000
MEAN_S, SHORTEST_S, LONGEST_S = 2.9, 0.4, 30.0
RATES_HZ = (16000, 22050, 24414, 44100, 48000)
FORMATS = (
    ("wav", "PCM_16"),
    ("wav", "PCM_24"),
    ("flac", "PCM_16"),
    ("ogg", "VORBIS"),
    ("mp3", None),
)
FORMAT_SHARES = (0.6, 0.05, 0.2, 0.05, 0.1)
MP3_RATES_HZ = (16000, 22050, 44100, 48000)


def clip(rate_hz: int, duration_s: float, random: np.random.Generator) -> NDArray[np.float32]:
    """One clip, float32 [n_samples, n_channels], within full scale."""
    n = int(duration_s * rate_hz)
    n_syllables = max(2, int(4 * duration_s))

    def course(low: float, high: float) -> NDArray[np.floating]:
        points = random.uniform(low, high, n_syllables)
        return np.interp(np.linspace(0, n_syllables - 1, n), np.arange(n_syllables), points)

    pitch_hz = random.uniform(90, 260) * course(0.8, 1.3)
    buzz = np.diff(np.floor(np.cumsum(pitch_hz / rate_hz)), prepend=0.0)
    voice = 0.05 * random.standard_normal(n) + 3 * buzz
    for middle_hz in (
        random.uniform(300, 900),
        random.uniform(1000, 2400),
        random.uniform(2500, 3500),
    ):
        pole = np.exp(-np.pi * 120 / rate_hz) * np.exp(2j * np.pi * middle_hz / rate_hz)
        denominator = np.real(np.poly([pole, pole.conjugate()]))
        voice = voice + scipy.signal.lfilter([0.2], denominator, voice)
    loud = np.maximum(0, course(-0.3, 1.0)) + 1e-3
    samples = voice * loud
    samples *= random.uniform(0.1, 0.9) / np.abs(samples).max()
    channels = 2 if random.random() < 0.1 else 1
    return np.repeat(samples[:, None], channels, axis=1).astype(np.float32)


def write_clips(folder: Path, n_clips: int = N_CLIPS) -> None:
    """Write clips into subfolders of a hundred."""
    for i in range(n_clips):
        random = np.random.default_rng([SEED, i])
        extension, subtype = FORMATS[random.choice(len(FORMATS), p=FORMAT_SHARES)]
        rate_hz = int(random.choice(MP3_RATES_HZ if extension == "mp3" else RATES_HZ))
        duration_s = float(np.clip(random.gamma(4, MEAN_S / 4), SHORTEST_S, LONGEST_S))
        path = folder / f"{i // 100:03}" / f"{i:05}.{extension}"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, clip(rate_hz, duration_s, random), rate_hz, subtype=subtype)


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    write_clips(Path(sys.argv[1]), *map(int, sys.argv[2:]))
