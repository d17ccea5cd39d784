"""Formats and outputs of ``serctl report``; what it says is in tests of results and reports."""

import json
import subprocess
import sys

import pytest
from support.result_files import SIX, write_results

from serctl.cli import run


@pytest.fixture
def results(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return write_results("serctl-results.csv", 30)


@pytest.mark.parametrize(
    ("output", "begins"),
    [
        ("r.html", "<!DOCTYPE html>"),
        ("r.json", '{\n  "serctl_version"'),
        ("r.csv", "emotion,n,"),
        ("r.md", "serctl"),
    ],
)
def test_the_extension_of_the_output_selects_the_format(results, output, begins, tmp_path, capsys):
    assert run(["report", "-o", output]) == 0
    assert (tmp_path / output).read_text("utf-8").startswith(begins)
    assert capsys.readouterr().out == ""


def test_a_page_goes_to_standard_output_too(results, capsys):
    assert run(["report", "--format", "html"]) == 0
    assert capsys.readouterr().out.endswith("</html>\n")


def test_an_output_that_exists_is_kept(results, tmp_path, capsys):
    (tmp_path / "r.html").write_text("mine")
    assert run(["report", "-o", "r.html"]) == 2
    assert "r.html: exists already" in capsys.readouterr().err
    assert (tmp_path / "r.html").read_text() == "mine"
    assert run(["report", "-o", "r.html", "--overwrite"]) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-o", "r.txt"], "the file extension selects the format"),
        (["-o", "r.csv", "--format", "html"], "the file extension selects the format"),
        (["-o", "r.csv", "--format", "table"], "a table is for the terminal"),
        (["--format", "xlsx"], "needs a file. Add -o report.xlsx"),
        (["--audio", "link"], "--audio: has no effect on a table"),
        (["--moments", "3", "--format", "html"], "--format html: not with --moments"),
        (["--rank", "sad", "-o", "r.csv"], "--output: has no effect with --moments and --rank"),
        (["--by", "mood"], "a pattern with a named group is needed"),
        (["--compare", "--by", "folder", "a.csv", "b.csv"], "--by: has no effect with --compare"),
    ],
)
def test_wrong_usage_is_refused(results, capsys, arguments, message):
    assert run(["report", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_json_has_the_run_and_what_it_must_not_be_used_for(results, tmp_path, capsys):
    record = {"model": "cnn", "model_sha256": "0" * 64, "began": "2026-11-29T22:00:00+00:00"}
    (tmp_path / "serctl-results.csv.run.json").write_text(json.dumps(record))
    assert run(["report", "--format", "json", "--by", "(?P<agent>agent[0-9]+)"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["runs"] == [{"file": "serctl-results.csv", **record}]
    assert found["models"] == []  # other weights than the bundled ones
    assert found["by"] == "agent"
    assert sum(row["n"] for row in found["group"]) == found["n_recordings"] == 30


@pytest.mark.parametrize("record", ["{", "[1]", '{"a": NaN}'])
def test_a_record_that_is_none_is_left_out(results, tmp_path, capsys, record):
    (tmp_path / "serctl-results.csv.run.json").write_text(record)
    assert run(["report", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["runs"] == [{"file": "serctl-results.csv"}]


def test_a_page_needs_nothing_heavy(results):
    script = (
        "import sys; from serctl.cli import run; status = run(['report', '-o', 'r.html']); "
        "heavy = {'torch', 'librosa', 'numba', 'pandas', 'numpy', 'rich'} & set(sys.modules); "
        "sys.exit(f'{status} {heavy}' if status or heavy else 0)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_rows_of_added_columns_are_not_lost_by_a_retry(results, tmp_path):
    """Their table is the user's: a run that would drop a column refuses."""
    from serctl.engine.retry import PreviousRun
    from serctl.errors import ResultsError

    lines = (tmp_path / "serctl-results.csv").read_text("utf-8").splitlines()
    text = "\n".join([f"{lines[0]},team", *(f"{line},red" for line in lines[1:])]) + "\n"
    (tmp_path / "serctl-results.csv").write_text(text)
    record = {"began": "2026-11-29T22:00:00+00:00", "emotions": list(SIX)}
    (tmp_path / "serctl-results.csv.run.json").write_text(json.dumps(record))
    previous = PreviousRun("serctl-results.csv", {})
    with pytest.raises(ResultsError, match="has the columns team, which serctl did not write"):
        list(previous.rows({"emotions": list(SIX)}, []))
