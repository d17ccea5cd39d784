"""Figures of a training: its learning curve and its confusion matrix, as PNG.

Drawn without a display, readable in grey: lines differ in dash, cells carry their numbers.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from serctl.train.loop import History
from serctl.train.scores import Scores

DPI = 150


def learning_curve(history: History, title: str, path: Path) -> None:
    """Draw loss and validation accuracy by epoch, with the epoch that is kept."""
    figure = Figure(figsize=(7, 3.2), layout="constrained")
    losses, accuracy = figure.subplots(1, 2)
    epochs = np.arange(1, len(history.epochs) + 1)
    point = "." if len(epochs) == 1 else ""  # a single epoch has no line
    training = [epoch.train_loss for epoch in history.epochs]
    losses.plot(epochs, training, point + "--", color="0.4", label="training")
    validation = [epoch.validation_loss for epoch in history.epochs]
    losses.plot(epochs, validation, point + "-", label="validation")
    losses.set(xlabel="epoch", ylabel="cross-entropy / nat", title="Loss")
    losses.legend(frameon=False)
    accuracy.plot(epochs, [e.validation_accuracy for e in history.epochs], "-", label="validation")
    kept, best = history.best_epoch + 1, history.best_accuracy
    accuracy.plot(kept, best, "o", color="black", label=f"kept: epoch {kept}, {best:.1%}")
    accuracy.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    accuracy.set(xlabel="epoch", ylabel="accuracy", title="Validation accuracy")
    accuracy.legend(frameon=False, loc="lower right")
    for axes in (losses, accuracy):
        axes.set_xlim(0.5, len(epochs) + 0.5)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        axes.spines[["top", "right"]].set_visible(False)
    figure.suptitle(title, fontsize="medium")
    figure.savefig(path, dpi=DPI)


def confusion_matrix(scores: Scores, title: str, path: Path) -> None:
    """Draw the shares of answers, by acted emotion, with the number of clips in each cell."""
    counts = np.array(scores.confusion)
    emotions: Sequence[str] = scores.emotions
    # Of all clips of an emotion, also those without an answer, so that the diagonal is the recall.
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
    axes.set(xlabel="heard by the model", ylabel="acted")
    bar = figure.colorbar(image, ax=axes, shrink=0.8, format=PercentFormatter(1.0, decimals=0))
    bar.set_label("share of the acted emotion's clips")
    axes.set_title(f"{title}\nWA {scores.wa:.1%}, UA {scores.ua:.1%}", fontsize="medium")
    figure.savefig(path, dpi=DPI)
