import os
from pathlib import Path

import pytest

from serctl.errors import ResultsError
from serctl.files.outputs import atomic_write, check_output, extension_of


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
        with pytest.raises(ResultsError, match=r"a\.txt: is being written by another run"):
            write_half(output, None)
    assert (tmp_path / "a.txt").read_text() == "first"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_paths_may_be_path_objects(tmp_path):
    check_output(tmp_path / "a.csv", (".csv",))
    with atomic_write(tmp_path / "a.csv", sync=True) as partial:
        assert partial == str(tmp_path / "a.csv.partial")
        Path(partial).write_text("new")
    assert extension_of(tmp_path / "a.CSV", (".csv",)) == ".csv"
    assert (tmp_path / "a.csv").read_text() == "new"


def test_a_broken_pipe_is_not_about_the_output(tmp_path):
    with pytest.raises(BrokenPipeError):
        write_half(tmp_path / "a.txt", BrokenPipeError(32, "Broken pipe"))
    assert os.listdir(tmp_path) == []
