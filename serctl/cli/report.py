"""``serctl report``: summaries of results."""

import os

import click

from serctl.errors import PathError
from serctl.results.schema import JOURNAL

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
    from serctl.cli.terminal.tables import print_summary
    from serctl.results.summary import csv_text, json_text, summarise
    from serctl.results.summary_text import markdown_text

    nothing = not any(os.path.exists(DEFAULT_RESULTS + end) for end in ("", JOURNAL))
    if not results and nothing:
        raise PathError(
            f"{DEFAULT_RESULTS}: there is no such file here, and no other results were named. Make "
            "it first with: serctl classify ./recordings"
        )
    summary = summarise(results or (DEFAULT_RESULTS,))
    if form == "table":
        print_summary(summary, by)
        return
    text = {
        "markdown": lambda: markdown_text(summary, by),
        "csv": lambda: csv_text(summary, by or "emotion"),
        "json": lambda: json_text(summary),
    }[form]()
    # As bytes, so that names that are not UTF-8 come out as they are.
    click.echo(text.encode("utf-8", "surrogateescape"), nl=False)
