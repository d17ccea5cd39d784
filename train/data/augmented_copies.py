"""Augmented copies of training clips: speed, reverberation, noise, telephone, poor recording.

`augment` draws at random what it does to a clip. Room responses are decaying noise; background speech
is synthetic, pulses through formants, or that of other speakers (`serctl.train.data.talkers`). The same
state of the random generator gives the same samples.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.signal
import soxr
from numpy.typing import NDArray

PEAK = 0.7  # of an augmented copy
SPEED_SHARE, ROOM_SHARE = 0.7, 0.3  # how often each happens
TELEPHONE_SHARE, RECORDING_SHARE = 0.2, 0.25  # never both
MAX_LOG_SPEED = 0.16  # a speed of 0.85 to 1.17
REVERBERATION_S = (0.15, 0.9)  # until it is down by 60 dB
TELEPHONE_RATE_HZ = 8000
MU = 255  # of the law of North American telephones (ITU-T G.711)

Samples = NDArray[np.float64]
Babble = Callable[[int, int, np.random.Generator], Samples]  # of a length, at a rate


@dataclass(frozen=True)
class Noise:
    """How noisy copies are.

    Attributes
    ----------
    share : float
        How often there is noise.
    snr_db : tuple of float
        Lowest and highest ratio of the clip's power to the noise's.
    babble : callable
        Draws background speech of standard deviation 1, from a number of samples, their rate and a
        generator.
    """

    share: float
    snr_db: tuple[float, float]
    babble: Babble


def augment(
    samples: NDArray[np.float32],
    rate_hz: int,
    random: np.random.Generator,
    noise: Noise | None = None,
) -> NDArray[np.float32]:
    """Copy of a clip, augmented at random.

    Parameters
    ----------
    samples : float32 [n_samples]
        Mono, at least one, at ``rate_hz``.
    rate_hz : int
        At least twice that of a telephone.
    random : Generator
        Source of all random draws.
    noise : Noise, optional
        By default `some_noise`.

    Returns
    -------
    float32 [about n_samples]
        With a peak of `PEAK`, unless all is zero. Speed and reverberation change the length.
    """
    noise = noise or some_noise()
    augmented = samples.astype(np.float64)
    level = augmented.std() + 1e-9
    speed = draw_speed(random)
    if speed != 1.0:
        augmented = soxr.resample(augmented, rate_hz, rate_hz / speed, "MQ")
    if random.random() < ROOM_SHARE:
        augmented = add_reverberation(augmented, rate_hz, random)
    if random.random() < noise.share:
        added = draw_noise(len(augmented), rate_hz, random, noise.babble)
        augmented = augmented + added * level * 10 ** (-random.uniform(*noise.snr_db) / 20)
    channel = random.random()
    if channel < TELEPHONE_SHARE:
        augmented = simulate_telephone(augmented, rate_hz, random)
    elif channel < TELEPHONE_SHARE + RECORDING_SHARE:
        augmented = simulate_recording(augmented, rate_hz, random)
    peak = np.abs(augmented).max(initial=0.0)
    return (augmented * (PEAK / peak if peak > 0 else 1.0)).astype(np.float32)


def draw_speed(random: np.random.Generator) -> float:
    """Draw the speed of a copy; above 1 is shorter."""
    if random.random() < SPEED_SHARE:
        return float(np.exp(random.uniform(-MAX_LOG_SPEED, MAX_LOG_SPEED)))
    return 1.0


def add_reverberation(samples: Samples, rate_hz: int, random: np.random.Generator) -> Samples:
    """Add reverberation: decaying noise, from 12 dB below the direct sound to 4 above."""
    n_response = int(random.uniform(*REVERBERATION_S) * rate_hz)
    decay = 10.0 ** (-3 * np.arange(n_response) / n_response)
    response = random.standard_normal(n_response) * decay
    response *= np.sqrt(10 ** (random.uniform(-12, 4) / 10) / np.square(response).sum())
    response[0] = 1
    wet: Samples = scipy.signal.fftconvolve(samples, response)
    return wet[: len(samples) + rate_hz // 10]


def some_noise() -> Noise:
    """Noise in about half of the copies, mostly faint, with synthetic babble."""
    return Noise(0.55, (0.0, 35.0), synthetic_babble)


def much_noise(babble: Babble) -> Noise:
    """Noise in every copy, and loud."""
    return Noise(1.0, (0.0, 20.0), babble)


def draw_noise(
    n_samples: int, rate_hz: int, random: np.random.Generator, babble: Babble
) -> Samples:
    """Draw white noise, noise that falls with frequency, or babble; standard deviation 1."""
    kind = random.random()
    if kind < 0.3:
        return coloured_noise(n_samples, rate_hz, 0.0, random)
    if kind < 0.6:
        return coloured_noise(n_samples, rate_hz, random.uniform(0.3, 1.2), random)
    return babble(n_samples, rate_hz, random)


def coloured_noise(
    n_samples: int, rate_hz: int, tilt: float, random: np.random.Generator
) -> Samples:
    """Noise whose amplitude falls with frequency to the power of ``-tilt``, above 50 Hz."""
    spectrum = np.fft.rfft(random.standard_normal(n_samples))
    hz = np.fft.rfftfreq(n_samples, 1 / rate_hz)
    noise = np.fft.irfft(spectrum * (np.maximum(hz, 50) / 500) ** -tilt, n_samples)
    return _normalize(noise)


def synthetic_babble(n_samples: int, rate_hz: int, random: np.random.Generator) -> Samples:
    """Three to seven synthetic voices at once; standard deviation 1."""
    mix = np.zeros(n_samples)
    for _ in range(random.integers(3, 8)):
        mix += random.uniform(0.4, 1) * _voice(n_samples, rate_hz, random)
    return _normalize(mix)


def _voice(n_samples: int, rate_hz: int, random: np.random.Generator) -> Samples:
    """Pulses of a wavering pitch and some noise, through three formants, in about 8 syllables a s."""
    n_knots = max(4, int(8 * n_samples / rate_hz)) + 3
    times, knots = np.arange(n_samples), np.linspace(0, n_samples, n_knots)
    loudness = np.interp(times, knots, random.gamma(0.7, 1, n_knots))
    wavering = 1 + 0.12 * random.standard_normal(n_knots)
    pitch_hz = random.uniform(90, 260) * np.interp(times, knots, wavering)
    pulses = np.diff(np.floor(np.cumsum(pitch_hz) / rate_hz), prepend=0)
    voice = pulses * random.uniform(3, 6) + 0.3 * random.standard_normal(n_samples)
    for _ in range(3):
        formant_hz, width_hz = random.uniform(300, 3200), random.uniform(80, 250)
        radius = np.exp(-np.pi * width_hz / rate_hz)
        poles = [1, -2 * radius * np.cos(2 * np.pi * formant_hz / rate_hz), radius**2]
        voice = scipy.signal.lfilter([1 - radius], poles, voice) + 0.2 * voice
    return loudness * _normalize(voice)


def simulate_telephone(samples: Samples, rate_hz: int, random: np.random.Generator) -> Samples:
    """Simulate a telephone line: 8 kHz, its band, and 8 bits by the mu-law."""
    line = soxr.resample(samples, rate_hz, TELEPHONE_RATE_HZ, "MQ")
    band_hz = [random.uniform(150, 350), 3400]
    band = scipy.signal.butter(4, band_hz, "bandpass", fs=TELEPHONE_RATE_HZ, output="sos")
    line = scipy.signal.sosfilt(band, line)
    line *= random.uniform(0.05, 1) / (np.abs(line).max(initial=0.0) + 1e-9)
    codes = np.round(np.sign(line) * np.log1p(MU * np.abs(line)) / np.log1p(MU) * 127) / 127
    line = np.sign(codes) * np.expm1(np.abs(codes) * np.log1p(MU)) / MU
    resampled: Samples = soxr.resample(line, TELEPHONE_RATE_HZ, rate_hz, "MQ")
    return resampled


def simulate_recording(samples: Samples, rate_hz: int, random: np.random.Generator) -> Samples:
    """Simulate a codec and a microphone: limits of the band, and an uneven response."""
    spectrum = np.fft.rfft(samples)
    hz = np.fft.rfftfreq(len(samples), 1 / rate_hz)
    spectrum *= 1 / (1 + (hz / random.uniform(3000, 7800)) ** 16)
    rumble = (hz / (1 + random.uniform(0, 200))) ** 4
    spectrum *= rumble / (1 + rumble)
    response_db = np.interp(hz, np.linspace(0, rate_hz / 2, 8), random.normal(0, 3, 8))
    return np.fft.irfft(spectrum * 10 ** (response_db / 20), len(samples))


def _normalize(samples: Samples) -> Samples:
    normalized: Samples = samples / (samples.std() + 1e-9)
    return normalized
