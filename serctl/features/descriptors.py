"""Descriptors: what the feature table says of one recording.

The time-means of the mel spectrogram and of the MFCC, as the report's networks take them, and mean
and deviation of what it proposes next: zero-crossing rate, spectral centroid and spectral rolloff.
All are of the mono mix at the spec's rate, over the whole of a recording of any length, in the
memory of one window: frames run on across windows, and sums are float64. One FFT serves all.

Values are librosa's, at its defaults (centred frames; a rolloff share of 0.85; deviations divided
by the number of frames). Only the floor of the MFCC's decibels, ``top_db`` below the recording's
largest in librosa, is below the largest up to the end of a frame's own window, which is the same
for recordings of up to `WINDOW_S`.

`describe` raises nothing for a bad recording: status and reason say what is wrong, as in results.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from serctl.audio import decoding
from serctl.errors import AudioError
from serctl.features import kernels
from serctl.features import mel as features
from serctl.features.mel import BLOCK_FRAMES, MelSpec

WINDOW_S = 30.0  # of a recording in memory at a time
ROLL_SHARE = 0.85  # of a frame's magnitude, up to its rolloff
ZERO_LEVEL = 1e-10  # no nearer to zero does a sample have a sign

CURVES = ("zero_crossing_rate", "spectral_centroid_hz", "spectral_rolloff_hz")
MOMENTS = ("mean", "deviation")

FrameSink = Callable[[NDArray[np.float32], NDArray[np.float32]], None]


@dataclass
class Description:
    """What is known of one recording.

    Attributes
    ----------
    path : str
        Of the recording.
    status, reason : str
        As in a result; ``silent`` recordings have values, ``too_short`` ones have no sample.
    duration_s : float or None
        Length in seconds.
    sample_rate_hz, channels : int or None
        As in the file.
    level_dbfs : float or None
        Root mean square of the mix at the spec's rate, in dB of full scale; None if all is zero.
    values : float32 [n_mels + n_mfcc + 6]
        In the order of `value_names`; empty if the recording could not be read.
    """

    path: str
    status: str = "ok"
    reason: str = ""
    duration_s: float | None = None
    sample_rate_hz: int | None = None
    channels: int | None = None
    level_dbfs: float | None = None
    values: NDArray[np.float32] = field(default_factory=lambda: np.empty(0, np.float32))


def value_names(spec: MelSpec) -> tuple[str, ...]:
    """Names of a description's values, in their order, with units."""
    return (
        *(f"mel_{i}" for i in range(1, spec.n_mels + 1)),
        *(f"mfcc_{i}" for i in range(1, spec.n_mfcc + 1)),
        *(f"{curve}_{moment}" for curve in CURVES for moment in MOMENTS),
    )


def describe(path: str, spec: MelSpec, sink: FrameSink | None = None) -> Description:
    """Describe one recording.

    Parameters
    ----------
    path : str
        Of an audio file.
    spec : MelSpec
        Rate, frames, and numbers of mel bands and coefficients.
    sink : callable, optional
        Is given the mel power, float32 [n_frames, n_mels], and the MFCC, float32 [n_frames,
        n_mfcc], of the frames that follow each other, window by window.

    Returns
    -------
    Description
        With a status and a reason where the recording cannot be described.
    """
    description = Description(path)
    try:
        _describe(description, spec, sink)
    except AudioError as error:
        description.status, description.reason = "unreadable", error.reason
    except Exception as error:
        description.status = "failed"
        description.reason = f"{type(error).__name__}: {error}"
    if description.status in ("unreadable", "failed"):
        description.level_dbfs, description.values = None, np.empty(0, np.float32)
    return description


def _describe(description: Description, spec: MelSpec, sink: FrameSink | None) -> None:
    recording, windows = decoding.read_windows(description.path, spec.rate_hz, WINDOW_S)
    description.sample_rate_hz, description.channels = recording.rate_hz, recording.n_channels
    totals = _Totals(spec)
    for frames in frame_blocks(totals.measured(windows), spec):
        decibels = totals.add(frames)
        if sink is not None:
            sink(frames.mel, _mfcc(decibels, spec).astype(np.float32))
    description.duration_s = recording.duration_s
    if totals.n_frames == 0:
        description.status = "too_short"
        description.reason = "0 samples; at least one is needed. Is the file complete?"
        return
    if recording.peak < decoding.SILENT_PEAK:
        description.status = "silent"
        description.reason = "No sample reaches 1/32768 of full scale."
    if totals.energy > 0:
        description.level_dbfs = 10 * math.log10(totals.energy / totals.n_samples)
    description.reason = f"{description.reason} {recording.truncated}".strip()
    description.values = totals.values()


@dataclass(frozen=True)
class Frames:
    """Frames that follow each other.

    Attributes
    ----------
    mel : float32 [n_frames, n_mels]
        Power in each band, as of `features.mel_spectrogram`.
    curves : float64 [n_frames, 3]
        The `CURVES`: share of a frame's samples of another sign than the one before; magnitude's
        mean frequency, in Hz; frequency that 0.85 of the magnitude is not above, in Hz.
    """

    mel: NDArray[np.float32]
    curves: NDArray[np.float64]


