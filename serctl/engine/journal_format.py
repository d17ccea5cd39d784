"""Lines of a journal: its header, and one for every finished recording.

The header has the version of the journal and the run's parameters: everything that results depend
on. The line of a recording has its real path, the stamp of its file from before it was read, a hash
of its content, and its row, as in a results file. Every line ends with a CRC-32 of the bytes before
it, so that damage is noticed, and never read as another value. Reading gives None for a line that is
damaged or not whole, and raises ResultsError, with every difference, for the header of a run with
other settings.
"""

import json
import re
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from serctl.errors import ResultsError
from serctl.files.stamps import Stamp
from serctl.results.schema import result_of

VERSION = 2
CHECKSUM = b', "crc32": '  # and the number, last in every line
START = b'{"journal": '  # of every header


class Line(NamedTuple):
    """A finished recording.

    Attributes
    ----------
    real : str
        Its real path.
    stamp : Stamp
        Of its file, from before it was read.
    content : str
        Hash of its content (`serctl.files.stamps.content_hash`), or empty.
    row : dict
        Its row, column to value, and what else it has.
    """

    real: str
    stamp: Stamp
    content: str
    row: dict[str, Any]


def run_parameters(description: Mapping[str, Any], version: str) -> dict[str, Any]:
    """Everything that results depend on, out of what a worker says of itself.

    The number of threads changes nothing, nor does the batch size on a CPU, where the network
    computes one window at a time.

    Parameters
    ----------
    description : mapping
        As `serctl.engine.workers.supervisor.Supervisor.description` gives it.
    version : str
        Of serctl.
    """
    without = {"workers"} | ({"batch_size"} if description.get("device") == "cpu" else set())
    kept = {key: value for key, value in description.items() if key not in without}
    return {"serctl_version": version, **kept}


def header_line(parameters: Mapping[str, Any]) -> str:
    """First line of a journal, in ASCII, with the parameters of its run."""
    return _with_checksum(json.dumps({"journal": VERSION, **parameters}))


def row_line(real: str, stamp: Stamp, content: str, row: str) -> str:
    """Line of a recording; its row is the JSON of a results file, in ASCII."""
    # The row goes in as it came, since parsing it would cost more than all the rest.
    start = json.dumps({"real": real, "stamp": stamp, "content": content})
    return _with_checksum(f'{start[:-1]}, "row": {row}}}')


def read_row(line: bytes, emotions: Sequence[str]) -> Line | None:
    """Read the line of a recording; None if it is damaged, or its row is not a valid one."""
    record = _checked(line)
    if record is None:
        return None
    try:
        real, content = record["real"], record["content"]
        if not (isinstance(real, str) and isinstance(content, str)):
            return None
        result_of(record["row"], emotions, "journal")
        return Line(real, Stamp(*record["stamp"]), content, record["row"])
    except (KeyError, TypeError, ResultsError):
        return None


def is_damaged_journal(content: bytes) -> bool:
    """Whether a file that starts like this is a journal whose header is torn or damaged.

    Parameters
    ----------
    content : bytes
        The first lines of the file.
    """
    header, line_feed, _ = content.partition(b"\n")
    if not header.strip(b"\0"):
        return True  # empty, or zeros, as after a power cut
    if not line_feed:
        return header.startswith(START) or START.startswith(header)
    # Either end of the header may be the damaged one. One of another version starts otherwise.
    looks_whole = header.startswith(START + b"%d," % VERSION) or re.search(
        CHECKSUM + rb"\d+}$", header
    )
    return bool(looks_whole) and _checked(header + line_feed) is None


def _with_checksum(text: str) -> str:
    """Line of a JSON object, with the checksum of all before as its last member."""
    data = text[:-1]
    return f"{data}{CHECKSUM.decode()}{zlib.crc32(data.encode('ascii'))}}}\n"


def _checked(line: bytes) -> dict[str, Any] | None:
    """Object of a line, if it is whole and its checksum is right."""
    data, _, checksum = line.rpartition(CHECKSUM)
    if checksum != b"%d}\n" % zlib.crc32(data):
        return None
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def check_header(line: bytes, parameters: Mapping[str, Any], path: str) -> None:
    """Compare the first line of a journal with the one that this run would write.

    A line that `is_damaged_journal` recognizes is not meant for it.

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
    expected = json.loads(header_line(parameters))
    for values in (found, expected):
        values.pop("crc32", None)
    check_parameters(found, expected, path)


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
