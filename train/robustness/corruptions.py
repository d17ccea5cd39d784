"""Corruptions of recordings: noise, reverberation, telephone, MP3, gain, silence, short clips.

A `Corruption` changes the samples of a clip and sets the file format that they are written in, so that
codecs are real ones. All randomness comes from the generator that is given.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import scipy.signal
from numpy.typing import NDArray

from serctl.audio import decoding
from serctl.errors import CorporaError

Samples = NDArray[np.float32]

LONGEST_S = 60.0  # read of a clip; the longest clip of the corpora has 7.1 s
SNRS_DB = (20, 10, 0)
N_TALKERS = 6  # at once in babble, each as loud as the others
TELEPHONE_RATE_HZ = 8000
TELEPHONE_BAND_HZ = (300, 3400)
T60_S = 0.5  # in which the room's sound falls by 60 dB, as in a living room
DIRECT_TO_REVERBERANT_DB = 0.0
GAP_S = 0.005  # between the direct sound and the first of the room's
SILENCE_S = 0.5
# libsndfile has no bit rate but a level, which runs from MPEG-2's 160 kbit/s at 0 to 8 at 1; MPEG-2
# is what has rates of 16, 22.05 and 24 kHz.
MP3_LEVEL = (160 - 32) / (160 - 8)


@dataclass(frozen=True)
class Sound:
    """A clip to corrupt, with the random generator and the other clips for it.

    Attributes
    ----------
    samples : float32 [n_samples]
        Mono, full scale at 1.0.
    rate_hz : int
        Of them.
    rng : numpy.random.Generator
        For this clip and corruption alone.
    others : sequence of sequences of str
        Paths of the recordings of each other speaker.
    """

    samples: Samples
    rate_hz: int
    rng: np.random.Generator
    others: Sequence[Sequence[str]] = ()


@dataclass(frozen=True)
class Corruption:
    """One kind of corruption.

    Attributes
    ----------
    name : str
        As its row says.
    apply : callable
        From a `Sound` to its samples, float32 [any number].
    rate_hz : int or None
        At which clips are read and written; None for the model's own.
    file_format : dict
        Of `soundfile.write`; float WAV by default, which changes nothing.
    """

    name: str
    apply: Callable[[Sound], Samples]
    rate_hz: int | None = None
    file_format: Mapping[str, Any] = field(
        default_factory=lambda: {"format": "WAV", "subtype": "FLOAT"}
    )


def add_noise(samples: Samples, noise: NDArray[np.floating[Any]], snr_db: float) -> Samples:
    """Add noise at a ratio of the clip's power to the noise's, both over the whole clip.

    Parameters
    ----------
    samples : float32 [n_samples]
        The clip; to a silent one, nothing is added.
    noise : float [n_samples]
        At any level; not all zero unless the clip is silent.
    snr_db : float
        In decibels.

    Returns
    -------
    float32 [n_samples]
        Louder than full scale where the sum is.
    """
    power = np.mean(np.square(samples, dtype=np.float64))
    if not power:
        return samples
    gain = np.sqrt(power / np.mean(np.square(noise, dtype=np.float64)) / 10 ** (snr_db / 10))
    noisy: Samples = (samples + gain * noise).astype(np.float32)
    return noisy


def babble(sound: Sound) -> NDArray[np.float64]:
    """`N_TALKERS` recordings of as many other speakers, equally loud, each from anywhere in it.

    Parameters
    ----------
    sound : Sound
        The clip for which it is; silent recordings of others are passed over.

    Returns
    -------
    float64 [n_samples]

    Raises
    ------
    CorporaError
        If too few others were recorded.
    """
    total = np.zeros(len(sound.samples))
    n_talkers = 0
    for speaker in sound.rng.permutation(len(sound.others)).tolist():
        paths = sound.others[speaker]
        voice = read_clip(paths[int(sound.rng.integers(len(paths)))], sound.rate_hz).astype(
            np.float64
        )
        power = np.mean(np.square(voice))
        if not power:
            continue
        start = sound.rng.integers(len(voice))
        total += np.resize(np.roll(voice, -start), len(total)) / np.sqrt(power)
        n_talkers += 1
        if n_talkers == N_TALKERS:
            return total
    raise CorporaError(
        f"Babble needs recordings of {N_TALKERS} speakers other than a clip's; {n_talkers} found. "
        "Give a folder with the clips of more speakers, such as those of speaker fold 0."
    )


def telephone_band(sound: Sound) -> Samples:
    """The clip from 300 to 3400 Hz (Butterworth, 36 dB an octave), within full scale."""
    band = scipy.signal.butter(6, TELEPHONE_BAND_HZ, "bandpass", fs=sound.rate_hz, output="sos")
    narrow: Samples = np.clip(scipy.signal.sosfilt(band, sound.samples), -1, 1).astype(np.float32)
    return narrow


def room_response(rate_hz: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Response of a synthetic room: the direct sound, and noise that falls by 60 dB in `T60_S`.

    Parameters
    ----------
    rate_hz : int
        Of the result.
    rng : numpy.random.Generator
        Of the noise.

    Returns
    -------
    float64 [n_samples]
        The direct sound, 1, is its first sample, and as strong as all the rest together.
    """
    time_s = np.arange(round(T60_S * rate_hz)) / rate_hz
    tail = rng.standard_normal(len(time_s)) * 10 ** (-3 * time_s / T60_S)
    tail[time_s < GAP_S] = 0
    tail *= 10 ** (-DIRECT_TO_REVERBERANT_DB / 20) / np.sqrt(np.sum(tail**2))
    tail[0] = 1
    return tail


