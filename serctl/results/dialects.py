"""CSV as other programs write and read it: encodings, separators, decimal commas, formulas.

A European Excel separates cells by semicolons and writes 0,5 for 0.5; any Excel begins UTF-8 with a
byte-order mark, opens a file without one in an encoding of Windows, and computes a cell that begins
with ``=``. Results are read in any of these ways, and written in two of them if asked for.
"""

import csv
import io
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

SEPARATORS = ",;\t"
TEXT_COLUMNS = frozenset(
    ("path", "file", "status", "reason", "emotion", "speaker", "text", "voice")
)
KNOWN_NUMBERS = re.compile(
    r"p_.*|.*_s|confidence|sample_rate_hz|channels|windows|channel|voice_n"
)  # columns of numbers that serctl writes
DECIMAL_COMMA = re.compile(r"-?\d+,\d+")
BYTE_ORDER_MARK = "\ufeff"
FORMULAS = ("=", "+", "-", "@", "\t", "\r")  # a cell that begins so is a formula to a spreadsheet


@dataclass(frozen=True)
class Dialect:
    """How CSV is written.

    Attributes
    ----------
    separator, decimal : str
        Between cells, and between digits.
    for_excel : bool
        Whether the file begins with a byte-order mark, and cells that begin like a formula with an
        apostrophe.
    """

    separator: str = ","
    decimal: str = "."
    for_excel: bool = False

    def line(self, cells: Sequence[str], numeric: Sequence[bool]) -> str:
        """One row with its line feed; cells are quoted only where necessary.

        Parameters
        ----------
        cells : sequence of str
            Numbers among them with a point.
        numeric : sequence of bool
            Which of them are numbers.
        """
        return self.separator.join(map(self._cell, cells, numeric)) + "\n"

    def _cell(self, cell: str, is_number: bool) -> str:
        if is_number:
            return cell.replace(".", self.decimal)
        if self.for_excel and cell.startswith(FORMULAS):
            cell = "'" + cell
        # By hand, since csv.writer before Python 3.13 leaves a lone carriage return unquoted, which
        # ends the row when it is read.
        if any(character in cell for character in (self.separator, '"', "\r", "\n")):
            return '"' + cell.replace('"', '""') + '"'
        return cell


DIALECTS = {
    "standard": Dialect(),
    "excel": Dialect(for_excel=True),
    "excel-eu": Dialect(";", ",", for_excel=True),
}


def csv_line(cells: Sequence[str]) -> str:
    """One row of standard CSV with its line feed; cells are quoted only where necessary."""
    return DIALECTS["standard"].line(cells, [False] * len(cells))


def encoding_of(path: str | os.PathLike[str]) -> tuple[str, bool]:
    """Encoding of a CSV file, UTF-8 or UTF-16, and whether it begins with a byte-order mark.

    Raises
    ------
    OSError
        If the file cannot be read.
    """
    with open(path, "rb") as file:
        begins = file.read(3)
    if begins[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16", True
    return "utf-8-sig", begins == b"\xef\xbb\xbf"


def separator_of(header: str) -> str:
    """Separator that a header is cut by: the most frequent one."""
    return max(SEPARATORS, key=header.count)


class TableReader:
    """Rows of cells of a CSV file, numbers among them with a point.

    Parameters
    ----------
    lines : iterable of str
        Of a file opened with ``newline=""``.
    for_excel : bool
        Whether an apostrophe before a formula is none of the cell, as `Dialect` writes it.

    Attributes
    ----------
    line_num : int
        Of the last row.

    Raises
    ------
    csv.Error
        While iterating, if it is not CSV.
    """

    def __init__(self, lines: io.TextIOBase | Iterable[str], for_excel: bool) -> None:
        self._for_excel = for_excel
        iterator = iter(lines)
        first = next(iterator, "")
        self._has_commas = separator_of(first) != ","

        def all_lines() -> Iterable[str]:
            if first:
                yield first
            yield from iterator

        self._reader = csv.reader(all_lines(), delimiter=separator_of(first), strict=True)
        self._names: list[str] = []

    @property
    def line_num(self) -> int:
        """Number of the last line read."""
        return self._reader.line_num

    def __iter__(self) -> "TableReader":
        """Return itself."""
        return self

    def __next__(self) -> list[str]:
        """Cells of the next row."""
        cells = next(self._reader)
        if not self._names:
            self._names = [name.strip().lower() for name in cells]
        elif (self._has_commas or self._for_excel) and len(cells) == len(self._names):
            cells = list(map(self._read, cells, self._names))
        return cells

    def _read(self, cell: str, name: str) -> str:
        is_number = bool(KNOWN_NUMBERS.fullmatch(name))
        # In a column that somebody added, a number is what looks like one.
        is_added = not is_number and name not in TEXT_COLUMNS
        if is_number or (is_added and self._has_commas and DECIMAL_COMMA.fullmatch(cell)):
            return cell.replace(",", ".") if self._has_commas else cell
        if self._for_excel and cell[:1] == "'" and cell[1:].startswith(FORMULAS):
            return cell[1:]
        return cell
