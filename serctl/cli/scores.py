"""Tables of scores, for ``serctl train`` and ``serctl evaluate``."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from serctl.train.scores import Scores


def print_scores(scores: "Scores", title: str) -> None:
    """Print UA and WA, recall and precision by emotion, accuracy by corpus, and confusions."""
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    unanswered = f", {scores.n_unanswered} of them without an answer" if scores.n_unanswered else ""
    console.print(f"{title}: {scores.n_clips} clips{unanswered}", markup=False)
    console.print(f"UA {scores.ua:.1%} (mean of the recalls)  WA {scores.wa:.1%} (share of clips)")
    console.print()

    emotions = Table("emotion", title="By emotion", title_justify="left")
    for name in ("clips", "recall", "precision"):
        emotions.add_column(name, justify="right")
    for emotion, one in scores.by_emotion.items():
        emotions.add_row(
            emotion, str(one["n_clips"]), f"{one['recall']:.1%}", f"{one['precision']:.1%}"
        )
    console.print(emotions)

    corpora = Table("corpus", title="By corpus", title_justify="left")
    for name in ("clips", "WA", "UA"):
        corpora.add_column(name, justify="right")
    for corpus, one in scores.by_corpus.items():
        corpora.add_row(corpus, str(one["n_clips"]), f"{one['wa']:.1%}", f"{one['ua']:.1%}")
    console.print(corpora)

    matrix = Table("acted", title="Clips by acted (row) and heard emotion", title_justify="left")
    for emotion in scores.emotions:
        matrix.add_column(emotion, justify="right")
    for emotion, row in zip(scores.emotions, scores.confusion, strict=True):
        if any(row):
            matrix.add_row(emotion, *map(str, row))
    console.print(matrix)
