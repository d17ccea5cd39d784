"""Figures of a training and of scores: learning curve, confusion matrix, accuracy, calibration.

Drawn without a display, readable in grey and by the colour-blind: lines differ in dash, bars in
lightness and hatching, and cells carry their numbers.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from serctl.figures import EXTENSIONS, save_figure
from serctl.train.evaluation.history import History
from serctl.train.evaluation.scores import Calibration, Scores

DPI = 150
DARK, LIGHT, HATCH = "#08306b", "#8fc0de", "////"
NETWORKS = (DARK, "#4a90c2", "0.55")  # that are trained independently
SCORE_FIGURES = ("confusion_matrix", "precision_recall", "accuracy_by_emotion", "reliability")


def learning_curve(histories: Sequence[History], title: str, path: Path) -> None:
    """Draw loss and validation accuracy by epoch, with the epoch that is kept, of each network."""
    figure = Figure(figsize=(7, 3.2), layout="constrained")
    losses, accuracy = figure.subplots(1, 2)
    n_epochs = max(len(history.epochs) for history in histories)
    for i, history in enumerate(histories):
        epochs = np.arange(1, len(history.epochs) + 1)
        point = "." if len(epochs) == 1 else ""  # a single epoch has no line
        colour = NETWORKS[i % len(NETWORKS)]
        names = ("training", "validation") if i == 0 else ("", "")
        training = [epoch.train_loss for epoch in history.epochs]
        losses.plot(epochs, training, point + "--", color=colour, alpha=0.5, label=names[0])
        validation = [epoch.validation_loss for epoch in history.epochs]
        losses.plot(epochs, validation, point + "-", color=colour, label=names[1])
        accuracies = [epoch.validation_accuracy for epoch in history.epochs]
        accuracy.plot(epochs, accuracies, point + "-", color=colour)
        kept, best = history.best_epoch + 1, history.best_accuracy
        which = f"network {i + 1}: " if len(histories) > 1 else ""
        label = f"{which}epoch {kept}, {best:.1%}"
        accuracy.plot(kept, best, "o", mfc=colour, mec="black", label=label)
    losses.set(xlabel="epoch", ylabel="cross-entropy / nat", title="Loss")
    losses.legend(frameon=False)
    accuracy.yaxis.set_major_locator(MaxNLocator(nbins=8, steps=(1, 2, 5, 10)))
    accuracy.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=None))
    accuracy.set(xlabel="epoch", ylabel="accuracy", title="Validation accuracy")
    accuracy.legend(frameon=False, loc="lower right", title="kept", fontsize="small")
    for axes in (losses, accuracy):
        axes.set_xlim(0.5, n_epochs + 0.5)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        axes.spines[["top", "right"]].set_visible(False)
    figure.suptitle(title, fontsize="medium")
    figure.savefig(path, dpi=DPI)


def confusion_matrix(scores: Scores, title: str, path: Path) -> None:
    """Draw the shares of predictions by reference emotion, with the clips of each cell."""
    draw_confusion_matrix(scores, title).savefig(path, dpi=DPI)


def score_figures(folder: Path) -> list[Path]:
    """Paths of what `draw_scores` writes."""
    return [folder / (name + extension) for name in SCORE_FIGURES for extension in EXTENSIONS]


def draw_scores(scores: Scores, calibration: Calibration, title: str, folder: Path) -> None:
    """Draw confusion matrix, precision and recall, accuracy and calibration, as PNG and SVG.

    Parameters
    ----------
    scores : Scores
        Of any clips.
    calibration : Calibration
        Of those with a prediction.
    title : str
        What was scored, for all figures.
    folder : Path
        Where to; files of `score_figures` that are there are replaced.

    Raises
    ------
    ResultsError
        If one cannot be written.
    """
    figures = (
        draw_confusion_matrix(scores, title),
        draw_precision_recall(scores, title),
        draw_accuracy(scores, title),
        draw_reliability(calibration, title),
    )
    for name, figure in zip(SCORE_FIGURES, figures, strict=True):
        for extension in EXTENSIONS:
            save_figure(figure, str(folder / (name + extension)))


def draw_confusion_matrix(scores: Scores, title: str) -> Figure:
    """Draw the shares of predictions by reference emotion, with the clips of each cell."""
    counts = np.array(scores.confusion)
    emotions: Sequence[str] = scores.emotions
    # Of all clips of an emotion, also those without a prediction, so that the diagonal is the recall.
    n_clips = [[scores.by_emotion.get(one, {"n_clips": 0})["n_clips"]] for one in emotions]
    shares = counts / np.maximum(n_clips, 1)
    size = 1.6 + 0.75 * len(emotions)
    figure = Figure(figsize=(size + 1, size), layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for i in range(len(emotions)):
        for j in range(len(emotions)):
            axes.text(
                j,
                i,
                f"{shares[i, j]:.0%}\n{counts[i, j]}",
                ha="center",
                va="center",
                fontsize="small",
                color="white" if shares[i, j] > 0.55 else "black",
            )
    axes.set_xticks(range(len(emotions)), emotions, rotation=30, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(emotions)), emotions)
    axes.set(xlabel="predicted", ylabel="reference")
    bar = figure.colorbar(image, ax=axes, shrink=0.8, format=PercentFormatter(1.0, decimals=0))
    bar.set_label("share of the reference emotion's clips")
    axes.set_title(
        f"{title}\nWA {scores.wa:.1%}, UA {scores.ua:.1%}", fontsize="medium", parse_math=False
    )
    return figure


def draw_precision_recall(scores: Scores, title: str) -> Figure:
    """Draw precision and recall of every reference emotion, side by side."""
    figure, axes = _bars_by_emotion(scores, title)
    for offset, name, colour, hatch in (
        (-0.2, "precision", LIGHT, HATCH),
        (0.2, "recall", DARK, ""),
    ):
        heights = [one[name] for one in scores.by_emotion.values()]
        places = np.arange(len(heights)) + offset
        bars = axes.bar(
            places, heights, 0.4, label=name, facecolor=colour, edgecolor="black", hatch=hatch
        )
        axes.bar_label(bars, [f"{height:.0%}" for height in heights], padding=2, fontsize="small")
    axes.set_ylabel("precision, recall")
    figure.legend(loc="outside lower center", ncols=2, frameon=False)
    return figure


def draw_accuracy(scores: Scores, title: str) -> Figure:
    """Draw the accuracy within every reference emotion (its recall), with their mean and chance."""
    figure, axes = _bars_by_emotion(scores, title)
    heights = [one["recall"] for one in scores.by_emotion.values()]
    axes.bar(range(len(heights)), heights, 0.6, facecolor=LIGHT, edgecolor="black")
    for i, height in enumerate(heights):  # at the foot, where no line crosses
        axes.text(i, 0.03, f"{height:.1%}", ha="center", fontsize="small")
    chance = 1 / len(scores.emotions)
    axes.axhline(scores.ua, color=DARK, linestyle="--", label=f"mean (UA): {scores.ua:.1%}")
    axes.axhline(chance, color="0.35", linestyle=":", label=f"chance: {chance:.1%}")
    axes.set_ylabel("accuracy (recall)")
    figure.legend(loc="outside lower center", ncols=2, frameon=False)
    return figure


def draw_reliability(calibration: Calibration, title: str) -> Figure:
    """Draw accuracy by confidence, above the number of clips by confidence."""
    figure = Figure(figsize=(5.4, 5.6), layout="constrained")
    right, clips = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    filled = [one for one in calibration.bins if one["n_clips"]]
    lows, width = [one["low"] for one in calibration.bins], 1 / len(calibration.bins)
    right.plot([0, 1], [0, 1], "--", color="0.35", label="perfect calibration")
    right.bar(
        [one["low"] for one in filled],
        [one["accuracy"] for one in filled],
        width,
        align="edge",
        facecolor=LIGHT,
        edgecolor="black",
        label="accuracy",
    )
    # Where in a bin its clips are: the gap to the dashed line is measured there.
    right.plot(
        [one["confidence"] for one in filled],
        [one["accuracy"] for one in filled],
        "o",
        color=DARK,
        markersize=4,
        label="at the mean confidence",
    )
    right.set(ylabel="accuracy", xlim=(0, 1), ylim=(0, 1))
    right.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    figure.legend(loc="outside lower center", ncols=3, frameon=False, fontsize="small")
    counts = [one["n_clips"] for one in calibration.bins]
    clips.bar(lows, counts, width, align="edge", facecolor="0.6", edgecolor="black")
    clips.set(xlabel="confidence", ylabel="clips")
    clips.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    clips.yaxis.set_major_locator(MaxNLocator(3, integer=True))
    for axes in (right, clips):
        axes.spines[["top", "right"]].set_visible(False)
    right.set_title(
        f"{title}\nECE {calibration.ece:.1%}, Brier score {calibration.brier:.3f}",
        fontsize="medium",
        parse_math=False,
    )
    return figure


def _bars_by_emotion(scores: Scores, title: str) -> tuple[Figure, Axes]:
    """Give axes with a place for every reference emotion, and the number of its clips below."""
    n_emotions = len(scores.by_emotion)
    figure = Figure(figsize=(max(4.6, 1.2 + 0.95 * n_emotions), 3.8), layout="constrained")
    axes = figure.subplots()
    names = [f"{emotion}\n{one['n_clips']}" for emotion, one in scores.by_emotion.items()]
    axes.set_xticks(range(n_emotions), names)
    # Room for a number above a bar of 100%.
    axes.set(
        xlim=(-0.6, n_emotions - 0.4),
        ylim=(0, 1.08),
        xlabel="reference emotion and number of clips",
    )
    axes.set_yticks(np.linspace(0, 1, 6))
    axes.tick_params(axis="x", length=0)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_title(title, fontsize="medium", parse_math=False)
    return figure, axes
