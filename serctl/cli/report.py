"""``serctl report``: summaries of results."""

import os
from typing import TYPE_CHECKING

import click

from serctl.errors import PathError

if TYPE_CHECKING:
    from serctl.report import Summary
    from serctl.report_tables import Table

DEFAULT_RESULTS = "serctl-results.csv"

EXAMPLES = """\b
Examples:
  serctl report                                summarise serctl-results.csv
  serctl report --by folder mon.csv tue.csv    two files, folder by folder
  serctl report --format csv > emotions.csv    for a spreadsheet
"""


@click.command(epilog=EXAMPLES)
@click.argument("results", nargs=-1, type=click.Path())
@click.option(
    "--by",
    type=click.Choice(["emotion", "folder", "status"]),
    help="What to group by.  [default: emotion and then status; with --format csv, emotion]",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "markdown", "csv", "json"]),
    default="table",
    show_default=True,
    help="csv is one tidy table, with durations in seconds; json holds every grouping.",
)
def report(results: tuple[str, ...], by: str | None, form: str) -> None:
    """Summarise results: counts, shares, confidence and duration.

    RESULTS are files that serctl classify wrote (.csv, .jsonl or .json), serctl-results.csv if none
    is named. Several are summarised as one.
    """
    from serctl.report import csv_text, json_text, summarise
    from serctl.report_tables import markdown_text

    if not results and not os.path.exists(DEFAULT_RESULTS):
        raise PathError(
            f"{DEFAULT_RESULTS}: there is no such file here, and no other results were named. Make "
            "it first with: serctl classify ./recordings"
        )
    summary = summarise(results or (DEFAULT_RESULTS,))
    if form == "table":
        _print_tables(summary, by)
        return
    text = {
        "markdown": lambda: markdown_text(summary, by),
        "csv": lambda: csv_text(summary, by or "emotion"),
        "json": lambda: json_text(summary),
    }[form]()
    # As bytes, so that names that are not UTF-8 come out as they are.
    click.echo(text.encode("utf-8", "surrogateescape"), nl=False)


def _print_tables(summary: "Summary", by: str | None) -> None:
    from rich.console import Console

    from serctl.report_tables import headline, reasons, tables

    # Paths are shown as they are: what looks like markup, a number or an emoji in one is none.
    console = Console(markup=False, highlight=False, emoji=False)
    console.print(headline(summary))
    for table in tables(summary, by):
        console.print()
        console.print(_rich_table(table))
    if by in (None, "status"):
        for reason, paths in reasons(summary):
            console.print()
            console.print(reason)
            for path in paths:
                # Not wrapped, so that a long path can be copied whole.
                console.print(f"  {path}", soft_wrap=True)


def _rich_table(table: "Table") -> object:
    from rich import box
    from rich.table import Table as RichTable

    from serctl.report_tables import TEXT_COLUMNS

    rich_table = RichTable(
        title=table.title,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        show_edge=False,
    )
    for column, header in zip(table.columns, table.headers, strict=True):
        if column in TEXT_COLUMNS:
            # Only a folder may be longer than a terminal is wide.
            rich_table.add_column(header, overflow="fold", no_wrap=column != "folder")
        else:
            rich_table.add_column(header, justify="right", no_wrap=True)
    for cells in table.rows:
        rich_table.add_row(*cells)
    if table.total:
        rich_table.add_section()
        rich_table.add_row(*table.total)
    return rich_table
