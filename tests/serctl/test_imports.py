"""Imports run one way (DESIGN.md), and what is light stays light."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import serctl

ROOT = Path(serctl.__file__).parent

# Lowest first: a module imports only from rows above its own, or what its own row holds before it.
LAYERS = (
    ("serctl", "serctl.errors", "serctl.emotions", "serctl.threads", "serctl.stages"),
    ("serctl.caches",),
    ("serctl.locks", "serctl.durability"),
    ("serctl.selection", "serctl.scan", "serctl.headers", "serctl.opening"),
    ("serctl.audio", "serctl.kernels", "serctl.fourier"),
    ("serctl.features", "serctl.descriptors"),
    ("serctl.inputs", "serctl.graphs", "serctl.networks", "serctl.models", "serctl.devices"),
    (
        "serctl.inference",
        "serctl.schema",
        "serctl.outputs",
        "serctl.results_reader",
        "serctl.results",
    ),
    ("serctl.classifier", "serctl.feature_formats", "serctl.feature_table"),
    ("serctl.pipeline", "serctl.report", "serctl.report_tables", "serctl.figures"),
    ("serctl.worker", "serctl.child", "serctl.journal_lines", "serctl.journal"),
    ("serctl.finished", "serctl.supervisor", "serctl.run"),
    ("serctl.cli",),
    ("serctl.__main__",),
)
ORDER = [name for layer in LAYERS for name in layer]
HEAVY = ("torch", "librosa", "numba", "pandas", "rich", "scipy", "sklearn", "matplotlib", "numpy")


def modules():
    """Name to syntax tree of every module of serctl but those of serctl.train and serctl.weights."""
    trees = {}
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT.parent).with_suffix("").parts
        trees[".".join(parts).removesuffix(".__init__")] = ast.parse(path.read_text("utf-8"))
    return trees


MODULES = modules()


def imported(nodes):
    """Full names of the modules that statements import, and other names in them."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: a relative import"
            assert node.module
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def run_on_import(tree):
    """Statements that run when a module is imported: not in functions, nor for type checkers."""
    for node in ast.iter_child_nodes(tree):
        for_types = isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        if not for_types and not isinstance(node, ast.FunctionDef):
            yield node
            yield from run_on_import(node)


def rank(name):
    """Place of a module in `ORDER`; those of packages in it have their package's."""
    return ORDER.index(".".join(name.split(".")[:2]))


@pytest.mark.parametrize("name", MODULES)
def test_imports_run_one_way(name):
    for other in imported(ast.walk(MODULES[name])):
        if other in MODULES:
            # A package imports its own modules, and those of serctl.cli each other.
            beside = rank(other) == rank(name) and other.count(".") + name.count(".") > 2
            assert rank(other) < rank(name) or beside, f"{name} imports {other}"


@pytest.mark.parametrize("name", MODULES)
def test_only_commands_import_training_and_only_in_functions(name):
    trainers = {o for o in imported(ast.walk(MODULES[name])) if o.startswith("serctl.train")}
    assert not trainers or name.startswith("serctl.cli.")
    assert trainers.isdisjoint(imported(run_on_import(MODULES[name])))


@pytest.mark.parametrize("name", [name for name in MODULES if name.startswith("serctl.cli")])
def test_commands_import_nothing_heavy_at_their_top(name):
    at_top = {other.split(".")[0] for other in imported(run_on_import(MODULES[name]))}
    assert at_top - sys.stdlib_module_names <= {"click", "serctl"}


def test_every_module_has_its_layer():
    assert {".".join(name.split(".")[:2]) for name in MODULES} <= set(ORDER)


LIGHT = [
    ["--help"],
    ["--version"],
    ["classify", "--help"],
    ["report", "--help"],
    ["train", "--help"],
    ["evaluate", "--help"],
    ["corpora", "--help"],
    ["no-such-command"],
]


@pytest.mark.parametrize("arguments", LIGHT, ids=" ".join)
def test_help_imports_nothing_heavy(arguments):
    assert heavy_after(f"run({arguments!r})") == []


def test_shell_completion_imports_nothing_heavy():
    complete = (
        "import os; os.environ.update(_SERCTL_COMPLETE='bash_complete', COMP_CWORD='2', "
        "COMP_WORDS='serctl classify --'); run([])"
    )
    assert heavy_after(complete) == []


def test_a_report_needs_neither_network_nor_kernels(tmp_path):
    results = tmp_path / "r.csv"
    results.write_text(
        "path,status,reason,emotion,confidence,p_angry,p_sad,"
        "duration_s,sample_rate_hz,channels,windows\n"
        "a.wav,ok,,sad,0.9,0.1,0.9,1.0,16000,1,1\n"
    )
    heavy = heavy_after(f"assert run(['report', {str(results)!r}]) == 0")
    assert set(heavy).isdisjoint({"torch", "librosa", "numba", "pandas"})


def test_classifying_is_done_by_a_child_and_its_parent_is_light(
    tiny_folder, write_recording, tmp_path
):
    arguments = ["classify", write_recording("a.wav"), "--model", str(tiny_folder)]
    arguments += ["-o", str(tmp_path / "r.csv")]
    assert heavy_after(f"assert run({arguments!r}) == 0") == ["rich"]  # for the tables, at the end


def test_classifying_on_a_cpu_needs_neither_torch_nor_librosa(tiny_folder):
    classify = f"Classifier({str(tiny_folder)!r}, device='cpu').classify('a.wav')"
    heavy = heavy_after(f"from serctl.classifier import Classifier; {classify}")
    assert "numba" in heavy  # so that the list is not empty for another reason
    assert set(heavy).isdisjoint({"torch", "librosa", "pandas", "sklearn", "matplotlib"})


def heavy_after(statement):
    """Those of `HEAVY` that an interpreter has imported after a statement that may call `run`."""
    script = (
        f"import json, sys; from serctl.cli import run; {statement}\n"
        f"print(); print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])
