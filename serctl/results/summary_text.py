"""Summaries as tables of text, made from the tidy rows of `serctl.results.summary`.

Cells are text, so that the terminal and Markdown show the same. Paths and reasons may hold any
character; `printable` escapes those that are unsafe to print.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from serctl.results.dialects import csv_line
from serctl.results.schema import STATUSES
from serctl.results.summary import Summary, Value, rows
from serctl.text import count, escape_markdown, markdown_table, printable

# Columns with another header than their name.
HEADERS = {
    "n": "recordings",
    "n_channels": "channels",
    "mean_confidence": "confidence",
    "duration_s": "duration",
    "speech_s": "speech",
    "most_frequent": "mostly",
}
TEXT_COLUMNS = frozenset({"most_frequent"})
NO_VALUE = "-"
N_FILES_NAMED = 3


@dataclass(frozen=True, slots=True)
class Table:
    """A table of text, with or without a row of totals.

    Attributes
    ----------
    title : str
        Above it.
    columns : tuple of str
        Names.
    rows : tuple of tuples of str
        Cells.
    total : tuple of str
        Cells of the last row.
    shares : tuple of float
        Share of each row, in [0, 1], to draw as a bar; 0 if it is not known.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    total: tuple[str, ...] = ()
    shares: tuple[float, ...] = ()

    @property
    def text(self) -> list[int]:
        """Numbers of the columns of text: the first one, and some that are known."""
        return [i for i, column in enumerate(self.columns) if i == 0 or column in TEXT_COLUMNS]

    @property
    def headers(self) -> tuple[str, ...]:
        """Headers of the columns."""
        return tuple(_header(column) for column in self.columns)


def headline(summary: Summary) -> str:
    """One line: files, number of recordings and total duration."""
    names = [printable(file) for file in summary.files]
    named = ", ".join(names if len(names) <= N_FILES_NAMED else [*names[:N_FILES_NAMED], "..."])
    where = named if len(names) == 1 else f"{len(names)} files ({named})"
    n_recordings = count(summary.total.n, "recording")
    if summary.has_channels:
        n_recordings += f" with {count(summary.total.n_rows, 'channel')}"
    twice = ""
    if summary.n_duplicates:
        twice = f"; {count(summary.n_duplicates, 'duplicate row')} not counted"
    return (
        f"{where}: {n_recordings}, {summary.total.n_labelled} labelled, "
        f"{clock(summary.total.duration_s)} of audio{twice}"
    )


def tables(summary: Summary, by: str | None = None) -> list[Table]:
    """Tables of a summary.

    Parameters
    ----------
    summary : Summary
        Of any results.
    by : str, optional
        One of `serctl.results.summary.GROUPINGS`, or what the summary is grouped by; by default,
        emotion and status.
    """
    if by is None:
        return [_by_emotion(summary), *_by_time(summary), _by_status(summary)]
    if by == "emotion":
        return [_by_emotion(summary)]
    if by == "status":
        return [_by_status(summary)]
    return _by_group(summary, summary.grouping.name if summary.grouping else by)


def reasons(summary: Summary) -> Iterator[tuple[str, list[str]]]:
    """Reasons why recordings have no label or an incomplete one, each with its first paths."""
    for reason in summary.ordered_reasons():
        if reason.status == "ok" and not reason.text:
            continue
        paths = [printable(path) for path in reason.examples]
        if reason.tally.n > len(paths):
            paths.append(f"and {reason.tally.n - len(paths)} more")
        text = printable(reason.text) or "no reason given"
        unit = "channel" if summary.has_channels else "recording"
        yield f"{reason.status}, {count(reason.tally.n, unit)}: {text}", paths


def markdown_text(summary: Summary, by: str | None = None) -> str:
    """Headline, tables and reasons in Markdown."""
    lines = [escape_markdown(headline(summary)), ""]
    for table in tables(summary, by):
        rows = [*table.rows, *([table.total] if table.total else [])]
        header, *cells = ([*map(escape_markdown, row)] for row in (table.headers, *rows))
        numeric = [i for i in range(len(table.columns)) if i not in table.text]
        lines += [f"## {table.title}", "", markdown_table(header, cells, numeric), ""]
    if by in (None, "status"):
        for reason, paths in reasons(summary):
            lines.append(f"- {escape_markdown(reason)}")
            lines += [f"  - {escape_markdown(path)}" for path in paths]
    return "\n".join(lines).rstrip() + "\n"


