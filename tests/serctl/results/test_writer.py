import io
import json
import math
import os
import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serctl.errors import PathError, ResultsError, UsageError
from serctl.files.outputs import check_output
from serctl.results import writer as writer_module
from serctl.results.reader import read_results
from serctl.results.schema import EXTENSIONS, SCHEMA_VERSION, STATUSES, Result, columns
from serctl.results.summary import summarize
from serctl.results.writer import ResultsWriter, write_run

EMOTIONS = ("angry", "happy", "sad")
OK = Result(
    "r/a.wav", "ok", "", "sad", 0.7, (0.1, 0.2, 0.7), 1.25, 16000, 1, 1, 0.96, 2, "anna", 12
)
UNREADABLE = Result("r/b, c.m4a", "unreadable", 'Not "audio"; convert it.')
SILENT = Result("r/d.wav", "silent", "silence", duration_s=0.5, sample_rate_hz=8000, channels=2)

HEADER = (
    "path,status,reason,emotion,confidence,p_angry,p_happy,p_sad,"
    "duration_s,sample_rate_hz,channels,windows\n"  # of version 1, which is still read
)
HEADER_2 = HEADER.replace("windows", "windows,speech_s,channel")
HEADER_3 = HEADER.replace("windows", "windows,speech_s,channel,voice,voice_n")
CSV = (
    HEADER_3
    + "r/a.wav,ok,,sad,0.700000,0.100000,0.200000,0.700000,1.250,16000,1,1,0.960,2,anna,12\n"
    '"r/b, c.m4a",unreadable,"Not ""audio""; convert it.",,,,,,,,,0,,,,\n'
    "r/d.wav,silent,silence,,,,,,0.500,8000,2,0,,,,\n"
)

# Any name that the system allows: bytes without NUL, UTF-8 or not; and any text without surrogates
# for reasons, in which a name may stand too.
NAMES = st.binary(min_size=1, max_size=40).filter(lambda name: b"\0" not in name).map(os.fsdecode)
TEXTS = st.one_of(NAMES, st.text(max_size=40), st.sampled_from(["\r", "\n", '"', "\u2028", "😀,"]))
MILLIONTHS = st.integers(0, 10**6).map(lambda n: n / 10**6)
THOUSANDTHS = st.integers(0, 10**9).map(lambda n: n / 1000)
COUNTS = st.integers(0, 10**6)


@st.composite
def any_result(draw):
    status = draw(st.sampled_from(STATUSES))
    labelled = status == "ok"
    return Result(
        path=draw(TEXTS),
        status=status,
        reason=draw(TEXTS),
        emotion=draw(st.sampled_from(EMOTIONS)) if labelled else "",
        confidence=draw(MILLIONTHS) if labelled else None,
        probabilities=tuple(draw(MILLIONTHS) for _ in EMOTIONS) if labelled else (),
        duration_s=draw(st.none() | THOUSANDTHS),
        sample_rate_hz=draw(st.none() | COUNTS),
        channels=draw(st.none() | COUNTS),
        windows=draw(COUNTS),
        speech_s=draw(st.none() | THOUSANDTHS),
        channel=draw(st.none() | COUNTS),
        voice=draw(TEXTS),
        voice_n=draw(st.none() | COUNTS),
    )


def interrupted(path, results, overwrite=False):
    with ResultsWriter(str(path), EMOTIONS, overwrite) as writer:
        for result in results:
            writer.write(result)
        raise KeyboardInterrupt


def write(path, results, emotions=EMOTIONS, overwrite=False):
    with ResultsWriter(str(path), emotions, overwrite) as writer:
        for result in results:
            writer.write(result)
    return str(path)


def read(path):
    emotions, results = read_results(str(path))
    return emotions, list(results)


def test_columns_are_fixed():
    assert ",".join(columns(EMOTIONS)) + "\n" == HEADER_3
    assert ",".join(columns(EMOTIONS, version=2)) + "\n" == HEADER_2
    assert ",".join(columns(EMOTIONS, version=1)) + "\n" == HEADER
    assert SCHEMA_VERSION == 3


