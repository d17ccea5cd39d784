"""What a report says, but for its rows, as JSON can hold it: ``serctl report --format json``.

The HTML page has the same object in it, and gives it back as ``report.json``.
"""

import json
from typing import Any

from serctl import __version__
from serctl.reports.model_card import card_in_short, must_not_use
from serctl.reports.moments import NOTICE
from serctl.reports.words import opening
from serctl.results.summary import GROUPINGS, Summary, rows
from serctl.results.writer import run_path


def report_contents(summary: Summary) -> dict[str, Any]:
    """Complete summary, the parameters of the runs and the cards of their models.

    Parameters
    ----------
    summary : Summary
        Of results files; the record of a run stands beside its results, ``<output>.run.json``.

    Returns
    -------
    dict
        ``files``, ``n_recordings``, ``n_channels`` (rows), ``n_labelled``, ``mean_confidence``,
        ``duration_s``, ``speech_s``; the tidy rows under ``emotion``, ``folder``, ``status`` and, of
        segments, ``speech``; those of a grouping under ``group``, with its name in ``by``; ``in_words``;
        ``notice`` and ``must_not_use``; ``runs``; ``models``; ``serctl_version``.
    """
    runs = [_read_run(file) for file in summary.files]
    cards = {}
    for run in runs:
        name, sha256 = str(run.get("model", "")), str(run.get("model_sha256", ""))
        if card := card_in_short(name, sha256):
            cards[name] = card
    grouping = summary.grouping
    return {
        "serctl_version": __version__,
        "files": summary.files,
        "n_recordings": summary.total.n,
        "n_channels": summary.total.n_rows,
        "n_labelled": summary.total.n_labelled,
        "mean_confidence": summary.total.mean_confidence,
        "duration_s": round(summary.total.duration_s, 3),
        "speech_s": round(summary.total.speech_s, 3),
        **{by: rows(summary, by) for by in GROUPINGS},
        "speech": summary.speech_time.rows(summary.labels),
        **({"by": grouping.name, "group": rows(summary, grouping.name)} if grouping else {}),
        "in_words": opening(summary),
        "notice": NOTICE,
        "must_not_use": must_not_use(),
        "runs": runs,
        "models": list(cards.values()),
    }


def json_text(summary: Summary) -> str:
    """`report_contents` as indented JSON."""
    return json.dumps(report_contents(summary), indent=2, allow_nan=False) + "\n"


def _read_run(file: str) -> dict[str, Any]:
    """Record of the run that wrote a results file, with its name; only that if there is none."""
    try:
        with open(run_path(file), encoding="utf-8") as opened:
            record = json.load(opened)
        json.dumps(record, allow_nan=False)
    except (OSError, ValueError, RecursionError):
        record = {}
    return {"file": file, **(record if isinstance(record, dict) else {})}
