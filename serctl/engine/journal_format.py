"""Lines of a journal: its header, and one for every finished recording.

The header has the version of the journal and the run's parameters: everything that results depend
on. The line of a recording has its real path, the stamp of its file from before it was read, and its
row, as in a results file. A row holds as long as the file has this stamp. Reading gives None for a
line that is not whole, and raises ResultsError, with every difference, for the header of a run with
other settings.
"""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from serctl.errors import ResultsError
from serctl.files.stamps import Stamp

VERSION = 2


class Line(NamedTuple):
    """A finished recording: its real path, the stamp of its file, and its row, column to value."""

    real: str
    stamp: Stamp
    row: dict[str, Any]


def run_parameters(description: Mapping[str, Any], version: str) -> dict[str, Any]:
    """Everything that results depend on, out of what a worker says of itself.

    The number of threads changes nothing, nor does the batch size on a CPU, where the network
    computes one window at a time.

    Parameters
    ----------
    description : mapping
        As `serctl.engine.supervisor.Supervisor.description` gives it.
    version : str
        Of serctl.
    """
    without = {"workers"} | ({"batch_size"} if description.get("device") == "cpu" else set())
    kept = {key: value for key, value in description.items() if key not in without}
    return {"serctl_version": version, **kept}


def header_line(parameters: Mapping[str, Any]) -> str:
    """First line of a journal, in ASCII, with the parameters of its run."""
    return json.dumps({"journal": VERSION, **parameters}) + "\n"


def row_line(real: str, stamp: Stamp, row: str) -> str:
    """Line of a recording; its row is the JSON of a results file, in ASCII."""
    # The row goes last and as it came, since parsing it would cost more than all the rest.
    return f'{{"real": {json.dumps(real)}, "stamp": {json.dumps(stamp)}, "row": {row}}}\n'


def read_row(line: bytes) -> Line | None:
    """Read the line of a recording; None if it is not a whole one."""
    try:
        record = json.loads(line) if line.endswith(b"\n") else None
        if isinstance(record, dict) and isinstance(record["real"], str):
            row = record["row"]
            if isinstance(row["path"], str) and isinstance(row["status"], str):
                return Line(record["real"], Stamp(*record["stamp"]), row)
    except (ValueError, TypeError, KeyError, RecursionError):
        pass
    return None


def check_header(line: bytes, parameters: Mapping[str, Any], path: str) -> None:
    """Compare the first line of a journal with the one that this run would write.

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
        If it is not a journal's header, or belongs to a run with another model or other settings.
    """
    try:
        found = json.loads(line) if line.endswith(b"\n") else None
    except ValueError:
        found = None
    if not isinstance(found, dict) or "journal" not in found:
        raise ResultsError(
            f"{path}: not a journal of serctl. Move it away, or start again with --overwrite."
        )
    check_parameters(found, json.loads(header_line(parameters)), path)


def check_parameters(found: Mapping[str, Any], expected: Mapping[str, Any], path: str) -> None:
    """Compare the parameters of a previous run with those of this one.

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
            f"{path}: belongs to a run with other settings: {differences}. Its rows and new rows "
            "cannot be mixed. Use the same settings, or start again with --overwrite, or choose "
            "another output."
        )


def _shown(parameters: Mapping[str, Any], key: str) -> str:
    value = parameters.get(key, "none")
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