def test_results_of_earlier_versions_are_read(tmp_path):
    row = "r/a.wav,ok,,sad,0.7,0.1,0.2,0.7,1.25,16000,1,1"
    (tmp_path / "1.csv").write_text(f"{HEADER}{row}\n")
    (tmp_path / "2.csv").write_text(f"{HEADER_2}{row},0.96,2\n")
    of_2 = replace(OK, voice="", voice_n=None)
    assert read(tmp_path / "2.csv")[1] == [of_2]
    assert read(tmp_path / "1.csv")[1] == [replace(of_2, speech_s=None, channel=None)]


@pytest.mark.parametrize("extension", EXTENSIONS)
@settings(deadline=None)
@given(results=st.lists(any_result(), min_size=1, max_size=5))
def test_any_results_read_back_exactly_and_give_the_same_bytes(
    tmp_path_factory, extension, results
):
    folder = tmp_path_factory.mktemp("results")
    path = write(folder / f"a{extension}", results)
    assert read(path) == (EMOTIONS, results)
    again = write(folder / f"b{extension}", read(path)[1])
    assert Path(again).read_bytes() == Path(path).read_bytes()


def test_csv_bytes(tmp_path):
    path = write(tmp_path / "r.csv", [OK, UNREADABLE, SILENT])
    assert Path(path).read_bytes() == CSV.encode()


@pytest.mark.parametrize("extension", [".json", ".jsonl"])
def test_json_has_the_same_columns_and_null_where_there_is_none(tmp_path, extension):
    text = Path(write(tmp_path / f"r{extension}", [OK, UNREADABLE])).read_text("ascii")
    if extension == ".json":
        rows = json.loads(text)
        assert [len(line) > 2 for line in text.splitlines()] == [False, True, True, False]
    else:
        rows = [json.loads(line) for line in text.splitlines()]
    assert [tuple(row) for row in rows] == [columns(EMOTIONS)] * 2
    assert rows[0]["p_sad"] == rows[0]["confidence"] == 0.7
    assert rows[1]["p_sad"] is rows[1]["duration_s"] is rows[1]["channels"] is None
    assert rows[1]["windows"] == 0


def test_names_that_are_not_utf8_keep_their_bytes_in_csv(tmp_path):
    path = write(tmp_path / "r.csv", [Result(os.fsdecode(b"caf\xe9.wav"), "failed", "x")])
    assert b"\ncaf\xe9.wav,failed" in Path(path).read_bytes()


def test_numbers_are_rounded(tmp_path):
    third = Result("a", "ok", "", "sad", 1 / 3, (1 / 3,) * 3, 2 / 3, 16000, 1, 1)
    path = write(tmp_path / "r.csv", [third])
    assert ",0.333333,0.333333,0.333333,0.333333,0.667,16000" in Path(path).read_text()


def test_output_appears_whole(tmp_path):
    output = tmp_path / "r.csv"
    with ResultsWriter(str(output), EMOTIONS) as writer:
        writer.write(OK)
        partial, lock = sorted(os.listdir(tmp_path))
        assert re.fullmatch(r"r\.csv\.[0-9a-f]{8}\.partial", partial)
        assert lock == "r.csv.lock"
    assert os.listdir(tmp_path) == ["r.csv"]


@pytest.mark.parametrize("extension", EXTENSIONS)
@pytest.mark.parametrize("results", [[], [OK]])
def test_after_an_error_nothing_stays(tmp_path, extension, results):
    with pytest.raises(KeyboardInterrupt):
        interrupted(tmp_path / f"r{extension}", results)
    assert os.listdir(tmp_path) == []


def test_what_a_killed_process_left_half_written_is_replaced(tmp_path):
    (tmp_path / "r.csv.0123abcd.partial").write_text("path,sta")
    write(tmp_path / "r.csv", [OK])
    assert os.listdir(tmp_path) == ["r.csv"]
    assert read(tmp_path / "r.csv") == (EMOTIONS, [OK])


def test_an_overwritten_file_stays_until_the_new_one_is_whole(tmp_path):
    output = write(tmp_path / "r.csv", [OK])
    with pytest.raises(KeyboardInterrupt):
        interrupted(output, [SILENT], overwrite=True)
    assert read(output) == (EMOTIONS, [OK])
    write(output, [UNREADABLE], overwrite=True)
    assert read(output) == (EMOTIONS, [UNREADABLE])


