"""Tables of a comparison of models on the same recordings, for ``serctl evaluate``."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from serctl.train.evaluation.record import Evaluation
    from serctl.train.evaluation.statistics.comparison import Difference

SMALLEST_P = 0.001
UNKNOWN = "-"


def print_comparison(
    evaluations: Sequence["Evaluation"], differences: Sequence["Difference"]
) -> None:
    """Print scores of models side by side, and their differences.

    Parameters
    ----------
    evaluations : sequence of Evaluation
        Of the same recordings; at least two.
    differences : sequence of Difference
        Of each two of them.
    """
    from serctl.cli.terminal.tables import plain_console

    console = plain_console()
    scores, n_speakers = evaluations[0].scores, evaluations[0].intervals.n_speakers
    whose = f" of {n_speakers} speakers" if n_speakers else ""
    console.print(
        f"{len(evaluations)} models, the same {scores.n_clips} clips{whose}", soft_wrap=True
    )
    missing = [one for one in evaluations if one.scores.n_without_prediction]
    for one in missing:
        n = one.scores.n_without_prediction
        console.print(f"{one.name}: {n} of them without a prediction", soft_wrap=True)
    _print_scores(console, evaluations, n_speakers > 0)
    _print_differences(console, differences, n_speakers > 0)
    if len(differences) > 1:
        console.print(f"\np is not corrected for the {len(differences)} comparisons.")


def _print_scores(
    console: "Console", evaluations: Sequence["Evaluation"], has_speakers: bool
) -> None:
    from serctl.cli.terminal.scores import interval
    from serctl.cli.terminal.tables import print_table

    over_speakers = ("over speakers",) if has_speakers else ()
    print_table(
        console,
        "Scores, with 95% intervals of UA",
        ("Model", "UA", "over clips", *over_speakers, "WA", "Macro F1"),
        [
            (
                one.name,
                f"{one.scores.ua:.1%}",
                interval(one.scores.intervals["ua"]),
                *(interval(one.intervals.speakers["ua"]) for _ in over_speakers),
                f"{one.scores.wa:.1%}",
                f"{one.scores.macro_f1:.1%}",
            )
            for one in evaluations
        ],
    )
    print_table(
        console,
        "Recall by emotion",
        ("Emotion", "Clips", *(one.name for one in evaluations)),
        [
            (
                emotion,
                f"{group['n_clips']}",
                *(f"{one.scores.by_emotion[emotion]['recall']:.1%}" for one in evaluations),
            )
            for emotion, group in evaluations[0].scores.by_emotion.items()
        ],
    )


def _print_differences(
    console: "Console", differences: Sequence["Difference"], has_speakers: bool
) -> None:
    from serctl.cli.terminal.tables import print_table

    print_table(
        console,
        "Differences in UA in points, paired: 95% intervals and p",
        ("Models", "UA", "over clips", "p", *(("over speakers", "p") if has_speakers else ())),
        [
            (
                f"{one.second} - {one.first}",
                f"{100 * one.ua:+.1f}",
                _points(one.clips),
                p_value(one.p_clips),
                *((_points(one.speakers), p_value(one.p_speakers)) if has_speakers else ()),
            )
            for one in differences
        ],
    )
    print_table(
        console,
        "Clips that only one of the two got right: McNemar's exact test of WA",
        ("Models", "the first", "the second", "p"),
        [
            (
                f"{one.second} - {one.first}",
                f"{one.only_second}",
                f"{one.only_first}",
                p_value(one.p_mcnemar),
            )
            for one in differences
        ],
    )


def p_value(p: float | None) -> str:
    """Give a p value in three decimals."""
    if p is None:
        return UNKNOWN
    return f"<{SMALLEST_P}" if p < SMALLEST_P else f"{p:.3f}"


def _points(both: Sequence[float] | None) -> str:
    return UNKNOWN if both is None else f"{100 * both[0]:+.1f} to {100 * both[1]:+.1f}"
