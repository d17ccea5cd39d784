"""Prosody: pitch, loudness, voice quality and speech rate, by Praat (the package parselmouth).

Pitch is Praat's autocorrelation method at its default settings, 75 to 600 Hz (Boersma, "Accurate
short-term analysis of the fundamental frequency and the harmonics-to-noise ratio of a sampled
sound", 1993); jitter and shimmer are those of its voice report. Syllables are peaks of the intensity
of voiced sound (de Jong and Wempe, "Praat script to detect syllable nuclei and measure speech rate
automatically", 2009).
"""

import threading
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.signal
from numpy.typing import NDArray

from serctl.features.blocks import BlockFeatures

RATE_HZ = 22_050
FLOOR_HZ, CEILING_HZ = 75.0, 600.0  # of pitch
HOP_S = 0.01
PERIODS = (0.0001, 0.02, 1.3)  # shortest and longest period in s, largest ratio of two in a row
MAX_AMPLITUDE_RATIO = 1.6  # of two periods in a row
FULL_SCALE_DB = 20 * np.log10(1 / 2e-5)  # Praat takes full scale for 1 Pa
DIP_DB = 2.0  # before a peak, for it to be a syllable
LOUD_DB = 25.0  # below the loudest frames (99%); what is softer is no syllable

JITTER, SHIMMER = ("local", "rap"), ("local", "apq3")
NAMES = (
    "pitch_hz_mean",
    "pitch_hz_deviation",
    "pitch_hz_low",
    "pitch_hz_median",
    "pitch_hz_high",
    "pitch_semitones_deviation",
    "voiced_share",
    "intensity_dbfs_mean",
    "intensity_dbfs_deviation",
    "intensity_dbfs_low",
    "intensity_dbfs_high",
    "hnr_db_mean",
    *(f"jitter_{kind}" for kind in JITTER),
    *(f"shimmer_{kind}" for kind in SHIMMER),
    "syllables_per_s",
    "voiced_stretches_per_s",
    "voiced_stretch_s_mean",
)

_praat = threading.Lock()  # which keeps state in global variables


@dataclass(frozen=True)
class _Block:
    """What Praat measures in one block."""

    duration_s: float
    pitch_hz: NDArray[np.float64]  # of each frame, 0 where it is not voiced
    intensity_dbfs: NDArray[np.float64]  # of each frame
    hnr_db: NDArray[np.float64]  # of voiced frames
    perturbation: NDArray[np.float64]  # jitter and shimmer, or NaN
    n_periods: int
    n_syllables: int


def _measure(samples: NDArray[np.float32]) -> _Block:
    import parselmouth
    from parselmouth.praat import call

    with _praat:
        sound = parselmouth.Sound(samples.astype(np.float64), RATE_HZ)
        pitch = sound.to_pitch_ac(time_step=HOP_S, pitch_floor=FLOOR_HZ, pitch_ceiling=CEILING_HZ)
        intensity = sound.to_intensity(FLOOR_HZ, HOP_S)
        levels = intensity.values[0] - FULL_SCALE_DB
        harmonicity = sound.to_harmonicity_cc(HOP_S, FLOOR_HZ)
        periods = call([sound, pitch], "To PointProcess (cc)")
        n_periods = int(call(periods, "Get number of points"))
        range_s = (0, 0)  # all
        jitter = [call(periods, f"Get jitter ({kind})", *range_s, *PERIODS) for kind in JITTER]
        shimmer = [
            call([sound, periods], f"Get shimmer ({kind})", *range_s, *PERIODS, MAX_AMPLITUDE_RATIO)
            for kind in SHIMMER
        ]
    hnr_db = harmonicity.values[0]
    pitch_hz = pitch.selected_array["frequency"]
    return _Block(
        duration_s=len(samples) / RATE_HZ,
        pitch_hz=pitch_hz,
        intensity_dbfs=levels,
        hnr_db=hnr_db[hnr_db > -200],  # Praat's value of frames that are not voiced
        perturbation=np.array([*jitter, *shimmer]),
        n_periods=n_periods,
        n_syllables=_count_syllables(levels, intensity.xs(), pitch_hz, pitch.xs()),
    )


def _count_syllables(
    levels: NDArray[np.float64],
    level_s: NDArray[np.float64],
    pitch_hz: NDArray[np.float64],
    pitch_s: NDArray[np.float64],
) -> int:
    """Peaks of the level that stand out, are loud, and are voiced."""
    loud = np.quantile(levels, 0.99) - LOUD_DB
    peaks, _ = scipy.signal.find_peaks(levels, height=loud, prominence=DIP_DB)
    voiced = np.interp(level_s[peaks], pitch_s, (pitch_hz > 0).astype(float))
    return int((voiced > 0.5).sum())


def _combine(blocks: list[_Block]) -> NDArray[np.float32]:
    pitch_hz, levels, hnr_db = (
        np.concatenate([getattr(block, name) for block in blocks])
        for name in ("pitch_hz", "intensity_dbfs", "hnr_db")
    )
    duration_s = sum(block.duration_s for block in blocks)
    voiced = pitch_hz[pitch_hz > 0]
    semitones = 12 * np.log2(voiced) if len(voiced) else voiced
    n_stretches = int((np.diff(np.concatenate([[0], pitch_hz > 0])) > 0).sum())
    levels = levels[levels > levels.max() - 60]  # a pause of digital silence says nothing
    values = [
        *_moments(voiced),
        *_quantiles(voiced, 0.1, 0.5, 0.9),
        _moments(semitones)[1],
        len(voiced) / max(len(pitch_hz), 1),
        *_moments(levels),
        *_quantiles(levels, 0.1, 0.9),
        _moments(hnr_db)[0],
        *_perturbation(blocks),
        sum(block.n_syllables for block in blocks) / duration_s,
        n_stretches / duration_s,
        len(voiced) * HOP_S / n_stretches if n_stretches else np.nan,
    ]
    return np.array(values, np.float32)


def _perturbation(blocks: list[_Block]) -> NDArray[np.float64]:
    """Mean of jitter and shimmer, weighted by periods; NaN where no block has any."""
    known = np.array([block.perturbation for block in blocks])
    weights = np.array([block.n_periods for block in blocks])[:, None] * np.isfinite(known)
    sums = (np.nan_to_num(known) * weights).sum(axis=0)
    total = weights.sum(axis=0)
    return np.where(total > 0, sums / np.maximum(total, 1), np.nan)


def _moments(values: NDArray[Any]) -> tuple[float, float]:
    return (float(values.mean()), float(values.std())) if len(values) else (np.nan, np.nan)


def _quantiles(values: NDArray[Any], *shares: float) -> list[float]:
    return np.quantile(values, shares).tolist() if len(values) else [np.nan] * len(shares)


PROSODY = BlockFeatures(
    rate_hz=RATE_HZ,
    block_s=60.0,
    min_s=0.1,
    max_blocks=None,
    measure=_measure,
    combine=_combine,
)
