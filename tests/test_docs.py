"""The documents say what is so: commands, columns, exit statuses and figures."""

import json
import re
from pathlib import Path

import pytest

from serctl.cli import cli
from serctl.figures import save_figure
from serctl.models.config import read_config
from serctl.models.loading import bundled_models
from serctl.results.schema import LEADING, STATUSES, TRAILING
from serctl.train.documents.figures import draw_figures
from serctl.train.documents.measurements import N_RUNS, extent, five, read_results
from serctl.train.documents.measurements import RESULTS as RESULTS_FOLDER
from serctl.train.documents.result_tables import TABLES
from serctl.train.documents.rewrite import BLOCK, remade
from serctl.train.recipes.loading import recipe_names

ROOT = Path(__file__).parents[1]
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "docs/results.md")
README = (ROOT / "README.md").read_text(encoding="utf-8")
RESULTS = read_results(ROOT)
BUNDLED = bundled_models()


def code(name: str) -> str:
    """The indented lines of a document, and what stands between backticks."""
    text = (ROOT / name).read_text(encoding="utf-8")
    return "\n".join(re.findall(r"^ {4}.*$|`[^`\n]+`", text, re.MULTILINE))


@pytest.mark.parametrize("command", sorted(cli.commands))
def test_every_command_is_in_the_readme(command: str) -> None:
    assert f"serctl {command}" in README


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_option_in_the_documents_is_one_of_its_command(name: str) -> None:
    for command, arguments in re.findall(r"serctl ([a-z]+)([^#`\n]*)", code(name)):
        known = {option for parameter in cli.commands[command].params for option in parameter.opts}
        used = set(re.findall(r"(?<![-\w])--?[a-z][a-z-]*", arguments.split("|")[0]))
        assert used <= known | {"--help"}, f"serctl {command}{arguments}"


@pytest.mark.parametrize("name", [*LEADING, *TRAILING, *STATUSES])
def test_every_column_and_status_is_in_the_readme(name: str) -> None:
    assert f"`{name}`" in README


def test_tables_and_cards_are_what_the_results_give() -> None:
    for path, text in remade(ROOT).items():
        found = path.read_text(encoding="utf-8")
        assert found == text, f"{path.name} differs from train/results; just tables writes it anew"


@pytest.mark.parametrize("name", ["README.md", "docs/results.md"])
def test_no_measured_number_stands_outside_the_tables(name: str) -> None:
    prose = BLOCK.sub("", (ROOT / name).read_text(encoding="utf-8"))
    assert re.findall(r"\d+\.\d+ ?(?:%|points)", prose) == []


def test_the_readme_has_the_tables_that_it_needs() -> None:
    needed = {"headline", "models", "comparison", "leak", "by-corpus"}
    assert needed <= set(BLOCK.findall(README))
    for name in needed:
        assert TABLES[name](RESULTS), name


def test_results_say_how_far_speakers_leak() -> None:
    text = TABLES["leak"](RESULTS).replace("\n", " ")
    for model, results in RESULTS.items():
        one, new = (five(results, split) for split in N_RUNS)
        if one and new and not extent(one, "report") and not extent(new, "new-speakers"):
            assert f"`{model}` from {one['ua']:.1%} to {new['ua']:.1%}" in text
        else:
            assert f"`{model}` from" not in text


@pytest.mark.parametrize("model", BUNDLED)
def test_bundled_weights_are_those_that_were_measured(model: str) -> None:
    metrics = json.loads((BUNDLED[model] / "metrics.json").read_text(encoding="utf-8"))
    (measured,) = (
        run for run in RESULTS[model]["new-speakers"]["runs"] if run["fold"] == metrics["fold"]
    )
    assert (metrics["split"], metrics["fold"]) == ("new-speakers", 0)
    for key in ("emotions", "n_clips", "n_unanswered", "confusion", "by_corpus"):
        assert measured["test"][key] == metrics["test"][key]
    assert measured["command"] == metrics["command"]


@pytest.mark.parametrize("model", BUNDLED)
def test_robustness_is_that_of_the_bundled_weights(model: str) -> None:
    measured = RESULTS[model].get("robustness")
    if measured is None:
        pytest.skip("not measured")
    assert measured["sha256"] == read_config(BUNDLED[model]).sha256, "just robustness FOLD0 MODEL"


@pytest.mark.parametrize("model", RESULTS)
def test_means_of_the_results_are_those_of_their_runs(model: str) -> None:
    for split in ("report", "new-speakers"):
        summary = five(RESULTS[model], split)
        if summary is None:
            continue
        ua = [run["test"]["ua"] for run in summary["runs"]]
        assert summary["ua"] == pytest.approx(sum(ua) / len(ua), abs=1e-12)
        assert (summary["ua_lowest"], summary["ua_highest"]) == (min(ua), max(ua))


def test_every_model_that_the_documents_name_is_bundled_or_has_a_recipe() -> None:
    named = {
        model
        for name in DOCUMENTS
        for model in re.findall(r"--model ([\w./-]+)", code(name))
        if not model.startswith("serctl-weights/")
    }
    assert "paper-cnn" in named
    assert named <= {*BUNDLED, *recipe_names()}


def test_every_recipe_that_the_documents_name_is_one() -> None:
    recipes = re.findall(
        r"^([\w-]+)(?: [^:\n]*)?:(?!=)", (ROOT / "Justfile").read_text("utf-8"), re.MULTILINE
    )
    named = {recipe for name in DOCUMENTS for recipe in re.findall(r"just ([\w-]+)", code(name))}
    assert {"tables", "figures", "train"} <= named
    assert named <= set(recipes)


def test_figures_are_drawn_of_these_results(tmp_path: Path) -> None:
    drawn = tmp_path / "drawn.svg"
    for name, figure in draw_figures(RESULTS).items():
        save_figure(figure, str(drawn))
        stands = ROOT / RESULTS_FOLDER / f"{name}.svg"
        assert stands.with_suffix(".png").exists(), f"{name}.png: just figures draws it"
        # Of their texts, for a coordinate may be rounded otherwise elsewhere.
        found, expected = (
            re.findall("<!-- (.*?) -->", path.read_text("utf-8")) for path in (stands, drawn)
        )
        assert found == expected, f"{name} differs from train/results; just figures draws it anew"


@pytest.mark.parametrize("name", [*DOCUMENTS, *(f"weights/{model}/card.md" for model in BUNDLED)])
def test_links_of_the_documents_lead_somewhere(name: str) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", (ROOT / name).read_text(encoding="utf-8")):
        if target.startswith("https://"):
            continue
        path, _, heading = target.partition("#")
        linked = (ROOT / name).parent / path if path else ROOT / name
        assert linked.exists(), target
        if heading:
            assert heading in headings(linked.read_text(encoding="utf-8")), target


def headings(text: str) -> set[str]:
    """Names under which the headings of a document can be linked to."""
    return {
        re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
        for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    }
