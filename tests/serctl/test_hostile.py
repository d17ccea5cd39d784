"""The hostile-input suite: what people's folders hold, through the real command.

Every case of hostile_audio.py and hostile_names.py is a folder with something hostile between two
good neighbours. All cases after which the exit status is 0 are one run, and all after which it is 1
another, so that one wrong status among them is seen; the row of each is looked at, and those of
all neighbours must be the bytes that they are without the case. Arguments, permissions and weights
have runs of their own. The table of it all is tests/hostile.md; `just hostile` writes it anew.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.hostile_arguments import NAMED, REFUSED, RIGHTS
from support.hostile_audio import AUDIO_CASES
from support.hostile_cases import NEIGHBOURS, NO_ROW, Case, command, lay_out
from support.hostile_formats import FORMAT_CASES
from support.hostile_names import NAME_CASES
from support.hostile_weights import HOSTILE

from serctl.results.reader import read_results
from serctl.results.schema import Result

CASES = {case.name: case for case in (*AUDIO_CASES, *FORMAT_CASES, *NAME_CASES)}
TABLE = Path(__file__).parents[1] / "hostile.md"
FUZZED = (
    "`just fuzz 4000 --seed N` for N from 101 to 125 classified 100000 mutated files: each had its row, "
    "and no run died or hung. 51 rows were `failed`, 50 by an error of PyAV at the end of an MPEG "
    "transport stream, one by a crash on 20 channels; both are mended."
)
LIMIT_S = 120.0  # a run takes seconds; what takes longer hangs

pytestmark = pytest.mark.skipif(os.name != "posix", reason="file names and kinds of POSIX")


@dataclass
class Batch:
    """What came of one run over many cases."""

    exit_status: int
    rows: dict[str, Result]
    lines: dict[bytes, bytes]  # of the CSV, the rest by the path
    hostile: dict[str, str]  # path of what is hostile by the case
    said: str


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
def uninterrupted(tmp_path_factory, tiny_folder):
    """Lines of the good neighbours, by name, from a folder that holds nothing else."""
    folder = tmp_path_factory.mktemp("uninterrupted")
    alone = Case("alone", lambda folder: folder, NO_ROW)
    batch = run_batch(folder, [alone], tiny_folder)
    assert batch.exit_status == 0
    assert [row.status for row in batch.rows.values()] == ["ok", "ok"]
    return {os.path.basename(path): rest for path, rest in batch.lines.items()}


def test_no_two_cases_have_one_name():
    assert len(CASES) == len(AUDIO_CASES) + len(FORMAT_CASES) + len(NAME_CASES)


@pytest.mark.parametrize("status", [0, 1])
def test_the_exit_status_says_whether_all_could_be_read(batches, status):
    assert batches[status].exit_status == status
    n_rows = len(batches[status].rows)
    assert f"Recordings found and in the results: {n_rows} of {n_rows}." in batches[status].said


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
def test_every_good_neighbour_has_the_row_that_it_has_without_the_case(
    batches, uninterrupted, name
):
    batch = batches[CASES[name].exit_status]
    folder = os.fsencode("/".join(batch.hostile[name].split("/")[:2]))
    assert {
        neighbour: batch.lines[folder + b"/" + neighbour] for neighbour in uninterrupted
    } == uninterrupted


def test_every_file_has_one_row_and_none_is_invented(batches):
    for batch in batches.values():
        expected = len(batch.hostile) * len(NEIGHBOURS)
        expected += sum(CASES[name].status != NO_ROW for name in batch.hostile)
        assert len(batch.rows) == expected


def table(batches) -> str:
    """Every case, its row and the exit status, as Markdown."""
    lines = [
        "# Damaged and unusual files",
        "",
        "`just hostile` writes this table from real runs; tests/serctl/test_hostile.py checks it.",
        "",
        FUZZED,
        "",
        "| case | row | reason | exit status |",
        "| --- | --- | --- | ---: |",
    ]
    for case in CASES.values():
        batch = batches[case.exit_status]
        row = batch.rows.get(batch.hostile[case.name])
        cells = (row.status, row.reason) if row else (NO_ROW, "")
        lines.append(f"| {case.name} | {cells[0]} | {cells[1]} | {case.exit_status} |")
    for path in NAMED:
        shown = path.replace("\n", r"\n")
        lines.append(f"| the argument, or the line of a list, `{shown}` | unreadable | | 1 |")
    for name, (_, status, _) in REFUSED.items():
        lines.append(f"| {name}, as the arguments | refused | | {status} |")
    lines += [
        f"| without the right to read {what} | {row} | | {status} |" for what, row, status in RIGHTS
    ]
    lines += [
        f"| weights: {spoil.__name__.replace('_', ' ')} | refused | | 3 |" for spoil in HOSTILE
    ]
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