def test_what_is_there_is_not_overwritten_unasked(tmp_path):
    (tmp_path / "r.csv").write_text("precious")
    with pytest.raises(UsageError, match=r"r\.csv: .*--overwrite"):
        ResultsWriter(str(tmp_path / "r.csv"), EMOTIONS)
    assert (tmp_path / "r.csv").read_text() == "precious"
    check_output(str(tmp_path / "r.csv"), EXTENSIONS, overwrite=True)


@pytest.mark.parametrize("name", ["r", "r.txt", "r.csv.gz", "r.parquet"])
def test_an_unknown_extension_is_refused(tmp_path, name):
    with pytest.raises(UsageError, match=r"is not one of \.csv, \.jsonl, \.json"):
        check_output(str(tmp_path / name), EXTENSIONS)
    (tmp_path / name).touch()
    with pytest.raises(UsageError, match=r"is not one of \.csv, \.jsonl, \.json"):
        read_results(str(tmp_path / name))


def test_the_extension_counts_in_any_case(tmp_path):
    assert read(write(tmp_path / "R.JSON", [OK])) == (EMOTIONS, [OK])


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(
        ResultsError, match=r"r\.csv: the folder .*missing does not exist\. Create it"
    ):
        check_output(str(tmp_path / "missing/r.csv"), EXTENSIONS)


def test_a_folder_is_no_output(tmp_path):
    (tmp_path / "r.csv").mkdir()
    with pytest.raises(ResultsError, match=r"r\.csv: is a folder"):
        check_output(str(tmp_path / "r.csv"), EXTENSIONS)


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path, monkeypatch):
    # Root may write anywhere, so the system's answer is made up.
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(ResultsError, match=rf"the folder {tmp_path} is not writable"):
        check_output(str(tmp_path / "r.csv"), EXTENSIONS)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
@pytest.mark.parametrize("extension", EXTENSIONS)
def test_a_full_disk_is_said(tmp_path, extension, monkeypatch):
    output = tmp_path / f"r{extension}"
    monkeypatch.setattr(
        writer_module, "open", lambda _, mode: open("/dev/full", mode), raising=False
    )
    with pytest.raises(ResultsError, match=r"r\.\w+: cannot be written after \d rows \(No sp"):
        write(output, [OK], overwrite=True)
    assert os.listdir(tmp_path) == []


def test_standard_output_is_csv_and_nothing_else(monkeypatch):
    stream = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(stream, encoding="ascii"))
    with ResultsWriter("-", EMOTIONS) as writer:
        for result in (OK, UNREADABLE, SILENT):
            writer.write(result)
        assert stream.getvalue() == CSV.encode()
    assert not stream.closed
    assert stream.getvalue() == CSV.encode()


def test_a_reader_of_standard_output_that_has_gone_is_a_broken_pipe(monkeypatch):
    reading, writing = os.pipe()
    os.close(reading)
    with io.TextIOWrapper(io.FileIO(writing, "w")) as stdout:
        monkeypatch.setattr(sys, "stdout", stdout)
        with pytest.raises(BrokenPipeError), ResultsWriter("-", EMOTIONS):
            pass


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (Result("a", "ok", "", "sad", 0.7, (0.3, 0.7)), "2 probabilities for 3 emotions"),
        (Result("a", "ok", "", "sad", math.nan, (0.1, 0.2, 0.7)), "not finite"),
        (Result("a", "ok", "", "sad", 0.7, (0.1, 0.2, math.inf)), "not finite"),
        (Result("a", "ok", "", "bored", 0.7, (0.1, 0.2, 0.7)), "an unknown status"),
        (Result("a", "fine"), "an unknown status"),
    ],
)
def test_a_result_that_does_not_fit_the_schema_is_not_written(tmp_path, result, message):
    with pytest.raises(ValueError, match=message):
        write(tmp_path / "r.jsonl", [result])
    assert os.listdir(tmp_path) == []


