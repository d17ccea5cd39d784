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
BAR = 12  # characters of a bar for the whole
EIGHTHS = " \u258f\u258e\u258d\u258c\u258b\u258a\u2589"  # of a character's width
FULL = "\u2588"


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
    bars: Sequence[float] = (),
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
    bars : sequence of float
        A share in [0, 1] for each row, drawn in a last column if there is room.
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
    drawn: list[list[str]] = [[] for _ in rows]
    if bars and sum(longest) + GAP * (len(longest) + 1) + BAR <= console.width:
        table.add_column("", width=BAR, no_wrap=True)
        drawn = [[bar(share, console.encoding)] for share in bars]
    for cells, last in zip(rows, drawn, strict=True):
        table.add_row(*map(Text, (*cells, *last)))
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


def bar(share: float, encoding: str) -> str:
    """Bar of a share in [0, 1], `BAR` characters long for 1; of ``#`` where there are no blocks."""
    if not encoding.lower().startswith("utf"):
        return "#" * round(share * BAR)
    n_full, n_eighths = divmod(round(share * BAR * len(EIGHTHS)), len(EIGHTHS))
    return (FULL * n_full + EIGHTHS[n_eighths]).rstrip()


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
        As `serctl.results.summary_text.tables` takes it.
    stderr : bool
        Whether to print to standard error instead of standard output.
    """
    from serctl.results.summary_text import headline, reasons, tables

    console = plain_console(stderr)
    console.print(headline(summary))
    for table in tables(summary, by):
        totals = [table.total] if table.total else []
        cells = (table.headers, table.rows, totals, table.text, table.shares)
        print_table(console, table.title, *cells)
    if by in (None, "status"):
        for reason, paths in reasons(summary):
            console.print()
            console.print(reason)
            for path in paths:
                # Not wrapped, so that a long path can be copied.
                console.print(f"  {path}", soft_wrap=True)
