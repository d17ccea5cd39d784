"""Options of ``serctl report``: where it goes, and lists of what to listen to."""

import os
from dataclasses import dataclass

import click

from serctl.cli import options
from serctl.errors import UsageError

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
