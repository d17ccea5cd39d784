import os
import re
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image
from support import faulty_worker
from support.sparse_audio import write_sparse_wav

from serctl.cli import cli, run
from serctl.engine.workers import isolated
from serctl.engine.workers.supervisor import Supervisor
from serctl.results.segments import Segment, SegmentsWriter


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_a_picture_is_drawn(recordings, tmp_path, capsys):
    assert run(["plot", str(recordings / "calls" / "bakery-order.wav")]) == 0
    assert capsys.readouterr().out == "Figure: serctl-plot.png\n"
    with Image.open("serctl-plot.png") as image:
        assert image.format == "PNG"
    assert [path.name for path in tmp_path.iterdir()] == ["serctl-plot.png"]


def test_folders_and_formats_are_taken(recordings):
    assert run(["plot", str(recordings / "interview"), "-o", "a [1].SVG"]) == 0
    with open("a [1].SVG") as file:
        assert file.read().startswith("<?xml")


def test_a_picture_is_replaced_only_when_asked(write_recording, tmp_path, capsys):
    path = write_recording("a.wav", "noise", 0.2)
    (tmp_path / "a.png").write_text("mine")
    assert run(["plot", path, "-o", "a.png"]) == 2
    assert "exists already" in capsys.readouterr().err
    assert (tmp_path / "a.png").read_text() == "mine"
    assert run(["plot", path, "-o", "a.png", "--overwrite"]) == 0
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["a.wav", "-o", "a.gif"], 2, ".gif is not one of .png, .svg"),
        (["a.wav", "-o", "-"], 2, "none is not one of .png, .svg"),
        (["gone.wav"], 2, "gone.wav: does not exist"),
        ([], 2, "no PATHS: give recordings"),
        (["many"], 2, "7 recordings: from 1 to 6 can be drawn side by side"),
        (["text.wav"], 3, "text.wav: Format not recognised. Not audio, or damaged"),
        (["a.wav", "-o", "gone/a.png"], 3, "the folder gone does not exist"),
    ],
)
def test_what_cannot_be_drawn_is_told(
    write_recording, tmp_path, capsys, arguments, status, message
):
    for name in ("a.wav", *(f"many/{i}.wav" for i in range(7))):
        write_recording(name, "noise", 0.1)
    (tmp_path / "text.wav").write_text("no")
    assert run(["plot", *arguments]) == status
    assert message in capsys.readouterr().err
    assert not list(tmp_path.glob("*.png*"))


def test_help_has_an_example():
    result = CliRunner().invoke(cli, ["plot", "--help"])
    assert result.exit_code == 0
    assert "serctl plot angry.wav sad.wav -o angry-and-sad.svg" in result.output


def start_faulty(request):
    return Supervisor(request, faulty_worker.COMMAND)


def test_a_recording_that_crashes_its_decoder_is_an_error(write_recording, monkeypatch, capsys):
    """Decoding in the command itself, a bad pointer ended it without a word."""
    guarded = partial(isolated.decode_isolated, start=start_faulty)
    monkeypatch.setattr(isolated, "decode_isolated", guarded)
    write_recording("crash.wav", "noise", 0.2)
    assert run(["plot", "crash.wav"]) == 3
    assert "crash.wav: Decoding crashed, and again in a new process" in capsys.readouterr().err
    assert os.listdir() == ["crash.wav"]


@pytest.mark.parametrize("timeline", [False, True])
def test_a_truncated_recording_is_drawn_with_a_warning(write_recording, capsys, timeline):
    path = write_recording("a.wav", "speech", 12.0)
    whole = Path(path).read_bytes()
    Path(path).write_bytes(whole[: len(whole) // 2])
    arguments = []
    if timeline:
        arguments = ["--timeline", "r.csv"]
        with SegmentsWriter("r.csv.segments.csv", ("angry", "sad")) as file:
            file.write(Segment("a.wav", None, "", 0.0, 5.0, 5.0, "angry", 0.9, (0.9, 0.1)))
    assert run(["plot", "a.wav", "-o", "a.svg", *arguments]) == 0
    assert re.search(r"Warning: a\.wav: truncated: 6\.0 s came of 12\.0 s", capsys.readouterr().err)
    assert "(truncated)" in Path("a.svg").read_text()


def test_a_timeline_that_takes_too_long_is_given_up(capsys):
    write_sparse_wav("long.wav", 60 * 3600)
    with SegmentsWriter("r.csv.segments.csv", ("angry", "sad")) as file:
        file.write(Segment("long.wav", None, "", 0.0, 9.0, 9.0, "angry", 0.9, (0.9, 0.1)))
    assert run(["plot", "long.wav", "--timeline", "r.csv", "--timeout", "0.5"]) == 3
    assert "long.wav: Not finished after 0.5 s, the limit set by" in capsys.readouterr().err
    assert sorted(os.listdir()) == ["long.wav", "r.csv.segments.csv"]
