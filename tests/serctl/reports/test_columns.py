import base64
import gzip
import json
import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serctl.reports.columns import CategoryColumn, NumberColumn, TextColumn, column_of


def filled(column, values):
    for value in values:
        column.append(value)
    return column.packed()


def raw(text):
    return gzip.decompress(base64.b64decode(text))


def numbers(packed):
    """Values of a packed column of numbers, read as the page reads them."""
    content, width = raw(packed["data"]), packed["bytes"]
    n = len(content) // width
    joined = bytes(content[plane * n + i] for i in range(n) for plane in range(width))
    code = {1: "B", 2: "H", 4: "I", 8: "d"}[width]
    values = struct.unpack(f"<{n}{code}", joined)
    if packed.get("decimals") is None:
        return values
    none = 256**width - 1
    return [None if value == none else value / 10 ** packed["decimals"] for value in values]


def texts(packed):
    return json.loads(raw(packed).decode())


@given(st.lists(st.none() | st.integers(0, 4_000_000).map(lambda n: n / 1000), min_size=1))
def test_numbers_come_back_with_their_decimals(values):
    packed = filled(NumberColumn("duration_s", 3), values)
    assert numbers(packed) == pytest.approx(values)


@pytest.mark.parametrize(("largest", "width"), [(0, 1), (254, 1), (255, 2), (65534, 2), (65535, 4)])
def test_numbers_take_as_many_bytes_as_the_largest_needs(largest, width):
    assert filled(NumberColumn("n", 0), [0, None, largest])["bytes"] == width


def test_labels_are_numbered_and_those_given_come_first():
    packed = filled(CategoryColumn("status", ("ok", "silent")), ["failed", "ok", "failed"])
    assert texts(packed["labels"]) == ["ok", "silent", "failed"]
    assert list(raw(packed["data"])) == [2, 0, 2]


def test_names_that_are_not_utf_8_have_a_stand_in_for_each_byte():
    packed = filled(TextColumn("name"), ["caf\udce9", "\U0001f600", "é"])
    assert texts(packed["data"]) == ["caf\U0010ffe9", "\U0001f600", "é"]


def test_the_kind_of_an_added_column_is_that_of_its_cells():
    assert column_of("score", [1, "2.5", None, ""]).packed()["kind"] == "number"
    assert column_of("team", ["a", "b", "a"]).packed()["kind"] == "category"
    assert column_of("note", [f"note {i}" for i in range(99)]).packed()["kind"] == "text"
    assert column_of("flag", [True, False]).packed()["kind"] == "category"
    assert column_of("empty", [None, ""]).packed()["kind"] == "category"
    values = numbers(column_of("score", [-1, "2.5", None]).packed())
    assert values[:2] == (-1, 2.5)
    assert math.isnan(values[2])


def test_the_same_values_give_the_same_bytes():
    assert filled(TextColumn("name"), ["a"] * 99) == filled(TextColumn("name"), ["a"] * 99)
