"""``report.json``: the page is made of it again, and what is no report is refused."""

import json
from pathlib import Path

import pytest
from support.result_files import write_results

from serctl.cli import run


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def saved():
    """A report of hostile results, whose results are gone."""
    write_results("r.csv", 60, calls=True, hostile=True)
    assert run(["report", "r.csv", "--by", "folder", "-o", "before.html"]) == 0
    assert run(["report", "r.csv", "--by", "folder", "-o", "report.json"]) == 0
    for path in Path().glob("r.csv*"):
        path.unlink()
    return Path("report.json")


def test_the_page_is_the_same(saved):
    assert run(["report", "report.json", "-o", "after.html"]) == 0
    assert Path("after.html").read_bytes() == Path("before.html").read_bytes()


def test_recordings_are_linked_from_where_the_page_stands(saved):
    Path("pages").mkdir()
    assert run(["report", "report.json", "--audio", "link", "-o", "pages/p.html"]) == 0
    assert '"audio":"../"' in Path("pages/p.html").read_text("utf-8")


def test_the_summary_in_it_is_that_of_standard_output(saved, capsys):
    write_results("r.csv", 60, calls=True, hostile=True)
    assert run(["report", "r.csv", "--by", "folder", "--format", "json"]) == 0
    contents = json.loads(saved.read_text())
    assert contents.pop("page")["recordings"]["n_rows"] == 60
    assert contents == json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "is a report, of which a page can be made: add -o report.html"),
        (["-o", "r.csv"], "is a report, of which a page can be made"),
        (["--by", "status", "-o", "p.html"], "--by: has no effect on report.json"),
        (["other.json", "-o", "p.html"], "is a report, and makes a page alone"),
    ],
)
def test_a_page_alone_is_made_of_it(saved, capsys, options, message):
    Path("other.json").write_text("[]")
    assert run(["report", "report.json", *options]) == 2
    assert message in capsys.readouterr().err


def change(text, how):
    contents = json.loads(text)
    how(contents)
    return json.dumps(contents)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        (lambda one: one.pop("page"), "has no rows, as the output of serctl report --format json"),
        (lambda one: one["page"].update(format=2), "of format 2, and this version of serctl has 1"),
        (lambda one: one["page"].pop("emotions"), "not a report ('emotions')"),
        (lambda one: one.update(page=[]), "not a report"),
        (lambda one: one["page"].update(recordings={}), "not a report"),
        (lambda one: one["page"].update(segments=3), "not a report (segments is a int)"),
        (lambda one: one.update(duration_s=float("nan")), "not a report"),
    ],
)
def test_what_is_no_report_is_refused(saved, capsys, how, message):
    saved.write_text(change(saved.read_text(), how))
    assert run(["report", "report.json", "-o", "p.html"]) == 3
    assert message in capsys.readouterr().err
    assert not Path("p.html").exists()


def test_a_torn_report_is_refused(saved, capsys):
    saved.write_text(saved.read_text()[:1000])
    assert run(["report", "report.json", "-o", "p.html"]) == 3
    assert "report.json: not a report" in capsys.readouterr().err
