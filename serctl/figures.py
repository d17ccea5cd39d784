"""Figures: plots of recordings, and saving figures to files.

`librosa.display` draws recordings, with its waveform, its mel axis and its colour map for levels,
magma, which is readable in greyscale and with colour vision deficiency. No display is needed. The
same figure gives the same bytes. File names are shown unchanged: ``$`` does not start mathematical
text.
"""

import io
import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from serctl.audio.decoding import read_whole
from serctl.caches import import_matplotlib
from serctl.errors import UsageError
from serctl.features import mel
from serctl.features.mel import MelSpec
from serctl.files.outputs import atomic_write, check_output, extension_of
from serctl.text import printable

import_matplotlib()

import matplotlib  # noqa: E402
from matplotlib.axes import Axes  # noqa: E402
from matplotlib.collections import QuadMesh  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402
from matplotlib.layout_engine import ConstrainedLayoutEngine  # noqa: E402

EXTENSIONS = (".png", ".svg")
DPI = 150
COLOURS = "magma"

MAX_RECORDINGS = 6  # columns of more would be too narrow to compare
MAX_TITLE = 32  # characters that fit above a column
N_ENVELOPE = 1500  # points of a waveform; more make an SVG slow, and are not visible

# From paths to the samples of each, mono at the rate of the spec.
ReadAll = Callable[[Sequence[str]], Iterable[tuple[NDArray[np.float32], str]]]


@dataclass(frozen=True)
class _Column:
    """Data of one recording, for one column of the figure."""

    title: str
    samples: NDArray[np.float32]  # [n_samples]
    decibels: NDArray[np.floating]  # [n_frames, n_mels], of mel power
    mfcc: NDArray[np.floating]  # [n_frames, n_mfcc - 1], without the zeroth


def check_figure(output: str | os.PathLike[str], overwrite: bool) -> None:
    """Check that a figure can be written, before any work is done.

    Raises
    ------
    UsageError, ResultsError
        As `serctl.files.outputs.check_output`, with `EXTENSIONS`; standard output is refused.
    """
    extension_of(output, EXTENSIONS)
    check_output(output, EXTENSIONS, overwrite)


def draw_recordings(
    paths: Sequence[str | os.PathLike[str]],
    spec: MelSpec | None = None,
    read_all: ReadAll | None = None,
) -> Figure:
    """Draw waveform, mel spectrogram and MFCC of recordings side by side.

    Time, amplitude and colours have the same scale in all columns; 0 dB is the largest mel power of
    all recordings. The zeroth MFCC, which is the level, is not drawn.

    Parameters
    ----------
    paths : sequence of str or path
        One to `MAX_RECORDINGS` audio files.
    spec : MelSpec, optional
        Parameters of the features; librosa's defaults if not given.
    read_all : callable, optional
        What reads them, such as `serctl.engine.workers.isolated.decode_isolated`; by default this
        process.

    Returns
    -------
    Figure

    Raises
    ------
    UsageError
        If there are no paths, or more than `MAX_RECORDINGS`.
    AudioError
        If one cannot be decoded, is empty, or is longer than `serctl.audio.decoding.MAX_WHOLE_S`.
    """
    if not 1 <= len(paths) <= MAX_RECORDINGS:
        raise UsageError(
            f"{len(paths)} recordings: from 1 to {MAX_RECORDINGS} can be drawn side by side. Draw "
            "the others in another figure."
        )
    spec = spec or MelSpec()
    names = [os.fspath(path) for path in paths]
    titles = _titles(names)
    read = _read_here(names, spec.rate_hz) if read_all is None else read_all(names)
    columns = [
        _column(samples, title_of(title, reason), spec)
        for (samples, reason), title in zip(read, titles, strict=True)
    ]
    n, width = len(columns), 3.6 if len(columns) <= 3 else 2.6
    # Space between columns, so that the numbers below them do not touch.
    layout = ConstrainedLayoutEngine(wspace=0.04)
    figure = Figure(figsize=(max(n * width, 5.5) + 1.2, 7.0), layout=layout)
    rows = figure.subplots(3, n, sharex=True, sharey="row", squeeze=False)
    for axes, column in zip(rows[0], columns, strict=True):
        axes.set_title(column.title, fontsize="medium", parse_math=False)
        _draw_waveform(axes, column.samples, spec)
    loudest = max(float(column.decibels.max()) for column in columns)
    edges_hz = _band_edges_hz(spec)
    meshes = [
        _draw_frames(axes, column.decibels - loudest, edges_hz, "mel", (-spec.top_db, 0.0), spec)
        for axes, column in zip(rows[1], columns, strict=True)
    ]
    figure.colorbar(meshes[0], ax=list(rows[1]), pad=0.02, label="mel power / dB")
    coefficients = np.concatenate([column.mfcc.ravel() for column in columns])
    # A few extreme values, mostly of the first coefficient, would take up most of the colours.
    low, high = np.percentile(coefficients, [1, 99])
    edges = np.arange(1, spec.n_mfcc + 1) - 0.5  # a row is centred at its number
    meshes = [
        _draw_frames(axes, column.mfcc, edges, None, (low, high), spec)
        for axes, column in zip(rows[2], columns, strict=True)
    ]
    figure.colorbar(meshes[0], ax=list(rows[2]), pad=0.02, extend="both", label="MFCC / dB")
    rows[2, 0].set_yticks(range(1, spec.n_mfcc, 3))
    for axes in rows.flat:  # librosa labels all of them
        axes.set(xlabel="", ylabel="")
    for axes in rows[2]:
        axes.set_xlabel("time / s")
    labels = ("amplitude / full scale", "frequency / Hz (mel scale)", "coefficient")
    for axes, label in zip(rows[:, 0], labels, strict=True):
        axes.set_ylabel(label)
    longest_s = max(len(column.samples) for column in columns) / spec.rate_hz
    rows[0, 0].set_xlim(0, longest_s)
    return figure


