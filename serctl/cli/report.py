"""``serctl report``: summarize results, as tables, data, a page or a workbook."""

import os
from dataclasses import dataclass

import click

from serctl.cli import options
from serctl.errors import PathError, UsageError
from serctl.results.schema import JOURNAL

DEFAULT_RESULTS = "serctl-results.csv"
LIST_FORMS = ("table", "markdown", "csv", "json")

EXAMPLES = """\b
Examples:
  serctl report                                summarize serctl-results.csv
  serctl report -o report.html                 a page with tables and charts
  serctl report report.json -o report.html     the page of a saved report
  serctl report --by folder mon.csv tue.csv    two files, by folder
  serctl report --by 'calls/(?P<agent>[^/]+)/' by a part of the path
  serctl report --compare old.csv new.csv      what changed its label
  serctl report --format csv > emotions.csv    for a spreadsheet
  serctl report --rank angry                   what to listen to first
  serctl report --moments 20 --emotion angry   and at which time
"""

# Extension of each format.
EXTENSIONS = {
    "markdown": ".md",
    "csv": ".csv",
    "json": ".json",
    "html": ".html",
    "xlsx": ".xlsx",
}


@dataclass(frozen=True)
class OutputOptions:
    """What is written, and where.

    Attributes
    ----------
    form : str or None
        ``table`` or one of `EXTENSIONS`; None is that of the output's extension, or a table.
    output : str or None
        Path of a file; None is standard output.
    overwrite : bool
        Whether an existing file may be replaced.
    audio : str or None
        As `serctl.reports.page.PageOptions` takes it.
    """

    form: str | None
    output: str | None
    overwrite: bool
    audio: str | None

    def checked_form(self) -> str:
        """Format of the report; UsageError or ResultsError if it cannot go to the output."""
        from serctl.files.outputs import check_output, extension_of

        form = self.form
        if self.output is not None:
            forms = {extension: name for name, extension in EXTENSIONS.items()}
            form = form or forms[extension_of(self.output, tuple(forms))]
            if form == "table":
                raise UsageError(
                    f"{self.output}: a table is for the terminal. Remove --format, or choose "
                    f"{', '.join(EXTENSIONS)}."
                )
            check_output(self.output, (EXTENSIONS[form],), self.overwrite)
        elif form == "xlsx":
            raise UsageError("--format xlsx: needs a file. Add -o report.xlsx.")
        if self.audio and form != "html":
            raise UsageError(f"--audio: has no effect on {form or 'a table'}. Add --format html.")
        return form or "table"

    @property
    def folder(self) -> str:
        """Folder of the output; the current one for standard output."""
        return os.path.dirname(self.output or "") or os.curdir


OUTPUT = options.option_group(
    "writing",
    OutputOptions,
    click.option(
        "--format",
        "form",
        type=click.Choice(["table", *EXTENSIONS]),
        help="Output format; json has all groupings, html is a page.  [default: table, or as -o]",
    ),
    click.option("-o", "--output", metavar="FILE", help="Write to a file."),
    click.option("--overwrite", is_flag=True, help="Replace an existing file."),
    click.option(
        "--audio",
        type=click.Choice(["none", "link"]),
        help="Let the page play recordings from their files.  [default: none]",
    ),
)


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

    RESULTS are files of serctl classify (.csv, .jsonl or .json), or folders of them; the default is
    serctl-results.csv. Several files are summarized as one. Columns that you added are kept. A
    report that was written with -o report.json can be made a page.
    """
    if compare:
        options.refuse_unused(
            "by", "moments", "rank", "emotion", because="has no effect with --compare"
        )
    nothing = not any(os.path.exists(DEFAULT_RESULTS + end) for end in ("", JOURNAL))
    if not results and nothing and not compare:
        raise PathError(
            f"{DEFAULT_RESULTS}: does not exist in this folder, and no RESULTS are given. Create it "
            "with: serctl classify ./recordings"
        )
    from serctl.reports.saved import find_report
    from serctl.results.reader import require_results
    from serctl.results.shards.finding import find_results

    files = results if compare else tuple(find_results(results or (DEFAULT_RESULTS,)))
    for path in files:
        require_results(path)
    form = writing.checked_form()
    if saved := find_report(files):
        options.refuse_unused(
            "by", "compare", "moments", "rank", "emotion", because=f"has no effect on {saved}"
        )
        _rebuild(saved, form, writing)
        return
    if compare:
        _compare(results, form, writing.output)
        return
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
    if form == "json" and writing.output is not None:
        from serctl.reports.saved import report_text

        _write(report_text(files, by), writing.output)
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


def _rebuild(path: str, form: str, writing: OutputOptions) -> None:
    from serctl.reports.page import PageOptions
    from serctl.reports.saved import rebuilt_page

    if form != "html":
        raise UsageError(
            f"{path}: is a report, of which a page can be made: add -o report.html. For anything "
            "else, give the results files."
        )
    options = PageOptions(None, writing.audio or "none", writing.folder)
    _write(rebuilt_page(path, options), writing.output)


def _list(files: tuple[str, ...], listing: MomentOptions, form: str) -> None:
    from serctl.cli.terminal.moments import print_moments, print_ranked

    _check_form(form, "--moments and --rank")
    if listing.rank:
        print_ranked(files, listing.rank, listing.threshold, form)
    if listing.moments:
        print_moments(files, listing.moments, listing.emotion, form)


def _compare(results: tuple[str, ...], form: str, output: str | None) -> None:
    from serctl.cli.terminal.comparison import comparison_text, print_comparison
    from serctl.reports.comparison import compare_results

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
