"""The hostile-input suite: what people's folders hold, through the real command.

Every case of hostile_audio.py and hostile_names.py is a folder with something hostile between two
good neighbours. All cases after which the exit status is 0 are one run, and all after which it is 1
another, so that one wrong status among them is seen; the row of each is looked at, and those of
all neighbours must be the bytes that they are without the case. Arguments, permissions and weights
have runs of their own. The table of it all is tests/hostile.md; `just hostile` writes it anew.
"""

import ctypes
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from hostile_audio import AUDIO_CASES
from hostile_cases import NEIGHBOURS, NO_ROW, Case, lay_out
from hostile_names import NAME_CASES

from serctl.cli import run
from serctl.results import read_results
from serctl.schema import Result

CASES = {case.name: case for case in (*AUDIO_CASES, *NAME_CASES)}
TABLE = Path(__file__).parents[1] / "hostile.md"
LIMIT_S = 120.0  # a run takes seconds; what takes longer hangs
PR_CAPBSET_DROP = 24  # of Linux's prctl, and what lets root read everything
READ_EVERYTHING = (1, 2)  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH

pytestmark = pytest.mark.skipif(os.name != "posix", reason="file names and kinds of POSIX")


@dataclass
class Batch:
    """What came of one run over many cases."""

    exit_status: int
    rows: dict[str, Result]
    lines: dict[bytes, bytes]  # of the CSV, the rest by the path
    hostile: dict[str, str]  # path of what is hostile by the case
    said: str


def command(folder, model, *arguments, **options):
    """Run the command in a folder as people do, and give its process when it has ended."""
    return subprocess.run(
        [sys.executable, "-m", "serctl", "classify", *arguments, "--model", str(model)],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=LIMIT_S,
        check=False,
        **options,
    )


def run_batch(folder: Path, cases: list[Case], model: Path) -> Batch:
    hostile = {}
    (folder / "b").mkdir()
    for number, case in enumerate(cases):
        path = lay_out(case, folder / f"b/{number:03}")
        hostile[case.name] = str(path.relative_to(folder))
    process = command(folder, model, "b", "-o", "out.csv")
    said = process.stdout.decode() + process.stderr.decode(errors="replace")
    assert process.returncode in (0, 1), said
    _, results = read_results(str(folder / "out.csv"))
    with open(folder / "out.csv", "rb") as file:
        lines = dict(re.findall(rb"^(b/\d\d\d/[^,\n]*),(.*)$", file.read(), re.MULTILINE))
    rows = {result.path: result for result in results}
    return Batch(process.returncode, rows, lines, hostile, said)


@pytest.fixture(scope="session")
def batches(tmp_path_factory, tiny_folder):
    """Both runs, by their exit status."""
    return {
        status: run_batch(
            tmp_path_factory.mktemp(f"status-{status}"),
            [case for case in CASES.values() if case.exit_status == status],
            tiny_folder,
        )
        for status in (0, 1)
    }


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory, tiny_folder):
    """Lines of the good neighbours, by name, from a folder that holds nothing else."""
    folder = tmp_path_factory.mktemp("undisturbed")
    alone = Case("alone", lambda folder: folder, NO_ROW)
    batch = run_batch(folder, [alone], tiny_folder)
    assert batch.exit_status == 0
    assert [row.status for row in batch.rows.values()] == ["ok", "ok"]
    return {os.path.basename(path): rest for path, rest in batch.lines.items()}


def test_there_are_cases_enough():
    assert len(CASES) == len(AUDIO_CASES) + len(NAME_CASES)
    assert len(CASES) >= 60


@pytest.mark.parametrize("status", [0, 1])
def test_the_exit_status_says_whether_all_could_be_read(batches, status):
    assert batches[status].exit_status == status
    n_rows = len(batches[status].rows)
    assert f"Found and in the results: {n_rows} of {n_rows}." in batches[status].said


@pytest.mark.parametrize("name", CASES)
def test_the_row_is_as_it_must_be(batches, name):
    case = CASES[name]
    batch = batches[case.exit_status]
    path = batch.hostile[name]
    if case.status == NO_ROW:
        assert not [other for other in batch.rows if other == path or other.startswith(path + "/")]
        return
    row = batch.rows[path]
    assert (row.status, bool(re.fullmatch(case.reason, row.reason))) == (case.status, True), row
    assert bool(row.emotion) == (case.status == "ok")


