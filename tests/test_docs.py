"""The documents say what is so: commands, columns, exit statuses and figures."""

import importlib.util
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.user_folder import write_user_folder

from serctl.cli import cli, run
from serctl.figures import save_figure
from serctl.models.config import read_config
from serctl.results.schema import LEADING, STATUSES, TRAILING
from serctl.train.documents.figures import draw_figures
from serctl.train.documents.measurements import N_RUNS, extent, five, read_measurements
from serctl.train.documents.measurements import RESULTS as RESULTS_FOLDER
from serctl.train.documents.result_tables import TABLES
from serctl.train.documents.rewrite import BLOCK, render_documents
from serctl.train.recipes.loading import recipe_names
from serctl.weights import bundled_models

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
PAGES = (
    "README.md",
    *(page.relative_to(ROOT).as_posix() for page in sorted((ROOT / "docs").rglob("*.md"))),
)
DOCUMENTS = (*PAGES, "CONTRIBUTING.md")
README = (ROOT / "README.md").read_text(encoding="utf-8")
RESULTS = read_measurements(ROOT)
BUNDLED = bundled_models()


def blocks(name: str, language: str) -> list[str]:
    """The fenced blocks of a document in a language."""
    text = (ROOT / name).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def code(name: str) -> str:
    """The fenced blocks of shell commands of a document, and what stands between backticks."""
    text = (ROOT / name).read_text(encoding="utf-8")
    return "\n".join([*blocks(name, "bash"), *re.findall(r"`[^`\n]+`", text)])


def commands() -> list[str]:
    """Every command of the pages once, but those that install."""
    lines = "\n".join(text for page in PAGES for text in blocks(page, "bash")).splitlines()
    found = (line.partition("#")[0].strip() for line in lines)
    return [line for line in dict.fromkeys(found) if re.search(r"\bserctl [a-z]", line)]


@pytest.mark.parametrize("command", sorted(cli.commands))
def test_every_command_is_in_the_readme(command: str) -> None:
    assert f"serctl {command}" in README


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_option_in_the_documents_is_one_of_its_command(name: str) -> None:
    for command, arguments in re.findall(r"serctl ([a-z]+)([^#`\n]*)", code(name)):
        known = {option for parameter in cli.commands[command].params for option in parameter.opts}
        used = set(re.findall(r"(?<![-\w])--?[a-z][a-z-]*", arguments.split("|")[0]))
        assert used <= known | {"--help"}, f"serctl {command}{arguments}"


def test_lines_of_the_readme_that_no_test_runs_are_those_that_install() -> None:
    lines = "".join(blocks("README.md", "bash")).splitlines()
    tested = commands()
    assert [line for line in lines if line and line.partition("#")[0].strip() not in tested] == [
        "python3.11 -m venv .venv",
        ".venv/bin/pip install -q -c constraints.txt .",  # .ci/run does, with [dev]
        ". .venv/bin/activate",
    ]


@pytest.fixture(scope="module")
def user_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything that the documents' commands name."""
    folder = tmp_path_factory.mktemp("user")
    write_user_folder(folder)
    return folder


@pytest.mark.parametrize("command", commands())
def test_every_command_of_the_documents_runs_as_it_stands(
    command: str, user_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a copy of the user's folder; one that reads all of ./corpora is only parsed."""
    if re.search(r"\./corpora(?!/)", command):
        name, *arguments = shlex.split(command)[1:]
        cli.commands[name].make_context(name, arguments)
        return
    folder = tmp_path / "user"
    shutil.copytree(user_folder, folder, copy_function=os.link)
    monkeypatch.chdir(folder)
    if "report" not in command:
        Path("serctl-results.csv").unlink()
    for output in re.findall(r" -o (\S+)", command):  # what another command of a page wrote
        if Path(output).is_file():
            Path(output).unlink()
    if command.startswith("serctl train --data"):
        shutil.rmtree("my-model")
    if command == "serctl export cnn":  # without -o
        Path("cnn.onnx").unlink()
    if "--retry-failed" in command:  # needs a run that has finished
        assert run(["classify", "./calls"]) == 0
    if ("manifest.csv" in command and "scan" not in command) or "merge" in command:
        assert run(["scan", "./archive"]) == 0
    for i in (1, 2, 3) if "merge" in command else ():
        shard = ["--files-from", "manifest.csv", "--shard", f"{i}/3"]
        assert run(["classify", *shard, "-o", f"shard-{i}.csv"]) == 0
    if "|" not in command.replace("'", ""):
        assert run(shlex.split(command)[1:]) == 0
        return
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    bash = ["bash", "-o", "pipefail", "-c", command]
    assert subprocess.run(bash, env={**os.environ, "PATH": path}).returncode == 0


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "python")])
def test_python_of_the_documents_runs(
    page: str, user_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From top to bottom: a block may use the names of those above it."""
    folder = tmp_path / "user"
    shutil.copytree(user_folder, folder, copy_function=os.link)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
    names: dict[str, object] = {}
    for text in blocks(page, "python"):
        exec(text, names)


def test_pictures_of_a_terminal_show_what_the_commands_print() -> None:
    spec = importlib.util.spec_from_file_location("draw_terminal", ROOT / "docs/draw_terminal.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for picture, output in module.run_commands().items():
        drawn = module.draw(module.COMMANDS[picture], output)
        stands = (ROOT / "docs" / picture).read_text(encoding="utf-8")
        assert module.words(stands) == module.words(drawn), f"{picture}: just terminal draws it"


@pytest.mark.parametrize("name", [*LEADING, *TRAILING, *STATUSES])
def test_every_column_and_status_is_in_the_readme(name: str) -> None:
    assert f"`{name}`" in README


def test_tables_and_cards_are_what_the_results_give() -> None:
    for path, text in render_documents(ROOT).items():
        found = path.read_text(encoding="utf-8")
        assert found == text, f"{path.name} differs from train/results; just tables writes it anew"


@pytest.mark.parametrize("name", PAGES)
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
    for key in ("emotions", "n_clips", "n_without_prediction", "confusion", "by_corpus"):
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
        if not model.startswith(("serctl-weights/", "my-model"))  # those that a user trains
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


@pytest.mark.parametrize("name", [*DOCUMENTS, "CHANGELOG.md"])
def test_modules_and_files_that_the_documents_name_exist(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    text = re.sub(r"^\| `serctl\.[\w.]+` \|", "|", text, flags=re.MULTILINE)  # names of 0.1.0
    for path in re.findall(r"`((?:serctl|train|tests|benchmarks)/[\w/.-]+)`", text):
        assert (ROOT / path).exists(), path
    for module in re.findall(r"`(serctl\.[a-z_.]+[a-z_])(?:\.[A-Z]\w*)?`", text):
        assert importlib.util.find_spec(module), module


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
