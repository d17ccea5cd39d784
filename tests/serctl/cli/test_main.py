"""The command line as a whole: help, errors and exit statuses, signals, pipes, progress."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import click
import pytest

import serctl
from serctl import cli, errors
from serctl import progress as progress_module
from serctl.models.loading import DEFAULT_MODEL
from serctl.progress import progress

SERCTL = [sys.executable, "-m", "serctl"]


@pytest.fixture
def fails_with(monkeypatch, capsys):
    """Give a function that runs a command line that raises, and returns status and messages."""

    def fails_with(error):
        def fail(*_, **__):
            raise error

        monkeypatch.setattr(cli.cli, "main", fail)
        status = cli.run(["anything"])
        captured = capsys.readouterr()
        assert captured.out == ""
        return status, captured.err

    return fails_with


@pytest.fixture
def many(tmp_path, write_recording):
    """A folder of so many recordings that classifying them can be interrupted."""
    recording = write_recording("a.wav", duration_s=2.0)
    folder = tmp_path / "many"
    folder.mkdir()
    for i in range(4000):
        os.symlink(recording, folder / f"{i:04}.wav")
    return folder


def run_in_shell(line, **options):
    """Run a line of bash, in which serctl stands for this one; status of serctl and streams."""
    line = line.replace("serctl", f"{sys.executable} -m serctl", 1) + "; exit ${PIPESTATUS[0]}"
    return subprocess.run(["bash", "-c", line], capture_output=True, text=True, **options)


def without_progress(said):
    """Give what was said but for lines of progress, which there are on a busy machine."""
    return re.sub(r"^Classifying: .*\n", "", said, flags=re.MULTILINE)


def all_commands():
    return [[], *([name] for name in cli.cli.commands)]


@pytest.mark.parametrize("command", all_commands(), ids=lambda command: " ".join(command) or "-")
@pytest.mark.parametrize("option", ["--help", "-h"])
def test_every_help_has_an_example_and_a_line_for_every_option(capsys, command, option):
    assert cli.run([*command, option]) == 0
    text = capsys.readouterr().out
    assert re.search(rf"^  Examples?:\n    serctl {''.join(command)}", text, re.MULTILINE)
    assert max(map(len, text.splitlines())) <= 100
    click_command = cli.cli.commands[command[0]] if command else cli.cli
    for parameter in click_command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.name


@pytest.mark.parametrize("command", ["classify", "evaluate", "train"])
def test_help_names_the_default_model(capsys, command):
    assert cli.run([command, "--help"]) == 0
    assert f"[default: {DEFAULT_MODEL}]" in capsys.readouterr().out


def test_the_commands_are_those_of_the_readme(capsys):
    assert {"classify", "report", "evaluate", "train", "corpora"} <= set(cli.cli.commands)
    assert cli.run(["--help"]) == 0
    text = capsys.readouterr().out
    for command in cli.cli.commands.values():
        assert f"  {command.name} " in text
        assert command.get_short_help_str()


def test_version(capsys):
    assert cli.run(["--version"]) == 0
    assert capsys.readouterr().out == f"serctl, version {serctl.__version__}\n"


def test_paths_are_asked_for_where_there_are_results_already(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "serctl-results.csv").touch()
    assert cli.run(["classify"]) == 2
    assert "no PATHS: give recordings" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Usage: serctl [OPTIONS] COMMAND"),
        (["clasify"], "No such command 'clasify'"),
        (["classify"], "no PATHS: give recordings"),
        (["classify", "x", "--speed", "9"], "No such option"),
        (["classify", "x", "--workers", "0"], "0 is not in the range x>=1"),
        (["classify", "x", "--batch-size", "many"], "'many' is not a valid integer range"),
        (["classify", "x", "--device", "tpu"], "'tpu' is not one of"),
    ],
)
def test_wrong_usage(capsys, arguments, message):
    assert cli.run(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert message in captured.err


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (errors.UsageError("a: not b. Do c."), 2, "Error: a: not b. Do c.\n"),
        (errors.PathError("gone"), 2, "Error: gone\n"),
        (errors.NothingFoundError("nothing"), 3, "Error: nothing\n"),
        (errors.AudioError("bad.", "a.wav"), 3, "Error: a.wav: bad.\n"),
        (errors.ModelError("m"), 3, "Error: m\n"),
        (errors.ResultsError("r"), 3, "Error: r\n"),
        (errors.CorporaError("c"), 3, "Error: c\n"),
        (click.UsageError("u"), 2, "Error: u\n"),
        (KeyboardInterrupt(), 130, "Interrupted.\n"),
        (click.Abort(), 130, "Interrupted.\n"),
        (cli.Terminated(), 143, "Terminated.\n"),
        (BrokenPipeError(32, "Broken pipe"), 141, ""),
        (SystemExit(1), 141, ""),
        (SystemExit(0), 0, ""),
        (OSError(28, "No space left on device"), 3, "Error: [Errno 28] No space left on device\n"),
        (
            MemoryError(),
            3,
            "Error: MemoryError. This is a bug in serctl or a problem of this machine. For a "
            "traceback, run the same command with python -I -X dev -m serctl.\n",
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_every_error_has_its_status_and_one_message(fails_with, error, status, message):
    assert fails_with(error) == (status, message)


def test_every_kind_of_our_errors_has_a_status(fails_with):
    kinds = [errors.SerctlError]
    for kind in kinds:
        kinds += kind.__subclasses__()
    for kind in kinds:
        status, message = fails_with(kind("x"))
        expected = 2 if issubclass(kind, errors.UsageError) else 3
        assert status == (4 if kind is errors.PrintError else expected)
        assert message == "Error: x\n"


def test_a_fault_of_ours_can_be_traced():
    script = "import serctl.cli as c; c.cli.main = lambda *a, **k: 1 / 0; c.run([])"
    command = [sys.executable, "-X", "dev", "-W", "ignore", "-c", script]
    done = subprocess.run(command, capture_output=True, text=True)
    assert "Traceback" in done.stderr
    assert "ZeroDivisionError" in done.stderr


def test_a_status_is_handed_through(monkeypatch):
    for status in (0, 1, None):
        monkeypatch.setattr(cli.cli, "main", lambda *_, value=status, **__: value)
        assert cli.run([]) == (status or 0)


@pytest.mark.parametrize(
    ("number", "status", "message"),
    [(signal.SIGINT, 130, "\nInterrupted.\n"), (signal.SIGTERM, 143, "Terminated.\n")],
    ids=["SIGINT", "SIGTERM"],
)
def test_an_interrupted_run_keeps_its_rows(many, tiny_folder, tmp_path, number, status, message):
    output = tmp_path / "r.csv"
    journal = tmp_path / "r.csv.journal"
    command = [*SERCTL, "classify", str(many), "-o", str(output), "--model", str(tiny_folder)]
    # A parent may have been told to ignore it, and a child would do as its parent.
    before = signal.signal(number, signal.default_int_handler)
    try:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    finally:
        signal.signal(number, before)
    deadline = time.monotonic() + 300
    while not (journal.exists() and journal.stat().st_size > 1000):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(number)
    printed, said = process.communicate(timeout=120)
    assert (process.returncode, printed) == (status, b"")
    rows = [json.loads(line)["row"] for line in journal.read_text("ascii").splitlines()[1:]]
    assert without_progress(said.decode()) == (
        f"{message}{len(rows)} of 4000 recordings are finished and saved in {journal}. To "
        "continue, run the same command with --resume.\n"
    )
    assert not output.exists()
    assert 0 < len(rows) < 4000
    assert len({row["path"] for row in rows}) == len(rows)
    assert {row["status"] for row in rows} == {"ok"}


def test_interrupted_while_it_loads_it_says_so_too():
    script = (
        "import sys; from serctl.__main__ import main\n"
        "class Interrupting:\n"
        "    def find_spec(name, path, target=None):\n"
        "        if name == 'serctl.cli': raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Interrupting); main()"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "\nInterrupted.\n")


def test_a_pipe_whose_reader_has_gone_is_no_error_to_talk_about(tiny_folder, recordings):
    line = f"serctl classify {recordings} -o - --model {tiny_folder} | head -1"
    done = run_in_shell(line)
    assert done.stdout.startswith("path,status,reason,emotion")
    assert len(done.stdout.splitlines()) == 1
    assert (done.returncode, without_progress(done.stderr)) == (141, "")


@pytest.mark.parametrize("arguments", ["--help", "classify --help", "--version"])
def test_a_reader_that_is_not_there_at_all(arguments):
    done = run_in_shell(f"serctl {arguments} | true")
    assert (done.returncode, done.stderr) in ((141, ""), (0, ""))  # 0 if it was written in time


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")
@pytest.mark.parametrize("arguments", ["classify nope", "classify --nope"])
def test_a_full_disk_under_standard_error_changes_no_status(arguments, tmp_path):
    assert run_in_shell(f"serctl {arguments} 2> /dev/full", cwd=tmp_path).returncode == 2


def test_a_list_from_standard_input_that_is_closed_is_empty(tmp_path):
    done = run_in_shell("serctl classify --files-from - <&-", cwd=tmp_path)
    assert done.returncode == 3
    assert "no recordings found" in done.stderr


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")
@pytest.mark.parametrize(
    "arguments", ["--help", "report {results}", "report {results} --format csv"]
)
def test_a_full_disk_under_standard_output(tmp_path, arguments):
    results = tmp_path / "r.csv"
    results.write_text(
        "path,status,reason,emotion,confidence,p_angry,p_sad,"
        "duration_s,sample_rate_hz,channels,windows\n"
        "a.wav,ok,,sad,0.9,0.1,0.9,1.0,16000,1,1\n"
    )
    done = run_in_shell(f"serctl {arguments.format(results=results)} > /dev/full")
    assert done.returncode == 3
    assert done.stderr == "Error: [Errno 28] No space left on device\n"


def test_closed_streams_harm_nothing(tiny_folder, write_recording, tmp_path):
    write_recording("in/a.mp3", rate_hz=16000)
    line = "serctl classify in -o r.csv --model " + str(tiny_folder)
    done = run_in_shell(f"{line} <&- >&- 2>&-", cwd=tmp_path)
    assert done.returncode == 0
    lines = (tmp_path / "r.csv").read_text().splitlines()
    assert [line.split(",")[:2] for line in lines] == [["path", "status"], ["in/a.mp3", "ok"]]


def test_the_installed_command_is_this_one():
    command = shutil.which("serctl", path=os.path.dirname(sys.executable))
    assert command is not None
    done = subprocess.run([command, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"serctl, version {serctl.__version__}\n"


def test_progress_without_a_terminal_is_plain_lines(monkeypatch, capsys):
    monkeypatch.setattr(progress_module, "PLAIN_LINE_EVERY_S", 10.0)
    clock = iter(range(0, 1000, 4))
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    items = list(progress(iter("abcdefg"), 7, "Classifying", "recording"))
    assert items == list("abcdefg")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == (
        "Classifying: 3 of 7 recordings (43%), about 16 s left\n"
        "Classifying: 6 of 7 recordings (86%), about 4 s left\n"
    )


def test_progress_that_is_quick_says_nothing(capsys):
    assert list(progress(range(1000), 1000, "Reading", "clip")) == list(range(1000))
    assert capsys.readouterr() == ("", "")


def test_progress_on_a_terminal_is_a_bar(monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert list(progress(iter("abc"), 3, "Classifying", "recording")) == list("abc")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Classifying:   0%|" in captured.err
    assert " 0/3 " in captured.err


def test_progress_hands_an_error_on():
    def broken():
        yield 1
        raise ValueError("broken")

    items = progress(broken(), 2, "Reading", "clip")
    assert next(items) == 1
    with pytest.raises(ValueError, match="broken"):
        next(items)