@pytest.mark.parametrize("name", CASES)
def test_every_good_neighbour_has_the_row_that_it_has_without_the_case(batches, undisturbed, name):
    batch = batches[CASES[name].exit_status]
    folder = os.fsencode("/".join(batch.hostile[name].split("/")[:2]))
    assert {
        neighbour: batch.lines[folder + b"/" + neighbour] for neighbour in undisturbed
    } == undisturbed


def test_every_file_has_one_row_and_none_is_made_up(batches):
    for batch in batches.values():
        expected = len(batch.hostile) * len(NEIGHBOURS)
        expected += sum(CASES[name].status != NO_ROW for name in batch.hostile)
        n_beside = sum(CASES[name].build.__name__ == "link_round" for name in batch.hostile)
        assert len(batch.rows) == expected
        assert n_beside <= 1


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder to be in, with the good neighbours in one."""
    monkeypatch.chdir(tmp_path)
    for name, source in NEIGHBOURS.items():
        (tmp_path / "r").mkdir(exist_ok=True)
        shutil.copyfile(source, tmp_path / "r" / name)
    return tmp_path


def pipe_named(here):
    os.mkfifo(here / "pipe.wav")
    return ["r", "pipe.wav"]


def text_named(here):
    (here / "notes.txt").write_text("No sound.")
    return ["r", "notes.txt"]


def list_with_gone(here):
    (here / "list").write_bytes(b"r/ good.mp3\r\n\r\ngone.wav\n./r/~good.ogg\n")
    return ["--files-from", "list"]


def list_with_zeros(here):
    (here / "list").write_bytes(b"r/ good.mp3\0")
    return ["--files-from", "list"]


def zero_list(here):
    (here / "list").write_bytes(b"r/ good.mp3\0gone\n.wav\0")
    return ["--files-from", "list", "-0"]


def empty(here):
    (here / "empty").mkdir()
    return ["empty"]


def only_notes(here):
    text_named(here)
    (here / "notes").mkdir()
    (here / "notes.txt").rename(here / "notes/notes.txt")
    return ["notes"]


# What is typed; exit status; what is said, or the rows by path.
ARGUMENTS = {
    "a named pipe": (pipe_named, 1, {"pipe.wav": r"unreadable: A named pipe; a file is needed.*"}),
    "a device": (lambda here: ["r", "/dev/zero"], 1, {"/dev/zero": "unreadable: A device; .*"}),
    "a text": (text_named, 1, {"notes.txt": "unreadable: Format not recognised.*"}),
    "a path twice": (lambda here: ["r", "./r", "r/../r"], 0, {}),
    "a list with a file that has gone": (
        list_with_gone,
        1,
        {"gone.wav": "unreadable: No such file or directory.*"},
    ),
    "a list with zero bytes, and -0": (zero_list, 1, {"gone\n.wav": "unreadable: No such file.*"}),
    "a list with zero bytes": (list_with_zeros, 2, r"line 1 holds a zero byte.* Give -0"),
    "a list that is not there": (lambda here: ["--files-from", "gone"], 2, "'gone': No such file"),
    "a path that is not there": (lambda here: ["r", "gone"], 2, r"^Error: gone: does not exist"),
    "a glob of nothing": (lambda here: ["r/*.xyz"], 2, r"r/\*\.xyz: does not exist, and matches"),
    "nothing": (lambda here: [], 2, "no PATHS: give recordings or folders"),
    "an empty folder": (empty, 3, r"^Error: empty: no recordings found: no files\."),
    "a folder of notes": (only_notes, 3, r"1 file, none with an audio extension \(\.txt\)"),
    "patterns that leave nothing": (
        lambda here: ["r", "--exclude", "*"],
        3,
        "2 left out by --include or --exclude",
    ),
}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_arguments(here, tiny_folder, undisturbed, capfd, name):
    build, status, expected = ARGUMENTS[name]
    typed = [*build(here), "-o", "out.csv", "--model", str(tiny_folder)]
    assert run(["classify", *typed]) == status
    if isinstance(expected, str):
        assert re.search(expected, capfd.readouterr().err, re.MULTILINE)
        assert not (here / "out.csv").exists()
        return
    _, results = read_results("out.csv")
    rows = {result.path: f"{result.status}: {result.reason}" for result in results}
    good = [path for path in rows if "good" in path]
    assert all(rows[path] == "ok: " for path in good)
    assert rows.keys() - set(good) == expected.keys()
    for path, reason in expected.items():
        assert re.fullmatch(reason, rows[path])


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


@pytest.mark.parametrize("extension", ["csv", "json", "jsonl"])
def test_any_name_is_read_back_as_it_is(here, batches, tiny_folder, extension):
    paths = [batches[0].hostile[case.name] for case in NAME_CASES if case.status == "ok"]
    for path in paths:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        Path(path).touch()
    typed = ["-o", f"o.{extension}", "--model", str(tiny_folder)]
    assert run(["classify", "b", *typed]) == 1
    found = [result.path for result in read_results(f"o.{extension}")[1]]
    assert len(paths) >= 16
    assert sorted(found) == sorted(paths)


def drop_rights():
    """Root keeps its user id, since its Python may be in its home, and not its rights over files."""
    libc = ctypes.CDLL(None, use_errno=True)
    for right in READ_EVERYTHING:
        if libc.prctl(PR_CAPBSET_DROP, right, 0, 0, 0):
            raise OSError(ctypes.get_errno(), "prctl")


@pytest.fixture
def closed(tiny_folder, tmp_path):
    """A folder with a model in it, and a function that runs the command without root's rights."""
    if os.geteuid() == 0 and sys.platform != "linux":
        pytest.skip("root may read everything")
    folder = tmp_path
    shutil.copytree(tiny_folder, folder / "model")
    for name in ("r", "r/shut", "r/blind", "out"):
        (folder / name).mkdir()
        for neighbour, source in NEIGHBOURS.items():
            shutil.copyfile(source, folder / name / neighbour)
    shutil.copyfile(folder / "r/~good.ogg", folder / "r/h.ogg")

    def run_without_rights(*arguments):
        drop = drop_rights if os.geteuid() == 0 else None
        return command(folder, "model", "-o", "out/o.csv", *arguments, preexec_fn=drop)

    yield folder, run_without_rights
    for path in (folder / "r", folder / "r/shut", folder / "r/blind"):
        path.chmod(0o755)


