"""``serctl report``: summarize results."""

import os

import click

from serctl.errors import PathError
from serctl.results.schema import JOURNAL

DEFAULT_RESULTS = "serctl-results.csv"

EXAMPLES = """\b
Examples:
  serctl report                                summarize serctl-results.csv
  serctl report --by folder mon.csv tue.csv    two files, by folder
  serctl report --format csv > emotions.csv    for a spreadsheet
"""


@click.command(epilog=EXAMPLES)
@click.argument("results", nargs=-1, type=click.Path())
@click.option(
    "--by",
    type=click.Choice(["emotion", "folder", "status"]),
    help="Group by this.  [default: emotion, then status; with --format csv, emotion]",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "markdown", "csv", "json"]),
    default="table",
    show_default=True,
    help="Output format; csv is one tidy table, json has all groupings.",
)
def report(results: tuple[str, ...], by: str | None, form: str) -> None:
    """Summarize results: counts, shares, confidence and duration.

    RESULTS are files of serctl classify (.csv, .jsonl or .json); the default is serctl-results.csv.
    Several files are summarized as one.
    """
    from serctl.cli.terminal.tables import print_summary
    from serctl.results.summary import csv_text, json_text, summarize
    from serctl.results.summary_text import markdown_text

    nothing = not any(os.path.exists(DEFAULT_RESULTS + end) for end in ("", JOURNAL))
    if not results and nothing:
        raise PathError(
            f"{DEFAULT_RESULTS}: does not exist in this folder, and no RESULTS are given. Create it "
            "with: serctl classify ./recordings"
        )
    summary = summarize(results or (DEFAULT_RESULTS,))
    if form == "table":
        print_summary(summary, by)
        return
    text = {
        "markdown": lambda: markdown_text(summary, by),
        "csv": lambda: csv_text(summary, by or "emotion"),
        "json": lambda: json_text(summary),
    }[form]()
    # As bytes, so that names that are not UTF-8 keep their bytes.
    click.echo(text.encode("utf-8", "surrogateescape"), nl=False)
