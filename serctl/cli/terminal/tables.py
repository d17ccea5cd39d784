"""Tables on a terminal, drawn alike for every command.

Text is shown as it is: what looks like markup, a number or an emoji in a path is none.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from serctl.results.summary import Summary

WIDTH = 80  # of a terminal that does not say its own
LEAST_TEXT = 12  # characters of a column of text, if its cells have as many
GAP = 3  # between columns


def plain_console(stderr: bool = False) -> "Console":
    """Console that interprets nothing of what it is given."""
    from rich.console import Console

    console = Console(stderr=stderr, markup=False, highlight=False, emoji=False)
    if not console.width:  # by COLUMNS=0: not known
        console.width = WIDTH
    return console


def print_table(
    console: "Console",
    title: str,
    headers: Sequence[str],
    rows: Iterable[Sequence[str]],
    totals: Iterable[Sequence[str]] = (),
    text: Collection[int] = (0,),
) -> None:
    """Print a table.

    Parameters
    ----------
    console : Console
        Where to.
    title : str
        Above it.
    headers : sequence of str
        Of the columns.
    rows : iterable of sequences of str
        Cells.
    totals : iterable of sequences of str
        Rows for the whole, at the foot.
    text : collection of int
        Columns that are text, and may be wrapped; the others are numbers, aligned to the right.
    """
    from rich import box
    from rich.cells import cell_len
    from rich.table import Table
    from rich.text import Text

    rows, totals = list(rows), list(totals)
    longest = [max(map(cell_len, cells)) for cells in zip(headers, *rows, *totals, strict=True)]
    table = Table(box=box.SIMPLE_HEAD, show_edge=False)
    least = 0
    for i, header in enumerate(headers):
        if i in text:
            table.add_column(header, overflow="fold", min_width=min(longest[i], LEAST_TEXT))
        else:
            table.add_column(header, justify="right", no_wrap=True)
        least += GAP + (min(longest[i], LEAST_TEXT) if i in text else longest[i])
    for cells in rows:
        table.add_row(*map(Text, cells))
    table.add_section()
    for cells in totals:
        table.add_row(*map(Text, cells))
    console.print()
    # Not wrapped, so that a path in it can be copied whole.
    console.print(Text(title, style="bold"), soft_wrap=True)
    # A terminal that is too narrow wraps lines; of a narrower table, cells would be cut or gone.
    width = console.width
    console.width = max(width, least)
    console.print(table)
    console.width = width


def print_summary(summary: "Summary", by: str | None = None, stderr: bool = False) -> None:
    """Print what results hold.

    Parameters
    ----------
    summary : Summary
        Of results.
    by : str, optional
        One of `serctl.results.summary.GROUPINGS`; without it, by emotion and by status.
    stderr : bool
        Whether to standard error, and not to standard output.
    """
    from serctl.results.summary_text import TEXT_COLUMNS, headline, reasons, tables

    console = plain_console(stderr)
    console.print(headline(summary))
    for table in tables(summary, by):
        text = [i for i, column in enumerate(table.columns) if column in TEXT_COLUMNS]
        totals = [table.total] if table.total else []
        print_table(console, table.title, table.headers, table.rows, totals, text)
    if by in (None, "status"):
        for reason, paths in reasons(summary):
            console.print()
            console.print(reason)
            for path in paths:
                # Not wrapped, so that a long path can be copied whole.
                console.print(f"  {path}", soft_wrap=True)
