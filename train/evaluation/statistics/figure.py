"""Figure of a comparison: UA of each model, and the differences, with their intervals."""

from collections.abc import Callable, Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, PercentFormatter

from serctl.figures import EXTENSIONS, save_figure
from serctl.train.evaluation.record import Evaluation
from serctl.train.evaluation.statistics.comparison import Difference

DARK, LIGHT = "#08306b", "#8fc0de"
OFFSET = 0.14  # of the interval over speakers, below the one over clips
MAX_NAME = 24  # characters beside the axis
Interval = Sequence[float] | None
Row = tuple[str, float, Interval, Interval]  # name, value, intervals over clips and speakers


def comparison_figures(folder: Path) -> list[Path]:
    """Paths of what `write_comparison` writes."""
    return [folder / f"comparison{extension}" for extension in EXTENSIONS]


def write_comparison(
    evaluations: Sequence[Evaluation], differences: Sequence[Difference], folder: Path
) -> None:
    """Draw a comparison, as PNG and SVG.

    Raises
    ------
    ResultsError
        If one cannot be written.
    """
    figure = draw_comparison(evaluations, differences)
    for path in comparison_figures(folder):
        save_figure(figure, str(path))


def draw_comparison(evaluations: Sequence[Evaluation], differences: Sequence[Difference]) -> Figure:
    """Draw UA of each model, and each difference in UA, with intervals over clips and speakers."""
    n_rows = max(len(evaluations), len(differences))
    figure = Figure(figsize=(9.6, 1.9 + 0.55 * n_rows), layout="constrained")
    left, right = figure.subplots(1, 2)
    rows: list[Row] = [
        (
            _cut(one.name),
            one.scores.ua,
            one.scores.intervals["ua"],
            one.intervals.speakers.get("ua"),
        )
        for one in evaluations
    ]
    _draw_rows(left, rows, "{:.1%}".format)
    left.set(xlabel="UA", title="UA and 95% intervals")
    left.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    rows = [
        (f"{_cut(one.second)}\n− {_cut(one.first)}", one.ua, one.clips, one.speakers)  # noqa: RUF001
        for one in differences
    ]
    _draw_rows(right, rows, lambda value: f"{100 * value:+.1f}")
    right.axvline(0, color="0.35", linestyle=":", zorder=0)
    right.set(xlabel="difference in UA / points", title="Same clips, paired")
    right.xaxis.set_major_formatter(
        FuncFormatter(lambda value, _: f"{100 * value:+.3g}" if value else "0")
    )
    scores, n_speakers = evaluations[0].scores, evaluations[0].intervals.n_speakers
    whose = f", {n_speakers} speakers" if n_speakers else ""
    emotions = ", ".join(scores.emotions)
    figure.suptitle(f"{scores.n_clips} clips{whose}: {emotions}", fontsize="medium")
    handles, labels = left.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2, frameon=False)
    return figure


def _cut(name: str) -> str:
    """Shorten a name in the middle."""
    half = MAX_NAME // 2
    return name if len(name) <= MAX_NAME else f"{name[: half - 2]}...{name[-half + 1 :]}"


def _draw_rows(axes: Axes, rows: Sequence[Row], form: Callable[[float], str]) -> None:
    """Draw a value a row, the first on top, with both intervals around it."""
    for i, (_, value, *both) in enumerate(rows):
        kinds = ((-OFFSET, "over clips", LIGHT, "s"), (OFFSET, "over speakers", DARK, "o"))
        for interval, (offset, name, colour, marker) in zip(both, kinds, strict=True):
            if interval is None:
                continue
            low, high = interval
            axes.errorbar(
                value,
                i + offset,
                xerr=[[max(value - low, 0)], [max(high - value, 0)]],
                fmt=marker,
                color=colour,
                markeredgecolor="black",
                markersize=5,
                capsize=3,
                linewidth=2,
                label=name if i == 0 else "",
            )
        axes.annotate(
            form(value),
            (value, i - OFFSET),
            xytext=(0, 6),
            textcoords="offset points",
            ha="center",
            fontsize="small",
        )
    axes.set_yticks(range(len(rows)), [name for name, *_ in rows])
    for label in axes.get_yticklabels():
        label.set_parse_math(False)
    axes.set_ylim(len(rows) - 0.4, -0.7)
    axes.tick_params(axis="y", length=0)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.margins(x=0.12)
