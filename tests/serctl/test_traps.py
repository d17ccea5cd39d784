"""A folder full of traps: nothing in it is run, obeyed, followed, waited for or removed.

The folder that a command is run in may be anyone's: a shared drive, a download. It has modules with
names that Python and serctl import, settings of libraries, and links and named pipes under every
name that serctl makes.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.other_user import other_user

from serctl.cli import run

RECORDINGS = Path(__file__).parents[1] / "recordings" / "calls"
pytestmark = pytest.mark.skipif(os.name != "posix", reason="links and pipes of POSIX")

MODULES = (
    "sitecustomize usercustomize random typing string json numba numpy platformdirs matplotlib yaml "
    "click rich tqdm soundfile soxr torch pandas readline"
).split()
TRAP = "open({marker!r}, 'a').write(__name__ + ' '); raise SystemExit(9)\n"


@pytest.fixture
def trapped(tmp_path):
    """A folder with traps, and the file that says which of them were run."""
    folder, marker = tmp_path / "traps", tmp_path / "ran"
    folder.mkdir()
    for name in MODULES:
        (folder / f"{name}.py").write_text(TRAP.format(marker=str(marker)))
    (folder / ".numba_config.yaml").write_text("disable_jit: 1\ncache_dir: traps-cache\n")
    os.mkfifo(folder / "matplotlibrc")  # whoever opens it waits for ever
    (folder / "precious").write_text("precious")
    return folder, marker


def serctl(folder, *arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "serctl", *map(str, arguments)],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        **options,
    )


@pytest.mark.parametrize(
    ("command", "output"),
    [("classify", "r.csv"), ("features", "f.npz"), ("plot", "p.png")],
)
def test_nothing_of_the_current_folder_is_run_or_obeyed(trapped, tiny_folder, command, output):
    folder, marker = trapped
    before = set(os.listdir(folder))
    model = ["--model", tiny_folder] if command == "classify" else []
    done = serctl(folder, command, RECORDINGS / "bakery-order.wav", "-o", output, *model)
    assert done.returncode == 0, done.stderr
    assert not marker.exists(), marker.read_text()
    made = {output, f"{output}.run.json"} if command == "classify" else {output}
    assert set(os.listdir(folder)) == before | made


def test_a_module_of_that_name_is_not_run_in_its_place(trapped):
    """Python runs what ``-m`` names from the current folder first, unless it is isolated."""
    folder, marker = trapped
    (folder / "serctl.py").write_text(TRAP.format(marker=str(marker)))
    command = [sys.executable, "-I", "-m", "serctl", "report", "gone.csv"]
    done = subprocess.run(command, cwd=folder, capture_output=True, timeout=300)
    assert (done.returncode, marker.exists()) == (2, False)


ENDS = (".lock", ".journal", ".run.json", ".run.json.lock", ".segments.csv.lock", "")


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("make", [os.mkfifo, lambda path: Path(path).symlink_to("precious")])
@pytest.mark.parametrize("options", [[], ["--overwrite"], ["--resume"]], ids=" ".join)
def test_links_and_pipes_in_the_place_of_files_are_neither_followed_nor_waited_for(
    trapped, tiny_folder, monkeypatch, capfd, end, make, options
):
    folder, _ = trapped
    monkeypatch.chdir(folder)
    make(f"r.csv{end}")
    arguments = ["classify", str(RECORDINGS / "bakery-order.wav"), "-o", "r.csv", *options]
    status = run([*arguments, "--model", str(tiny_folder)])
    said = capfd.readouterr().err
    assert Path("precious").read_text() == "precious"
    if end == "" and os.path.isfile("r.csv"):
        # With --overwrite, a link is replaced; without, it is a file that exists already.
        assert status == (0 if options == ["--overwrite"] else 2), said
        assert os.path.islink("r.csv") == (options != ["--overwrite"])
        return
    assert status in (2, 3), said
    assert f"r.csv{end}" in said
    assert os.path.lexists(f"r.csv{end}")


def test_a_report_of_a_pipe_is_refused(tmp_path, capfd):
    os.mkfifo(tmp_path / "r.csv")
    assert run(["report", str(tmp_path / "r.csv")]) == 3
    assert "r.csv: not a file; a results file was expected" in capfd.readouterr().err


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_another_user_is_not_trapped_either():
    """All of the above again, by a user who is not root and owns neither serctl nor its Python."""
    command = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-rs", __file__]
    try:
        with other_user() as other:
            done = other.run(*command, "--basetemp", other.home / "tests")
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"another user cannot run this Python: {error}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed, 1 skipped" in done.stdout  # this one
