"""Results files: writing results as they come. `serctl.results.reader` reads them back.

One row for every recording, whatever became of it, in the columns of `serctl.results.schema`, as
CSV, JSON Lines or a JSON array by the extension of the output. The same results give the same
bytes. Any file name that the system allows reads back exactly: JSON is pure ASCII, and CSV is UTF-8
with the bytes of names that are not UTF-8 kept as they are.

Rows go to ``<output>.partial``, and the output appears whole, by rename, when all are written. When
something fails on the way, the partial file goes: what a run has done is in its journal
(`serctl.engine.journal`).
"""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, BinaryIO, Self

from serctl.errors import ResultsError
from serctl.files.outputs import PARTIAL, STANDARD_OUTPUT, check_output, extension_of
from serctl.results.schema import (
    DURATION_DECIMALS,
    EXTENSIONS,
    PROBABILITY_DECIMALS,
    SCHEMA_VERSION,
    Cell,
    Result,
    columns,
    row_of,
)


class ResultsWriter:
    """Context manager that writes results, one by one, and names them when all are there.

    Parameters
    ----------
    output : str
        A path with one of `EXTENSIONS`, or ``-`` for CSV on standard output, without a partial
        file.
    emotions : sequence of str
        The model's, in the order of each result's probabilities.
    overwrite : bool
        Whether a file that is there may be replaced; it is, when the new one is whole.

    Raises
    ------
    UsageError, ResultsError
        As `check_output`; when entered or written to, ResultsError if the system refuses (disk
        full). A reader of standard output that has gone is a BrokenPipeError.
    """

    def __init__(self, output: str, emotions: Sequence[str], overwrite: bool = False) -> None:
        check_output(output, EXTENSIONS, overwrite)
        self.output = output
        self.partial = None if output == STANDARD_OUTPUT else output + PARTIAL
        self.n_written = 0
        self._emotions = tuple(emotions)
        self._extension = ".csv" if self.partial is None else extension_of(output, EXTENSIONS)
        self._file: BinaryIO

    def __enter__(self) -> Self:
        """Open the partial file; one that is there is what a killed process left."""
        if self.partial is None:
            self._file = sys.stdout.buffer
        else:
            try:
                self._file = open(self.partial, "wb")
            except OSError as error:
                raise self._refused(error) from error
        if self._extension == ".csv":
            try:
                self._put(csv_line(columns(self._emotions)))
            except ResultsError:
                self._abandon()
                raise
        return self

    def write(self, result: Result) -> None:
        """Add a row; on standard output, it has left this process when this returns.

        Raises
        ------
        ResultsError
            If it cannot be written.
        ValueError
            If the result does not fit the schema: a caller's mistake, not a user's.
        """
        row = row_of(result, self._emotions)
        if self._extension == ".csv":
            self._put(csv_line(_csv_cells(row)))
        else:
            line = json.dumps(row, ensure_ascii=True, allow_nan=False)
            if self._extension == ".json":
                line = (",\n" if self.n_written else "[\n") + line
            else:
                line += "\n"
            self._put(line)
        self.n_written += 1

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Name the output, or, after an error, remove the partial file."""
        if kind is not None:
            self._abandon()
        elif self.partial is not None:
            self._finish()

    def _abandon(self) -> None:
        """Close the partial file and remove it."""
        if self.partial is None:
            return
        with suppress(OSError):
            self._file.close()
        with suppress(OSError):
            os.unlink(self.partial)

    def _finish(self) -> None:
        assert self.partial is not None
        try:
            if self._extension == ".json":
                self._put("\n]\n" if self.n_written else "[]\n")
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            os.replace(self.partial, self.output)
        except ResultsError:
            self._abandon()
            raise
        except OSError as error:
            self._abandon()
            raise self._refused(error) from error

    def _put(self, text: str) -> None:
        try:
            self._file.write(text.encode("utf-8", "surrogateescape"))
            if self.partial is None:
                self._file.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise self._refused(error) from error

    def _refused(self, error: OSError) -> ResultsError:
        where = "standard output" if self.partial is None else self.partial
        return ResultsError(
            f"{where}: could not be written, after {self.n_written} rows ({error.strerror}). "
            "Make room, or give an output elsewhere."
        )


def write_run(output: str, record: dict[str, Any]) -> str:
    """Write ``<output>.run.json``, the record of a run, whole or not at all.

    Parameters
    ----------
    output : str
        The path of the results that it stands beside.
    record : dict
        Anything that JSON holds. ``schema_version`` is put before it.

    Returns
    -------
    str
        The path written.

    Raises
    ------
    ResultsError
        If it cannot be written.
    """
    path = f"{output}.run.json"
    text = json.dumps({"schema_version": SCHEMA_VERSION, **record}, indent=2, allow_nan=False)
    try:
        with open(path + PARTIAL, "w", encoding="ascii", newline="\n") as file:
            file.write(text + "\n")
        os.replace(path + PARTIAL, path)
    except OSError as error:
        with suppress(OSError):
            os.unlink(path + PARTIAL)
        raise ResultsError(
            f"{path}: could not be written ({error.strerror}). Make room, or give an output "
            "elsewhere."
        ) from error
    return path


def csv_line(cells: Sequence[str]) -> str:
    """One row of CSV with its line feed, quoted only where it must be."""
    return ",".join(map(_csv_quoted, cells)) + "\n"


def _csv_quoted(cell: str) -> str:
    # By hand, since csv.writer before Python 3.13 leaves a lone carriage return unquoted, which
    # ends the row when it is read.
    if any(character in cell for character in ',"\r\n'):
        return '"' + cell.replace('"', '""') + '"'
    return cell


def _csv_cells(row: Mapping[str, Cell]) -> list[str]:
    return [_csv_cell(column, value) for column, value in row.items()]


def _csv_cell(column: str, value: Cell) -> str:
    if isinstance(value, float):
        decimals = DURATION_DECIMALS if column == "duration_s" else PROBABILITY_DECIMALS
        return f"{value:.{decimals}f}"
    return "" if value is None else str(value)
