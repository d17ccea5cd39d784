"""Figures of several models, from their measurements.

    python -m serctl.train.documents.figures

Run in a checkout. Draws every figure into ``train/results`` anew, as PNG and SVG, from the JSON
there alone. Readable in grey: bars differ in lightness and hatching, lines in lightness and dash.
"""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from serctl.figures import EXTENSIONS, save_figure
from serctl.train.corpora.splits import NEW_SPEAKERS, REPORT
from serctl.train.documents.measurements import (
    CHANCE,
    RESULTS,
    SYSTEMS,
    Measurements,
    extent,
    five,
    pooled,
    read_measurements,
)
from serctl.train.evaluation.figures import (
    draw_accuracy,
    draw_confusion_matrix,
    draw_precision_recall,
    draw_reliability,
)
from serctl.train.evaluation.scores import Calibration

BAR = 0.26  # of the distance between two systems
IN_REPORT: dict[str, Any] = {"facecolor": "white", "edgecolor": "0.35", "hatch": "////"}
OURS: dict[str, tuple[str, dict[str, Any]]] = {
    REPORT: ("ours, as the report splits", {"facecolor": "#8fc0de", "edgecolor": "black"}),
    NEW_SPEAKERS: ("ours, on new speakers", {"facecolor": "#08306b", "edgecolor": "black"}),
}
RUN: dict[str, Any] = {"ms": 4, "mfc": "white", "mec": "black", "mew": 0.8}
LINES = {
    "paper-svm": ("0.6", "-."),
    "paper-rnn": ("#5b9ac4", ":"),
    "paper-cnn": ("0.3", "--"),
    "cnn": ("#08306b", "-"),
    "whisper": ("#b5560c", "-"),
}


def draw_comparison(measurements: Measurements) -> Figure:
    """Draw the accuracy of every system: the report's, and ours by both protocols.

    Parameters
    ----------
    measurements : dict
        As `serctl.train.documents.measurements.read_measurements` gives it.

    Returns
    -------
    Figure
        Bars are means over seeds or folds, and dots are the runs.
    """
    figure = Figure(figsize=(8.5, 4.6), layout="constrained")
    axes = figure.subplots()
    shown = [one for one in SYSTEMS if one.in_report or one.model in measurements]
    rows = [i for i, one in enumerate(shown) if one.in_report]
    lengths = [one.in_report or 0.0 for one in shown if one.in_report]
    places = [i - BAR if shown[i].model else i for i in rows]
    bars = axes.barh(places, lengths, BAR, label="in the report", **IN_REPORT)
    axes.bar_label(bars, [f"{length:.0%}" for length in lengths], padding=4, size=9)
    for offset, split in zip((0, BAR), OURS, strict=True):
        measured = {
            i: summary
            for i, one in enumerate(shown)
            if (summary := five(measurements.get(one.model, {}), split))
        }
        _draw_measured(axes, measured, offset, split)
    axes.axvline(CHANCE, color="black", linewidth=0.8, linestyle=(0, (4, 3)))
    axes.annotate(
        f"chance: {CHANCE:.0%}", (CHANCE, 1), (3, 3), xycoords=("data", "axes fraction"),
        textcoords="offset points", size=9,
    )  # fmt: skip
    names = [f"{one.name}\n{one.model}" if one.model else one.name for one in shown]
    axes.set_yticks(range(len(shown)), names)
    axes.set_ylim(len(shown) - 0.5, -0.5)  # the first at the top
    axes.set_xlim(0, 1)
    axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.set_xlabel("accuracy over five emotions (ours: unweighted, UA)")
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.plot([], [], "o", **RUN, label="one seed or fold")
    handles = axes.get_legend_handles_labels()[0]  # the dots come first
    figure.legend(
        handles=handles[1:] + handles[:1],
        loc="outside lower center",
        ncols=4,
        frameon=False,
        fontsize=9,
    )
    return figure


def _draw_measured(
    axes: Axes, measured: dict[int, dict[str, Any]], offset: float, split: str
) -> None:
    """Draw the means of systems, by their rows, with their runs and their numbers."""
    label, style = OURS[split]
    rows = [row + offset for row in measured]
    means = [summary["ua"] for summary in measured.values()]
    axes.barh(rows, means, BAR, label=label, linewidth=0.8, **style)
    for row, summary in zip(rows, measured.values(), strict=True):
        runs = [run["test"]["ua"] for run in summary["runs"]]
        axes.plot(runs, [row] * len(runs), "o", **RUN)
        part = extent(summary, split)
        axes.annotate(
            f"{summary['ua']:.1%}" + (f" ({part})" if part else ""),
            (max(*runs, summary["ua"]), row), (5, 0), size=9, textcoords="offset points",
            va="center",
        )  # fmt: skip


