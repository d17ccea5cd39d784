"""Sentences of the documents with measured numbers, wrapped.

Each is made of the measurements of all models, as
`serctl.train.documents.measurements.read_measurements` gives them, and is empty without a measurement.
"""

import textwrap
from collections.abc import Iterable, Sequence
from statistics import median
from typing import Any

from serctl.models.loading import DEFAULT_MODEL
from serctl.train.corpora.splits import NEW_SPEAKERS, REPORT
from serctl.train.documents.measurements import CHANCE, Measurements, by_five, extent

WIDTH = 118  # of lines in the documents


def paragraph(text: str) -> str:
    """Wrap a text to lines of at most `WIDTH` characters, links whole."""
    return textwrap.fill(text, WIDTH, break_long_words=False, break_on_hyphens=False)


def headline(measurements: Measurements) -> str:
    """Say how accurate the default model is on new speakers."""
    measured = by_five(measurements, NEW_SPEAKERS)
    if DEFAULT_MODEL not in measured:
        return ""
    part = extent(measured[DEFAULT_MODEL], NEW_SPEAKERS)
    ua = {model: summary["ua"] for model, summary in measured.items()}
    own = ua.pop(DEFAULT_MODEL)
    others = f"; the other bundled models: {_range(ua.values())}" if ua else ""
    return paragraph(
        f"**How good it is.** On speakers that it was not trained on, choosing between five emotions, "
        f"the default network, `{DEFAULT_MODEL}`, is right in {own:.1%} of cases "
        f"({f'measured on {part}; ' if part else ''}chance: {CHANCE:.1%}{others})."
    )


def leak(measurements: Measurements) -> str:
    """Say how much accuracy falls from known to new speakers, for models measured in full."""
    of_report, of_new = (
        {
            model: one
            for model, one in by_five(measurements, split).items()
            if not extent(one, split)
        }
        for split in (REPORT, NEW_SPEAKERS)
    )
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
    return paragraph(
        "**Speakers leak.** The report's split draws clips at random, so that the same speakers are "
        f"in the training and in the test part. On new speakers, accuracy falls: {_listed(falls)}. "
        f"With `{model}`, CREMA-D's 91 speakers lose {crema_d:.1f} points, and TESS's two {tess:.1f}; "
        f"besides, TESS is {shares[0]:.0%} of the report's test clips, and {shares[1]:.0%} of "
        "those of new speakers."
    )


def robustness_summary(measurements: Measurements) -> str:
    """Say how much accuracy of the default model corrupted recordings cost."""
    measured = measurements.get(DEFAULT_MODEL, {}).get("robustness")
    if not measured:
        return ""
    rows = sorted(measured["rows"][1:], key=lambda row: -row["ua_drop"])
    most = [f"{row['corruption']} ({row['ua_drop']:.1f} points)" for row in rows[:3]]
    return paragraph(
        f"Noise, reverberation and other corruptions lower UA. With `{DEFAULT_MODEL}`, on fold 0, the "
        f"worst of {len(rows)} corruptions are {_listed(most)}; the median is "
        f"{median(row['ua_drop'] for row in rows):.1f} points: "
        "[docs/results.md](docs/results.md#in-noise-on-the-phone-in-part)."
    )


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
