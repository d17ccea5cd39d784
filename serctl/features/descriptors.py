"""Acoustic descriptors of one recording, for the feature table.

These are the means over time of the mel spectrogram and the MFCC, the input of the report's
networks, and mean and standard deviation of the features that the report proposes next:
zero-crossing rate, spectral centroid and spectral rolloff. They describe the mono mix at the rate
of the spec. A recording of any length needs the memory of one window: frames continue across
windows, and sums are float64. All features of a frame share one FFT.

The values are librosa's with its default settings (centred frames; rolloff at 0.85; standard
deviation over n frames). One difference: librosa floors the decibels of the MFCC ``top_db`` below
the maximum of the recording; here it is the maximum up to the end of the frame's window, which is
the same for recordings of up to `WINDOW_S`.

`describe` does not raise for a bad recording: status and reason say what is wrong, as in results.
"""

import math
import os
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

WINDOW_S = 30.0  # length of audio in memory at a time
ROLL_SHARE = 0.85  # of the magnitude of a frame is below its rolloff
ZERO_LEVEL = 1e-10  # samples closer to zero count as zero

CURVES = ("zero_crossing_rate", "spectral_centroid_hz", "spectral_rolloff_hz")
MOMENTS = ("mean", "deviation")

FrameSink = Callable[[NDArray[np.float32], NDArray[np.float32]], None]


