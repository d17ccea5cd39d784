"""A run that has finished, taken up again: ``--retry-failed`` without a journal.

The results file has the rows and ``<output>.run.json`` beside it what made them, which has to be
what is asked for now. There are no stamps in them, and so a row holds if its file was last changed,
copied or renamed before that run began, whatever time of change it bears. What was unreadable or
failed is done again, and so is what is new or was changed. Rows of files that are gone go too; one
of a file that is there and not in the scan stops it.
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
from serctl.files.stamps import Stamp, stamp_of
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
                f"{self._path}: {what}; it is needed to do again what failed in {output}. Give "
                "--overwrite to classify anew."
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
            If the run was one with other parameters or of other recordings, or its results are not
            whole.
        """
        found = {key: self._record[key] for key in parameters if key in self._record}
        check_parameters(found, parameters, self._path)
        indexes = {path: index for index, path in enumerate(recordings)}
        self._check(indexes, parameters["emotions"])  # all of it, before a row is kept
        emotions, results = read_results(self._output)
        for result in results:
            if result.path not in indexes or result.status in RETRYABLE:
                continue
            stamp = stamp_of(result.path)
            if _last_changed_ns(result.path) < self._began_ns:
                yield indexes[result.path], stamp, json.dumps(row_of(result, emotions))

    def _check(self, scanned: Container[str], expected: Sequence[str]) -> None:
        """Refuse results with other emotions, or of files that are there and were not found."""
        emotions, results = read_results(self._output)
        if list(emotions) != expected:
            raise ResultsError(
                f"{self._output}: has probabilities of {', '.join(emotions)}, which its run did "
                f"not give, by {self._path}. Give --overwrite to classify anew."
            )
        for result in results:
            if result.path not in scanned and stamp_of(result.path).size is not None:
                raise ResultsError(
                    f"{self._output}: has a row of {result.path}, which is not among the recordings "
                    "found now, and would be lost. Give the same PATHS and patterns as then, or "
                    "another output."
                )


def _last_changed_ns(path: str) -> float:
    """When a file or its name was last changed; never before, if it is gone."""
    try:
        known = os.stat(path)
    except (OSError, ValueError):
        return math.inf
    # A copy or a rename may keep the time of change, and not that of the change of status.
    return max(known.st_mtime_ns, known.st_ctime_ns)
