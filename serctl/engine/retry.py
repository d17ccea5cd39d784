"""The previous run, which finished: ``--retry-failed`` without a journal.

The results file has its rows, and ``<output>.run.json`` beside it has its parameters, which must be
those of this run. Neither has stamps, so a row holds if its file was last changed, copied or renamed
before the previous run began, whatever its modification time. Recordings that were unreadable or
failed are classified again, and so are new and changed ones. Rows of files that are gone are left
out unless they are asked for; a row of a file that exists and is not in the scan is refused, since
it would be lost.
"""

import json
import os
from collections.abc import Container, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from serctl.engine.journal_format import check_parameters
from serctl.engine.journal_resume import RETRYABLE
from serctl.errors import ResultsError, UsageError
from serctl.files.locks import check_regular
from serctl.files.objects import look_up_all
from serctl.files.stamps import RealPaths, Stamp, exists, last_changed_ns, stamp_of
from serctl.results.reader import read_results
from serctl.results.schema import CHANNELS_KEY, row_of
from serctl.results.segments import read_segments
from serctl.results.writer import refuse_extra, run_path

Kept = tuple[int, Stamp, str]  # place in the scan, stamp of the file, row in JSON


class PreviousRun:
    """The run that wrote an output.

    Parameters
    ----------
    output : str
        Path of its results.
    tables : mapping of str to str
        Paths of its files of segments and of windows, by the key that a row has for them.

    Raises
    ------
    UsageError
        If there is no whole record of the run beside them.
    """

    def __init__(self, output: str, tables: Mapping[str, str]) -> None:
        self._output = output
        self._tables = tables
        self._path = run_path(output)
        self.n_gone = 0  # recordings that are gone, once `rows` has been read
        try:
            check_regular(self._path)
            with open(self._path, encoding="utf-8") as file:
                self._record = json.load(file)
            self._began_ns = round(datetime.fromisoformat(self._record["began"]).timestamp() * 1e9)
        except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
            what = error.strerror if isinstance(error, OSError) else "not the record of a run"
            raise UsageError(
                f"{self._path}: {what}; --retry-failed needs the record of the run that wrote "
                f"{output}. Give --overwrite to start again."
            ) from error

    def missing(self, recordings: Sequence[str]) -> list[str]:
        """Paths of recordings that have a row, are not in the scan, and are gone."""
        real_path = RealPaths()
        scanned = set(map(real_path, recordings))
        paths = dict.fromkeys(result.path for result in read_results(self._output)[1])
        beyond = [path for path in paths if real_path(path) not in scanned]
        look_up_all(beyond)
        return [path for path in beyond if not exists(path)]

    def rows(
        self,
        parameters: Mapping[str, Any],
        recordings: Sequence[str],
        missing: Container[str] = (),
    ) -> Iterator[Kept]:
        """Rows that hold.

        Parameters
        ----------
        parameters : mapping
            Everything that results depend on, as JSON holds it.
        recordings : sequence of str
            The scan, and what is missing.
        missing : container of str
            Recordings that are gone, and whose rows hold nevertheless.

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
        look_up_all(recordings)
        real_path = RealPaths()
        indexes = {real_path(path): index for index, path in enumerate(recordings)}
        self._check(indexes, real_path, parameters["emotions"])  # all rows, before one is kept
        emotions, results = read_results(self._output)
        tables = {key: _packed_by_channel(path) for key, path in self._tables.items()}
        for path, of_path in groupby(results, key=lambda result: result.path):
            channels = list(of_path)
            index = indexes.get(real_path(path))
            self.n_gone += index is None
            if index is None:
                continue
            tried_again = RETRYABLE.intersection(result.status for result in channels)
            stamp = stamp_of(path)
            unchanged = last_changed_ns(path) < self._began_ns
            if path in missing or (unchanged and not tried_again):
                rows: list[dict[str, Any]] = [row_of(result, emotions) for result in channels]
                for key, packed in tables.items():
                    for row in rows:
                        if (path, row["channel"]) in packed:
                            row[key] = packed[path, row["channel"]]
                first, *others = rows
                yield index, stamp, json.dumps(first | ({CHANNELS_KEY: others} if others else {}))

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
            refuse_extra(result, self._output)
            if real_path(result.path) not in scanned and exists(result.path):
                raise ResultsError(
                    f"{self._output}: has a row of {result.path}, which is not among the "
                    "recordings found now, and it would be lost. Give the same PATHS and patterns "
                    "as before, or another output."
                )


def _packed_by_channel(path: str) -> dict[tuple[str, int | None], list[Any]]:
    """Packed segments by path and channel; none if there is no such file."""
    packed: dict[tuple[str, int | None], list[Any]] = {}
    if os.path.exists(path):
        for segment in read_segments(path)[1]:
            packed.setdefault((segment.path, segment.channel), []).append(segment.packed())
    return packed
