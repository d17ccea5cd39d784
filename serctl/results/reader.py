"""Read results files.

Every row is checked, and an error names the line: nothing is guessed or skipped. CSV and JSON Lines
are read row by row, a JSON array at once.
"""

import csv
import json
import os
from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import TextIO

from serctl.errors import PathError, ResultsError
from serctl.files.outputs import extension_of
from serctl.results import parquet
from serctl.results.dialects import TableReader, encoding_of
from serctl.results.schema import (
    EXTENSIONS,
    JOURNAL,
    REMAKE,
    Cell,
    Result,
    columns,
    emotions_of,
    result_of,
)


def read_results(path: str | os.PathLike[str]) -> tuple[tuple[str, ...], Iterator[Result]]:
    """Read a results file, or a folder of shards.

    Parameters
    ----------
    path : str or path
        A file with one of `EXTENSIONS`, or a folder as `serctl.results.shards.finding.find_results`
        takes it.

    Returns
    -------
    emotions : tuple of str
        In the order of each result's probabilities.
    results : iterator of Result
        In the order of the files, with the cells of columns that somebody added. CSV and JSON Lines
        are read, and rows checked, one by one.

    Raises
    ------
    PathError
        If the file does not exist, or the folder has no results.
    UsageError
        If its extension is unknown.
    ResultsError
        Here or while iterating, if it cannot be read or is no results file: the message has the
        line, the column, what was found and what was expected. If files have different emotions.
    """
    if os.path.isdir(path):
        return _read_folder(os.fspath(path))
    lines, where, names = open_rows(path)
    emotions = emotions_of(names, where)
    known = columns(emotions)
    # pandas' index is a column without a name.
    added = tuple(name for name in names if name and name not in known)
    return emotions, _results(lines, emotions, added)


def _read_folder(folder: str) -> tuple[tuple[str, ...], Iterator[Result]]:
    from serctl.results.shards.finding import find_results

    files = find_results([folder])
    read = [read_results(file) for file in files]
    emotions = read[0][0]
    for file, (others, _) in zip(files, read, strict=True):
        if others != emotions:
            raise ResultsError(
                f"{file}: has the emotions {', '.join(others)}, and {files[0]} {', '.join(emotions)}. "
                "Give each file by itself."
            )
    return emotions, chain.from_iterable(results for _, results in read)


def column_names(path: str | os.PathLike[str]) -> tuple[str, ...]:
    """Columns of a results file; raises as `read_results`."""
    return open_rows(path)[2]


def open_rows(
    path: str | os.PathLike[str], extensions: Sequence[str] = EXTENSIONS
) -> tuple[Iterator["_Line"], str, tuple[str, ...]]:
    """Open a table that serctl wrote: its lines, and where its columns stand and which they are.

    Parameters
    ----------
    path : str or path
        Of the table.
    extensions : sequence of str
        That it may have.

    Raises
    ------
    PathError, UsageError, ResultsError
        As `read_results`.
    """
    path = os.fspath(path)
    require_results(path)
    # A named pipe can be read once, and waits for who writes to it.
    if not os.path.isfile(path) and not os.path.isdir(path):
        raise ResultsError(f"{path}: not a file; a results file was expected. Save it to a file.")
    read = {
        ".csv": _csv_lines,
        ".jsonl": _jsonl_lines,
        ".json": _json_lines,
        parquet.EXTENSION: parquet.parquet_lines,
    }[extension_of(path, extensions)]
    # Opened twice, so that no file stays open if the results are not iterated.
    opening = read(path)
    where, names, _ = next(opening, (path, (), ()))
    opening.close()
    if not names:
        raise ResultsError(f"{path}: empty; a row for every recording was expected. {REMAKE}")
    return read(path), where, names


def require_results(path: str) -> None:
    """Raise PathError if a results file does not exist."""
    if os.path.exists(path):
        return
    advice = "Check the path, or create it with serctl classify."
    if os.path.exists(path + JOURNAL):
        advice = (
            f"An unfinished run left {path}{JOURNAL}: continue it with serctl classify --resume."
        )
    raise PathError(f"{path}: does not exist; a results file was expected. {advice}")