def test_without_rights_all_that_may_be_read_is(closed, undisturbed):
    folder, run_without_rights = closed
    (folder / "r/h.ogg").chmod(0)
    (folder / "r/shut").chmod(0)
    (folder / "r/blind").chmod(0o444)  # its names can be listed, and not opened
    process = run_without_rights("r")
    said = process.stdout.decode() + process.stderr.decode()
    assert process.returncode == 1, said
    assert "r/shut: this folder cannot be listed (Permission denied)" in said
    rows = {result.path: result for result in read_results(str(folder / "out/o.csv"))[1]}
    denied = "Permission denied. Check that it can be read."
    assert {path: (row.status, row.reason) for path, row in rows.items()} == {
        "r/ good.mp3": ("ok", ""),
        "r/blind/ good.mp3": ("unreadable", denied),
        "r/blind/~good.ogg": ("unreadable", denied),
        "r/h.ogg": ("unreadable", denied),
        "r/~good.ogg": ("ok", ""),
    }
    content = (folder / "out/o.csv").read_bytes()
    for name, rest in undisturbed.items():
        assert b"r/" + name + b"," + rest + b"\n" in content


def test_a_folder_without_rights_alone_makes_the_exit_status_1(closed):
    folder, run_without_rights = closed
    (folder / "r/shut").chmod(0)
    process = run_without_rights("r")
    assert process.returncode == 1
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


def table(batches) -> str:
    """Every case, its row and the exit status, as Markdown."""
    lines = [
        "# What becomes of hostile input",
        "",
        "Written by `just hostile` from runs of the command; tests/serctl/test_hostile.py checks it.",
        "",
        "| case | row | reason | exit status |",
        "| --- | --- | --- | ---: |",
    ]
    for case in CASES.values():
        batch = batches[case.exit_status]
        row = batch.rows.get(batch.hostile[case.name])
        cells = (row.status, row.reason) if row else (NO_ROW, "")
        lines.append(f"| {case.name} | {cells[0]} | {cells[1]} | {case.exit_status} |")
    for name, (_, status, expected) in ARGUMENTS.items():
        found = "rows" if status < 2 else "refused"
        if isinstance(expected, dict) and expected:
            found = "unreadable"
        lines.append(f"| argument: {name} | {found} | | {status} |")
    return "\n".join(lines) + "\n"


def test_the_table_is_of_this_suite(batches):
    text = table(batches)
    if os.environ.get("SERCTL_WRITE_TABLE"):
        TABLE.write_text(text, encoding="utf-8")
    # Not the reasons: libraries and systems have their own words.
    shown, stored = (
        [re.sub(r"\|[^|]*(\|[^|]*\|)$", r"\1", line) for line in lines.splitlines()]
        for lines in (text, TABLE.read_text(encoding="utf-8"))
    )
    assert shown == stored
