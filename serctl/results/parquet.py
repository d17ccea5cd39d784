"""Parquet files of segments, written in groups of rows and read back; pyarrow does both.

pyarrow is imported when a file is opened, since it takes long to import. The same rows give the same
bytes. If the system refuses to write, an OSError is raised.
"""

import importlib.util
import os
from collections.abc import Generator, Mapping, Sequence
from functools import partial
from typing import Any, BinaryIO

from serctl.errors import ResultsError
from serctl.results.dialects import TEXT_COLUMNS

EXTENSION = ".parquet"
ROWS_PER_GROUP = 4096
INTEGER_COLUMNS = frozenset(("channel",))


def check_pyarrow(output: str | os.PathLike[str]) -> None:
    """Raise ResultsError if pyarrow, which a Parquet file needs, is not installed."""
    if importlib.util.find_spec("pyarrow") is None:
        raise ResultsError(
            f"{os.fspath(output)}: Parquet needs pyarrow, which is not installed. Install it with: "
            "pip install pyarrow, or choose a name that ends in .csv."
        )


class ParquetRows:
    """A table that is written row by row.

    Parameters
    ----------
    file : binary file
        Open for writing; it is left open.
    names : sequence of str
        Columns: text, whole numbers (`INTEGER_COLUMNS`) or numbers.
    """

    def __init__(self, file: BinaryIO, names: Sequence[str]) -> None:
        import pyarrow
        from pyarrow.parquet import ParquetWriter

        kinds = [
            pyarrow.string()
            if name in TEXT_COLUMNS
            else pyarrow.int32()
            if name in INTEGER_COLUMNS
            else pyarrow.float64()
            for name in names
        ]
        schema = pyarrow.schema(list(zip(names, kinds, strict=True)))
        self._batch = partial(pyarrow.RecordBatch.from_pylist, schema=schema)
        self._writer = ParquetWriter(file, schema)
        self._rows: list[dict[str, Any]] = []

    def add(self, row: Mapping[str, Any]) -> None:
        """Add a row. Of text, bytes that are not UTF-8 become backslash escapes."""
        self._rows.append({name: _in_unicode(value) for name, value in row.items()})
        if len(self._rows) == ROWS_PER_GROUP:
            self._write_group()

    def close(self) -> None:
        """Write what is left, and the end of the file."""
        if self._rows:
            self._write_group()
        self._writer.close()

    def _write_group(self) -> None:
        self._writer.write_batch(self._batch(self._rows))
        self._rows = []


def parquet_lines(path: str) -> Generator[tuple[str, tuple[str, ...], Sequence[object]]]:
    """Rows of a file as `serctl.results.reader.open_rows` gives them: first the columns alone.

    Raises
    ------
    ResultsError
        If it is no Parquet file, or pyarrow is not installed.
    """
    check_pyarrow(path)
    import pyarrow
    from pyarrow.parquet import ParquetFile

    try:
        with ParquetFile(path) as file:
            names = tuple(file.schema_arrow.names)
            yield path, names, ()
            number = 0
            for batch in file.iter_batches(ROWS_PER_GROUP):
                for row in batch.to_pylist():
                    number += 1
                    yield f"{path}, row {number}", names, tuple(row.values())
    except (OSError, pyarrow.ArrowException) as error:
        raise ResultsError(f"{path}: not a Parquet file ({error}). Is it complete?") from error


def _in_unicode(value: object) -> object:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    return value
