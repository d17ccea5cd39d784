"""The documentation as a site: it builds, loads nothing from elsewhere, and documents every option."""

import html
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import click
import pytest

pytest.importorskip("mkdocs", reason="pip install -c constraints.txt -e '.[docs]'")

import serctl
from docs.site.reference import pages, parameters
from serctl.cli import cli
from serctl.results.schema import LEADING, STATUSES, TRAILING

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
REFERENCE = pages()


def command_page(name: str) -> str:
    """Text of a command's page, without markup."""
    return html.unescape(re.sub("<.*?>", "", REFERENCE[f"reference/commands/{name}.md"]))


@pytest.mark.parametrize("name", sorted(cli.commands))
def test_every_option_is_in_the_reference_and_explained(name: str) -> None:
    command = cli.commands[name]
    text = command_page(name)
    assert (command.help or "").split()[0] in text
    for option in command.params:
        if isinstance(option, click.Option) and not option.hidden:
            assert len((option.help or "").split()) > 1, f"serctl {name} {option.opts[0]}: no help"
            assert option.opts[0] in text
            assert (option.help or "").split("  [")[0] in text


def test_every_command_has_a_page() -> None:
    found = {Path(page).stem for page in REFERENCE if page.startswith("reference/commands/")}
    assert found == {*cli.commands, "index"}


def test_every_column_and_status_is_in_the_reference() -> None:
    page = REFERENCE["reference/results.md"]
    assert [name for name in (*LEADING, *TRAILING, *STATUSES) if f"`{name}`" not in page] == []
    assert "`STATUSES`" not in page


def test_a_column_without_a_description_is_an_error() -> None:
    @dataclass
    class Row:
        """A row.

        Parameters
        ----------
        path : str
            Of the recording, or None.
        start_s, end_s : float
            In seconds.
        """

        path: str
        start_s: float
        end_s: float

    assert parameters(Row)["path"] == ("str", "Of the recording, or empty.")
    assert parameters(Row)["end_s"] == ("float", "In seconds.")
    Row.__doc__ = (Row.__doc__ or "").replace("start_s, end_s", "start_s")
    with pytest.raises(ValueError, match="Row: no description of end_s"):
        parameters(Row)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir"]
    built = subprocess.run(
        [*command, str(folder)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stderr + built.stdout
    return folder


def test_pages_of_the_repository_have_their_paths_in_the_site(site: Path) -> None:
    for page in ("index", "docs/classify", "weights/cnn/card", "tests/hostile", "reference/python"):
        assert (site / page).with_suffix(".html").exists(), page
    api = (site / "reference" / "python.html").read_text("utf-8")
    for name in serctl.__all__:
        assert name.startswith("__") or f'.{name}"' in api


def test_no_page_loads_anything_from_elsewhere(site: Path) -> None:
    loads = re.compile(
        r"<(?:script|img|iframe|source|video|audio)\b[^>]*\bsrc=[\"']?(?:https?:)?//[^>]*>"
        r"|<link\b[^>]*\bhref=[\"']?(?:https?:)?//[^>]*>"
    )
    documents = list(site.rglob("*.html"))
    assert len(documents) > 30
    for document in documents:
        assert loads.findall(document.read_text("utf-8")) == [], document
    for sheet in site.rglob("*.css"):
        found = re.findall(
            r"(?:url\(|@import)\s*[\"']?(?:https?:)?//[^)]*", sheet.read_text("utf-8")
        )
        assert found == [], sheet
