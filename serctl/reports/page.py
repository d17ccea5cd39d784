"""The HTML page of a report: one file that needs no network.

The page is our template, style sheet and scripts (`serctl/reports/page`), and the data. Names of
files, labels and text are untrusted. They stand only in a JSON object of base64, and the scripts put
them into the page as text, never as markup. A content security policy in the page allows the two
scripts that it has by their SHA-256, no other source, no connection, and (``require-trusted-types-for``)
no markup from a string.
"""

import base64
import hashlib
import html
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any
from urllib.parse import quote

from serctl.reports.columns import pack_text
from serctl.reports.contents import json_text
from serctl.reports.tables import RecordingsTable, segments_table
from serctl.results.summary import open_summary

# In this order, since later ones use names of earlier ones.
SCRIPTS = (
    "elements.js",
    "columns.js",
    "player.js",
    "filters.js",
    "table.js",
    "charts.js",
    "toolbox.js",
    "recordings.js",
    "groups.js",
    "timelines.js",
    "segments.js",
    "sample.js",
    "about.js",
    "main.js",
)
AUDIO = ("none", "link")
FORMAT = 1  # of the tables in a page, which a saved report has too


@dataclass(frozen=True)
class PageOptions:
    """What a page holds.

    Attributes
    ----------
    by : str or None
        What recordings are grouped by, as `serctl.results.grouping.parse_grouping` takes it; None
        is the folder.
    audio : str
        One of `AUDIO`: ``link`` plays recordings from their files.
    folder : str
        Where the page is going to stand; links to recordings are relative to it.
    """

    by: str | None = None
    audio: str = "none"
    folder: str = "."


def page_text(files: Sequence[str], options: PageOptions) -> str:
    """Make the page.

    Parameters
    ----------
    files : sequence of str
        Results files, with records of runs and segments files beside them, if there are any.
    options : PageOptions
        What the page holds.

    Returns
    -------
    str
        HTML, in ASCII but for our own text. The same files give the same page.

    Raises
    ------
    PathError, UsageError, ResultsError, NothingFoundError
        As `serctl.results.summary.summarize` and `serctl.results.segments.read_segments`.
    """
    return render(*read_page(files, options.by), options)


def read_page(files: Sequence[str], by: str | None) -> tuple[str, dict[str, Any]]:
    """Contents of a page, as JSON, and its tables, of results files.

    Returns
    -------
    str
        As `serctl.reports.contents.json_text`.
    dict
        ``format``, ``emotions``, ``by``, ``recordings`` and ``segments``, as JSON can hold them.
    """
    summary, results = open_summary(files, by)
    recordings = RecordingsTable(summary.emotions, summary.grouping)
    for result, emotions in results:
        recordings.add(result, emotions)
    return json_text(summary), {
        "format": FORMAT,
        "emotions": summary.labels,
        "by": summary.grouping.name if summary.grouping else "folder",
        "recordings": recordings.packed(),
        "segments": segments_table(summary.files, recordings, summary.emotions),
    }


def render(contents: str, tables: Mapping[str, Any], options: PageOptions) -> str:
    """Page of what `read_page` gives."""
    audio = _link_to_here(options.folder) if options.audio == "link" else None
    data = {"contents": pack_text(contents), "audio": audio, **tables}
    script = "\n".join(_asset(name) for name in SCRIPTS)
    script = f'(() => {{\n"use strict";\n{script}}})();\n'
    style = _asset("style.css")
    parts = {
        "POLICY": _policy(script, style, options.audio),
        "STYLE": style,
        "DATA": _json_for_html(data),
        "SCRIPT": script,
    }
    # At once, since what is put in may look like a place to put something.
    return re.sub(r"\{\{([A-Z]+)\}\}", lambda place: parts[place[1]], _asset("template.html"))


def _policy(script: str, style: str, audio: str) -> str:
    """Content security policy, as the value of an attribute."""
    media = "'self' file:" if audio == "link" else "'none'"
    policy = {
        "default-src": "'none'",
        "script-src": _hash(script),
        "style-src": _hash(style),
        "img-src": "data:",  # the empty icon of the page
        "media-src": media,
        "base-uri": "'none'",
        "form-action": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "'none'",
    }
    return html.escape("; ".join(f"{name} {value}" for name, value in policy.items()), quote=True)


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


def _json_for_html(value: object) -> str:
    """JSON in ASCII that can end neither its script element nor begin a comment in it."""
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _link_to_here(folder: str) -> str:
    """Relative URL from the page's folder to the current one, from which paths in results begin."""
    here = os.path.relpath(os.curdir, folder).replace(os.sep, "/")
    return "" if here == "." else quote(os.fsencode(here)) + "/"


def _asset(name: str) -> str:
    return (resources.files("serctl.reports") / "page" / name).read_text(encoding="utf-8")
