"""Sounds that are no speech, each made from a seed: float32, mono, within [-1, 1]."""

import numpy as np
from scipy.signal import butter, lfilter, sosfilt


def _times(duration_s, rate_hz):
    return np.arange(round(duration_s * rate_hz)) / rate_hz


def _band(signal, low_hz, high_hz, rate_hz):
    high_hz = min(high_hz, 0.45 * rate_hz)
    return sosfilt(butter(2, (low_hz, high_hz), "band", fs=rate_hz, output="sos"), signal)


def music(rng, duration_s, rate_hz):
    """Chords and a melody of decaying harmonics over a bass, at some 100 beats a minute."""
    t = _times(duration_s, rate_hz)
    mix = np.zeros(len(t))
    beat_s = rng.uniform(0.45, 0.7)
    scale = 220 * 2 ** (np.array([0, 2, 4, 5, 7, 9, 11, 12]) / 12)
    for k in range(int(duration_s / beat_s)):
        first = round(k * beat_s * rate_hz)
        notes = [(rng.choice(scale) * 2, 0.25)]
        if k % 2 == 0:
            root = rng.integers(0, 5)
            notes += [(scale[root] * r, 0.12) for r in (1, 1.26, 1.498)] + [(scale[root] / 2, 0.3)]
        since = t[: len(t) - first]
        for hz, gain in notes:
            tone = sum(np.sin(2 * np.pi * hz * h * since) / h**1.5 for h in (1, 2, 3, 4, 5))
            mix[first:] += gain * tone * np.exp(-since * rng.uniform(2, 5))
        drum = rng.standard_normal(min(len(since), rate_hz // 8))
        mix[first : first + len(drum)] += 0.15 * drum * np.exp(-np.arange(len(drum)) / 300)
    return mix


def hold_music(rng, duration_s, rate_hz):
    """Music as a telephone gives it."""
    return _band(music(rng, duration_s, rate_hz), 300, 3400, rate_hz)


def applause(rng, duration_s, rate_hz):
    """Some hundred claps a second."""
    n = round(duration_s * rate_hz)
    claps = np.zeros(n)
    where = rng.integers(0, n, round(150 * duration_s))
    np.add.at(claps, where, rng.uniform(0.2, 1, len(where)) * rng.choice([-1, 1], len(where)))
    burst = rng.standard_normal(rate_hz // 50) * np.exp(-np.arange(rate_hz // 50) / (rate_hz / 300))
    return _band(lfilter(burst, 1, claps), 500, 5000, rate_hz)


def ring_tone(rng, duration_s, rate_hz):
    """440 and 480 Hz, two seconds on and four off."""
    t = _times(duration_s, rate_hz)
    return ((t % 6) < 2) * (np.sin(2 * np.pi * 440 * t) + np.sin(2 * np.pi * 480 * t))


def dtmf(rng, duration_s, rate_hz):
    """Telephone keys, a tenth of a second each, five a second."""
    t = _times(duration_s, rate_hz)
    key = (t * 5).astype(int)
    low = rng.choice([697, 770, 852, 941], key.max() + 1)[key]
    high = rng.choice([1209, 1336, 1477], key.max() + 1)[key]
    return ((t * 5) % 1 < 0.5) * (np.sin(2 * np.pi * low * t) + np.sin(2 * np.pi * high * t))


def hum(rng, duration_s, rate_hz):
    """50 Hz of the mains and its harmonics."""
    t = _times(duration_s, rate_hz)
    phases = rng.uniform(0, 2 * np.pi, 9)
    return sum(np.sin(2 * np.pi * 50 * k * t + phases[k - 1]) / k for k in range(1, 10))


def white_noise(rng, duration_s, rate_hz):
    """Every frequency alike."""
    return rng.standard_normal(round(duration_s * rate_hz))


def pink_noise(rng, duration_s, rate_hz):
    """A power that falls by 3 dB an octave."""
    n = round(duration_s * rate_hz)
    spectrum = np.fft.rfft(rng.standard_normal(n))
    return np.fft.irfft(spectrum / np.sqrt(np.maximum(np.arange(len(spectrum)), 1)), n)


def line_noise(rng, duration_s, rate_hz):
    """Hiss of a telephone line with clicks."""
    noise = _band(white_noise(rng, duration_s, rate_hz), 300, 3400, rate_hz)
    clicks = np.zeros(len(noise))
    clicks[rng.integers(0, len(noise), round(duration_s * 2) + 1)] = 8
    return noise + clicks


def tone(rng, duration_s, rate_hz):
    """One frequency."""
    return np.sin(2 * np.pi * rng.uniform(200, 2000) * _times(duration_s, rate_hz))


def sweep(rng, duration_s, rate_hz):
    """From 100 Hz to 4 kHz and again, every three seconds."""
    t = _times(duration_s, rate_hz) % 3
    return np.sin(2 * np.pi * (100 * t + 650 * t**2))


def dither(rng, duration_s, rate_hz):
    """The last bit of 16."""
    n = round(duration_s * rate_hz)
    return np.round(rng.uniform(-1, 1, n) + rng.uniform(-1, 1, n))


def room_tone(rng, duration_s, rate_hz):
    """Brown noise with a little hum."""
    noise = lfilter([1], [1, -0.98], white_noise(rng, duration_s, rate_hz))
    return noise / noise.std() + 0.3 * hum(rng, duration_s, rate_hz)


def breath(rng, duration_s, rate_hz):
    """Filtered noise that rises and falls every four seconds."""
    t = _times(duration_s, rate_hz)
    rise = np.maximum(np.sin(2 * np.pi * t / 4), 0) ** 2
    return rise * _band(white_noise(rng, duration_s, rate_hz), 400, 3000, rate_hz)


def typing(rng, duration_s, rate_hz):
    """Some six keys a second."""
    n = round(duration_s * rate_hz)
    keys = np.zeros(n)
    where = rng.integers(0, n, round(6 * duration_s) + 1)
    keys[where] = rng.uniform(0.3, 1, len(where))
    click = rng.standard_normal(rate_hz // 40) * np.exp(-np.arange(rate_hz // 40) / (rate_hz / 250))
    return _band(lfilter(click, 1, keys), 1000, 6000, rate_hz)


# Name to function and the peak that it is brought to.
SOUNDS = {
    "music": (music, 0.5),
    "hold music": (hold_music, 0.4),
    "applause": (applause, 0.5),
    "ring tone": (ring_tone, 0.4),
    "DTMF": (dtmf, 0.4),
    "hum": (hum, 0.2),
    "white noise": (white_noise, 0.3),
    "pink noise": (pink_noise, 0.3),
    "line noise": (line_noise, 0.1),
    "tone": (tone, 0.4),
    "sweep": (sweep, 0.4),
    "dither": (dither, 2 / 32768),
    "room tone": (room_tone, 0.003),
    "breath": (breath, 0.1),
    "typing": (typing, 0.3),
}


def sound(name, seed, duration_s, rate_hz=16000):
    """Sound of that name, float32 [n_samples]."""
    make, peak = SOUNDS[name]
    # A seed of its own for each, whatever is made before it.
    made = make(np.random.default_rng([seed, *name.encode()]), duration_s, rate_hz)
    return (made * (peak / np.abs(made).max())).astype(np.float32)
