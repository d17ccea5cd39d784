"""Segments in Parquet: what is read is what was written, and what pyarrow reads."""

import pytest

from serctl.errors import ResultsError
from serctl.results import parquet
from serctl.results.segments import (
    Segment,
    SegmentsWriter,
    check_segments_output,
    read_segments,
)

SEGMENTS = [
    Segment("a.wav", 2, "Ann", 0.5, 9.25, 7.0, "sad", 0.75, (0.25, 0.75), 'so "x", \n'),
    Segment("\udcff.wav", None, "", 3.0, 4.0, None, "", None, ()),
]


def write(path, segments):
    with SegmentsWriter(path, ("angry", "sad")) as writer:
        for segment in segments:
            writer.write(segment)


def test_round_trip(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "ROWS_PER_GROUP", 1)
    path = tmp_path / "s.parquet"
    write(path, SEGMENTS)
    emotions, found = read_segments(path)
    assert emotions == ("angry", "sad")
    assert list(found) == [SEGMENTS[0], Segment("\\udcff.wav", *SEGMENTS[1].packed()[:-2], ())]
    table = pytest.importorskip("pyarrow.parquet").read_table(path)
    assert table.column("channel").to_pylist() == [2, None]
    assert table.column("p_sad").to_pylist() == [0.75, None]
    first = path.read_bytes()
    path.unlink()
    write(path, SEGMENTS)
    assert path.read_bytes() == first


def test_no_segments(tmp_path):
    write(tmp_path / "s.parquet", [])
    emotions, found = read_segments(tmp_path / "s.parquet")
    assert (emotions, list(found)) == (("angry", "sad"), [])


def test_what_is_no_parquet_file(tmp_path):
    (tmp_path / "s.parquet").write_bytes(b"PAR1 is not all")
    with pytest.raises(ResultsError, match="not a Parquet file"):
        read_segments(tmp_path / "s.parquet")


def test_without_pyarrow(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ResultsError, match="needs pyarrow"):
        check_segments_output(str(tmp_path / "s.parquet"), False)
    check_segments_output(str(tmp_path / "s.csv"), False)
