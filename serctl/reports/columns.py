"""Columns of a table, packed so that 100000 rows fit a page of 3 MB and are read in a moment.

A column is one of three kinds, and its values are compressed (gzip) and in base64:

- ``number``: whole multiples of ``10^-decimals`` in 1, 2 or 4 bytes, the largest value standing for
  none; or 8-byte floats, not-a-number standing for none, with ``decimals`` null
- ``category``: numbers of values, in 1, 2 or 4 bytes, and the values themselves as ``labels``
- ``text``: a JSON array of strings

Numbers of more bytes than one are cut into planes: first the lowest byte of all values, then the
next. Bytes of one plane resemble each other, which gzip makes use of. Everything is little-endian.
"""

import base64
import gzip
import json
import math
import sys
from array import array
from collections.abc import Iterable, Sequence
from typing import Any

from serctl.results.schema import Cell

LEVEL = 6  # of gzip; 9 takes three times as long for a hundredth less
WIDTHS = ((1, "B"), (2, "H"), (4, "I"))
# Names that are not UTF-8 have single surrogates, one for each wrong byte, which UTF-8 cannot hold.
# In a page they are the last 128 characters of all, which no name has.
FIRST_SURROGATE, FIRST_STAND_IN = 0xDC80, 0x10FF80
STAND_INS = {FIRST_SURROGATE + i: FIRST_STAND_IN + i for i in range(128)}


class NumberColumn:
    """Numbers, rounded to a number of decimals.

    Parameters
    ----------
    name : str
        Of the column.
    decimals : int or None
        None keeps them as they are, in 8 bytes.
    """

    def __init__(self, name: str, decimals: int | None) -> None:
        self.name = name
        self._decimals = decimals
        self._values = array("d")

    def append(self, number: float | None) -> None:
        """Add the number of one row."""
        self._values.append(math.nan if number is None else number)

    def packed(self) -> dict[str, Any]:
        """The column as JSON can hold it."""
        head = {"name": self.name, "kind": "number", "decimals": self._decimals}
        if self._decimals is None:
            return {**head, **_packed_array(self._values)}
        scale = 10**self._decimals
        whole = [-1 if number != number else round(number * scale) for number in self._values]
        code, none = _width(max(whole, default=0))
        values = array(code, (none if value < 0 else value for value in whole))
        return {**head, **_packed_array(values)}


class CategoryColumn:
    """Text that repeats.

    Parameters
    ----------
    name : str
        Of the column.
    labels : iterable of str
        Values that come first, in this order, whether or not they occur.
    """

    def __init__(self, name: str, labels: Iterable[str] = ()) -> None:
        self.name = name
        self._codes = {label: i for i, label in enumerate(labels)}
        self._values = array("I")

    def append(self, label: str) -> None:
        """Add the label of one row."""
        self._values.append(self._codes.setdefault(label, len(self._codes)))

    def packed(self) -> dict[str, Any]:
        """The column as JSON can hold it."""
        code, _ = _width(len(self._codes))
        head = {"name": self.name, "kind": "category", "labels": _packed_text(self._codes)}
        return {**head, **_packed_array(array(code, self._values))}


class TextColumn:
    """Text that is another in every row."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._values: list[str] = []

    def append(self, text: str) -> None:
        """Add the text of one row."""
        self._values.append(text)

    def packed(self) -> dict[str, Any]:
        """The column as JSON can hold it."""
        return {"name": self.name, "kind": "text", "data": _packed_text(self._values)}


Column = NumberColumn | CategoryColumn | TextColumn


def column_of(name: str, cells: Sequence[Cell]) -> Column:
    """Column of the kind that suits cells of any type: numbers if all are, or else text."""
    numbers = [_number(cell) for cell in cells]
    column: Column
    if all(number is not None for number in numbers) and any(cells):
        column = NumberColumn(name, None)
        for number in numbers:
            column.append(number)
        return column
    texts = ["" if cell is None else str(cell) for cell in cells]
    is_category = len(set(texts)) <= max(16, len(texts) // 4)
    column = CategoryColumn(name) if is_category else TextColumn(name)
    for text in texts:
        column.append(text)
    return column


def pack_text(text: str) -> str:
    """Text in ASCII, compressed and in base64."""
    return _encoded(text.encode("ascii"))


def _number(cell: Cell) -> float | None:
    """Number in a cell, not-a-number in an empty one, None in one with text."""
    if cell is None or cell == "":
        return math.nan
    if isinstance(cell, bool):
        return None
    try:
        number = float(cell)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _width(largest: int) -> tuple[str, int]:
    """Code of the narrowest array for whole numbers, and its value for none."""
    for width, code in WIDTHS:
        none = (1 << 8 * width) - 1
        if largest < none:
            return code, none
    raise ValueError(f"{largest}: more than 32 bits")


def _packed_array(values: "array[Any]") -> dict[str, Any]:
    if sys.byteorder == "big":
        values = array(values.typecode, values)
        values.byteswap()
    raw, width = values.tobytes(), values.itemsize
    planes = b"".join(raw[i::width] for i in range(width))
    return {"bytes": width, "data": _encoded(planes)}


def _packed_text(texts: Iterable[str]) -> str:
    text = json.dumps(list(texts), ensure_ascii=False, separators=(",", ":"))
    return _encoded(text.translate(STAND_INS).encode("utf-8", "replace"))


def _encoded(content: bytes) -> str:
    # Without the time, so that the same results give the same page.
    return base64.b64encode(gzip.compress(content, LEVEL, mtime=0)).decode("ascii")
