import csv
import io
from pathlib import Path

import pandas as pd
import pytest
from support.result_files import write_results

from serctl.cli import run
from serctl.errors import ResultsError, UsageError
from serctl.results.grouping import parse_grouping
from serctl.results.reader import read_results
from serctl.results.schema import Result
from serctl.results.writer import ResultsWriter

AGENT = "calls/(?P<agent>[^/]+)/"


@pytest.fixture
def results(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return write_results("serctl-results.csv", 60)


def tidy(capsys, *arguments):
    assert run(["report", "--format", "csv", *arguments]) == 0
    return list(csv.DictReader(io.StringIO(capsys.readouterr().out)))


def test_a_pattern_groups_by_a_part_of_the_path(results, capsys):
    found = tidy(capsys, "--by", AGENT)
    assert list(found[0])[:2] == ["agent", "n"]
    assert {row["agent"] for row in found} <= {f"agent{i:02}" for i in range(1, 21)}
    assert sum(int(row["n"]) for row in found) == 60


def test_what_does_not_match_is_a_group_without_a_name():
    grouping = parse_grouping(AGENT, ())
    assert [grouping.group_of(Result(path, "silent")) for path in ("calls/ann/1.wav", "x.wav")] == [
        "ann",
        "",
    ]
    assert parse_grouping("(?P<a>x)?", ()).group_of(Result("b", "silent")) == ""


def test_columns_that_pandas_added_are_kept_and_grouped_by(results, capsys):
    table = pd.read_csv(results)
    table["team"] = ["red", "blue, light"] * 30
    table.insert(0, "score", range(60))
    table.to_csv("added.csv")  # with pandas' index, a column without a name
    assert [row["team"] for row in tidy(capsys, "added.csv", "--by", "team")] == [
        "blue, light",
        "red",
    ]
    first = next(read_results("added.csv")[1])
    assert first.extra == (("score", "0"), ("team", "red"))
    assert run(["report", "added.csv", "--by", "team"]) == 0
    printed = capsys.readouterr().out
    assert "By team" in printed
    assert "Emotions by team" in printed


def test_added_columns_of_a_european_table_keep_their_commas(tmp_path):
    head = (
        "path;status;reason;emotion;confidence;p_a;p_b;duration_s;sample_rate_hz;channels;windows"
    )
    row = "a.wav;ok;;a;0,75;0,75;0,25;1,5;16000;1;1;2,5;red, light"
    (tmp_path / "r.csv").write_text(f"{head};score;team\n{row}\n")
    (result,) = read_results(tmp_path / "r.csv")[1]
    assert result.extra == (("score", "2.5"), ("team", "red, light"))
    assert (result.confidence, result.duration_s) == (0.75, 1.5)


def test_values_of_json_that_are_no_cell_are_text(tmp_path):
    row = '{"path": "a.wav", "status": "silent", "reason": "", "emotion": "", "confidence": null, '
    row += '"p_a": null, "duration_s": 1, "sample_rate_hz": 1, "channels": 1, "windows": 0, '
    (tmp_path / "r.jsonl").write_text(row + '"tags": ["x"], "n": 3}\n')
    assert next(read_results(tmp_path / "r.jsonl")[1]).extra == (("tags", '["x"]'), ("n", 3))


def test_a_column_of_serctl_groups_too(results, capsys):
    assert [row["channels"] for row in tidy(capsys, "--by", "channels")] == ["", "1"]


@pytest.mark.parametrize(
    ("by", "message"),
    [
        ("mood", "emotion, folder, status, .* or a pattern with a named group"),
        ("confidence", "a pattern with a named group is needed"),
        ("(?P<a", "not a regular expression"),
        ("(?P<a>x)(?P<b>y)", "has the named groups a, b; one is needed"),
        ("(?P<folder>x)", "with another name than emotion, folder"),
    ],
)
def test_what_is_no_grouping_is_refused(by, message):
    with pytest.raises(UsageError, match=message):
        parse_grouping(by, ("path", "confidence", "channel"))


def test_a_column_that_stands_twice_is_refused(tmp_path, results):
    lines = Path(results).read_text("utf-8").splitlines()
    text = "\n".join([f"{lines[0]},a,a", *(f"{line},1,2" for line in lines[1:])])
    (tmp_path / "twice.csv").write_text(text + "\n")
    with pytest.raises(ResultsError, match="not the columns of serctl results"):
        read_results("twice.csv")


def test_a_result_is_not_written_without_its_added_columns(tmp_path):
    result = Result("a.wav", "silent", extra=(("team", "red"),))
    with ResultsWriter(tmp_path / "r.csv", ("angry", "sad")) as writer:
        with pytest.raises(
            ResultsError, match=r"a\.wav has the columns team, which serctl did not"
        ):
            writer.write(result)
