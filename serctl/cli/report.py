"""``serctl report``: summarize results, as tables, data, a page or a workbook."""

import os

import click

from serctl.cli import options
from serctl.cli.report_options import MOMENTS, OUTPUT, MomentOptions, OutputOptions
from serctl.errors import PathError, UsageError
from serctl.results.schema import JOURNAL

DEFAULT_RESULTS = "serctl-results.csv"
LIST_FORMS = ("table", "markdown", "csv", "json")

EXAMPLES = """\b
Examples:
  serctl report                                summarize serctl-results.csv
  serctl report -o report.html                 a page with tables and charts
  serctl report --by folder mon.csv tue.csv    two files, by folder
  serctl report --by 'calls/(?P<agent>[^/]+)/' by a part of the path
  serctl report --compare old.csv new.csv      what changed its label
  serctl report --format csv > emotions.csv    for a spreadsheet
  serctl report --rank angry                   what to listen to first
  serctl report --moments 20 --emotion angry   and at which time
"""


@click.command(epilog=EXAMPLES)
@click.argument("results", nargs=-1, type=click.Path())
@click.option(
    "--by",
    metavar="GROUPING",
    help="Group by emotion, folder, status, a column, or a pattern of paths with a named group.  "
    "[default: emotion, then status; with --format csv, emotion]",
)
@click.option("--compare", is_flag=True, help="Compare two RESULTS, the older one first.")
@OUTPUT
@MOMENTS
def report(
    results: tuple[str, ...],
    by: str | None,
    compare: bool,
    writing: OutputOptions,
    listing: MomentOptions,
) -> None:
    """Summarize results: counts, shares, confidence and duration.

    RESULTS are files of serctl classify (.csv, .jsonl or .json); the default is serctl-results.csv.
    Several files are summarized as one. Columns that you added to them are kept.
    """
    form = writing.checked_form()
    if compare:
        options.refuse_unused(
            "by", "moments", "rank", "emotion", because="has no effect with --compare"
        )
        _compare(results, form, writing.output)
        return
    nothing = not any(os.path.exists(DEFAULT_RESULTS + end) for end in ("", JOURNAL))
    if not results and nothing:
        raise PathError(
            f"{DEFAULT_RESULTS}: does not exist in this folder, and no RESULTS are given. Create it "
            "with: serctl classify ./recordings"
        )
    files = results or (DEFAULT_RESULTS,)
    if listing.moments or listing.rank:
        options.refuse_unused("by", "output", because="has no effect with --moments and --rank")
        _list(files, listing, form)
        return
    _summarize(files, by, form, writing)


def _summarize(files: tuple[str, ...], by: str | None, form: str, writing: OutputOptions) -> None:
    if form == "html":
        from serctl.reports.page import PageOptions, page_text

        page = PageOptions(by, writing.audio or "none", writing.folder)
        _write(page_text(files, page), writing.output)
        return
    if form == "xlsx":
        from serctl.reports.workbook import write_workbook

        assert writing.output is not None
        write_workbook(files, writing.output, by)
        return
    from serctl.results.summary import summarize
    from serctl.results.summary_text import csv_text, markdown_text

    summary = summarize(files, by)
    grouping = summary.grouping.name if summary.grouping else by
    if form == "table":
        from serctl.cli.terminal.tables import print_summary

        print_summary(summary, grouping)
    elif form == "markdown":
        _write(markdown_text(summary, grouping), writing.output)
    elif form == "csv":
        _write(csv_text(summary, grouping or "emotion"), writing.output)
    else:
        from serctl.reports.contents import json_text

        _write(json_text(summary), writing.output)


def _list(files: tuple[str, ...], listing: MomentOptions, form: str) -> None:
    from serctl.cli.terminal.moments import print_moments, print_ranked

    _check_form(form, "--moments and --rank")
    if listing.rank:
        print_ranked(files, listing.rank, listing.threshold, form)
    if listing.moments:
        print_moments(files, listing.moments, listing.emotion, form)


def _compare(results: tuple[str, ...], form: str, output: str | None) -> None:
    from serctl.cli.terminal.comparison import comparison_text, print_comparison
    from serctl.results.comparison import compare_results

    _check_form(form, "--compare")
    if len(results) != 2:
        raise UsageError(
            f"--compare: {len(results)} RESULTS; two are needed, the older one first: "
            "serctl report --compare old.csv new.csv"
        )
    compared = compare_results(*results)
    if form == "table":
        print_comparison(compared)
    else:
        _write(comparison_text(compared, form), output)


def _check_form(form: str, what: str) -> None:
    if form not in LIST_FORMS:
        raise UsageError(f"--format {form}: not with {what}, which give {', '.join(LIST_FORMS)}.")


def _write(text: str, output: str | None) -> None:
    from serctl.files.outputs import atomic_write

    # As bytes, so that names that are not UTF-8 keep their bytes.
    content = text.encode("utf-8", "surrogateescape")
    if output is None:
        click.echo(content, nl=False)
        return
    with atomic_write(output) as partial, open(partial, "wb") as file:
        file.write(content)
