import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from serctl.errors import ResultsError
from serctl.files.outputs import atomic_write, check_output, extension_of, lock_output


def test_a_file_appears_whole(tmp_path):
    output = tmp_path / "a.txt"
    output.write_text("old")
    with atomic_write(str(output)) as aside:
        with open(aside, "w") as file:
            file.write("new")
        assert output.read_text() == "old"
    assert output.read_text() == "new"
    assert os.listdir(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), ValueError()])
def test_nothing_is_left_of_what_was_broken_off(tmp_path, error):
    (tmp_path / "a.txt").write_text("old")
    with pytest.raises(type(error)):
        write_half(tmp_path / "a.txt", error)
    assert (tmp_path / "a.txt").read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_what_the_system_refuses_is_told(tmp_path):
    full = OSError(28, "No space left on device")
    with pytest.raises(
        ResultsError, match=r"a\.txt: cannot be written \(No space left on device\)"
    ):
        write_half(tmp_path / "a.txt", full)
    (tmp_path / "folder").mkdir()
    with pytest.raises(ResultsError, match=r"folder: cannot be written \(Is a directory\)"):
        write_half(tmp_path / "folder", None)
    assert os.listdir(tmp_path) == ["folder"]


def write_half(output, error):
    with atomic_write(str(output)) as aside:
        with open(aside, "w") as file:
            file.write("half")
        if error is not None:
            raise error


def test_two_do_not_write_the_same_at_a_time(tmp_path):
    output = str(tmp_path / "a.txt")
    with atomic_write(output) as aside:
        with open(aside, "w") as file:
            file.write("first")
        with pytest.raises(ResultsError, match=r"a\.txt: another run is writing to it"):
            write_half(output, None)
    assert (tmp_path / "a.txt").read_text() == "first"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_paths_may_be_path_objects(tmp_path):
    check_output(tmp_path / "a.csv", (".csv",))
    with atomic_write(tmp_path / "a.csv", sync=True) as partial:
        assert re.fullmatch(r"a\.csv\.[0-9a-f]{8}\.partial", os.path.basename(partial))
        assert os.path.dirname(partial) == str(tmp_path)
        Path(partial).write_text("new")
    assert extension_of(tmp_path / "a.CSV", (".csv",)) == ".csv"
    assert (tmp_path / "a.csv").read_text() == "new"


def test_a_broken_pipe_is_not_about_the_output(tmp_path):
    with pytest.raises(BrokenPipeError):
        write_half(tmp_path / "a.txt", BrokenPipeError(32, "Broken pipe"))
    assert os.listdir(tmp_path) == []


SAME_FILE = "import sys; from serctl.files.outputs import lock_output\n"
HOLD = SAME_FILE + "with lock_output(sys.argv[1]): print(flush=True); sys.stdin.read()"


def test_a_lock_keeps_out_other_processes_whatever_the_path_and_a_dead_one_none(tmp_path):
    command = [sys.executable, "-c", HOLD, str(tmp_path / "a.txt")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        other.stdout.readline()
        for path in (tmp_path / "a.txt", tmp_path / "." / "x" / ".." / "a.txt"):
            (tmp_path / "x").mkdir(exist_ok=True)
            with pytest.raises(ResultsError, match="another run is writing to it"):
                write_half(str(path), None)
        write_half(tmp_path / "b.txt", None)
        other.kill()
    write_half(tmp_path / "a.txt", None)
    assert sorted(os.listdir(tmp_path)) == ["a.txt", "b.txt", "x"]


def test_a_lock_may_be_nested_and_one_writes_at_a_time(tmp_path):
    output = str(tmp_path / "a.txt")
    with lock_output(output), lock_output(f"{tmp_path}/./a.txt"):
        write_half(output, None)
        assert os.path.exists(output + ".lock")
    assert os.listdir(tmp_path) == ["a.txt"]


def test_what_killed_runs_left_is_removed_and_nothing_else(tmp_path):
    (tmp_path / "a.txt.0123abcd.partial").write_text("half")
    (tmp_path / "a.txt.0123abcd.frames").mkdir()
    (tmp_path / "a.txt.0123abcd.frames/1.mel").write_text("half")
    (tmp_path / "a.txt.11111111.frames").mkdir()
    (tmp_path / "a.txt.11111111.frames/kept").mkdir()
    (tmp_path / "precious").write_text("precious")
    (tmp_path / "a.txt.22222222.partial").symlink_to("precious")
    os.mkfifo(tmp_path / "a.txt.33333333.partial")
    kept = ["a.txt.11111111.frames", "a.txt.22222222.partial", "a.txt.33333333.partial"]
    for name in ("a.txt.partial", "b.txt.0123abcd.partial", "a.txt.0123abcX.partial"):
        (tmp_path / name).write_text("of another")
        kept.append(name)
    write_half(tmp_path / "a.txt", None)
    assert sorted(os.listdir(tmp_path)) == sorted([*kept, "a.txt", "precious"])
    assert (tmp_path / "precious").read_text() == "precious"


def test_links_are_replaced_and_not_followed(tmp_path):
    (tmp_path / "precious").write_text("precious")
    for name in ("a.txt", "a.txt.partial"):
        (tmp_path / name).symlink_to("precious")
    write_half(tmp_path / "a.txt", None)
    assert (tmp_path / "precious").read_text() == "precious"
    assert (tmp_path / "a.txt").read_text() == "half"
    assert not (tmp_path / "a.txt").is_symlink()


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("precious")])
def test_a_lock_is_a_regular_file_or_refused(tmp_path, make):
    (tmp_path / "precious").write_text("precious")
    make(tmp_path / "a.txt.lock")
    before = (tmp_path / "a.txt.lock").lstat()
    with pytest.raises(ResultsError, match=r"a regular file is needed; remove it: .*a\.txt\.lock"):
        write_half(tmp_path / "a.txt", None)
    assert (tmp_path / "a.txt.lock").lstat() == before
    assert sorted(os.listdir(tmp_path)) == ["a.txt.lock", "precious"]


def test_a_named_pipe_is_neither_opened_nor_replaced(tmp_path):
    os.mkfifo(tmp_path / "a.txt")
    with pytest.raises(
        ResultsError, match=r"a\.txt: cannot be written \(a named pipe, and a regular"
    ):
        write_half(tmp_path / "a.txt", None)
    with pytest.raises(ResultsError, match=r"a\.txt: a named pipe, and a regular file is needed"):
        check_output(tmp_path / "a.txt", (".txt",), overwrite=True)
    assert os.listdir(tmp_path) == ["a.txt"]
