"""What is to be cited is the same everywhere."""

import re
import tomllib
from pathlib import Path

import pytest

import serctl
from serctl.citations import CITATIONS, YEAR, Citation
from serctl.cli import run

ROOT = Path(__file__).parents[2]
CFF = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
TITLES = re.findall(r'^ *(?:- type: \S+\n +)?title: "(.*)"$', CFF, re.MULTILINE)


def plain(text: str) -> str:
    return re.sub(r"[{}]", "", text)


def test_citation_cff_has_the_same_entries_in_order() -> None:
    assert [plain(one.fields["title"]) for one in CITATIONS] == TITLES
    for one in CITATIONS:
        for field in ("doi", "year"):
            if field in one.fields and one.key != "serctl":
                assert f"{field}: {one.fields[field]}\n" in CFF
        for author in plain(one.fields["author"]).split(" and "):
            family = author.partition(",")[0]
            assert re.search(rf'- (?:family-names: |name: "){family}"?\n', CFF), author


def test_version_licence_and_year_are_those_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert f'\nversion: "{serctl.__version__}"\n' in CFF
    assert f"\nlicense: {project['license']}\n" in CFF
    assert f"Copyright (c) {YEAR} The serctl authors" in (ROOT / "LICENSE").read_text("utf-8")
    silero = next(one for one in CITATIONS if one.key == "silerovad")
    assert f"Silero VAD {silero.fields['version']} " in (
        ROOT / "weights" / "silero" / "README.md"
    ).read_text("utf-8")


def test_cite_prints_bibtex(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["cite"]) == 0
    printed = capsys.readouterr().out
    assert printed.count("\n@") == len(CITATIONS)
    assert f"  version = {{{serctl.__version__}}},\n" in printed
    assert len({one.key for one in CITATIONS}) == len(CITATIONS)
    for entry in printed.split("\n\n"):
        assert re.fullmatch(r"% [^\n]+\n@\w+\{\w+,\n(?:  \w+ += \{.+\},\n)+\}\n?", entry)
        assert entry.count("{") == entry.count("}")


def test_an_entry_is_aligned() -> None:
    entry = Citation("Always.", "a", "misc", {"title": "T", "year": "1"}).bibtex()
    assert entry == "% Always.\n@misc{a,\n  title = {T},\n  year  = {1},\n}\n"
