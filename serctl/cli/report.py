"""``serctl report``: summarize results."""

import os
from dataclasses import dataclass

import click

from serctl.cli import options
from serctl.errors import PathError
from serctl.results.schema import JOURNAL

DEFAULT_RESULTS = "serctl-results.csv"

EXAMPLES = """\b
Examples:
  serctl report                                summarize serctl-results.csv
  serctl report --by folder mon.csv tue.csv    two files, by folder
  serctl report --format csv > emotions.csv    for a spreadsheet
  serctl report --rank angry                   what to listen to first
  serctl report --moments 20 --emotion angry   and at which time
"""


@dataclass(frozen=True)
class MomentOptions:
    """Lists of what to listen to, from the segments of long recordings.

    Attributes
    ----------
    moments : int or None
        How many segments.
    emotion : str or None
        Of these segments.
    rank : str or None
        Emotion that recordings are ranked by.
    threshold : float
        Probability from which a segment counts.
    """

    moments: int | None
    emotion: str | None
    rank: str | None
    threshold: float


MOMENTS = options.option_group(
    "listing",
    MomentOptions,
    click.option(
        "--moments",
        type=click.IntRange(min=1),
        metavar="N",
        help="List the N segments with the highest probability. No label is evidence of anything.",
    ),
    click.option("--emotion", metavar="NAME", help="Emotion of these segments."),
    click.option(
        "--rank",
        metavar="EMOTION",
        help="Rank recordings by an emotion. In the EU not allowed at work or in education.",
    ),
    click.option(
        "--threshold",
        type=click.FloatRange(0, 1),
        default=0.0,
        show_default=True,
        help="Probability from which --rank counts a segment.",
    ),
)


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
@MOMENTS
def report(results: tuple[str, ...], by: str | None, form: str, listing: MomentOptions) -> None:
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
    if listing.moments or listing.rank:
        from serctl.cli.terminal.moments import print_moments, print_ranked

        if listing.rank:
            print_ranked(results or (DEFAULT_RESULTS,), listing.rank, listing.threshold, form)
        if listing.moments:
            files = results or (DEFAULT_RESULTS,)
            print_moments(files, listing.moments, listing.emotion, form)
        return
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
