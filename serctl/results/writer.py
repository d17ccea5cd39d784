"""Write results files, one result at a time. `serctl.results.reader` reads them back.

Every recording has one row, in the columns of `serctl.results.schema`. The extension of the output
selects CSV, JSON Lines or a JSON array, and of segments Parquet too. The same results give the same
bytes. Any file name that the system allows reads back exactly from CSV and JSON: JSON is pure ASCII;
CSV is UTF-8, and keeps the bytes of names that are not UTF-8.

Rows go to ``<output>.partial``, which is renamed to the output when all rows are written
(`serctl.files.outputs`). If anything fails before, the partial file is removed: finished rows are
in the run's journal (`serctl.engine.journal`).
"""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from types import TracebackType
from typing import Any, BinaryIO, Self

from serctl.errors import ResultsError
from serctl.files.outputs import (
    STANDARD_OUTPUT,
    atomic_write,
    check_output,
    extension_of,
    replace_when_complete,
)
from serctl.results import parquet
from serctl.results.dialects import BYTE_ORDER_MARK, DIALECTS, TEXT_COLUMNS
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
from serctl.text import printable


class RowsWriter:
    """Context manager that writes the rows of a table one by one.

    Parameters
    ----------
    output : str or path
        A path with one of `EXTENSIONS`, or ``-`` for CSV on standard output.
    names : sequence of str
        The columns, in the order of each row's cells.
    overwrite : bool
        Whether an existing file may be replaced. It is replaced when the new one is complete.
    dialect : str
        How CSV is written: one of `serctl.results.dialects.DIALECTS`.
    extensions : sequence of str
        That the path may have; they select the format.

    Attributes
    ----------
    output : str
        As given.
    n_written : int
        Rows written so far.

    Raises
    ------
    UsageError, ResultsError
        As `check_output`. On entering, writing and leaving, ResultsError if the system refuses
        (disk full). BrokenPipeError if the reader of standard output has closed it.
    """

    def __init__(
        self,
        output: str | os.PathLike[str],
        names: Sequence[str],
        overwrite: bool = False,
        dialect: str = "standard",
        extensions: Sequence[str] = EXTENSIONS,
    ) -> None:
        check_output(output, extensions, overwrite)
        self.output = os.fspath(output)
        self.n_written = 0
        self._dialect = DIALECTS[dialect]
        self._numeric = [column not in TEXT_COLUMNS for column in names]
        self._to_file = self.output != STANDARD_OUTPUT
        self._names = tuple(names)
        self._extension = extension_of(output, extensions) if self._to_file else ".csv"
        self._file: BinaryIO
        self._parquet: parquet.ParquetRows | None = None
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        """Open the partial file. One that a killed process left behind is replaced."""
        with ExitStack() as stack:
            if self._to_file:
                try:
                    partial = stack.enter_context(replace_when_complete(self.output, sync=True))
                    self._file = stack.enter_context(open(partial, "wb"))
                except OSError as error:
                    raise self._write_error(error) from error
            else:
                self._file = sys.stdout.buffer
            if self._extension == parquet.EXTENSION:
                self._parquet = parquet.ParquetRows(self._file, self._names)
                stack.callback(self._parquet.close)
            elif self._extension == ".csv":
                mark = BYTE_ORDER_MARK if self._dialect.for_excel else ""
                self._put(mark + self._dialect.line(self._names, [False] * len(self._names)))
            self._stack = stack.pop_all()
        return self

    def write_row(self, row: Mapping[str, Cell]) -> None:
        """Write a row. On standard output, it is flushed at once.

        Raises
        ------
        ResultsError
            If it cannot be written.
        """
        if self._extension == ".csv":
            self._put(self._dialect.line(_csv_cells(row), self._numeric))
        elif self._parquet is not None:
            self._add(self._parquet, row)
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
        """Rename the partial file to the output or, after an error, remove it."""
        if kind is not None:
            with suppress(OSError):  # closing a file on a full disk must not hide the first error
                self._stack.__exit__(kind, error, traceback)
            return
        try:
            with self._stack:
                if self._extension == ".json":
                    self._put("\n]\n" if self.n_written else "[]\n")
        except BrokenPipeError:
            raise
        except OSError as refused:
            raise self._write_error(refused) from refused

    def _put(self, text: str) -> None:
        try:
            self._file.write(text.encode("utf-8", "surrogateescape"))
            if not self._to_file:
                self._file.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise self._write_error(error) from error

    def _add(self, table: parquet.ParquetRows, row: Mapping[str, Cell]) -> None:
        try:
            table.add(row)
        except OSError as error:
            raise self._write_error(error) from error

    def _write_error(self, error: OSError) -> ResultsError:
        where = self.output if self._to_file else "standard output"
        return ResultsError(
            f"{where}: cannot be written after {self.n_written} rows ({error.strerror}). Free some "
            "space, or choose another output."
        )


class ResultsWriter(RowsWriter):
    """Context manager that writes results one by one.

    Parameters
    ----------
    output : str or path
        As `RowsWriter` takes it.
    emotions : sequence of str
        Emotions of the model, in the order of each result's probabilities.
    overwrite, dialect
        As `RowsWriter` takes them.
    """

    def __init__(
        self,
        output: str | os.PathLike[str],
        emotions: Sequence[str],
        overwrite: bool = False,
        dialect: str = "standard",
    ) -> None:
        super().__init__(output, columns(emotions), overwrite, dialect)
        self._emotions = tuple(emotions)

    def write(self, result: Result) -> None:
        """Write a row. On standard output, it is flushed at once.

        Raises
        ------
        ResultsError
            If it cannot be written, or has columns that somebody added (`refuse_extra`).
        ValueError
            If the result does not fit the schema: an error of the calling code, not of the user.
        """
        refuse_extra(result, self.output)
        self.write_row(row_of(result, self._emotions))


def refuse_extra(result: Result, output: str) -> None:
    """Refuse to write a result without columns that somebody added to it.

    Raises
    ------
    ResultsError
        If it has such columns.
    """
    if result.extra:
        added = ", ".join(printable(name) for name, _ in result.extra)
        raise ResultsError(
            f"{output}: {printable(result.path)} has the columns {added}, which serctl did not write, "
            "and they would be lost. Save that table under another name, and remove them here."
        )


def run_path(output: str | os.PathLike[str]) -> str:
    """Path of the record of the run that writes an output."""
    return f"{os.fspath(output)}.run.json"


def write_run(output: str | os.PathLike[str], record: dict[str, Any]) -> str:
    """Write ``<output>.run.json``, the record of a run.

    Parameters
    ----------
    output : str or path
        Path of the results file that the record describes.
    record : dict
        Anything that JSON can hold. ``schema_version`` is added before it.

    Returns
    -------
    str
        Path of the record.

    Raises
    ------
    ResultsError
        If it cannot be written.
    """
    path = run_path(output)
    text = json.dumps({"schema_version": SCHEMA_VERSION, **record}, indent=2, allow_nan=False)
    with atomic_write(path) as partial, open(partial, "w", encoding="ascii", newline="\n") as file:
        file.write(text + "\n")
    return path


def _csv_cells(row: Mapping[str, Cell]) -> list[str]:
    return [_csv_cell(column, value) for column, value in row.items()]


def _csv_cell(column: str, value: Cell) -> str:
    if isinstance(value, float):
        decimals = DURATION_DECIMALS if column.endswith("_s") else PROBABILITY_DECIMALS
        return f"{value:.{decimals}f}"
    return "" if value is None else str(value)