def frame_blocks(windows: Iterable[NDArray[np.float32]], spec: MelSpec) -> Iterator[Frames]:
    """Analyse a recording frame by frame.

    Parameters
    ----------
    windows : iterable of float32 [n_samples]
        Mono, finite, at ``spec.rate_hz``: what follows each other in one recording.
    spec : MelSpec
        Its parameters.

    Yields
    ------
    Frames
        Those that end in each window, and with the last one all that are left: 1 + n_samples //
        hop_samples in all. None without a sample.
    """
    n_fft, hop_samples = spec.n_fft, spec.hop_samples
    held = np.empty(0, np.float32)  # samples from number `first` on
    first = n_done = 0
    for window, is_last in _with_last_told(windows):
        held = np.concatenate([held, window])
        n_samples = first + len(held)
        # Frame i is centred on sample i * hop_samples, with zeros beyond the ends.
        n_known = n_samples if is_last else n_samples - n_fft // 2
        n_frames = 1 + n_known // hop_samples - n_done
        if n_frames > 0:
            yield _analyse(held, n_done * hop_samples - n_fft // 2 - first, n_frames, spec)
            n_done += n_frames
        n_spent = max(n_done * hop_samples - n_fft // 2 - first, 0)
        held, first = held[n_spent:], first + n_spent


def _with_last_told(
    windows: Iterable[NDArray[np.float32]],
) -> Iterator[tuple[NDArray[np.float32], bool]]:
    held = None
    for window in windows:
        if held is not None:
            yield held, False
        held = window
    if held is not None:
        yield held, True


def _analyse(
    samples: NDArray[np.float32], first_sample: int, n_frames: int, spec: MelSpec
) -> Frames:
    """Frames of which the first begins at ``first_sample``, which may be before all samples."""
    # float64, since rounding noise in a thousand bins shifts the centroid of a low tone.
    window = features.hann_window(spec.n_fft, np.float64)
    filters, first_bins, last_bins = features.sparse_mel_filters(spec)
    mel = np.empty((n_frames, spec.n_mels), np.float32)
    bins = np.empty((2, n_frames))  # of centroid and rolloff
    block = np.empty((BLOCK_FRAMES, spec.n_fft))
    for i in range(0, n_frames, BLOCK_FRAMES):
        frames = block[: min(BLOCK_FRAMES, n_frames - i)]
        start = first_sample + i * spec.hop_samples
        kernels.frame_windowed(samples, window, start, spec.hop_samples, frames)
        spectrum = scipy.fft.rfft(frames, axis=1)
        now = slice(i, i + len(frames))
        kernels.mel_power(spectrum, first_bins, last_bins, filters, mel[now])
        kernels.spectral_shape(spectrum, ROLL_SHARE, bins[0, now], bins[1, now])
    rates = _zero_crossings(samples, first_sample, n_frames, spec) / spec.n_fft
    hz = bins * (spec.rate_hz / spec.n_fft)
    return Frames(mel, np.stack([rates, hz[0], hz[1]], axis=1))


def _zero_crossings(
    samples: NDArray[np.float32], first_sample: int, n_frames: int, spec: MelSpec
) -> NDArray[np.int64]:
    """Changes of sign within each frame, [n_frames]; beyond the ends there are none."""
    negative = samples < -ZERO_LEVEL
    n_before = np.zeros(
        len(samples) + 1, np.int64
    )  # changes before each sample, and before it to it
    np.cumsum(negative[1:] != negative[:-1], out=n_before[2:])
    starts = first_sample + spec.hop_samples * np.arange(n_frames)
    ends = np.clip(starts + spec.n_fft, 0, len(samples))
    # A change is the later sample's, and a frame's first sample has none before it.
    return n_before[ends] - n_before[np.clip(starts + 1, 0, len(samples))]


class _Totals:
    """Sums over the frames of one recording."""

    def __init__(self, spec: MelSpec) -> None:
        self._spec = spec
        self.n_frames = self.n_samples = 0
        self.energy = 0.0
        self._mel = np.zeros(spec.n_mels)
        self._decibels = np.zeros(spec.n_mels)
        self._floor = -math.inf
        self._curves_mean = np.zeros(len(CURVES))
        self._curves_squares = np.zeros(len(CURVES))  # of the distances from the mean

    def measured(self, windows: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
        """Hand windows over, and add their energy."""
        for window in windows:
            self.n_samples += len(window)
            self.energy += float(np.square(window, dtype=np.float64).sum())
            yield window

    def add(self, frames: Frames) -> NDArray[np.floating]:
        """Add frames, and return their mel power in dB, floored, float32 [n_frames, n_mels]."""
        decibels = features.power_to_db(frames.mel, self._spec.top_db)
        self._floor = max(self._floor, float(decibels.max()) - self._spec.top_db)
        decibels = np.maximum(decibels, np.float32(self._floor))
        self._mel += frames.mel.sum(axis=0, dtype=np.float64)
        self._decibels += decibels.sum(axis=0, dtype=np.float64)
        # Means and squares of two sets are joined, since sums of squares cancel (Chan et al., 1979).
        n, curves = len(frames.curves), frames.curves
        n_all = self.n_frames + n
        step = curves.mean(axis=0) - self._curves_mean
        self._curves_squares += curves.var(axis=0) * n + step**2 * (self.n_frames * n / n_all)
        self._curves_mean += step * (n / n_all)
        self.n_frames = n_all
        return decibels

    def values(self) -> NDArray[np.float32]:
        """Values of the description."""
        deviations = np.sqrt(self._curves_squares / self.n_frames)
        moments = np.stack([self._curves_mean, deviations], axis=1)  # [3, 2]
        # The DCT is linear: that of the mean is the mean of those of the frames.
        mfcc = _mfcc(self._decibels / self.n_frames, self._spec)
        values = [self._mel / self.n_frames, mfcc, moments.ravel()]
        return np.concatenate(values).astype(np.float32)


def _mfcc(decibels: NDArray[np.floating], spec: MelSpec) -> NDArray[np.floating]:
    """MFCC [..., n_mfcc] of mel power in dB [..., n_mels]."""
    return scipy.fft.dct(decibels, type=2, norm="ortho")[..., : spec.n_mfcc]
