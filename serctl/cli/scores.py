"""Tables of scores, for ``serctl train`` and ``serctl evaluate``."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from serctl.train.scores import Scores


def print_scores(scores: "Scores", title: str) -> None:
    """Print UA and WA, recall and precision by emotion, accuracy by corpus, and confusions."""
    from serctl.cli.tables import plain_console, print_table

    console = plain_console()
    unanswered = f", {scores.n_unanswered} of them without an answer" if scores.n_unanswered else ""
    console.print(f"{title}: {scores.n_clips} clips{unanswered}")
    console.print(f"UA {scores.ua:.1%} (mean of the recalls)  WA {scores.wa:.1%} (share of clips)")
    print_table(
        console,
        "By emotion",
        ("Emotion", "Clips", "Recall", "Precision"),
        (
            (emotion, f"{one['n_clips']}", f"{one['recall']:.1%}", f"{one['precision']:.1%}")
            for emotion, one in scores.by_emotion.items()
        ),
    )
    print_table(
        console,
        "By corpus",
        ("Corpus", "Clips", "WA", "UA"),
        (
            (corpus, f"{one['n_clips']}", f"{one['wa']:.1%}", f"{one['ua']:.1%}")
            for corpus, one in scores.by_corpus.items()
        ),
    )
    print_table(
        console,
        "Clips by acted (row) and heard emotion (column)",
        ("Acted", *scores.emotions),
        (
            (emotion, *map(str, row))
            for emotion, row in zip(scores.emotions, scores.confusion, strict=True)
        ),
    )
