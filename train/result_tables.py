"""Every table and sentence with measured numbers that the documents hold, as Markdown.

Each is made of the results of all models, as `serctl.train.measured.read_results` gives them. A
model that was not measured is left out, and so is a table that nothing was measured for.
"""

import textwrap
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from serctl.emotions import REPORT_FIVE
from serctl.models import DEFAULT_MODEL
from serctl.train.card import CORPUS_TERMS
from serctl.train.corpora import CORPORA
from serctl.train.measured import (
    CHANCE,
    CREMA_D_LISTENERS,
    NEW_SPEAKERS,
    REPORT,
    SYSTEMS,
    Results,
    five,
    pooled,
)

WIDTH = 118  # of lines in the documents

# UA of EmoBox, table 4 (arXiv 2406.07162): a frozen encoder, trained on much other speech, with a
# trained head.
EMOBOX = {
    "HuBERT base (95 M parameters)": (0.7113, 0.6543, 0.5890, 0.9962),
    "WavLM large (317 M)": (0.7450, 0.7200, 0.6674, 0.9978),
    "Whisper large v3 (635 M)": (0.7675, 0.7532, 0.7407, 0.9996),
}

PICTURES = (  # what is measured, the figure's file, and what it shows
    (REPORT, "report-accuracy", "Accuracy of {} by emotion, report split"),
    (NEW_SPEAKERS, "new-speakers-precision-recall", "Precision and recall of {}, new speakers"),
    (NEW_SPEAKERS, "new-speakers-confusion", "Confusion matrix of {}, new speakers"),
    ("calibration", "new-speakers-reliability", "How often {} is right by its confidence"),
)


def headline(results: Results) -> str:
    """Say how often the default model is right about new speakers."""
    ua = {model: summary["ua"] for model, summary in _by_five(results, NEW_SPEAKERS).items()}
    if DEFAULT_MODEL not in ua:
        return ""
    own = ua.pop(DEFAULT_MODEL)
    others = f"; the others that come along, {_range(ua.values())}" if ua else ""
    return _paragraph(
        f"**How good it is.** On speakers that it never heard, choosing between five emotions, the "
        f"default network, `{DEFAULT_MODEL}`, is right in {own:.1%} of cases (chance: {CHANCE:.1%}"
        f"{others})."
    )


def models(results: Results) -> str:
    """Tabulate the models: their names, what they are and what they hear."""
    rows = []
    for system in SYSTEMS:
        if summary := results.get(system.model, {}).get(NEW_SPEAKERS):
            emotions = summary["runs"][0]["test"]["emotions"]
            default = ", the default" if system.model == DEFAULT_MODEL else ""
            rows.append(
                (
                    f"`{system.model}`{default}",
                    f"{system.name}{', from the report' if system.in_report else ''}",
                    ", ".join(emotions),
                    f"{summary['ua']:.1%} of {len(emotions)}",
                )
            )
    return _table(("`--model`", "what it is", "emotions", "UA on new speakers"), rows)


def comparison(results: Results) -> str:
    """Tabulate the report's systems beside ours, by both protocols (the report's table 2)."""
    of_report, of_new = (_by_five(results, split) for split in (REPORT, NEW_SPEAKERS))
    rows = [
        (
            f"{system.name}, `{system.model}`" if system.model else system.name,
            f"{system.in_report:.0%}" if system.in_report else "",
            _spread(of_report.get(system.model)),
            _spread(of_new.get(system.model)),
            _bundled(of_new.get(system.model)),
        )
        for system in SYSTEMS
        if system.in_report or system.model in results
    ]
    header = (
        "system",
        "the report",
        "ours, `report` split",
        "ours, `new-speakers`",
        "bundled weights",
    )
    return f"{_table(header, rows)}\n\n" + _paragraph(
        "UA over the five emotions: the mean of three seeds or five folds, and in brackets the lowest "
        "and the highest. The bundled weights are those that did not hear fold 0, and are scored on "
        f"it. Chance is {CHANCE:.1%}. The report quotes its listeners from elsewhere; listeners who "
        "heard CREMA-D's voices alone named the acted one of five emotions in "
        f"{CREMA_D_LISTENERS:.1%} of their judgements."
    )


def leak(results: Results) -> str:
    """Say how much less a model is right once it does not know the voices."""
    of_report, of_new = (_by_five(results, split) for split in (REPORT, NEW_SPEAKERS))
    both = [model for model in of_new if model in of_report]
    if not both:
        return ""
    falls = [f"`{one}` from {of_report[one]['ua']:.1%} to {of_new[one]['ua']:.1%}" for one in both]
    model = DEFAULT_MODEL if DEFAULT_MODEL in both else both[-1]
    crema_d, tess = (
        100
        * (of_report[model]["by_corpus"][corpus]["ua"] - of_new[model]["by_corpus"][corpus]["ua"])
        for corpus in ("crema-d", "tess")
    )
    shares = [_share_of_tess(summary[model]) for summary in (of_report, of_new)]
    return _paragraph(
        "**Speakers leak.** The report's split draws clips at random, so that the same voices are "
        f"learned and tested. On new speakers, accuracy falls: {_listed(falls)}. With `{model}`, "
        f"CREMA-D's 91 voices lose {crema_d:.1f} points, and TESS's two {tess:.1f}; besides, TESS "
        f"is {shares[0]:.0%} of the report's test clips, and {shares[1]:.0%} of those of new "
        "speakers."
    )


