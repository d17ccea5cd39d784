"""Every generated table of the documents, in Markdown.

Each is made of the results of all models, as `serctl.train.documents.measurements.read_measurements`
gives them. Models and tables without measurements are left out.
"""

from collections.abc import Callable, Iterable, Sequence
from statistics import mean
from typing import Any

from serctl.emotions import REPORT_FIVE
from serctl.models.loading import DEFAULT_MODEL
from serctl.text import markdown_table
from serctl.train.corpora.manifest import CORPORA
from serctl.train.corpora.splits import NEW_SPEAKERS, REPORT
from serctl.train.documents.card_tables import CORPUS_TERMS
from serctl.train.documents.measurements import (
    CHANCE,
    CREMA_D_LISTENERS,
    SYSTEMS,
    Measurements,
    by_five,
    cross_corpus_ua,
    extent,
    pooled,
)
from serctl.train.documents.published import EMOBOX
from serctl.train.documents.sentences import headline, leak, paragraph, robustness_summary
from serctl.train.documents.voices import voices

NOT_MEASURED = "Not measured yet."
PICTURES = (  # what is measured, the figure's file, and what it shows
    (REPORT, "report-accuracy", "Accuracy of {} by emotion, report split"),
    (NEW_SPEAKERS, "new-speakers-precision-recall", "Precision and recall of {}, new speakers"),
    (NEW_SPEAKERS, "new-speakers-confusion", "Confusion matrix of {}, new speakers"),
    ("calibration", "new-speakers-reliability", "Calibration of {}"),
)


def models(measurements: Measurements) -> str:
    """Tabulate the models: their names, architectures and emotions."""
    rows = []
    for system in SYSTEMS:
        if summary := measurements.get(system.model, {}).get(NEW_SPEAKERS):
            emotions = summary["runs"][0]["test"]["emotions"]
            part = extent(summary, NEW_SPEAKERS)
            default = ", the default" if system.model == DEFAULT_MODEL else ""
            rows.append(
                (
                    f"`{system.model}`{default}",
                    f"{system.name}{', from the report' if system.in_report else ''}",
                    f"{len(emotions)}: {', '.join(emotions)}",
                    f"{summary['ua']:.1%}" + (f" ({part})" if part else ""),
                )
            )
    return markdown_table(("`--model`", "architecture", "emotions", "UA on new speakers"), rows)


def comparison(measurements: Measurements) -> str:
    """Tabulate the report's systems beside ours, by both protocols (the report's table 2)."""
    of_report, of_new = (by_five(measurements, split) for split in (REPORT, NEW_SPEAKERS))
    rows = [
        (
            f"{system.name}, `{system.model}`" if system.model else system.name,
            f"{system.in_report:.0%}" if system.in_report else "",
            _spread(of_report.get(system.model), REPORT),
            _spread(of_new.get(system.model), NEW_SPEAKERS),
            _bundled(of_new.get(system.model)),
        )
        for system in SYSTEMS
        if system.in_report or system.model in measurements
    ]
    header = (
        "system",
        "the report",
        "ours, `report` split",
        "ours, `new-speakers`",
        "bundled weights",
    )
    return f"{markdown_table(header, rows)}\n\n" + paragraph(
        "UA over the five emotions: the mean of three seeds or five folds, with the lowest and the "
        "highest in brackets, or the number of runs measured so far. The bundled weights are those of "
        "fold 0: they were not trained on it, and are scored on it. "
        f"Chance is {CHANCE:.1%}. The report cites its figure for listeners; listeners to CREMA-D's "
        f"voices alone named the acted one of five emotions in {CREMA_D_LISTENERS:.1%} of their "
        "judgements."
    )


def cross_corpus(measurements: Measurements) -> str:
    """Tabulate UA over the five emotions on each corpus when it is left out of training."""
    rows = []
    for model in measurements:
        if ua := cross_corpus_ua(measurements[model]):
            rows.append((f"`{model}`", f"**{mean(ua):.1%}**", *(f"{value:.1%}" for value in ua)))
    names = [CORPUS_TERMS[corpus][0] for corpus in CORPORA]
    return markdown_table(("trained without it, tested on", "mean", *names), rows) if rows else ""


def by_corpus(measurements: Measurements) -> str:
    """Tabulate UA by corpus, for speakers of the training part and for new ones."""
    of_report, of_new = (by_five(measurements, split) for split in (REPORT, NEW_SPEAKERS))
    found = [model for model in measurements if model in of_report or model in of_new]
    rows = [
        (
            ": ".join(CORPUS_TERMS[corpus][:2]),
            *(
                f"{_of_corpus(of_report.get(model), corpus)} → "
                f"{_of_corpus(of_new.get(model), corpus)}"
                for model in found
            ),
        )
        for corpus in CORPORA
    ]
    return markdown_table(("corpus", *_with_extents(measurements, found)), rows) if found else ""


def _with_extents(measurements: Measurements, models: Iterable[str]) -> list[str]:
    """Names of models, with how many folds of new speakers were measured, unless all were."""
    summaries = by_five(measurements, NEW_SPEAKERS)
    parts = {model: extent(one, NEW_SPEAKERS) for model, one in summaries.items()}
    return [f"`{model}`" + (f" ({parts[model]})" if parts.get(model) else "") for model in models]


