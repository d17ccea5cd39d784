"""The page, without a browser: its data, its policy, and what names in it can do (nothing)."""

import base64
import gzip
import hashlib
import json
import re
from html.parser import HTMLParser

import pytest
from support.result_files import HOSTILE, SIX, write_results

from serctl.cli import run
from serctl.reports.page import PageOptions, page_text


class Parsed(HTMLParser):
    """Scripts, styles and tags of a page, as a browser cuts it."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.scripts, self.styles, self.policy = [], [], [], ""
        self._inside = None
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.tags.append(tag)
        if attributes.get("http-equiv") == "Content-Security-Policy":
            self.policy = attributes["content"]
        if tag in ("script", "style"):
            self._inside = (self.scripts if tag == "script" else self.styles, attributes)
        assert not any(name.startswith("on") for name in attributes)
        assert "src" not in attributes

    def handle_data(self, data):
        if self._inside:
            self._inside[0].append((self._inside[1], data))

    def handle_endtag(self, tag):
        self._inside = None


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """Results whose names are hostile, and so is an added column."""
    output = tmp_path_factory.mktemp("page") / "r.csv"
    write_results(output, 60, hostile=True)
    lines = output.read_bytes().decode("utf-8", "surrogateescape").splitlines(keepends=True)
    assert "\udce9" in "".join(lines)
    return str(output)


def data_of(page):
    (found,) = [text for attributes, text in Parsed(page).scripts if attributes]
    return json.loads(found)


def texts(packed):
    return json.loads(gzip.decompress(base64.b64decode(packed)))


def column(data, table, name):
    (found,) = [one for one in data[table]["columns"] if one["name"] == name]
    return found


def test_the_policy_allows_this_script_and_this_style_alone(hostile):
    parsed = Parsed(page_text([hostile], PageOptions()))
    policy = dict(rule.split(" ", 1) for rule in parsed.policy.split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["media-src"] == "'none'"
    assert policy["require-trusted-types-for"] == "'script'"
    assert "unsafe" not in parsed.policy
    (script,) = [text for attributes, text in parsed.scripts if not attributes]
    ((_, style),) = parsed.styles
    for rule, text in (("script-src", script), ("style-src", style)):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert policy[rule] == f"'sha256-{digest}'"


def test_names_are_no_markup(hostile):
    page = page_text([hostile], PageOptions(by="(?P<whose>[^/]*)/"))
    plain = page_text([write_results(hostile + ".plain.csv", 1)], PageOptions())
    assert Parsed(page).tags == Parsed(plain).tags
    for part in ("alert(1)", "onerror", "javascript:", "HYPERLINK", "example.org", "caf"):
        assert part not in page


def test_text_of_an_added_column_cannot_end_its_script(tmp_path, hostile):
    name = "</script><img src=x onerror=alert(1)>"
    lines = ["path,status,reason,emotion,confidence,p_a</script>,p_<!--,duration_s,"]
    lines[0] += f'sample_rate_hz,channels,windows,"{name}"'
    lines += [f"{i}.wav,ok,,<!--,0.9,0.1,0.9,1,16000,1,1,{{{{SCRIPT}}}}{i}" for i in range(3)]
    (tmp_path / "r.csv").write_text("\n".join(lines) + "\n")
    page = page_text([str(tmp_path / "r.csv")], PageOptions(by=name))
    plain = page_text([hostile], PageOptions())
    assert Parsed(page).tags == Parsed(plain).tags
    data = data_of(page)
    assert (data["by"], data["emotions"]) == (name, ["a</script>", "<!--"])
    assert texts(column(data, "recordings", name)["labels"]) == [
        f"{{{{SCRIPT}}}}{i}" for i in range(3)
    ]


def test_nothing_of_the_scripts_makes_markup_of_text():
    page = page_text_of_scripts()
    for forbidden in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
        assert forbidden not in page
    assert not re.search(r"\bfetch\(|XMLHttpRequest|WebSocket|https?://(?!www\.w3\.org)", page)


def page_text_of_scripts():
    from serctl.reports import page

    return "".join(page._asset(name) for name in page.SCRIPTS)


def test_every_script_is_in_the_page_once():
    from importlib import resources

    from serctl.reports import page

    found = {file.name for file in (resources.files("serctl.reports") / "page").iterdir()}
    assert found == {*page.SCRIPTS, "style.css", "template.html"}


def test_every_path_is_in_the_page(hostile):
    data = data_of(page_text([hostile], PageOptions()))
    names = texts(column(data, "recordings", "name")["data"])
    assert len(names) == data["recordings"]["n_rows"] == 60
    assert {"javascript:alert(1)//.wav".rpartition("/")[2], HOSTILE[0].rpartition("/")[2]} <= {
        *names
    }


def test_what_the_page_says_is_what_format_json_writes(hostile, capsys):
    assert run(["report", "--format", "json", hostile]) == 0
    written = json.loads(capsys.readouterr().out)
    assert texts(data_of(page_text([hostile], PageOptions()))["contents"]) == written
    assert written["must_not_use"][0].startswith("Do not use it for any decision about a person")


def test_the_same_results_give_the_same_page(hostile):
    assert page_text([hostile], PageOptions()) == page_text([hostile], PageOptions())


def test_segments_belong_to_the_rows_of_their_recordings(tmp_path):
    calls = write_results(tmp_path / "calls.csv", 5, calls=True)
    data = data_of(page_text([calls], PageOptions()))
    assert data["segments"]["n_rows"] > 5
    rows = column(data, "segments", "row")
    assert rows["bytes"] == 1
    content = gzip.decompress(base64.b64decode(rows["data"]))
    assert set(content) <= set(range(5))
    # Of a row that was removed from the results, segments are left out.
    lines = (tmp_path / "calls.csv").read_text().splitlines(keepends=True)
    (tmp_path / "calls.csv").write_text("".join(lines[:3]))
    fewer = data_of(page_text([calls], PageOptions()))["segments"]["n_rows"]
    assert 0 < fewer < data["segments"]["n_rows"]


def test_files_with_other_columns_and_emotions_are_one_table(tmp_path, hostile):
    head = "path,status,reason,emotion,confidence,p_bored,p_sad,duration_s,sample_rate_hz,channels,"
    row = "a.wav,ok,,bored,0.8,0.8,0.2,1.5,16000,1,1,Ann\n"
    (tmp_path / "added.csv").write_text(f"{head}windows,agent\n{row}")
    data = data_of(page_text([hostile, str(tmp_path / "added.csv")], PageOptions(by="agent")))
    assert data["recordings"]["n_rows"] == 61
    assert data["emotions"] == [*SIX, "bored"]
    assert texts(column(data, "recordings", "agent")["labels"]) == ["", "Ann"]


def test_links_to_recordings_are_relative_to_the_page(tmp_path, monkeypatch, hostile):
    (tmp_path / "a b").mkdir()
    monkeypatch.chdir(tmp_path)
    page = page_text([hostile], PageOptions(audio="link", folder="a b"))
    assert data_of(page)["audio"] == "../"
    assert "media-src 'self' file:" in page.replace("&#x27;", "'")
    monkeypatch.chdir(tmp_path / "a b")
    assert (
        data_of(page_text([hostile], PageOptions(audio="link", folder="..")))["audio"] == "a%20b/"
    )
    assert data_of(page_text([hostile], PageOptions()))["audio"] is None


def test_a_page_of_many_rows_is_small(tmp_path):
    many = write_results(tmp_path / "many.csv", 5000)
    empty = len(page_text([write_results(tmp_path / "one.csv", 1)], PageOptions()))
    assert (len(page_text([many], PageOptions())) - empty) / 5000 < 28  # bytes a row
