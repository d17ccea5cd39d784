"""A saved report, ``report.json``: what a report says, and its rows, from which the page is made again.

It is the JSON of `serctl.reports.contents`, with the tables of the page under ``page``, compressed.
Neither results nor recordings are needed to make the page. What it holds is untrusted, as file names
are: the page shows it as text.
"""

import json
from collections.abc import Sequence
from typing import Any

from serctl.errors import ResultsError, UsageError
from serctl.reports.page import FORMAT, PageOptions, read_page, render

EXTENSION = ".json"
KEY = "page"
END = "\n}\n"  # of the contents
TABLES = {"format": int, "emotions": list, "by": str, "recordings": dict, "segments": dict}
NEEDED = "a report is needed that serctl report -o report.json wrote"


def report_text(files: Sequence[str], by: str | None) -> str:
    """JSON of a report with its rows.

    Parameters
    ----------
    files : sequence of str
        Results files.
    by : str or None
        As of `serctl.reports.page.PageOptions`.

    Raises
    ------
    PathError, UsageError, ResultsError, NothingFoundError
        As `serctl.reports.page.page_text`.
    """
    contents, tables = read_page(files, by)
    packed = json.dumps(tables, allow_nan=False, separators=(",", ":"))
    # On a line of its own, so that the rest stays easy to read.
    return f'{contents.removesuffix(END)},\n  "{KEY}": {packed}{END}'


def find_report(files: Sequence[str]) -> str | None:
    """Path of the saved report among results files, if there is one; UsageError if it is not alone."""
    saved = [path for path in files if _is_report(path)]
    if saved and len(files) > 1:
        raise UsageError(
            f"{saved[0]}: is a report, and makes a page alone. For several runs in one page, give "
            "their results files."
        )
    return saved[0] if saved else None


def _is_report(path: str) -> bool:
    """Whether a file is a report and not results: a JSON object and not an array."""
    if not path.lower().endswith(EXTENSION):
        return False
    try:
        with open(path, "rb") as file:
            return file.read(64).lstrip().startswith(b"{")
    except OSError:
        return False


def rebuilt_page(path: str, options: PageOptions) -> str:
    """Make the page of a saved report.

    Parameters
    ----------
    path : str
        Of ``report.json``.
    options : PageOptions
        What the page holds; its grouping is that of the report.

    Raises
    ------
    ResultsError
        If the file cannot be read, or is no report, or one without rows.
    """
    try:
        with open(path, encoding="utf-8") as file:
            contents = json.load(file)
        tables = contents.pop(KEY, None)
        if tables is None:
            raise ResultsError(
                f"{path}: has no rows, as the output of serctl report --format json; {NEEDED}. Or give "
                "the results files."
            )
        _check(tables)
        text = json.dumps(contents, indent=2, allow_nan=False) + "\n"
        return render(text, {name: tables[name] for name in TABLES}, options)
    except OSError as error:
        raise ResultsError(f"{path}: cannot be read ({error.strerror}).") from error
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ResultsError(f"{path}: not a report ({error}); {NEEDED}.") from error


def _check(tables: Any) -> None:
    """Raise ValueError, TypeError or KeyError unless a page can be made of these."""
    for name, kind in TABLES.items():
        if not isinstance(tables[name], kind):
            raise TypeError(f"{name} is a {type(tables[name]).__name__}")
    if tables["format"] != FORMAT:
        raise ValueError(f"of format {tables['format']}, and this version of serctl has {FORMAT}")
    for name in ("recordings", "segments"):
        if not isinstance(tables[name]["columns"], list) or tables[name]["n_rows"] < 0:
            raise TypeError(f"{name} is no table")
