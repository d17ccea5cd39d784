"""Tables of scores, for ``serctl train`` and ``serctl evaluate``."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from serctl.train.evaluation.scores import Calibration, Scores
    from serctl.train.evaluation.statistics.intervals import ScoreIntervals

MAX_SPEAKERS_SHOWN = 7  # of more: the lowest three, the median and the highest three

MEASURES = (
    ("UA", "ua", "mean of the recalls"),
    ("WA", "wa", "share of correct clips"),
    ("Macro F1", "macro_f1", "mean of the F1"),
)


def print_scores(
    scores: "Scores",
    title: str,
    calibration: "Calibration | None" = None,
    intervals: "ScoreIntervals | None" = None,
) -> None:
    """Print scores: overall, by emotion, corpus and speaker, and the confusion matrix.

    Parameters
    ----------
    scores : Scores
        What to print.
    title : str
        Name of what was scored.
    calibration : Calibration, optional
        Of the same clips.
    intervals : ScoreIntervals, optional
        Of the same clips, over speakers and by emotion.
    """
    from serctl.cli.terminal.tables import plain_console, print_table

    console = plain_console()
    n_without = scores.n_without_prediction
    without = f", {n_without} of them without a prediction" if n_without else ""
    console.print(f"{title}: {scores.n_clips} clips{without}", soft_wrap=True)
    for name, key, meaning in MEASURES:
        over_clips = interval(scores.intervals[key])
        over_speakers = intervals.speakers.get(key) if intervals is not None else None
        beside = f"; speakers: {interval(over_speakers)}" if over_speakers else ""
        value = getattr(scores, key)
        console.print(f"{name} {value:.1%} (95%: {over_clips}{beside}), {meaning}")
    if calibration is not None:
        console.print(
            f"ECE {calibration.ece:.1%}, mean gap between confidence and accuracy "
            f"({calibration.confidence:.1%} and {calibration.accuracy:.1%} overall)"
        )
        console.print(
            f"Brier score {calibration.brier:.3f}, from 0 (best) to 2; "
            f"{calibration.brier_uniform:.3f} for equal probabilities"
        )
    _print_emotions(console, scores, intervals)
    if scores.by_corpus:
        _print_groups(console, "By corpus", "Corpus", scores.by_corpus)
    if scores.by_speaker:
        _print_speakers(console, scores.by_speaker)
    print_table(
        console,
        "Confusion matrix: reference (rows) and prediction (columns)",
        ("Reference", *scores.emotions),
        (
            (emotion, *map(str, row))
            for emotion, row in zip(scores.emotions, scores.confusion, strict=True)
        ),
    )


def interval(both: Sequence[float] | None) -> str:
    """Give an interval of shares in percent, or a dash if it is not known."""
    return "-" if both is None else f"{both[0]:.1%} to {both[1]:.1%}"


def _print_emotions(
    console: "Console", scores: "Scores", intervals: "ScoreIntervals | None"
) -> None:
    """Print scores by emotion, with intervals of the recall: over speakers if they are known."""
    from serctl.cli.terminal.tables import print_table

    headers = ["Emotion", "Clips", "Recall", "Precision", "F1"]
    over: dict[str, str] = {}
    if intervals is not None:
        kind, both = "clips", dict[str, Sequence[float] | None](intervals.recall_clips)
        if intervals.recall_speakers:
            kind, both = "speakers", dict(intervals.recall_speakers)
        headers.append(f"Recall 95%, {kind}")
        over = {emotion: interval(one) for emotion, one in both.items()}
    rows = [
        (
            emotion,
            f"{one['n_clips']}",
            *(f"{one[key]:.1%}" for key in ("recall", "precision", "f1")),
            *([over[emotion]] if over else ()),
        )
        for emotion, one in scores.by_emotion.items()
    ]
    print_table(console, "By emotion", headers, rows)


def _print_groups(
    console: "Console", title: str, header: str, groups: dict[str, dict[str, float]]
) -> None:
    from serctl.cli.terminal.tables import print_table
    from serctl.text import printable

    print_table(
        console,
        title,
        (header, "Clips", "WA", "UA"),
        (
            (printable(group), f"{one['n_clips']}", f"{one['wa']:.1%}", f"{one['ua']:.1%}")
            for group, one in groups.items()
        ),
    )


def _print_speakers(console: "Console", by_speaker: dict[str, dict[str, float]]) -> None:
    """Print speakers from the lowest to the highest UA; if there are many, a selection."""
    ordered = sorted(by_speaker.items(), key=lambda item: (item[1]["ua"], item[0]))
    n_speakers, title = len(ordered), f"By speaker: {len(ordered)}, by UA"
    if n_speakers > MAX_SPEAKERS_SHOWN:
        title += "; the lowest, the median and the highest"
        ordered = [*ordered[:3], ordered[n_speakers // 2], *ordered[-3:]]
    _print_groups(console, title, "Speaker", dict(ordered))
