"""The figure of the corpora: clips by emotion, of each corpus and of all, before and after.

The report keeps five emotions, which all four corpora act, and leaves the others out. What is kept
is filled and what is left out is hatched, so that the figure can be read in grey.
"""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from serctl.emotions import EMOTIONS, REPORT_FIVE
from serctl.train.corpora.manifest import CORPORA

SHADES = ("#08306b", "#2a7ab9", "#8fc0de", "#dcebf7")  # of the corpora, dark to light
LEFT_OUT = {"facecolor": "white", "edgecolor": "0.35", "hatch": "////"}


def draw_corpora(clips: pd.DataFrame) -> Figure:
    """Draw the counts of clips by emotion and corpus.

    Parameters
    ----------
    clips : DataFrame
        A row for each clip, with its ``corpus`` and ``emotion``.

    Returns
    -------
    Figure
        A panel for each corpus, and two for all of them together: every emotion, and the report's
        five.
    """
    table = pd.crosstab(clips["emotion"], clips["corpus"])
    table = table.reindex(index=EMOTIONS, columns=CORPORA, fill_value=0)
    figure = Figure(figsize=(10.5, 6.6), layout="constrained")
    grid = figure.add_gridspec(2, 4)
    for i, corpus in enumerate(CORPORA):
        _draw_corpus(figure.add_subplot(grid[0, i]), table[corpus], i == 0)
    _draw_merged(figure.add_subplot(grid[1, :2]), table, "All corpora", True)
    five = table.loc[list(REPORT_FIVE)]
    _draw_merged(figure.add_subplot(grid[1, 2:]), five, "The report's five emotions", False)
    return figure


def _draw_corpus(axes: Axes, counts: "pd.Series[int]", with_legend: bool) -> None:
    kept = [emotion in REPORT_FIVE for emotion in counts.index]
    styles: tuple[tuple[bool, str, dict[str, Any]], ...] = (
        (True, "the report's five", {"facecolor": "0.25", "edgecolor": "0.25"}),
        (False, "left out", LEFT_OUT),
    )
    for five, label, style in styles:
        rows = [i for i, is_kept in enumerate(kept) if is_kept == five]
        bars = axes.barh(rows, counts.iloc[rows], label=label, **style)
        axes.bar_label(bars, [str(n) if n else "" for n in counts.iloc[rows]], padding=2, size=8)
    n_kept = counts[list(REPORT_FIVE)].sum()
    axes.set_title(f"{counts.name}\n{counts.sum()} clips, {n_kept} of the five", fontsize="medium")
    axes.set_yticks(range(len(counts)), list(counts.index))
    axes.set_xlabel("clips")
    _finish(axes)
    if with_legend:
        axes.legend(loc="lower right", fontsize=8)


def _draw_merged(axes: Axes, table: pd.DataFrame, title: str, with_legend: bool) -> None:
    n_before = pd.Series(0, index=table.index)
    for corpus, shade in zip(CORPORA, SHADES, strict=True):
        rows = range(len(table))
        axes.barh(rows, table[corpus], left=n_before, label=corpus, color=shade, ec="black", lw=0.5)
        n_before += table[corpus]
    for i, n_clips in enumerate(n_before):
        axes.annotate(f"{n_clips}", (n_clips, i), (3, 0), textcoords="offset points", va="center")
    axes.set_title(f"{title}: {n_before.sum()} clips", fontsize="medium")
    axes.set_yticks(range(len(table)), list(table.index))
    axes.set_xlabel("clips")
    _finish(axes)
    if with_legend:
        axes.legend(loc="lower right", ncols=2, fontsize=8)


def _finish(axes: Axes) -> None:
    axes.invert_yaxis()  # the first emotion at the top
    axes.margins(x=0.16)  # room for the numbers
    axes.set_xlim(left=0)
    axes.spines[["top", "right"]].set_visible(False)
