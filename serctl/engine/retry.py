"""The previous run, which finished: ``--retry-failed`` without a journal.

The results file has its rows, and ``<output>.run.json`` beside it has its parameters, which must be
those of this run. Neither has stamps, so a row holds if its file was last changed, copied or renamed
before the previous run began, whatever its modification time. Recordings that were unreadable or
failed are classified again, and so are new and changed ones. Rows of files that are gone are left
out; a row of a file that exists and is not in the scan is refused, since it would be lost.
"""

import json
import math
import os
from collections.abc import Container, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from serctl.engine.journal import RETRYABLE
from serctl.engine.journal_format import check_parameters
from serctl.errors import ResultsError, UsageError
from serctl.files.stamps import RealPaths, Stamp, stamp_of
from serctl.results.reader import read_results
from serctl.results.schema import row_of

Kept = tuple[int, Stamp, str]  # place in the scan, stamp of the file, row in JSON


class PreviousRun:
    """The run that wrote an output.

    Parameters
    ----------
    output : str
        Path of its results.

    Raises
    ------
    UsageError
        If there is no whole record of the run beside them.
    """

    def __init__(self, output: str) -> None:
        self._output = output
        self._path = f"{output}.run.json"
        try:
            with open(self._path, encoding="utf-8") as file:
                self._record = json.load(file)
            self._began_ns = round(datetime.fromisoformat(self._record["began"]).timestamp() * 1e9)
        except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
            what = error.strerror if isinstance(error, OSError) else "not the record of a run"
            raise UsageError(
                f"{self._path}: {what}; --retry-failed needs the record of the run that wrote "
                f"{output}. Give --overwrite to start again."
            ) from error

    def rows(self, parameters: Mapping[str, Any], recordings: Sequence[str]) -> Iterator[Kept]:
        """Rows that hold.

        Parameters
        ----------
        parameters : mapping
            Everything that results depend on, as JSON holds it.
        recordings : sequence of str
            The scan.

        Yields
        ------
        tuple of int, Stamp, str
            Place of the recording in the scan, stamp of its file, and its row in JSON.

        Raises
        ------
        ResultsError
            If the previous run had other settings or other recordings, or its results are damaged.
        """
        found = {key: self._record[key] for key in parameters if key in self._record}
        check_parameters(found, parameters, self._path)
        real_path = RealPaths()
        indexes = {real_path(path): index for index, path in enumerate(recordings)}
        self._check(indexes, real_path, parameters["emotions"])  # all rows, before one is kept
        emotions, results = read_results(self._output)
        for result in results:
            index = indexes.get(real_path(result.path))
            if index is None or result.status in RETRYABLE:
                continue
            stamp = stamp_of(result.path)
            if _last_changed_ns(result.path) < self._began_ns:
                yield index, stamp, json.dumps(row_of(result, emotions))

    def _check(
        self, scanned: Container[str], real_path: RealPaths, expected: Sequence[str]
    ) -> None:
        """Refuse results with other emotions, or with rows of files that are not in the scan."""
        emotions, results = read_results(self._output)
        if list(emotions) != expected:
            raise ResultsError(
                f"{self._output}: has probabilities of {', '.join(emotions)}, and {self._path} "
                f"names {', '.join(expected)}. Give --overwrite to start again."
            )
        for result in results:
            if real_path(result.path) not in scanned and os.path.lexists(result.path):
                raise ResultsError(
                    f"{self._output}: has a row of {result.path}, which is not among the "
                    "recordings found now, and it would be lost. Give the same PATHS and patterns "
                    "as before, or another output."
                )


def _last_changed_ns(path: str) -> float:
    """When a file or its name was last changed; infinity if it is gone."""
    try:
        known = os.stat(path)
    except (OSError, ValueError):
        return math.inf
    # A copy or a rename may keep the modification time, but not the time of status change.
    return max(known.st_mtime_ns, known.st_ctime_ns)
