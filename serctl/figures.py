"""Figures: recordings side by side, and figures to files.

Drawn without a display, in colours that differ in lightness first (cividis), so that they can be
read in grey and by the colour-blind. The same figure gives the same bytes. Names of files are shown
as they are: nothing in them is taken for mathematics.
"""

import io
import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from serctl import audio, features
from serctl.caches import keep_fonts_here
from serctl.errors import AudioError, UsageError
from serctl.features import MelSpec
from serctl.outputs import written_whole
from serctl.report_tables import printable
from serctl.results import check_output
from serctl.schema import extension_of

keep_fonts_here()

import matplotlib  # noqa: E402
from matplotlib.axes import Axes  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402
from matplotlib.image import AxesImage  # noqa: E402
from matplotlib.layout_engine import ConstrainedLayoutEngine  # noqa: E402

EXTENSIONS = (".png", ".svg")
DPI = 150
COLOURS = "cividis"

MAX_RECORDINGS = 6  # more are too narrow to compare
MAX_DURATION_S = 120.0
MAX_TITLE = 32  # characters that fit above a column
N_ENVELOPE = 1500  # points of a waveform; more make an SVG slow, and cannot be told apart
TICKS_HZ = (0, 250, 500, 1000, 2000, 4000, 8000)


@dataclass(frozen=True)
class _Picture:
    """What is drawn of one recording."""

    title: str
    samples: NDArray[np.float32]  # [n_samples]
    decibels: NDArray[np.floating]  # [n_frames, n_mels], of mel power
    mfcc: NDArray[np.floating]  # [n_frames, n_mfcc - 1], from the first on


def check_picture(output: str, overwrite: bool) -> None:
    """Refuse a picture that could not be written, before any work is done.

    Raises
    ------
    UsageError, ResultsError
        As `results.check_output`, with `EXTENSIONS`; standard output is none of them.
    """
    extension_of(output, EXTENSIONS)
    check_output(output, overwrite, EXTENSIONS)


def draw_recordings(paths: Sequence[str], spec: MelSpec | None = None) -> Figure:
    """Draw waveform, mel spectrogram and MFCC of recordings, side by side on one scale.

    Time, amplitude and colours have the same scale in every column; 0 dB is the loudest band of all.
    The zeroth coefficient, which is the level, is left out.

    Parameters
    ----------
    paths : sequence of str
        One to `MAX_RECORDINGS` audio files.
    spec : MelSpec, optional
        librosa's defaults, unless another is given.

    Returns
    -------
    Figure

    Raises
    ------
    UsageError
        If there are none, or more than `MAX_RECORDINGS`.
    AudioError
        If one cannot be decoded, is empty, or is longer than `MAX_DURATION_S`.
    """
    if not 1 <= len(paths) <= MAX_RECORDINGS:
        raise UsageError(
            f"{len(paths)} recordings: from 1 to {MAX_RECORDINGS} can be drawn side by side. Draw "
            "the others into another file."
        )
    spec = spec or MelSpec()
    titles = _titles(paths)
    pictures = [_picture(path, title, spec) for path, title in zip(paths, titles, strict=True)]
    n, column = len(pictures), 3.6 if len(pictures) <= 3 else 2.6
    # Room between columns, or the last and the first number below two of them touch.
    layout = ConstrainedLayoutEngine(wspace=0.04)
    figure = Figure(figsize=(max(n * column, 5.5) + 1.2, 7.0), layout=layout)
    rows = figure.subplots(3, n, sharex=True, sharey="row", squeeze=False)
    for axes, picture in zip(rows[0], pictures, strict=True):
        axes.set_title(picture.title, fontsize="medium", parse_math=False)
        _draw_waveform(axes, picture.samples, spec)
    rows[0, 0].set_ylabel("amplitude / full scale")
    loudest = max(float(picture.decibels.max()) for picture in pictures)
    images = [
        _draw_frames(axes, picture.decibels - loudest, (-spec.top_db, 0.0), spec)
        for axes, picture in zip(rows[1], pictures, strict=True)
    ]
    figure.colorbar(images[0], ax=list(rows[1]), pad=0.02, label="mel power / dB")
    _label_bands(rows[1, 0], spec)
    coefficients = np.concatenate([picture.mfcc.ravel() for picture in pictures])
    # A few extremes, of the first coefficient mostly, would leave no colours to the others.
    low, high = np.percentile(coefficients, [1, 99])
    images = [
        _draw_frames(axes, picture.mfcc, (low, high), spec, first=1)
        for axes, picture in zip(rows[2], pictures, strict=True)
    ]
    figure.colorbar(images[0], ax=list(rows[2]), pad=0.02, extend="both", label="MFCC / dB")
    rows[2, 0].set(ylabel="coefficient", yticks=range(1, spec.n_mfcc, 3))
    for axes in rows[2]:
        axes.set_xlabel("time / s")
    longest_s = max(len(picture.samples) for picture in pictures) / spec.rate_hz
    rows[0, 0].set_xlim(0, longest_s)
    return figure