def test_results_of_other_programs_habits_are_read(tmp_path):
    # A byte-order mark and carriage returns from a spreadsheet; 16000.0 from pandas.
    text = "\ufeff" + CSV.replace("16000", "16000.0").replace("\n", "\r\n")
    (tmp_path / "r.csv").write_bytes(text.encode())
    assert read(tmp_path / "r.csv") == (EMOTIONS, [OK, UNREADABLE, SILENT])


def test_a_missing_results_file(tmp_path):
    with pytest.raises(PathError, match=r"none\.csv: does not exist; a results file"):
        read_results(str(tmp_path / "none.csv"))


def test_the_journal_of_an_unfinished_run_is_named(tmp_path):
    (tmp_path / "r.csv.journal").touch()
    with pytest.raises(PathError, match=r"An unfinished run left .*r\.csv\.journal: continue it"):
        read_results(str(tmp_path / "r.csv"))


def test_a_folder_is_no_results(tmp_path):
    (tmp_path / "r.csv").mkdir()
    with pytest.raises(PathError, match=r"r\.csv: no results in this folder"):
        read_results(str(tmp_path / "r.csv"))


ROW = "r/a.wav,ok,,sad,0.7,0.1,0.2,0.7,1.25,16000,1,1\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"r\.csv: empty"),
        ("\n", r"r\.csv: empty"),
        ("name,age\nx,3\n", r"r\.csv, line 1: not the columns .* without path, status, reason"),
        (HEADER.replace("p_", "q_"), r"line 1: .* without p_<emotion>; expected, in this order"),
        (HEADER.replace("p_sad", "p_"), r"line 1: not the columns of serctl results: found path"),
        (HEADER.replace("p_sad", "p_happy"), r"line 1: not the columns of .*: found path"),
        (HEADER.replace("windows", "extra"), r"line 1: .* without windows"),
        (HEADER.replace("path,status", "status,path"), r"line 1: .*: found status, path"),
        (HEADER + ROW + ROW.replace(",ok,", ",fine,"), r"line 3: column status holds 'fine'; one"),
        (HEADER + ROW.replace("sad", "bored"), r"line 2: column emotion holds 'bored'; one of ang"),
        (HEADER + ROW.replace("sad", ""), r"line 2: column emotion holds ''; one of angry"),
        (HEADER + ROW.replace("0.2", "much"), r"line 2: column p_happy holds 'much'; a number fro"),
        (HEADER + ROW.replace("0.2", "1.2"), r"column p_happy holds '1\.2'; a number from 0 to 1"),
        (HEADER + ROW.replace("0.2", "nan"), r"column p_happy holds 'nan'; a number from 0 to 1"),
        (HEADER + ROW.replace("0.2", ""), r"column p_happy holds ''; a number from 0 to 1"),
        (HEADER + ROW.replace("1.25", "-1"), r"column duration_s holds '-1'; a number from 0 to"),
        (HEADER + ROW.replace("16000", "8.5"), r"column sample_rate_hz holds '8\.5'; a whole num"),
        (HEADER + ROW[:30], r"line 2: 8 cells; 12 were expected\. Is the file complete"),
        (HEADER + '"r/a.wav', r"line 2: not CSV \(unexpected end of data\)"),
    ],
)
def test_csv_that_is_not_results(tmp_path, text, message):
    (tmp_path / "r.csv").write_text(text)
    with pytest.raises(ResultsError, match=message) as caught:
        read(tmp_path / "r.csv")
    assert "Create it again with serctl classify" in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"p_sad": "much"}, "column p_sad holds 'much'"),
        ({"p_sad": True}, "column p_sad holds True"),
        ({"p_sad": [1]}, r"column p_sad holds \[1\]"),
        ({"duration_s": 10**400}, "column duration_s holds 1000"),
        ({"path": None}, "column path holds None; text was expected"),
        ({"extra": 1}, "found path, .*, extra; the columns of the first row were expected"),
    ],
)
@pytest.mark.parametrize(("extension", "place"), [(".json", "row 2"), (".jsonl", "line 2")])
def test_json_that_is_not_results(tmp_path, extension, place, change, message):
    path = Path(write(tmp_path / f"r{extension}", [OK, OK]))
    first, second = [line for line in path.read_text().splitlines() if len(line) > 1]
    changed = json.dumps(json.loads(second) | change)
    path.write_text(f"[{first}\n{changed}]" if extension == ".json" else f"{first}\n{changed}\n")
    with pytest.raises(ResultsError, match=f"{place}: {message}"):
        read(path)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("r.json", "", r"r\.json: not JSON"),
        ("r.json", "[]", r"r\.json: empty"),
        ("r.json", '{"a": 1}', r"r\.json: not a JSON array"),
        ("r.json", "[1]", r"r\.json, row 1: not a JSON object"),
        ("r.json", '[{"a": 1}', r"r\.json: not JSON .*complete"),
        ("r.json", "[" * 100_000, r"r\.json: not JSON"),
        ("r.json", '[{"a": 1}]', r"r\.json, row 1: not the columns"),
        ("r.jsonl", "", r"r\.jsonl: empty"),
        ("r.jsonl", "{}\n", r"r\.jsonl: empty"),
        ("r.jsonl", '{"a": 1}\n', r"r\.jsonl, line 1: not the columns"),
        ("r.jsonl", "path,status\n", r"r\.jsonl, line 1: not JSON"),
    ],
)
def test_json_that_is_something_else(tmp_path, name, text, message):
    (tmp_path / name).write_text(text)
    with pytest.raises(ResultsError, match=message):
        read(tmp_path / name)


