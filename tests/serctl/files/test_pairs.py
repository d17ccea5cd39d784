"""Two commands that write one output: the second is refused, whichever the two are."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from serctl.cli import run

RECORDING = str(Path(__file__).parents[2] / "recordings" / "calls" / "bakery-order.wav")
HOLD = (
    "import sys; from serctl.files.outputs import lock_output\n"
    "with lock_output(sys.argv[1]): print(flush=True); sys.stdin.read()"
)
# Of each command: what it is given, and the extension of its output.
COMMANDS = {
    "classify": (["classify", RECORDING], ".csv"),
    "classify --overwrite": (["classify", RECORDING, "--overwrite"], ".csv"),
    "classify, as JSON": (["classify", RECORDING], ".json"),
    "features": (["features", RECORDING], ".csv"),
    "features, frames": (["features", RECORDING, "--frames"], ".npz"),
    "evaluate": (["evaluate", RECORDING, "--labels", "folders", "--map", "calls=angry"], ".json"),
    "plot": (["plot", RECORDING], ".png"),
}


@pytest.mark.skipif(os.name != "posix", reason="Windows has no lock that goes with its file")
@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_refused_while_another_has_its_output(
    name, tmp_path, monkeypatch, capfd, tiny_folder
):
    """All hold the one lock of `lock_output` from their beginning, as this other process does."""
    monkeypatch.chdir(tmp_path)
    arguments, extension = COMMANDS[name]
    model = ["--model", str(tiny_folder)] if arguments[0] in ("classify", "evaluate") else []
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, f"./r{extension}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as other:
        other.stdout.readline()
        status = run([*arguments, "-o", f"r{extension}", *model])
        other.kill()
    assert status == 3
    assert f"r{extension}: another run is writing to it" in capfd.readouterr().err
    assert os.listdir(tmp_path) == [f"r{extension}.lock"]
