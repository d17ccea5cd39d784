"""Imports run one way (DESIGN.md), and what is light stays light."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import serctl
import serctl.train
from serctl.cli import cli

ROOT = Path(serctl.__file__).parent

# Lowest first: a module imports from its own package and from those above it here. `errors` to
# `text` are the base modules, which import nothing but each other.
BASE = (
    *("serctl", "errors", "emotions", "threads", "timing", "progress", "text", "caches"),
    *("system", "citations"),
)
ORDER = (
    "files",
    "results",
    "audio",
    "features",
    "models",
    "figures",
    "timeline",
    "engine",
    "api",
    "reports",
)
TRAIN_ORDER = (
    "corpora",
    "recipes",
    "data",
    "evaluation",
    "robustness",
    "documents",
    "training",
    "custom",
    "experiments",
)
HEAVY = ("torch", "librosa", "numba", "pandas", "rich", "scipy", "sklearn", "matplotlib", "numpy")


def modules():
    """Name to syntax tree of every module of serctl, and of serctl.train, which is beside it."""
    trees = {}
    for package in (ROOT, Path(serctl.train.__file__).parent):
        name = "serctl" if package == ROOT else "serctl.train"
        for path in sorted(package.rglob("*.py")):
            parts = (name, *path.relative_to(package).with_suffix("").parts)
            trees[".".join(parts).removesuffix(".__init__")] = ast.parse(path.read_text("utf-8"))
    return trees


MODULES = modules()
PACKAGES = sorted({name.rpartition(".")[0] for name in MODULES} - {""})


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
    """Place of a module in the order of imports."""
    room = name.removeprefix("serctl.train.").removeprefix("serctl.").split(".")[0]
    if name.startswith("serctl.train."):
        return 100 + TRAIN_ORDER.index(room)
    if room in ("cli", "__main__"):
        return 200 + (room == "__main__")
    return 0 if room in BASE else 1 + ORDER.index(room)


@pytest.mark.parametrize(
    "name", [name for name in MODULES if name not in ("serctl", "serctl.train")]
)
def test_imports_run_one_way(name):
    for other in imported(ast.walk(MODULES[name])):
        if other in MODULES and other not in ("serctl", "serctl.train"):
            assert rank(other) <= rank(name), f"{name} imports {other}"


def test_no_two_modules_import_each_other():
    modules = set(MODULES) - set(PACKAGES)
    uses = {
        name: {other for other in imported(run_on_import(tree)) if other in modules} - {name}
        for name, tree in MODULES.items()
    }
    left = dict(uses)
    while ready := [name for name, others in left.items() if not others & set(left)]:
        for name in ready:
            del left[name]
    assert not left


@pytest.mark.parametrize("package", PACKAGES)
def test_no_folder_has_more_than_a_dozen_modules(package):
    beside = [name for name in MODULES if name.rpartition(".")[0] == package]
    # __init__ is counted with its own folder, and each command has a module, which is not.
    commands = {f"serctl.cli.{command}" for command in cli.commands}
    modules = [
        name
        for name in beside
        if name not in commands and not any(other.startswith(name + ".") for other in MODULES)
    ]
    assert len(modules) <= 12


SOURCES = sorted(
    path for package in (ROOT, Path(serctl.train.__file__).parent) for path in package.rglob("*.py")
)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: "/".join(path.parts[-3:]))
def test_no_module_has_more_than_300_lines(path):
    assert path.read_text("utf-8").count("\n") <= 300


@pytest.mark.parametrize("name", MODULES)
def test_packages_hold_no_code_in_their_init(name):
    """So that importing one of its modules loads no other: the parent of a run must stay light."""
    is_package = any(other.startswith(name + ".") for other in MODULES)
    exceptions = ("serctl", "serctl.cli", "serctl.models.networks", "serctl.train")
    if is_package and name not in exceptions:
        assert len(MODULES[name].body) == 1


@pytest.mark.parametrize("name", [n for n in MODULES if not n.startswith("serctl.train")])
def test_only_commands_import_training_and_only_in_functions(name):
    trainers = {o for o in imported(ast.walk(MODULES[name])) if o.startswith("serctl.train")}
    assert not trainers or name.startswith("serctl.cli.")
    assert trainers.isdisjoint(imported(run_on_import(MODULES[name])))


@pytest.mark.parametrize("name", [name for name in MODULES if name.startswith("serctl.cli")])
def test_commands_import_nothing_heavy_at_their_top(name):
    at_top = {other.split(".")[0] for other in imported(run_on_import(MODULES[name]))}
    assert at_top - sys.stdlib_module_names <= {"click", "serctl"}


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
    heavy = heavy_after(f"from serctl.models.classifier import Classifier; {classify}")
    assert "numba" in heavy  # so that the list is not empty for another reason
    assert set(heavy).isdisjoint({"torch", "librosa", "pandas", "sklearn", "matplotlib"})


def test_a_worker_that_classifies_does_not_import_scipy(write_recording):
    """numba would import it for functions that no kernel calls."""
    path = write_recording("a.wav")
    script = (
        "import sys; from serctl.caches import import_numba_without_scipy\n"
        "import_numba_without_scipy()\n"
        "from serctl.models.classifier import Classifier\n"
        "for model in ('cnn', 'whisper', 'paper-cnn'):\n"
        f"    assert Classifier(model, device='cpu').classify({path!r}).status == 'ok'\n"
        "assert 'numba' in sys.modules and 'scipy.linalg' not in sys.modules\n"
        "import scipy.linalg"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_of_serctl_only_plots_of_recordings_use_librosa(write_recording, tmp_path):
    """Its import takes seconds; nothing else of `serctl` or `train` names it."""
    users = {name for name, tree in MODULES.items() if "librosa" in imported(ast.walk(tree))}
    assert users == {"serctl.figures"}
    assert "librosa" not in imported(run_on_import(MODULES["serctl.figures"]))
    arguments = ["plot", write_recording("a.wav"), "-o", str(tmp_path / "a.png")]
    assert "librosa" in heavy_after(f"assert run({arguments!r}) == 0")


def heavy_after(statement):
    """Those of `HEAVY` that an interpreter has imported after a statement that may call `run`."""
    script = (
        f"import json, sys; from serctl.cli import run; {statement}\n"
        f"print(); print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_the_public_names_are_imported_when_they_are_used():
    script = (
        "import sys, serctl; before = set(sys.modules); assert not before & {'numpy', 'click'}; "
        "from serctl import Classifier, SerctlError, read_results; "
        "assert {'Classifier', 'SerctlError', 'read_results'} <= set(dir(serctl)); "
        "assert Classifier.__module__ == 'serctl.models.classifier'"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
    with pytest.raises(AttributeError, match=r"module 'serctl' has no attribute 'nothing'"):
        serctl.nothing  # noqa: B018