@pytest.mark.parametrize("extension", [".csv", ".jsonl"])
def test_rows_are_read_as_they_are_reached(tmp_path, extension):
    path = Path(write(tmp_path / f"r{extension}", [OK, SILENT]))
    with path.open("a") as file:
        file.write("torn")
    _, results = read_results(str(path))
    assert next(results) == OK
    assert next(results) == SILENT
    with pytest.raises(ResultsError, match=f"line {4 if extension == '.csv' else 3}: "):
        next(results)


def test_the_record_of_a_run_stands_beside_the_results(tmp_path):
    output = str(tmp_path / "r.csv")
    path = write_run(output, {"model": "paper-cnn", "paths": [os.fsdecode(b"\xff")]})
    assert path == f"{output}.run.json"
    record = json.loads(Path(path).read_text("ascii"))
    assert list(record) == ["schema_version", "model", "paths"]
    assert record["schema_version"] == SCHEMA_VERSION
    assert record["paths"] == [os.fsdecode(b"\xff")]
    assert os.listdir(tmp_path) == ["r.csv.run.json"]


def test_a_record_that_cannot_be_written(tmp_path):
    with pytest.raises(ResultsError, match=r"r\.csv\.run\.json: cannot be written \(No such"):
        write_run(str(tmp_path / "missing/r.csv"), {})


def test_paths_may_be_path_objects(tmp_path):
    with ResultsWriter(tmp_path / "r.jsonl", EMOTIONS) as writer:
        writer.write(OK)
    assert writer.output == str(tmp_path / "r.jsonl")
    emotions, results = read_results(tmp_path / "r.jsonl")
    assert (emotions, list(results)) == (EMOTIONS, [OK])
    assert write_run(tmp_path / "r.jsonl", {}) == str(tmp_path / "r.jsonl.run.json")
    assert summarize([tmp_path / "r.jsonl"]).files == (str(tmp_path / "r.jsonl"),)
    with pytest.raises(PathError, match=r"none\.csv: does not exist"):
        read_results(tmp_path / "none.csv")


def test_two_writers_of_one_output_are_refused(tmp_path):
    with ResultsWriter(tmp_path / "r.csv", EMOTIONS) as writer:
        writer.write(OK)
        with (
            pytest.raises(ResultsError, match="another run is writing to it"),
            ResultsWriter(tmp_path / "r.csv", EMOTIONS),
        ):
            pass
    assert read(tmp_path / "r.csv") == (EMOTIONS, [OK])


def test_an_error_of_the_caller_stays_as_it_is(tmp_path):
    with pytest.raises(FileNotFoundError), ResultsWriter(tmp_path / "r.csv", EMOTIONS):
        open(tmp_path / "gone")
    assert os.listdir(tmp_path) == []
