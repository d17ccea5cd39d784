"""`serctl.system`: what each system gives, what others lack, and that nothing else asks."""

import ast
import errno
import math
import os
import stat
import subprocess
import sys
import types
from pathlib import Path

import pytest
from support import other_systems

import serctl
import serctl.train
from serctl import system
from serctl.files.locks import open_locked

PACKAGES = (Path(serctl.__file__).parent, Path(serctl.train.__file__).parent)
# What only some systems have; and the modules that may name it.
OF_SOME = (
    "fcntl",
    "msvcrt",
    "resource",
    "sched_getaffinity",
    "geteuid",
    "O_NONBLOCK",
    "O_NOFOLLOW",
)
ALLOWED = {"system.py": {*OF_SOME, "platform", "name"}, "devices.py": {"platform"}}


@pytest.mark.parametrize("path", [path for root in PACKAGES for path in sorted(root.rglob("*.py"))])
def test_no_other_module_asks_which_system_it_is_on(path):
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names} & set(OF_SOME)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            of_module = (node.value.id, node.attr)
            if of_module in (("sys", "platform"), ("os", "name")) or node.attr in OF_SOME:
                found.add(node.attr)
    assert found <= ALLOWED.get(path.name, set())


def without(monkeypatch, *modules):
    for module in modules:
        monkeypatch.setitem(sys.modules, module, None)


@pytest.fixture
def msvcrt(monkeypatch):
    """Windows' module of locks; what it was called with."""
    called = []

    def locking(descriptor, how, n_bytes):
        called.append((how, os.lseek(descriptor, 0, os.SEEK_CUR), n_bytes))
        if len(called) > 1:
            raise OSError(errno.EACCES, "locked")

    without(monkeypatch, "fcntl")
    module = types.ModuleType("msvcrt")
    module.LK_NBLCK, module.locking = 2, locking
    monkeypatch.setitem(sys.modules, "msvcrt", module)
    return called


def test_windows_locks_a_byte_beyond_the_content(msvcrt, tmp_path):
    descriptor = open_locked(str(tmp_path / "a.lock"))
    os.write(descriptor, b"content")
    assert (tmp_path / "a.lock").read_bytes() == b"content"
    with pytest.raises(BlockingIOError, match="locked"):
        open_locked(str(tmp_path / "a.lock"))
    assert msvcrt == [(2, system.WINDOWS_LOCK_BYTE, 1)] * 2
    os.close(descriptor)


def test_a_file_system_without_locks_is_used_without(monkeypatch, tmp_path):
    fcntl = pytest.importorskip("fcntl")

    def refuse(*_):
        raise OSError(errno.ENOLCK, "no locks")

    monkeypatch.setattr(fcntl, "flock", refuse)
    os.close(open_locked(str(tmp_path / "a.lock")))


def test_without_limits_of_a_process_there_are_none(monkeypatch):
    without(monkeypatch, "resource")
    assert system.address_space_limit() == math.inf
    system.limit_memory(1)  # nothing happens


def test_without_proc_memory_is_not_limited(monkeypatch):
    resource = pytest.importorskip("resource")
    monkeypatch.setattr(system, "OWN_MEMORY", "/nowhere")
    monkeypatch.setattr(resource, "setrlimit", lambda *_: pytest.fail("limited"))
    system.limit_memory(1)


def test_where_nothing_kills_children_an_orphan_still_ends(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(os, "_exit", lambda status: ended.append(status))
    ended = []
    system.die_with(os.getppid())
    assert ended == []
    system.die_with(os.getppid() + 1)
    assert ended == [1]
    monkeypatch.setattr(os, "name", "nt")
    system.die_with(os.getppid() + 1)
    assert ended == [1]


def test_who_may_write_is_asked_where_there_are_modes(monkeypatch, tmp_path):
    tmp_path.chmod(0o777)
    status = tmp_path.stat()
    assert status.st_mode & stat.S_IWOTH
    assert not system.is_private(status)
    monkeypatch.delattr(os, "geteuid")
    assert system.is_private(status)


@pytest.mark.slow
@pytest.mark.parametrize("name", other_systems.SYSTEMS)
def test_results_are_the_same_bytes_on_a_simulated_system(name, recordings, tiny_folder, tmp_path):
    typed = [str(recordings / "calls"), "--model", str(tiny_folder), "--workers", "2"]
    written = []
    for how in ("here", name):
        folder = tmp_path / how
        folder.mkdir()
        command = ["classify", *typed, "-o", "r.csv"]
        prefix = [sys.executable, "-P", "-m", "serctl"]
        whole = [*prefix, *command] if how == "here" else other_systems.command(how, *command)
        done = subprocess.run(whole, cwd=folder, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        assert sorted(os.listdir(folder)) == ["r.csv", "r.csv.run.json"]
        written.append((folder / "r.csv").read_bytes())
    assert written[0] == written[1]