# Place in the file, columns, and values. The first one of a file has no values.
_Line = tuple[str, tuple[str, ...], Sequence[object]]


def _results(
    lines: Iterator[_Line], emotions: tuple[str, ...], added: tuple[str, ...]
) -> Iterator[Result]:
    for where, row in rows_of(lines):
        result = result_of(row, emotions, where)
        if added:
            result = replace(result, extra=tuple((name, _cell(row[name])) for name in added))
        yield result


def _cell(value: object) -> Cell:
    is_cell = value is None or isinstance(value, str | float | int)
    return value if is_cell else json.dumps(value)  # type: ignore[return-value]


def rows_of(lines: Iterator[_Line]) -> Iterator[tuple[str, dict[str, object]]]:
    """Place and cells of each row of `open_rows`; ResultsError if its columns are others."""
    _, expected, _ = next(lines)
    for where, names, values in lines:
        if names != expected:
            raise ResultsError(
                f"{where}: found {', '.join(names)}; the columns of the first row were expected, "
                f"{', '.join(expected)}. {REMAKE}"
            )
        yield where, dict(zip(names, values, strict=True))


def _csv_lines(path: str) -> Generator[_Line]:
    # As spreadsheets save it: with a byte-order mark, semicolons, decimal commas.
    encoding, has_mark = _encoding(path)
    with _open(path, encoding) as file:
        names: tuple[str, ...] | None = None
        reader = None
        try:
            reader = TableReader(file, for_excel=has_mark)
            for cells in reader:
                where = f"{path}, line {reader.line_num}"
                if names is None:
                    names = tuple(cells)
                    yield where, names, ()
                elif len(cells) != len(names):
                    raise ResultsError(
                        f"{where}: {len(cells)} cells; {len(names)} were expected. "
                        f"Is the file complete? {REMAKE}"
                    )
                else:
                    yield where, names, cells
        except (csv.Error, UnicodeError) as error:
            line = reader.line_num if reader else 1
            raise ResultsError(
                f"{path}, line {line}: not CSV ({error}). Is the file complete? {REMAKE}"
            ) from error


def _jsonl_lines(path: str) -> Generator[_Line]:
    with _open(path) as file:
        for number, line in enumerate(file, start=1):
            where = f"{path}, line {number}"
            row = _object(_parsed(line, where), where)
            if number == 1:
                yield where, tuple(row), ()
            yield where, tuple(row), tuple(row.values())


def _json_lines(path: str) -> Generator[_Line]:
    with _open(path) as file:
        rows = _parsed(file.read(), path)
    if not isinstance(rows, list):
        raise ResultsError(f"{path}: not a JSON array of rows, as results are. {REMAKE}")
    for number, found in enumerate(rows, start=1):
        where = f"{path}, row {number}"
        row = _object(found, where)
        if number == 1:
            yield where, tuple(row), ()
        yield where, tuple(row), tuple(row.values())


def _open(path: str, encoding: str = "utf-8") -> TextIO:
    try:
        if encoding == "utf-16":
            return open(path, encoding=encoding, newline="")
        return open(path, encoding=encoding, errors="surrogateescape", newline="")
    except OSError as error:
        raise ResultsError(f"{path}: cannot be read ({error.strerror}).") from error


def _encoding(path: str) -> tuple[str, bool]:
    try:
        return encoding_of(path)
    except OSError as error:
        raise ResultsError(f"{path}: cannot be read ({error.strerror}).") from error


def _parsed(text: str, where: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ResultsError(
            f"{where}: not JSON ({error}). Is the file complete? {REMAKE}"
        ) from error


def _object(found: object, where: str) -> dict[str, object]:
    if not isinstance(found, dict):
        raise ResultsError(f"{where}: not a JSON object, as a row of results is. {REMAKE}")
    return found
