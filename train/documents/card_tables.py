"""Tables of a model card, in Markdown, made of measurements alone."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from serctl.text import markdown_table
from serctl.train.corpora.manifest import CORPORA
from serctl.train.documents.published import EMOBOX
from serctl.train.evaluation.scores import INTERVAL, N_RESAMPLES, RESAMPLING_SEED

CORPUS_TERMS = {
    "crema-d": ("CREMA-D", "91 actors, US English", "ODbL 1.0, contents DbCL 1.0"),
    "ravdess": ("RAVDESS (speech)", "24 actors, North American English", "CC BY-NC-SA 4.0"),
    "savee": ("SAVEE", "4 men, British English", "research use, by registration"),
    "tess": ("TESS", "2 women, Canadian English", "CC BY-NC-ND 4.0"),
}

PROTOCOL_NAMES = {
    "report": "`report`: random by clip, speakers in both parts",
    "new-speakers": "`new-speakers`: test speakers are not in the training part",
}


def share_of(value: float, interval: Sequence[float] | None = None) -> str:
    """Share as a percentage, with its interval in brackets if there is one."""
    if not interval:
        return f"{value:.1%}"
    return f"{value:.1%} ({interval[0]:.1%} to {interval[1]:.1%})"


def terms() -> str:
    """Tabulate the corpora and their terms."""
    return markdown_table(
        ("corpus", "speakers", "terms"), (CORPUS_TERMS[corpus] for corpus in CORPORA)
    )


def by_corpus(test: dict[str, Any]) -> str:
    """Tabulate the scores of a test part by corpus."""
    rows = (
        (CORPUS_TERMS[corpus][0], str(one["n_clips"]), share_of(one["wa"]), share_of(one["ua"]))
        for corpus, one in test["by_corpus"].items()
    )
    return markdown_table(("corpus", "clips", "WA", "UA"), rows)


def by_emotion(test: dict[str, Any]) -> str:
    """Tabulate the scores of a test part by emotion."""
    rows = (
        (emotion, str(one["n_clips"]), share_of(one["recall"]), share_of(one["precision"]))
        for emotion, one in test["by_emotion"].items()
    )
    return markdown_table(("emotion", "clips", "recall", "precision"), rows)


def confusion(test: dict[str, Any]) -> str:
    """Tabulate the confusion matrix: clips by reference (row) and predicted emotion (column)."""
    rows = (
        (emotion, *map(str, counts))
        for emotion, counts in zip(test["emotions"], test["confusion"], strict=True)
    )
    return markdown_table(("reference", *(f"predicted: {one}" for one in test["emotions"])), rows)


def protocols(measurements: dict[str, Any]) -> str:
    """Tabulate the protocols that are not EmoBox's; for a model of six emotions, also over five."""
    rows = []
    for split, name in PROTOCOL_NAMES.items():
        for summary in filter(
            None, (measurements.get(split), measurements.get(split, {}).get("five"))
        ):
            tests = [run["test"] for run in summary["runs"]]
            rows.append(
                (
                    name,
                    str(len(tests[0]["emotions"])),
                    str(len(tests)),
                    share_of(summary["ua"], interval_of_mean(tests)),
                    f"{summary['ua_lowest']:.1%}, {summary['ua_highest']:.1%}",
                    share_of(summary["wa"]),
                )
            )
    header = ("protocol", "emotions", "runs", "UA (95% interval)", "lowest, highest", "WA")
    return markdown_table(header, rows) if rows else ""


def protocols_by_corpus(measurements: dict[str, Any]) -> str:
    """Tabulate UA by corpus and protocol: means over the runs that test clips of it."""
    found = {split: measurements[split] for split in PROTOCOL_NAMES if split in measurements}
    rows = (
        (
            CORPUS_TERMS[corpus][0],
            *(share_of(summary["by_corpus"][corpus]["ua"]) for summary in found.values()),
        )
        for corpus in CORPORA
    )
    names = (
        f"`{split}`, {len(summary['runs'][0]['test']['emotions'])} emotions"
        for split, summary in found.items()
    )
    return markdown_table(("corpus", *names), rows) if found else ""


def emobox(measurements: dict[str, Any]) -> str:
    """Tabulate EmoBox's protocol, beside what it published."""
    own = {
        corpus: measurements[f"emobox-{corpus}"]
        for corpus in CORPORA
        if f"emobox-{corpus}" in measurements
    }
    if not own:
        return ""
    cells = [
        share_of(summary["ua"], interval_of_mean([run["test"] for run in summary["runs"]]))
        for summary in own.values()
    ]
    rows = [
        (f"{one.name} ({one.n_million} M parameters)", *(share_of(one.ua[c]) for c in own))
        for one in EMOBOX
    ]
    header = ("UA", *(CORPUS_TERMS[corpus][0] for corpus in own))
    return markdown_table(header, [("**this model's recipe**", *cells), *rows])


def groups(measurements: dict[str, Any]) -> str:
    """Tabulate scores by sex and by age group."""
    rows = (
        (
            f"{kind}: {name}",
            str(one["n_speakers"]),
            str(one["n_clips"]),
            share_of(one["ua"], one["ua_interval"]),
            share_of(one["wa"]),
        )
        for kind, found in measurements.get("groups", {}).items()
        for name, one in found.items()
    )
    header = ("group", "speakers", "clips", "UA (95% interval)", "WA")
    return markdown_table(header, rows) if "groups" in measurements else ""


def robustness(measured: dict[str, Any]) -> str:
    """Tabulate UA and WA by corruption, and the loss of UA against clean recordings."""
    rows = (
        (
            row["corruption"],
            share_of(row["ua"]),
            f"{row['ua_drop']:z.1f}" if i else "",
            share_of(row["wa"]),
        )
        for i, row in enumerate(measured["rows"])
    )
    return markdown_table(("corruption", "UA", "points of UA lost", "WA"), rows)


def interval_of_mean(tests: Sequence[dict[str, Any]]) -> list[float]:
    """95% interval of the mean UA of several test parts, [low, high].

    The percentile bootstrap of `serctl.train.evaluation.scores`: the clips of each part are drawn
    anew by themselves, and their UA averaged. Where parts share clips (seeds of ``report``), it is
    somewhat too narrow.
    """
    draw = np.random.default_rng(RESAMPLING_SEED).multinomial
    total = np.zeros(N_RESAMPLES)
    for test in tests:
        counts = np.array(test["confusion"])
        n_references = [
            test["by_emotion"].get(one, {"n_clips": 0})["n_clips"] for one in test["emotions"]
        ]
        without_prediction = np.array(n_references) - counts.sum(axis=1)
        cells = np.column_stack([counts, without_prediction])
        drawn = draw(cells.sum(), cells.ravel() / cells.sum(), size=N_RESAMPLES)
        drawn = drawn.reshape(N_RESAMPLES, *cells.shape)
        n_drawn = drawn.sum(axis=2)
        right = np.diagonal(drawn[:, :, :-1], axis1=1, axis2=2)
        total += (right / np.maximum(n_drawn, 1)).sum(axis=1) / (n_drawn > 0).sum(axis=1)
    return [float(bound) for bound in np.quantile(total / len(tests), INTERVAL)]
