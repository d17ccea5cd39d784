"""Rows of a journal that still hold: found when a run resumes.

A row holds as long as its recording is unchanged. A line that is damaged is left out, and its
recording classified again; a scan without files that have a row and still exist is refused, since
their rows would be lost.
"""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

from serctl.engine.journal_format import Line, read_row
from serctl.errors import ResultsError
from serctl.files.objects import look_up_all
from serctl.files.stamps import RealPaths, exists, is_unchanged

RETRYABLE = frozenset(("unreadable", "failed"))  # statuses that ``--retry-failed`` tries again
N_NAMED = 3  # of the missing recordings, in a message


@dataclass(frozen=True)
class FoundRows:
    """What a journal holds of a scan.

    Attributes
    ----------
    offsets : array of int, n_recordings
        Byte at which each recording's row begins; 0 if there is none that holds.
    end : int
        Byte behind the last whole line.
    n_damaged : int
        Lines that are damaged.
    """

    offsets: "array[int]"
    end: int
    n_damaged: int


def find_rows(
    file: BinaryIO,
    path: str,
    recordings: Sequence[str],
    real_path: RealPaths,
    emotions: Sequence[str],
    retry_failed: bool,
) -> FoundRows:
    """Find the rows of recordings that still hold.

    Parameters
    ----------
    file : binary file
        The journal, behind its header.
    path : str
        Path of the journal, for the message.
    recordings : sequence of str
        The scan.
    real_path : RealPaths
        Recordings are known by their real path.
    emotions : sequence of str
        Emotions of the run.
    retry_failed : bool
        Whether rows with a status of `RETRYABLE` do not hold.

    Raises
    ------
    ResultsError
        If files that exist and have a row are not in the scan.
    """
    look_up_all(recordings)
    end = file.tell()
    indexes = {real_path(one): index for index, one in enumerate(recordings)}
    offsets = array("q", bytes(8 * len(recordings)))
    missing: dict[str, None] = {}
    n_damaged = 0
    while (line := file.readline()).endswith(b"\n"):  # one without is torn, as by a kill
        offset, end = end, end + len(line)
        record = read_row(line, emotions)
        if record is None:
            n_damaged += 1
        elif (index := indexes.get(record.real)) is None:
            missing[record.real] = None
        else:
            holds = _holds(record, recordings[index], retry_failed)
            offsets[index] = offset if holds else 0
    look_up_all(list(missing))
    _refuse_missing(path, [one for one in missing if exists(one)])
    return FoundRows(offsets, end, n_damaged)


def _holds(record: Line, path: str, retry_failed: bool) -> bool:
    if retry_failed and record.row["status"] in RETRYABLE:
        return False
    return is_unchanged(path, record.stamp, record.content)


def _refuse_missing(path: str, missing: Sequence[str]) -> None:
    if missing:
        named = ", ".join([*missing[:N_NAMED], *["..."][: len(missing) > N_NAMED]])
        raise ResultsError(
            f"{path}: has rows of files that are not among the recordings found now "
            f"({len(missing)}: {named}), and they would be lost. Give the same PATHS and "
            "patterns as before, or start again with --overwrite, or choose another output."
        )