def save_figure(figure: Figure, output: str) -> None:
    """Write a figure as PNG or SVG, by the extension of its output, whole or not at all.

    Parameters
    ----------
    figure : Figure
        Any.
    output : str
        Path with one of `EXTENSIONS`. A file that is there is replaced.

    Raises
    ------
    ResultsError
        If it cannot be written.
    """
    form = os.path.splitext(output)[1].lower().removeprefix(".")
    image = io.BytesIO()
    # Neither the day nor a random salt nor matplotlib's version is part of the picture.
    metadata = {"Date": None} if form == "svg" else {"Software": None}
    with matplotlib.rc_context({"svg.hashsalt": "serctl"}), warnings.catch_warnings():
        # A name in a script that the font has not is drawn as boxes, which says enough.
        warnings.filterwarnings("ignore", "Glyph .* missing")
        figure.savefig(image, format=form, dpi=DPI, metadata=metadata)
    with written_whole(output) as aside, open(aside, "wb") as file:
        file.write(image.getvalue())


def _titles(paths: Sequence[str]) -> list[str]:
    """Names of the files, with their folders where two are alike, cut so that they differ."""
    names = [os.path.basename(path) for path in paths]
    shown = [printable(name) for name in (paths if len(set(names)) < len(names) else names)]
    titles = [_cut(name) for name in shown]
    if len(set(titles)) < len(set(shown)):  # what tells them apart was cut out
        letters = enumerate(zip(*shown, strict=False))
        n_alike = next((i for i, some in letters if len(set(some)) > 1), 0)
        titles = [_cut(f"...{name[n_alike:]}") for name in shown]
    if len(set(titles)) < len(set(shown)):
        titles = [_cut(f"{number}: {name}") for number, name in enumerate(shown, 1)]
    return titles


def _cut(name: str) -> str:
    """As much of the beginning and the end of a name as fits above a column."""
    half = MAX_TITLE // 2
    return name if len(name) <= MAX_TITLE else f"{name[: half - 2]}...{name[-half + 1 :]}"


def _picture(path: str, title: str, spec: MelSpec) -> _Picture:
    recording, windows = audio.read_windows(path, spec.rate_hz, MAX_DURATION_S)
    samples = next(windows, np.empty(0, np.float32))
    if not len(samples):
        raise AudioError("0 samples; at least one is needed. Is the file complete?", path)
    if next(windows, None) is not None:
        raise AudioError(
            f"More than {MAX_DURATION_S:g} s long, too long for a picture. Cut out the part to "
            "look at.",
            recording.path,
        )
    decibels = features.power_to_db(features.mel_spectrogram(samples, spec), spec.top_db)
    mfcc = scipy.fft.dct(decibels, type=2, norm="ortho")[:, 1 : spec.n_mfcc]
    return _Picture(title, samples, decibels, mfcc)


def _draw_waveform(axes: Axes, samples: NDArray[np.float32], spec: MelSpec) -> None:
    """Draw the lowest and the highest sample of every short stretch."""
    n_stretch = -(-len(samples) // N_ENVELOPE)
    starts = np.arange(0, len(samples), n_stretch)
    lows, highs = (bound.reduceat(samples, starts) for bound in (np.minimum, np.maximum))
    time_s = (starts + (n_stretch - 1) / 2) / spec.rate_hz
    axes.fill_between(time_s, lows, highs, color="black", linewidth=0.4)
    axes.axhline(0, color="0.6", linewidth=0.5, zorder=0)


def _draw_frames(
    axes: Axes,
    frames: NDArray[np.floating],
    limits: tuple[float, float],
    spec: MelSpec,
    first: int = 0,
) -> AxesImage:
    """Draw frames [n_frames, n_rows] over time, rows upwards, the lowest of them number ``first``."""
    n_frames, n_rows = frames.shape
    # A frame is centred on its time, and a row on its number.
    left, right = (x * spec.hop_samples / spec.rate_hz for x in (-0.5, n_frames - 0.5))
    return axes.imshow(
        frames.T,
        aspect="auto",
        origin="lower",
        extent=(left, right, first - 0.5, first + n_rows - 0.5),
        interpolation="nearest",
        cmap=COLOURS,
        vmin=limits[0],
        vmax=limits[1],
    )


def _label_bands(axes: Axes, spec: MelSpec) -> None:
    """Label the rows of a mel spectrogram with frequencies, where the filters' peaks are."""
    peaks_hz = features.mel_filters(spec).argmax(axis=1) * (spec.rate_hz / spec.n_fft)
    ticks_hz = [hz for hz in TICKS_HZ if hz <= spec.rate_hz / 2]
    bands = np.interp(ticks_hz, peaks_hz, np.arange(spec.n_mels))
    axes.set_yticks(bands, [str(hz) for hz in ticks_hz])
    axes.set_ylabel("frequency / Hz (mel scale)")