def reverberate(sound: Sound) -> Samples:
    """Add reverberation to the clip; its loudness and length stay."""
    wet = scipy.signal.fftconvolve(sound.samples, room_response(sound.rate_hz, sound.rng))
    wet = wet[: len(sound.samples)]
    power = np.mean(np.square(wet))
    loudness = np.sqrt(np.mean(np.square(sound.samples, dtype=np.float64)) / power) if power else 1
    reverberant: Samples = (loudness * wet).astype(np.float32)
    return reverberant


def _amplify(gain_db: float) -> Callable[[Sound], Samples]:
    """Louder or quieter, and rounded and clipped to the steps of a 16-bit file."""

    def apply(sound: Sound) -> Samples:
        steps = np.rint(sound.samples * (32768 * 10 ** (gain_db / 20)))
        amplified: Samples = (steps.clip(-32768, 32767) / 32768).astype(np.float32)
        return amplified

    return apply


def _surround_with_silence(sound: Sound) -> Samples:
    return np.pad(sound.samples, round(SILENCE_S * sound.rate_hz))


def _begin(duration_s: float) -> Callable[[Sound], Samples]:
    return lambda sound: sound.samples[: round(duration_s * sound.rate_hz)]


def _white(snr_db: float) -> Callable[[Sound], Samples]:
    return lambda sound: add_noise(
        sound.samples, sound.rng.standard_normal(len(sound.samples)), snr_db
    )


def _babble(snr_db: float) -> Callable[[Sound], Samples]:
    return lambda sound: add_noise(sound.samples, babble(sound), snr_db)


_MP3 = {
    "format": "MP3",
    "subtype": "MPEG_LAYER_III",
    "bitrate_mode": "CONSTANT",
    "compression_level": MP3_LEVEL,
}
_MU_LAW = {"format": "WAV", "subtype": "ULAW"}

CORRUPTIONS = (
    *(Corruption(f"white noise at {snr} dB", _white(snr)) for snr in SNRS_DB),
    *(Corruption(f"babble of {N_TALKERS} voices at {snr} dB", _babble(snr)) for snr in SNRS_DB),
    Corruption("telephone band, mu-law", telephone_band, TELEPHONE_RATE_HZ, _MU_LAW),
    Corruption("MP3 at 32 kbit/s", lambda sound: sound.samples, None, _MP3),
    Corruption(f"reverberation, T60 {T60_S} s", reverberate),
    Corruption("20 dB louder, clipped, 16 bits", _amplify(20)),
    Corruption("20 dB quieter, 16 bits", _amplify(-20)),
    Corruption(f"{SILENCE_S} s of silence before and after", _surround_with_silence),
    Corruption("the first 1 s alone", _begin(1)),
    Corruption("the first 2 s alone", _begin(2)),
)


def read_clip(path: str, rate_hz: int) -> Samples:
    """Mono samples of a whole clip, float32 [n_samples], at a rate; AudioError if there are none."""
    _, windows = decoding.read_windows(path, rate_hz, LONGEST_S)
    return next(windows, np.empty(0, np.float32))
