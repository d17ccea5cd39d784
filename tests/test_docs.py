"""The documents say what is so: commands, columns, exit statuses and figures."""

import json
import re
from pathlib import Path

import pytest

from serctl.cli import cli
from serctl.schema import LEADING, STATUSES, TRAILING
from serctl.train.card import card_text

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
RESULTS = json.loads((ROOT / "train/results/paper-cnn.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("command", sorted(cli.commands))
def test_every_command_is_in_the_readme(command: str) -> None:
    assert f"serctl {command}" in README


def test_every_option_in_the_readme_is_one() -> None:
    known = {
        option
        for command in cli.commands.values()
        for parameter in command.params
        for option in parameter.opts
    }
    known |= {"--version", "--help"}
    used = {
        option
        for line in README.splitlines()
        if "serctl " in line
        for option in re.findall(r"(?<![-\w])--[a-z][a-z-]+", line)
    }
    assert used <= known


@pytest.mark.parametrize("name", [*LEADING, *TRAILING, *STATUSES])
def test_every_column_and_status_is_in_the_readme(name: str) -> None:
    assert f"`{name}`" in README


@pytest.mark.parametrize("split", ["report", "new-speakers"])
def test_figures_of_the_readme_are_those_of_the_results(split: str) -> None:
    one = RESULTS[split]
    figures = f"{one['ua']:.1%} ({one['ua_lowest']:.1%} to {one['ua_highest']:.1%})"
    (line,) = (
        line for line in README.splitlines() if line.startswith(f"| `{split}`, ") and "(" in line
    )
    assert figures in line


def test_the_card_is_that_of_the_bundled_weights() -> None:
    from serctl.models import find_model, read_config

    folder = find_model("paper-cnn")
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    expected = card_text(read_config(folder), metrics, RESULTS)
    assert (folder / "card.md").read_text(encoding="utf-8") == expected
    assert metrics["test"] == RESULTS["new-speakers"]["runs"][0]["test"]
    assert f"{metrics['test']['ua']:.1%}" in README


def test_links_of_the_documents_lead_somewhere() -> None:
    for name in ("README.md", "CONTRIBUTING.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)#]+)\)", text):
            assert target.startswith("https://") or (ROOT / target).exists(), target
