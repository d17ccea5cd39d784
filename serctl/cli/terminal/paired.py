"""Tables of a comparison of models on the same recordings, for ``serctl evaluate``."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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
    from serctl.cli.terminal.scores import interval
    from serctl.cli.terminal.tables import plain_console, print_table

    console = plain_console()
    scores, n_speakers = evaluations[0].scores, evaluations[0].intervals.n_speakers
    whose = f" of {n_speakers} speakers" if n_speakers else ""
    names = [one.name for one in evaluations]
    console.print(f"{len(names)} models, the same {scores.n_clips} clips{whose}", soft_wrap=True)
    missing = [one for one in evaluations if one.scores.n_without_prediction]
    for one in missing:
        n = one.scores.n_without_prediction
        console.print(f"{one.name}: {n} of them without a prediction", soft_wrap=True)
    print_table(
        console,
        "Scores, with 95% intervals of UA",
        ("Model", "UA", "over clips", "over speakers", "WA", "Macro F1"),
        [
            (
                one.name,
                f"{one.scores.ua:.1%}",
                interval(one.scores.intervals["ua"]),
                interval(one.intervals.speakers.get("ua")),
                f"{one.scores.wa:.1%}",
                f"{one.scores.macro_f1:.1%}",
            )
            for one in evaluations
        ],
    )
    print_table(
        console,
        "Recall by emotion",
        ("Emotion", "Clips", *names),
        [
            (
                emotion,
                f"{group['n_clips']}",
                *(f"{one.scores.by_emotion[emotion]['recall']:.1%}" for one in evaluations),
            )
            for emotion, group in scores.by_emotion.items()
        ],
    )
    print_table(
        console,
        "Differences in UA in points, paired: 95% intervals and p",
        ("Models", "UA", "over clips", "p", "over speakers", "p"),
        [
            (
                f"{one.second} - {one.first}",
                f"{100 * one.ua:+.1f}",
                _points(one.clips),
                p_value(one.p_clips),
                _points(one.speakers),
                p_value(one.p_speakers),
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
    if len(differences) > 1:
        console.print(f"\np is not corrected for the {len(differences)} comparisons.")


def p_value(p: float | None) -> str:
    """Give a p value in three decimals."""
    if p is None:
        return UNKNOWN
    return f"<{SMALLEST_P}" if p < SMALLEST_P else f"{p:.3f}"


def _points(both: Sequence[float] | None) -> str:
    return UNKNOWN if both is None else f"{100 * both[0]:+.1f} to {100 * both[1]:+.1f}"