def by_emotion(measurements: Measurements) -> str:
    """Tabulate recall and precision by emotion, over the clips of the folds that were measured."""
    scores = {model: pooled(one) for model, one in by_five(measurements, NEW_SPEAKERS).items()}
    rows = [
        (
            emotion,
            *(
                f"{one.by_emotion[emotion]['recall']:.1%}, "
                f"{one.by_emotion[emotion]['precision']:.1%}"
                for one in scores.values()
            ),
        )
        for emotion in REPORT_FIVE
    ]
    return markdown_table(("emotion", *_with_extents(measurements, scores)), rows) if scores else ""


def robustness(measurements: Measurements) -> str:
    """Tabulate UA on fold 0 by corruption, and the points lost against clean recordings."""
    found = {
        model: {row["corruption"]: row for row in one["robustness"]["rows"]}
        for model, one in measurements.items()
        if "robustness" in one
    }
    corruptions = dict.fromkeys(name for rows in found.values() for name in rows)
    rows = [
        (name, *(_corruption_cell(rows_of.get(name)) for rows_of in found.values()))
        for name in corruptions
    ]
    header = ("corruption", *(f"`{model}`" for model in found))
    return markdown_table(header, rows) if found else NOT_MEASURED


def proposed(measurements: Measurements) -> str:
    """Tabulate validation accuracy with and without the features that the report proposes next."""
    rows = [
        (f"`{model}`, `{split}`", *_mean_gain(one["proposed-features"][split]))
        for model, one in measurements.items()
        if "proposed-features" in one
        for split in (REPORT, NEW_SPEAKERS)
    ]
    header = ("model, split", "trainings", "without", "with", "points gained: mean (each)")
    return markdown_table(header, rows) if rows else NOT_MEASURED


def pictures(measurements: Measurements) -> str:
    """Link the figures by emotion and confidence of every model."""
    return "\n\n".join(
        "\n".join(
            f"![{said.format(model)}](../train/results/{model}-{name}.png)"
            for key, name, said in PICTURES
            if key in one
        )
        for model, one in measurements.items()
    )


def runs(measurements: Measurements) -> str:
    """Tabulate every run: its command and its scores."""
    rows = [
        (
            f"`{run['command']}`",
            str(len(run["test"]["emotions"])),
            f"{run['test']['ua']:.1%}",
            f"{run['test']['wa']:.1%}",
        )
        for one in measurements.values()
        for summary in one.values()
        if isinstance(summary, dict) and "runs" in summary
        for run in summary["runs"]
        if "command" in run
    ]
    return markdown_table(("command", "emotions", "UA", "WA"), rows)


def emobox(measurements: Measurements) -> str:
    """Tabulate EmoBox's protocol beside its published figures."""
    own = {
        model: cells
        for model, one in measurements.items()
        if any(cells := [one.get(f"emobox-{corpus}", {}).get("ua") for corpus in CORPORA])
    }
    if not own:
        return NOT_MEASURED
    rows: list[Sequence[str]] = [
        (f"{one.name} ({one.n_million} M parameters)", *(f"{one.ua[c]:.1%}" for c in CORPORA))
        for one in EMOBOX
    ]
    for model, cells in own.items():
        rows.append((f"`{model}`", *("" if ua is None else f"{ua:.1%}" for ua in cells)))
    intro = paragraph(
        "By EmoBox's protocol, UA of each corpus by itself with all its emotions, beside what EmoBox "
        "published (arXiv 2406.07162, table 4) of frozen encoders pre-trained on other "
        "speech. CREMA-D's and TESS's test speakers are in the training parts too; RAVDESS's and "
        "SAVEE's are not."
    )
    header = ("UA", *(CORPUS_TERMS[corpus][0] for corpus in CORPORA))
    return f"{intro}\n\n{markdown_table(header, rows)}"


TABLES: dict[str, Callable[[Measurements], str]] = {
    "headline": headline,
    "models": models,
    "comparison": comparison,
    "leak": leak,
    "cross-corpus": cross_corpus,
    "by-corpus": by_corpus,
    "voices": voices,
    "by-emotion": by_emotion,
    "pictures": pictures,
    "worse": robustness_summary,
    "robustness": robustness,
    "proposed": proposed,
    "emobox": emobox,
    "runs": runs,
}


def _spread(summary: dict[str, Any] | None, split: str) -> str:
    """Mean with the lowest and the highest run, or with how many were measured so far."""
    if summary is None:
        return ""
    if part := extent(summary, split):
        return f"{summary['ua']:.1%} ({part})"
    return f"{summary['ua']:.1%} ({summary['ua_lowest']:.1%} to {summary['ua_highest']:.1%})"


def _of_corpus(summary: dict[str, Any] | None, corpus: str) -> str:
    one = summary["by_corpus"].get(corpus) if summary else None
    return f"{one['ua']:.1%}" if one else "not measured"


def _bundled(summary: dict[str, Any] | None) -> str:
    return f"{summary['runs'][0]['test']['ua']:.1%}" if summary else ""


def _corruption_cell(row: dict[str, Any] | None) -> str:
    if row is None:
        return ""
    lost = "" if row["corruption"] == "clean" else f" ({-row['ua_drop']:+.1f})"
    return f"{row['ua']:.1%}{lost}"


def _mean_gain(accuracies: dict[str, list[float]]) -> tuple[str, ...]:
    """Number of trainings, means without and with, and gains in points."""
    without, with_them = accuracies["without"], accuracies["with"]
    gains = [100 * (b - a) for a, b in zip(without, with_them, strict=True)]
    each = ", ".join(f"{gain:+.1f}" for gain in gains)
    return (
        str(len(gains)),
        f"{mean(without):.1%}",
        f"{mean(with_them):.1%}",
        f"{mean(gains):+.1f} ({each})" if len(gains) > 1 else each,
    )
