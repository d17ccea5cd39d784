"""What changed between two results files, as tables, CSV or JSON."""

import json
from dataclasses import asdict, fields

import click

from serctl.cli.terminal.tables import plain_console, print_table
from serctl.reports.comparison import Change, Comparison
from serctl.results.dialects import csv_line
from serctl.text import count, escape_markdown, markdown_table, printable

N_SHOWN = 20
COLUMNS = tuple(field.name for field in fields(Change))


def comparison_text(compared: Comparison, form: str) -> str:
    """Difference of two results files as text.

    Parameters
    ----------
    compared : Comparison
        Of any two files.
    form : str
        ``markdown``, ``csv`` (each changed row) or ``json`` (counts, and each changed row).
    """
    changes = [asdict(change) for change in compared.ordered]
    if form == "csv":
        cells = [["" if cell is None else str(cell) for cell in row.values()] for row in changes]
        return "".join(csv_line(line) for line in (list(COLUMNS), *cells))
    if form == "json":
        counts = {"n_both": compared.n_both, "n_same": compared.n_same}
        pairs = [{"old": old, "new": new, "n": n} for (old, new), n in compared.pairs]
        found = {"old": compared.old, "new": compared.new, **counts, "pairs": pairs}
        return json.dumps({**found, "changes": changes}, indent=2) + "\n"
    lines = [escape_markdown(line) for line in _sentences(compared)]
    for title, headers, rows in _tables(compared):
        escaped = [[escape_markdown(printable(cell)) for cell in row] for row in rows]
        lines += ["", f"## {title}", "", markdown_table(headers, escaped)]
    return "\n".join(lines) + "\n"


def print_comparison(compared: Comparison) -> None:
    """Print what changed: how often which label became which, and the largest changes."""
    for line in _sentences(compared):
        click.echo(line)
    for title, headers, rows in _tables(compared):
        n_all = len(compared.changes)
        bars = [int(row[2]) / n_all for row in rows] if title == "Changed labels" else ()
        print_table(plain_console(), title, headers, rows, text=(0, 1), bars=bars)


def _sentences(compared: Comparison) -> list[str]:
    n_changed = compared.n_both - compared.n_same
    share = f" ({n_changed / compared.n_both:.1%})" if compared.n_both else ""
    moved = compared.moved / compared.n_moved if compared.n_moved else 0.0
    n_only = [
        sum(change.old == "no row" for change in compared.changes),
        sum(change.new == "no row" for change in compared.changes),
    ]
    return [
        f"{printable(compared.old)} and {printable(compared.new)}: {count(compared.n_both, 'row')} in "
        f"both, {n_changed} with another label{share}; {n_only[0]} only in the newer, {n_only[1]} only "
        "in the older.",
        f"On average, {moved:.1%} of the probability is on other emotions than before.",
    ]


def _tables(compared: Comparison) -> list[tuple[str, list[str], list[list[str]]]]:
    if not compared.changes:
        return []
    pairs = [[old, new, str(n)] for (old, new), n in compared.pairs]
    largest = [
        [
            change.path + (f" ({change.channel})" if change.channel else ""),
            f"{change.old} -> {change.new}",
            _figure(change.old_confidence),
            _figure(change.new_confidence),
            "-" if change.change is None else f"{change.change:+.3f}",
        ]
        for change in compared.ordered[:N_SHOWN]
    ]
    headers = ["Recording", "Label", "Confidence", "Now", "Change"]
    title = f"Largest {N_SHOWN} of {len(compared.changes)} changes"
    if len(compared.changes) <= N_SHOWN:
        title = "All changes"
    return [("Changed labels", ["Was", "Is", "Recordings"], pairs), (title, headers, largest)]


def _figure(number: float | None) -> str:
    return "-" if number is None else f"{number:.3f}"