def draw_learning_curves(measurements: Measurements) -> Figure | None:
    """Draw loss and accuracy on validation clips by epoch, of all models that have epochs.

    Parameters
    ----------
    measurements : dict
        As `serctl.train.documents.measurements.read_measurements` gives it. The first run of
        ``report`` has ``curves``: one for each network that is trained independently.

    Returns
    -------
    Figure or None
        None if no model has a curve.
    """
    runs = {model: one[REPORT]["runs"][0] for model, one in measurements.items() if REPORT in one}
    runs = {model: run for model, run in runs.items() if run.get("curves")}
    if not runs:
        return None
    figure = Figure(figsize=(9, 3.8), layout="constrained")
    losses, accuracy = figure.subplots(1, 2)
    for model, run in runs.items():
        colour, dash = LINES[model]
        n_networks = len(run["curves"])
        label = model if n_networks == 1 else f"{model}, each of {n_networks} networks"
        for of_network in run["curves"]:
            kept = of_network["best_epoch"]
            for axes, key in ((losses, "validation_loss"), (accuracy, "validation_accuracy")):
                curve = of_network[key]
                axes.plot(np.arange(1, len(curve) + 1), curve, dash, color=colour, label=label)
                axes.plot(kept + 1, curve[kept], "o", ms=6, mfc=colour, mec="black", zorder=3)
            label = ""  # named once
    for axes in (losses, accuracy):
        axes.set_xlim(left=0)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xlabel("epoch")
        axes.spines[["top", "right"]].set_visible(False)
    losses.set(ylabel="cross-entropy / nat", title="Validation loss")
    accuracy.set(ylabel="accuracy", title="Validation accuracy")
    accuracy.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    losses.plot([], [], "o", ms=6, mfc="white", mec="black", label="epoch that is kept")
    losses.legend(frameon=False)
    figure.suptitle("report split, seed 0", fontsize="medium")
    return figure


def draw_model(model: str, measurements: dict[str, Any]) -> dict[str, Figure]:
    """Draw the scores of a model by emotion and confidence, over the test clips of all runs.

    Parameters
    ----------
    model : str
        Its name.
    measurements : dict
        Of it alone.

    Returns
    -------
    dict of str to Figure
        By the names of their files: accuracy on ``report``'s test clips; precision and recall, the
        confusion matrix, and the reliability diagram, on those of new speakers.
    """
    figures = {}
    if REPORT in measurements:
        title = f"{model}, report split, {extent(measurements[REPORT], REPORT) or 'all seeds'}"
        scores = pooled(measurements[REPORT])
        figures[f"{model}-report-accuracy"] = draw_accuracy(scores, title)
    if NEW_SPEAKERS in measurements:
        summary = measurements[NEW_SPEAKERS]
        title = f"{model}, new speakers, {extent(summary, NEW_SPEAKERS) or 'all folds'}"
        scores = pooled(summary)
        figures[f"{model}-new-speakers-precision-recall"] = draw_precision_recall(scores, title)
        figures[f"{model}-new-speakers-confusion"] = draw_confusion_matrix(scores, title)
        if "calibration" in measurements:
            calibrated = Calibration(**measurements["calibration"]["after"])
            figures[f"{model}-new-speakers-reliability"] = draw_reliability(calibrated, title)
    return figures


def draw_figures(measurements: Measurements) -> dict[str, Figure]:
    """Draw every figure that results allow.

    Parameters
    ----------
    measurements : dict
        As `serctl.train.documents.measurements.read_measurements` gives it.

    Returns
    -------
    dict of str to Figure
        By the names of their files, without extension.
    """
    figures = {"comparison": draw_comparison(measurements)}
    if curves := draw_learning_curves(measurements):
        figures["learning-curves"] = curves
    for model, one in measurements.items():
        figures |= draw_model(model, one)
    return figures


def write_figures(checkout: Path) -> list[Path]:
    """Draw every figure that the results in a checkout allow into ``train/results``.

    Parameters
    ----------
    checkout : Path
        Its root.

    Returns
    -------
    list of Path
        Files written: each figure as PNG and SVG.
    """
    written = []
    for name, figure in draw_figures(read_measurements(checkout)).items():
        for extension in EXTENSIONS:
            written.append(checkout / RESULTS / f"{name}{extension}")
            save_figure(figure, str(written[-1]))
    return written


if __name__ == "__main__":
    for path in write_figures(Path()):
        print(path)
