"""Lines of a journal: its header, and one for every finished recording.

The header has the version of the journal and every parameter that results depend on. A row's line
has the recording's row, as in a results file, and its file's stamp, from before it was read: a row
holds as long as the file has this stamp. Of what is read, a line that is not whole is None, and a
header that is another one a ResultsError that names each difference.
"""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from serctl.errors import ResultsError
from serctl.files.stamps import Stamp

VERSION = 1


class Line(NamedTuple):
    """A finished recording: stamp of its file, and its row, column to value."""

    stamp: Stamp
    row: dict[str, Any]


def header_line(parameters: Mapping[str, Any]) -> str:
    """First line of a journal, in ASCII, of everything that results depend on."""
    return json.dumps({"journal": VERSION, **parameters}) + "\n"


def row_line(stamp: Stamp, row: str) -> str:
    """Line of a recording; its row is the JSON of a results file, in ASCII."""
    # The row goes last and as it came, since taking it apart would cost more than all else.
    return f'{{"stamp": {json.dumps(stamp)}, "row": {row}}}\n'


def read_row(line: bytes) -> Line | None:
    """Read the line of a recording; None if it is not a whole one."""
    try:
        record = json.loads(line) if line.endswith(b"\n") else None
        if isinstance(record, dict) and isinstance(record["row"]["path"], str):
            row = record["row"]
            return Line(Stamp(*record["stamp"]), row) if isinstance(row["status"], str) else None
    except (ValueError, TypeError, KeyError, RecursionError):
        pass
    return None


def check_header(line: bytes, parameters: Mapping[str, Any], path: str) -> None:
    """Compare the first line of a journal with what it has to be.

    Parameters
    ----------
    line : bytes
        As found, with its line feed if it has one.
    parameters : mapping
        As for `header_line`.
    path : str
        Of the journal, for the message.

    Raises
    ------
    ResultsError
        If it is no journal's, or that of a run with another model or other parameters.
    """
    try:
        found = json.loads(line) if line.endswith(b"\n") else None
    except ValueError:
        found = None
    if not isinstance(found, dict) or "journal" not in found:
        raise ResultsError(
            f"{path}: not a journal of serctl. Move it away, or start anew with --overwrite."
        )
    check_parameters(found, json.loads(header_line(parameters)), path)


def check_parameters(found: Mapping[str, Any], expected: Mapping[str, Any], path: str) -> None:
    """Compare the parameters of a run with those of this one.

    Parameters
    ----------
    found, expected : mapping
        Name to value, as JSON gives them.
    path : str
        Where they were found, for the message.

    Raises
    ------
    ResultsError
        If they differ; it names every difference.
    """
    keys = [key for key in {**expected, **found} if found.get(key) != expected.get(key)]
    if keys:
        differences = "; ".join(
            f"{key} was {_shown(found, key)} and is now {_shown(expected, key)}" for key in keys
        )
        raise ResultsError(
            f"{path}: of a run that was another: {differences}. Its rows and new ones do not "
            "belong together. Go on as it began, or start anew with --overwrite, or give another "
            "output."
        )


def _shown(parameters: Mapping[str, Any], key: str) -> str:
    value = parameters.get(key, "none")
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