def by_corpus(results: Results) -> str:
    """Tabulate UA by corpus, with voices that are known and with new ones."""
    of_report, of_new = (_by_five(results, split) for split in (REPORT, NEW_SPEAKERS))
    both = [model for model in of_new if model in of_report]
    rows = [
        (
            ": ".join(CORPUS_TERMS[corpus][:2]),
            *(
                f"{of_report[model]['by_corpus'][corpus]['ua']:.1%} → "
                f"{of_new[model]['by_corpus'][corpus]['ua']:.1%}"
                for model in both
            ),
        )
        for corpus in CORPORA
    ]
    return _table(("corpus", *(f"`{model}`" for model in both)), rows) if both else ""


def by_emotion(results: Results) -> str:
    """Tabulate recall and precision by emotion, over the clips of all five folds."""
    scores = {model: pooled(one) for model, one in _by_five(results, NEW_SPEAKERS).items()}
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
    return _table(("emotion", *(f"`{model}`" for model in scores)), rows) if scores else ""


def pictures(results: Results) -> str:
    """Link the figures by emotion and confidence of every model."""
    return "\n\n".join(
        "\n".join(
            f"![{said.format(model)}](../train/results/{model}-{name}.png)"
            for key, name, said in PICTURES
            if key in one
        )
        for model, one in results.items()
    )


def runs(results: Results) -> str:
    """Tabulate every run: the command that makes it, and what it gave."""
    rows = [
        (
            f"`{run['command']}`",
            str(len(run["test"]["emotions"])),
            f"{run['test']['ua']:.1%}",
            f"{run['test']['wa']:.1%}",
        )
        for one in results.values()
        for summary in one.values()
        if isinstance(summary, dict) and "runs" in summary
        for run in summary["runs"]
        if "command" in run
    ]
    return _table(("command", "emotions", "UA", "WA"), rows)


def emobox(results: Results) -> str:
    """Tabulate EmoBox's protocol beside its published figures."""
    own = {
        model: cells
        for model, one in results.items()
        if any(cells := [one.get(f"emobox-{corpus}", {}).get("ua") for corpus in CORPORA])
    }
    if not own:
        return ""
    rows: list[Sequence[str]] = [
        (name, *(f"{ua:.1%}" for ua in published)) for name, published in EMOBOX.items()
    ]
    for model, cells in own.items():
        rows.append((f"`{model}`", *("" if ua is None else f"{ua:.1%}" for ua in cells)))
    intro = _paragraph(
        "By EmoBox's protocol, each corpus by itself with all its emotions, beside three of its "
        "published figures, of networks pre-trained on much other speech. CREMA-D's and TESS's "
        "test speakers are in the training parts too; RAVDESS's and SAVEE's are not."
    )
    header = ("UA", *(CORPUS_TERMS[corpus][0] for corpus in CORPORA))
    return f"{intro}\n\n{_table(header, rows)}"


TABLES: dict[str, Callable[[Results], str]] = {
    "headline": headline,
    "models": models,
    "comparison": comparison,
    "leak": leak,
    "by-corpus": by_corpus,
    "by-emotion": by_emotion,
    "pictures": pictures,
    "emobox": emobox,
    "runs": runs,
}


def _by_five(results: Results, split: str) -> dict[str, dict[str, Any]]:
    """Summaries over the five emotions, of the models that were measured so."""
    return {model: one for model, found in results.items() if (one := five(found, split))}


def _spread(summary: dict[str, Any] | None) -> str:
    if summary is None:
        return ""
    return f"{summary['ua']:.1%} ({summary['ua_lowest']:.1%} to {summary['ua_highest']:.1%})"


def _bundled(summary: dict[str, Any] | None) -> str:
    return f"{summary['runs'][0]['test']['ua']:.1%}" if summary else ""


def _share_of_tess(summary: dict[str, Any]) -> float:
    """Share of TESS's clips among those that are tested."""
    tests = [run["test"] for run in summary["runs"]]
    n_tess = sum(test["by_corpus"].get("tess", {"n_clips": 0})["n_clips"] for test in tests)
    return float(n_tess / sum(test["n_clips"] for test in tests))


def _range(shares: Iterable[float]) -> str:
    numbers = sorted(shares)
    low, high = (f"{n:.1%}" for n in (numbers[0], numbers[-1]))
    return low if low == high else f"{low} to {high}"


def _listed(parts: Sequence[str]) -> str:
    return " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else parts[0]


def _paragraph(text: str) -> str:
    return textwrap.fill(text, WIDTH, break_long_words=False, break_on_hyphens=False)


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