@dataclass
class Description:
    """Descriptors of one recording.

    Attributes
    ----------
    path : str
        Path of the recording.
    status, reason : str
        As in a result; ``silent`` recordings have values, ``too_short`` ones have no samples.
    duration_s : float or None
        Length in seconds.
    sample_rate_hz, channels : int or None
        As in the file.
    level_dbfs : float or None
        Root mean square of the mix at the spec's rate, in dB re full scale; None if all samples are
        zero.
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

    def fail(self, error: Exception) -> None:
        """Give the recording up, with what was raised as the reason."""
        if isinstance(error, AudioError):
            self.status, self.reason = "unreadable", error.reason
        else:
            self.status, self.reason = "failed", f"{type(error).__name__}: {error}"
        self.level_dbfs, self.values = None, np.empty(0, np.float32)


def value_names(spec: MelSpec) -> tuple[str, ...]:
    """Names of the values of a description, in their order, with units."""
    return (
        *(f"mel_{i}" for i in range(1, spec.n_mels + 1)),
        *(f"mfcc_{i}" for i in range(1, spec.n_mfcc + 1)),
        *(f"{curve}_{moment}" for curve in CURVES for moment in MOMENTS),
    )


def describe(
    path: str | os.PathLike[str], spec: MelSpec, sink: FrameSink | None = None
) -> Description:
    """Describe one recording.

    Parameters
    ----------
    path : str or path
        An audio file.
    spec : MelSpec
        Sample rate, frames, and number of mel bands and MFCC.
    sink : callable, optional
        Called for each window with the mel power, float32 [n_frames, n_mels], and the MFCC,
        float32 [n_frames, n_mfcc], of its frames.

    Returns
    -------
    Description
        With a status and a reason if the recording cannot be described.
    """
    description = Description(os.fspath(path))
    try:
        _describe(description, spec, sink)
    except Exception as error:
        description.fail(error)
    return description


def _describe(description: Description, spec: MelSpec, sink: FrameSink | None) -> None:
    recording, windows = decoding.read_windows(description.path, spec.rate_hz, WINDOW_S)
    description.sample_rate_hz, description.channels = recording.rate_hz, recording.n_channels
    totals = _Totals(spec)
    for frames in frame_blocks(totals.count(windows), spec):
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
    description.reason = f"{description.reason} {recording.reason}".strip()
    description.values = totals.values()


@dataclass(frozen=True)
class Frames:
    """Consecutive frames.

    Attributes
    ----------
    mel : float32 [n_frames, n_mels]
        Power in each band, as of `serctl.features.mel.mel_spectrogram`.
    curves : float64 [n_frames, 3]
        The `CURVES`: share of samples with another sign than the previous one; mean frequency of
        the magnitude, in Hz; frequency below which 0.85 of the magnitude lies, in Hz.
    """

    mel: NDArray[np.float32]
    curves: NDArray[np.float64]


def frame_blocks(windows: Iterable[NDArray[np.float32]], spec: MelSpec) -> Iterator[Frames]:
    """Compute the frames of a recording, window by window.

    Parameters
    ----------
    windows : iterable of float32 [n_samples]
        Consecutive samples of one recording: mono, finite, at ``spec.rate_hz``.
    spec : MelSpec
        Parameters of the frames.

    Yields
    ------
    Frames
        Those that end in each window, and with the last one the rest: 1 + n_samples // hop_samples
        in total. Without samples, nothing is yielded.
    """
    n_fft, hop_samples = spec.n_fft, spec.hop_samples
    pending = np.empty(0, np.float32)  # samples from number `first` on
    first = n_done = 0
    for window, is_last in _mark_last(windows):
        pending = np.concatenate([pending, window])
        n_samples = first + len(pending)
        # Frame i is centred on sample i * hop_samples, with zeros beyond the ends.
        n_known = n_samples if is_last else n_samples - n_fft // 2
        n_frames = 1 + n_known // hop_samples - n_done
        if n_frames > 0:
            yield _frames(pending, n_done * hop_samples - n_fft // 2 - first, n_frames, spec)
            n_done += n_frames
        n_used = max(n_done * hop_samples - n_fft // 2 - first, 0)
        pending, first = pending[n_used:], first + n_used


def _mark_last(
    windows: Iterable[NDArray[np.float32]],
) -> Iterator[tuple[NDArray[np.float32], bool]]:
    """Pair each window with whether it is the last one."""
    previous = None
    for window in windows:
        if previous is not None:
            yield previous, False
        previous = window
    if previous is not None:
        yield previous, True


def _frames(
    samples: NDArray[np.float32], first_sample: int, n_frames: int, spec: MelSpec
) -> Frames:
    """Frames, the first of which starts at ``first_sample``; it may be negative."""
    # float64, since the rounding noise of a thousand bins shifts the centroid of a low tone.
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
    """Number of sign changes in each frame, [n_frames]; there are none beyond the ends."""
    negative = samples < -ZERO_LEVEL
    n_before = np.zeros(len(samples) + 1, np.int64)  # changes up to each sample
    np.cumsum(negative[1:] != negative[:-1], out=n_before[2:])
    starts = first_sample + spec.hop_samples * np.arange(n_frames)
    ends = np.clip(starts + spec.n_fft, 0, len(samples))
    # A change belongs to the later sample; the first sample of a frame has none.
    return n_before[ends] - n_before[np.clip(starts + 1, 0, len(samples))]


class _Totals:
    """Running sums over the frames of one recording."""

    def __init__(self, spec: MelSpec) -> None:
        self._spec = spec
        self.n_frames = self.n_samples = 0
        self.energy = 0.0
        self._mel = np.zeros(spec.n_mels)
        self._decibels = np.zeros(spec.n_mels)
        self._floor = -math.inf
        self._curves_mean = np.zeros(len(CURVES))
        self._curves_squares = np.zeros(len(CURVES))  # sum of squared deviations from the mean

    def count(self, windows: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
        """Yield windows, and add their samples and energy."""
        for window in windows:
            self.n_samples += len(window)
            self.energy += float(np.square(window, dtype=np.float64).sum())
            yield window

    def add(self, frames: Frames) -> NDArray[np.floating]:
        """Add frames; return their mel power in dB, floored, float32 [n_frames, n_mels]."""
        decibels: NDArray[np.floating] = features.power_to_db(frames.mel, self._spec.top_db)
        self._floor = max(self._floor, float(decibels.max()) - self._spec.top_db)
        decibels = np.maximum(decibels, np.float32(self._floor))
        self._mel += frames.mel.sum(axis=0, dtype=np.float64)
        self._decibels += decibels.sum(axis=0, dtype=np.float64)
        # Means and squared deviations of two sets are combined, since plain sums of squares cancel
        # (Chan et al., 1979).
        n, curves = len(frames.curves), frames.curves
        n_all = self.n_frames + n
        delta = curves.mean(axis=0) - self._curves_mean
        self._curves_squares += curves.var(axis=0) * n + delta**2 * (self.n_frames * n / n_all)
        self._curves_mean += delta * (n / n_all)
        self.n_frames = n_all
        return decibels

    def values(self) -> NDArray[np.float32]:
        """Values, in the order of `value_names`."""
        deviations = np.sqrt(self._curves_squares / self.n_frames)
        moments = np.stack([self._curves_mean, deviations], axis=1)  # [3, 2]
        # The DCT is linear: that of the mean is the mean of those of the frames.
        mfcc = _mfcc(self._decibels / self.n_frames, self._spec)
        values = [self._mel / self.n_frames, mfcc, moments.ravel()]
        return np.concatenate(values).astype(np.float32)


def _mfcc(decibels: NDArray[np.floating], spec: MelSpec) -> NDArray[np.floating]:
    """MFCC [..., n_mfcc] of mel power in dB [..., n_mels]."""
    mfcc: NDArray[np.floating] = scipy.fft.dct(decibels, type=2, norm="ortho")[..., : spec.n_mfcc]
    return mfcc