def csv_text(summary: Summary, by: str) -> str:
    """Tidy rows as CSV with a header; cells without a value are empty."""
    found = rows(summary, by)
    lines = [list(found[0])]
    lines += [["" if value is None else str(value) for value in row.values()] for row in found]
    return "".join(csv_line(line) for line in lines)


def clock(duration_s: float) -> str:
    """Hours, minutes and whole seconds: ``1:02:03``."""
    minutes, seconds = divmod(round(duration_s), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"


def _header(column: str) -> str:
    name = printable(HEADERS.get(column, column))
    return name[:1].upper() + name[1:]


def _by_emotion(summary: Summary) -> Table:
    found = rows(summary, "emotion")
    n_labelled = summary.total.n_labelled
    total: dict[str, Value] = {
        "emotion": "all labelled",
        "n": n_labelled,
        "share": 1.0 if n_labelled else None,
        "mean_confidence": summary.total.mean_confidence,
        "duration_s": sum(tally.duration_s for tally in summary.by_emotion.values()),
    }
    if summary.has_channels:
        found, total = [*map(_of_channels, found)], _of_channels(total)
    return _table("By emotion", found, total)


def _by_time(summary: Summary) -> list[Table]:
    """Seconds of speech by emotion, if there are segments."""
    found = summary.speech_time.rows(summary.labels)
    n = len(summary.speech_time.recordings)
    title = f"Speech in segments of {count(n, 'long recording')}, whose one label is an average"
    return [_table(title, found)] if n else []


def _by_group(summary: Summary, name: str) -> list[Table]:
    # Two tables, since one with all columns would not fit a terminal.
    figures: list[dict[str, Value]] = []
    counts: list[dict[str, Value]] = []
    for row in rows(summary, name):
        row[name] = row[name] or NO_VALUE
        counts.append({name: row[name]})
        counts[-1].update({emotion: row.pop(f"n_{emotion}") for emotion in summary.labels})
        figures.append({**row, "most_frequent": row["most_frequent"] or NO_VALUE})
    return [
        _table(f"By {printable(name)}", figures),
        _table(f"Emotions by {printable(name)}", counts),
    ]


def _by_status(summary: Summary) -> Table:
    # One row per status; the reasons are below the table.
    found: list[dict[str, Value]] = [
        {
            "status": status,
            "n": tally.n,
            "share": tally.n / summary.total.n_rows,
            "duration_s": tally.duration_s,
        }
        for status in STATUSES
        if (tally := summary.by_status.get(status))
    ]
    # The part of a scan that a shard gets may be empty.
    none: dict[str, Value] = {"status": STATUSES[0], "n": 0, "share": 0.0, "duration_s": 0.0}
    return _table(
        "By status", [*map(_of_channels, found)] if summary.has_channels else found or [none]
    )


def _of_channels(row: dict[str, Value]) -> dict[str, Value]:
    """A row whose number is one of channels."""
    return {"n_channels" if column == "n" else column: value for column, value in row.items()}


def _table(
    title: str, found: Sequence[dict[str, Value]], total: dict[str, Value] | None = None
) -> Table:
    cells = tuple(tuple(_shown(*item) for item in row.items()) for row in found)
    foot = tuple(_shown(*item) for item in total.items()) if total else ()
    shares = tuple(float(row.get("share") or 0) for row in found) if "share" in found[0] else ()
    return Table(title, tuple(found[0]), cells, foot, shares)


def _shown(column: str, value: Value) -> str:
    if value is None:
        return NO_VALUE
    if column in ("duration_s", "speech_s"):
        return clock(float(value))
    if column == "share":
        return f"{value:.1%}"
    if column == "mean_confidence":
        return f"{value:.3f}"
    return printable(str(value))
