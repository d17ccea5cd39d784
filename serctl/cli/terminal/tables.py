"""Tables on a terminal, in one style for all commands.

Text is printed unchanged: nothing in a path is interpreted as markup, number or emoji.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

from serctl.text import printable, printable_lines

if TYPE_CHECKING:
    from rich.console import Console

    from serctl.results.summary import Summary

WIDTH = 80  # if the terminal does not report its width
MIN_TEXT = 12  # characters of a column of text, if its cells have as many
GAP = 3  # between columns


def plain_console(stderr: bool = False) -> "Console":
    """Console that prints text without interpreting it."""
    from rich.console import Console

    console = Console(stderr=stderr, markup=False, highlight=False, emoji=False)
    if not console.width:  # COLUMNS=0: unknown
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
        Where to print.
    title : str
        Printed above the table.
    headers : sequence of str
        Headers of the columns.
    rows : iterable of sequences of str
        Cells.
    totals : iterable of sequences of str
        Rows of totals, at the end.
    text : collection of int
        Numbers of the columns of text, which may wrap; the others are right-aligned numbers.
    """
    from rich import box
    from rich.cells import cell_len
    from rich.table import Table
    from rich.text import Text

    rows, totals = ([*map(printable_cells, some)] for some in (rows, totals))
    headers = printable_cells(headers)
    longest = [max(map(cell_len, cells)) for cells in zip(headers, *rows, *totals, strict=True)]
    table = Table(box=box.SIMPLE_HEAD, show_edge=False)
    min_width = 0
    for i, header in enumerate(headers):
        if i in text:
            table.add_column(Text(header), overflow="fold", min_width=min(longest[i], MIN_TEXT))
        else:
            table.add_column(Text(header), justify="right", no_wrap=True)
        min_width += GAP + (min(longest[i], MIN_TEXT) if i in text else longest[i])
    for cells in rows:
        table.add_row(*map(Text, cells))
    table.add_section()
    for cells in totals:
        table.add_row(*map(Text, cells))
    console.print()
    # Not wrapped, so that a path in it can be copied.
    console.print(Text(printable(title), style="bold"), soft_wrap=True)
    # Let a narrow terminal wrap the lines; rich would cut off cells.
    width = console.width
    console.width = max(width, min_width)
    console.print(table)
    console.width = width


def printable_cells(cells: Sequence[str]) -> list[str]:
    """Cells that are safe to print."""
    return [*map(printable_lines, cells)]


def print_summary(summary: "Summary", by: str | None = None, stderr: bool = False) -> None:
    """Print a summary of results.

    Parameters
    ----------
    summary : Summary
        What to print.
    by : str, optional
        One of `serctl.results.summary.GROUPINGS`; by default, emotion and status.
    stderr : bool
        Whether to print to standard error instead of standard output.
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
                # Not wrapped, so that a long path can be copied.
                console.print(f"  {path}", soft_wrap=True)