def title_of(name: str, reason: str) -> str:
    """Title of a recording in a figure, which says so if a part of it is missing.

    Parameters
    ----------
    name : str
        Of the recording.
    reason : str
        As `serctl.audio.decoding.Recording.reason`.
    """
    return f"{name}\n(truncated)" if "truncated: " in reason else name


def save_figure(figure: Figure, output: str | os.PathLike[str]) -> None:
    """Save a figure as PNG or SVG; the extension of the output selects the format.

    Parameters
    ----------
    figure : Figure
        What to save.
    output : str or path
        Path with one of `EXTENSIONS`. An existing file is replaced.

    Raises
    ------
    ResultsError
        If it cannot be written.
    """
    form = os.path.splitext(output)[1].lower().removeprefix(".")
    image = io.BytesIO()
    # Neither the date nor a random salt nor matplotlib's version is in the file.
    metadata = {"Date": None} if form == "svg" else {"Software": None}
    with matplotlib.rc_context({"svg.hashsalt": "serctl"}), warnings.catch_warnings():
        # Characters that the font lacks are drawn as boxes.
        warnings.filterwarnings("ignore", "Glyph .* missing")
        figure.savefig(image, format=form, dpi=DPI, metadata=metadata)
    with atomic_write(output) as partial, open(partial, "wb") as file:
        file.write(image.getvalue())


def _titles(paths: Sequence[str]) -> list[str]:
    """File names, with their folders where two are the same, shortened so that they differ."""
    names = [os.path.basename(path) for path in paths]
    shown = [printable(name) for name in (paths if len(set(names)) < len(names) else names)]
    titles = [_cut(name) for name in shown]
    if len(set(titles)) < len(set(shown)):  # the part that differs was cut out
        letters = enumerate(zip(*shown, strict=False))
        n_equal = next((i for i, some in letters if len(set(some)) > 1), 0)
        titles = [_cut(f"...{name[n_equal:]}") for name in shown]
    if len(set(titles)) < len(set(shown)):
        titles = [_cut(f"{number}: {name}") for number, name in enumerate(shown, 1)]
    return titles


def _cut(name: str) -> str:
    """Shorten a name in the middle, to fit above a column."""
    half = MAX_TITLE // 2
    return name if len(name) <= MAX_TITLE else f"{name[: half - 2]}...{name[-half + 1 :]}"


def _read_here(paths: Sequence[str], rate_hz: int) -> Iterator[tuple[NDArray[np.float32], str]]:
    return (read_whole(path, rate_hz) for path in paths)


def _column(samples: NDArray[np.float32], title: str, spec: MelSpec) -> _Column:
    decibels = mel.power_to_db(mel.mel_spectrogram(samples, spec), spec.top_db)
    mfcc = scipy.fft.dct(decibels, type=2, norm="ortho")[:, 1 : spec.n_mfcc]
    return _Column(title, samples, decibels, mfcc)


def _draw_waveform(axes: Axes, samples: NDArray[np.float32], spec: MelSpec) -> None:
    """Draw the envelope, or the samples if they are fewer than `N_ENVELOPE`."""
    from librosa import display  # a slow import, which other figures do without

    display.waveshow(
        samples, sr=spec.rate_hz, max_points=N_ENVELOPE, ax=axes, axis="s", color="black", lw=0.4
    )
    axes.axhline(0, color="0.6", linewidth=0.5, zorder=0)


def _draw_frames(
    axes: Axes,
    frames: NDArray[np.floating],
    edges: NDArray[np.floating],
    y_axis: str | None,
    limits: tuple[float, float],
    spec: MelSpec,
) -> QuadMesh:
    """Draw frames [n_frames, n_rows] over time, between the edges [n_rows + 1] of the rows."""
    from librosa import display

    # A frame is centred at its time. Of a single frame, librosa's own coordinates show nothing.
    times_s = (np.arange(len(frames) + 1) - 0.5) * (spec.hop_samples / spec.rate_hz)
    return display.specshow(
        frames.T,
        x_coords=times_s,
        y_coords=edges,
        x_axis="s",
        y_axis=y_axis,
        ax=axes,
        cmap=COLOURS,
        vmin=limits[0],
        vmax=limits[1],
    )


def _band_edges_hz(spec: MelSpec) -> NDArray[np.float64]:
    """Edges between the mel bands: halfway between the peaks of their filters, and both ends."""
    import librosa

    # `specshow` itself would draw the bands up to a band beside the peaks.
    peaks_hz = librosa.mel_frequencies(spec.n_mels + 2, fmin=0.0, fmax=spec.rate_hz / 2)
    return np.concatenate(([0.0], (peaks_hz[1:-2] + peaks_hz[2:-1]) / 2, [spec.rate_hz / 2]))
