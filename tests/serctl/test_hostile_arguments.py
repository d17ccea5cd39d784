"""The hostile-input suite: what is typed, and what may not be read; see test_hostile.py."""

import ctypes
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from support.hostile_arguments import NAMED, REFUSED, all_at_once
from support.hostile_cases import NEIGHBOURS, command
from support.hostile_names import NAME_CASES

from serctl.cli import run
from serctl.results.reader import read_results

PR_CAPBSET_DROP = 24  # of Linux's prctl, and what lets root read everything
READ_EVERYTHING = (1, 2)  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
NOBODY = 65534

pytestmark = pytest.mark.skipif(os.name != "posix", reason="file names and kinds of POSIX")


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder to be in, with the good neighbours in one."""
    monkeypatch.chdir(tmp_path)
    for name, source in NEIGHBOURS.items():
        (tmp_path / "r").mkdir(exist_ok=True)
        shutil.copyfile(source, tmp_path / "r" / name)
    return tmp_path


def test_whatever_is_named_has_one_row(here, tiny_folder):
    typed = [*all_at_once(here), "-o", "out.csv", "--model", str(tiny_folder)]
    assert run(["classify", *typed]) == 1
    _, results = read_results("out.csv")
    rows = [(result.path, result.status, result.reason) for result in results]
    assert [path for path, _, _ in rows] == ["r/ good.mp3", "r/~good.ogg", *NAMED]
    assert [row[1:] for row in rows[:2]] == [("ok", ""), ("ok", "")]
    for path, status, reason in rows[2:]:
        assert (status, bool(re.fullmatch(NAMED[path], reason))) == ("unreadable", True)


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_done_is_refused(here, tiny_folder, capfd, name):
    build, status, expected = REFUSED[name]
    typed = [*build(here), "-o", "out.csv", "--model", str(tiny_folder)]
    assert run(["classify", *typed]) == status
    assert re.search(expected, capfd.readouterr().err, re.MULTILINE)
    assert not [name for name in os.listdir() if name.startswith("out.csv")]


def test_a_dry_run_lists_paths_that_can_be_fed_back(here, capfdbinary, tiny_folder):
    odd = os.path.join("r", os.fsdecode(b"\xff\n.wav"))
    shutil.copyfile("r/ good.mp3", odd)
    assert run(["classify", "r", "--dry-run", "-0"]) == 0
    listed = capfdbinary.readouterr().out
    assert listed == b"r/ good.mp3\0r/~good.ogg\0r/\xff\n.wav\0"
    assert sorted(os.listdir()) == ["r"]
    Path("list").write_bytes(listed)
    typed = ["--files-from", "list", "-0", "-o", "o.json", "--model", str(tiny_folder)]
    assert run(["classify", *typed]) == 0
    assert [result.path for result in read_results("o.json")[1]] == [
        "r/ good.mp3",
        "r/~good.ogg",
        odd,
    ]


def test_any_name_is_read_back_from_json_as_it_is(here, tiny_folder):
    cases = [case for case in NAME_CASES if case.status == "ok" and "link" not in case.name]
    for number, case in enumerate(cases):
        (here / f"b/{number}").mkdir(parents=True)
        case.build(here / f"b/{number}").write_bytes(b"")
    paths = [os.path.join(folder, name) for folder, _, names in os.walk("b") for name in names]
    typed = ["-o", "o.json", "--model", str(tiny_folder)]
    assert run(["classify", "b", *typed]) == 1
    found = [result.path for result in read_results("o.json")[1]]
    assert len(paths) >= 16
    assert sorted(found) == sorted(paths)


def drop_rights():
    """Root keeps its user id, and loses its rights over files."""
    libc = ctypes.CDLL(None, use_errno=True)
    for right in READ_EVERYTHING:
        if libc.prctl(PR_CAPBSET_DROP, right, 0, 0, 0):
            raise OSError(ctypes.get_errno(), "prctl")


@pytest.fixture(scope="module")
def kernels():
    """A folder that any user may keep compiled kernels in."""
    with tempfile.TemporaryDirectory(prefix="serctl-kernels-") as folder:
        os.chmod(folder, 0o777)
        yield folder


def rights_without_root(how, folder, kernels):
    """How the command is run by one who may not read all, as options of subprocess.run."""
    if os.geteuid() != 0:
        if how == "another user":
            pytest.skip(f"user {os.geteuid()} cannot become another, and is none who may read all")
        return {}
    if how == "root without its rights":
        if sys.platform != "linux":
            pytest.skip("only Linux lets root drop its rights over files")
        return {"preexec_fn": drop_rights}
    as_nobody = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
    as_nobody["env"] = {"HOME": str(folder), "PATH": os.defpath, "NUMBA_CACHE_DIR": kernels}
    try:
        command = [sys.executable, "-c", "import serctl.models.classifier"]
        subprocess.run(command, cwd=folder, capture_output=True, check=True, **as_nobody)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip(f"{sys.executable} and what it imports may not be reached by user {NOBODY}")
    return as_nobody


@pytest.fixture(params=["another user", "root without its rights"])
def closed(request, tiny_folder, kernels):
    """A folder with a model in it, and a function that runs the command without root's rights."""
    # Not below pytest's own folder, which is its user's alone.
    with tempfile.TemporaryDirectory(prefix="serctl-closed-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        options = rights_without_root(request.param, folder, kernels)
        shutil.copytree(tiny_folder, folder / "model")
        for name in ("r", "r/shut", "r/blind", "out"):
            (folder / name).mkdir()
            for neighbour, source in NEIGHBOURS.items():
                shutil.copyfile(source, folder / name / neighbour)
        shutil.copyfile(folder / "r/~good.ogg", folder / "r/h.ogg")
        if user := options.get("user"):
            for path in (folder, *folder.rglob("*")):
                os.chown(path, user, user)

        def run_without_rights(*arguments):
            return command(folder, "model", "-o", "out/o.csv", *arguments, **options)

        yield folder, run_without_rights
        for path in (folder / "r", folder / "r/shut", folder / "r/blind"):
            path.chmod(0o755)


def test_without_rights_all_that_may_be_read_is(closed):
    folder, run_without_rights = closed
    output = folder / "out/o.csv"
    assert run_without_rights("r").returncode == 0
    uninterrupted = [
        line for line in output.read_bytes().splitlines() if line.startswith(b"r/ good")
    ]
    (folder / "r/h.ogg").chmod(0)
    (folder / "r/shut").chmod(0)
    (folder / "r/blind").chmod(0o444)  # its names can be listed, and not opened
    process = run_without_rights("r", "--overwrite")
    said = process.stdout.decode() + process.stderr.decode()
    assert process.returncode == 1, said
    assert "r/shut: this folder cannot be listed (Permission denied)" in said
    rows = {result.path: result for result in read_results(str(output))[1]}
    denied = "Permission denied. Check that it can be read."
    assert {path: (row.status, row.reason) for path, row in rows.items()} == {
        "r/ good.mp3": ("ok", ""),
        "r/blind/ good.mp3": ("unreadable", denied),
        "r/blind/~good.ogg": ("unreadable", denied),
        "r/h.ogg": ("unreadable", denied),
        "r/~good.ogg": ("ok", ""),
    }
    assert len(uninterrupted) == 1
    assert uninterrupted[0] in output.read_bytes().splitlines()


def test_a_folder_without_rights_alone_makes_the_exit_status_1(closed):
    folder, run_without_rights = closed
    (folder / "r/shut").chmod(0)
    assert run_without_rights("r").returncode == 1
    assert {result.status for result in read_results(str(folder / "out/o.csv"))[1]} == {"ok"}


@pytest.mark.parametrize(
    ("typed", "status", "message"),
    [
        ("r", 3, "r: no recordings found: no files. r: this folder cannot be listed"),
        ("r/h.ogg", 2, "r/h.ogg: does not exist, or may not be reached"),
    ],
)
def test_where_nothing_may_be_read_this_is_said(closed, typed, status, message):
    folder, run_without_rights = closed
    (folder / "r").chmod(0)
    process = run_without_rights(typed)
    assert (process.returncode, message in process.stderr.decode()) == (status, True)


def test_weights_that_may_not_be_read_are_refused(closed):
    folder, run_without_rights = closed
    (folder / "model/config.json").chmod(0)
    process = run_without_rights("r")
    assert process.returncode == 3
    assert "model/config.json: Permission denied" in process.stderr.decode()
