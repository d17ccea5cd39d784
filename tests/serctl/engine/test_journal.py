import itertools
import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from serctl.engine import journal as journal_module
from serctl.engine.journal import Journal
from serctl.errors import ResultsError, UsageError
from serctl.files.stamps import Stamp, stamp_of
from serctl.results.schema import STATUSES, Result, result_of, row_of

EMOTIONS = ("angry", "sad")
PARAMETERS = {"schema_version": 1, "model_sha256": "abc", "emotions": list(EMOTIONS)}

NAMES = st.binary(min_size=1, max_size=40).filter(lambda name: b"\0" not in name).map(os.fsdecode)


def results_of(journal):
    return [result_of(row, EMOTIONS, where) for where, row in journal.rows()]


def result(path, status="ok"):
    if status == "ok":
        return Result(path, "ok", "", "sad", 0.75, (0.25, 0.75), 1.5, 16000, 1, 1)
    return Result(path, status, "not audio")


def row(path, status="ok"):
    return json.dumps(row_of(result(path, status), EMOTIONS))


@pytest.fixture
def files(tmp_path):
    """Five files, and the output that results of them would go to."""
    paths = [str(tmp_path / f"{name}.wav") for name in "abcde"]
    for path in paths:
        Path(path).write_text("audio")
    return paths, str(tmp_path / "r.csv")


def keep(output, paths, indexes, status="ok", parameters=PARAMETERS, **options):
    """Give the recordings that were left, after rows of some were kept and the run was killed."""
    with suppress(KeyboardInterrupt), Journal(output, **options) as journal:
        left = journal.begin(parameters, paths)
        for index in indexes:
            journal.add(index, stamp_of(paths[index]), row(paths[index], status))
        raise KeyboardInterrupt
    return left


def left_on_resuming(output, paths, parameters=PARAMETERS, retry_failed=False):
    with Journal(output, resume=True) as journal:
        return journal.begin(parameters, paths, retry_failed)


def test_rows_are_taken_up_and_come_in_the_order_of_the_scan(files):
    paths, output = files
    assert keep(output, paths, [3, 1]) == [0, 1, 2, 3, 4]
    with Journal(output, resume=True) as journal:
        assert journal.begin(PARAMETERS, paths) == [0, 2, 4]
        assert journal.n_rows == 2
        for index in (4, 0, 2):
            journal.add(index, stamp_of(paths[index]), row(paths[index]))
        assert list(results_of(journal)) == [result(path) for path in paths]
        journal.finish()
    assert not os.path.exists(journal.path)


def test_a_changed_file_is_done_again(files):
    paths, output = files
    keep(output, paths, range(5))
    with open(paths[1], "a") as file:
        file.write("more")
    os.utime(paths[2], (1, 1))
    os.unlink(paths[3])
    assert left_on_resuming(output, paths) == [1, 2, 3]


def test_a_file_that_was_not_there_and_still_is_not_is_done(files):
    paths, output = files
    os.unlink(paths[0])
    keep(output, paths, [0], "unreadable")
    assert left_on_resuming(output, paths) == [1, 2, 3, 4]


def test_of_two_rows_the_last_counts(files):
    paths, output = files
    keep(output, paths, [0], "failed")
    os.utime(paths[0], (1, 1))
    keep(output, paths, [0], "silent", resume=True)
    with Journal(output, resume=True) as journal:
        assert journal.begin(PARAMETERS, paths) == [1, 2, 3, 4]
        assert [result.status for result in results_of(journal)] == ["silent"]


def test_files_that_are_gone_are_left_out_and_new_ones_are_left_to_do(files):
    paths, output = files
    keep(output, paths, [0, 1, 2])
    os.unlink(paths[1])
    others = [paths[4], paths[2], paths[0]]
    with Journal(output, resume=True) as journal:
        assert journal.begin(PARAMETERS, others) == [0]
        assert [result.path for result in results_of(journal)] == [paths[2], paths[0]]


def test_a_scan_without_recordings_that_have_a_row_is_refused_and_they_are_named(files):
    paths, output = files
    keep(output, paths, [0, 1, 2, 4])
    before = Path(f"{output}.journal").read_bytes()
    words = rf"are not among the recordings found now \(2: {paths[1]}, {paths[2]}\), and they would"
    with pytest.raises(ResultsError, match=words):
        left_on_resuming(output, [paths[0], paths[3], paths[4]])
    assert Path(f"{output}.journal").read_bytes() == before
    assert left_on_resuming(output, paths) == [3]
    with pytest.raises(ResultsError, match=r"\(4: .*a\.wav, .*b\.wav, .*c\.wav, \.\.\.\)"):
        left_on_resuming(output, [paths[3]])


def test_recordings_are_known_by_their_real_paths(files, monkeypatch):
    paths, output = files
    folder = os.path.dirname(paths[0])
    os.symlink(folder, f"{folder}-link")
    monkeypatch.chdir(folder)
    keep(output, paths, [0, 2])
    names = [os.path.basename(path) for path in paths]
    for typed in ("", "./", f"../{os.path.basename(folder)}/", f"{folder}-link/"):
        recordings = [typed + name for name in names]
        with Journal(output, resume=True) as journal:
            assert journal.begin(PARAMETERS, recordings) == [1, 3, 4]
            shown = [result.path for result in results_of(journal)]
        assert shown == [recordings[0], recordings[2]]  # as an uninterrupted run would show them


@pytest.mark.parametrize("status", STATUSES)
def test_what_failed_is_done_again_if_asked_for(files, status):
    paths, output = files
    keep(output, paths, [0, 1], status)
    assert left_on_resuming(output, paths) == [2, 3, 4]
    again = [0, 1] if status in ("unreadable", "failed") else []
    assert left_on_resuming(output, paths, retry_failed=True) == [*again, 2, 3, 4]


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ({"model_sha256": "def"}, "model_sha256 was abc and is now def"),
        ({"emotions": ["sad"]}, "emotions was angry,sad and is now sad"),
        ({"batch_size": 8}, "batch_size was none and is now 8"),
        ({"schema_version": 2}, "schema_version was 1 and is now 2"),
    ],
)
def test_another_model_or_other_parameters_are_refused_and_named(files, change, difference):
    paths, output = files
    keep(output, paths, [0])
    before = Path(f"{output}.journal").read_bytes()
    with pytest.raises(
        ResultsError, match=rf"journal: belongs to a run with other settings: {difference}\. "
    ):
        left_on_resuming(output, paths, PARAMETERS | change)
    assert Path(f"{output}.journal").read_bytes() == before
    assert left_on_resuming(output, paths) == [1, 2, 3, 4]


@pytest.mark.parametrize("content", ["precious\n", "{}\n", "[]\n", '{"journal": 1', "\0\0\0\0"])
def test_another_file_of_that_name_is_refused_and_left(files, content):
    paths, output = files
    Path(f"{output}.journal").write_text(content)
    with pytest.raises(ResultsError, match="not a journal of serctl"):
        left_on_resuming(output, paths)
    assert Path(f"{output}.journal").read_text() == content


def test_an_unfinished_run_is_not_thrown_away_unasked(files):
    paths, output = files
    keep(output, paths, [0])
    with pytest.raises(UsageError, match=r"has rows .*--resume.*--overwrite"), Journal(output):
        pass
    assert left_on_resuming(output, paths) == [1, 2, 3, 4]
    assert keep(output, paths, [], overwrite=True) == [0, 1, 2, 3, 4]


def test_an_error_says_what_is_kept_and_how_to_go_on(files):
    paths, output = files
    error = ResultsError("no room")
    with suppress(ResultsError), Journal(output) as journal:
        journal.begin(PARAMETERS, paths)
        journal.add(1, stamp_of(paths[1]), row(paths[1]))
        raise error
    (note,) = error.__notes__
    assert note.startswith(f"1 of 5 recordings are finished and saved in {output}.journal.")
    assert "--resume" in note


class Interrupting:
    """Context manager that raises an error before the nth line run in the journal's module."""

    def __init__(self, n, error):
        self.n, self.n_run, self.error = n, 0, error

    def __enter__(self):
        self.before = sys.gettrace()
        sys.settrace(self.trace)
        return self

    def __exit__(self, *_):
        sys.settrace(self.before)

    def trace(self, frame, event, _):
        if frame.f_code.co_filename != journal_module.__file__:
            return None
        if event == "line":
            self.n_run += 1
            if self.n_run == self.n:
                raise self.error
        return self.trace


def test_wherever_it_is_interrupted_it_says_how_many_rows_it_kept(files):
    paths, output = files
    numbers = []
    for n in itertools.count(1):
        error = KeyboardInterrupt()
        with suppress(KeyboardInterrupt), Journal(output) as journal:
            journal.begin(PARAMETERS, paths)
            journal.add(0, stamp_of(paths[0]), row(paths[0]))
            second = (stamp_of(paths[1]), row(paths[1]))
            with Interrupting(n, error) as interrupting:
                journal.add(1, *second)
            raise error
        numbers.append(Path(journal.path).read_bytes().count(b"\n") - 1)
        assert error.__notes__ == [
            f"{numbers[-1]} of 5 recordings are finished and saved in {journal.path}. "
            "To continue, run the same command with --resume."
        ]
        assert left_on_resuming(output, paths) == list(range(numbers[-1], 5))
        os.unlink(journal.path)
        if interrupting.n_run < n:
            break
    assert numbers == sorted(numbers)
    assert set(numbers) == {1, 2}


def test_a_journal_without_rows_goes(files):
    paths, output = files
    keep(output, paths, [])
    assert not os.path.exists(f"{output}.journal")


def test_a_second_run_is_refused_and_a_dead_one_leaves_no_lock(files):
    paths, output = files
    code = (
        "import sys; from serctl.engine.journal import Journal\n"
        f"sys.path.append({os.path.dirname(__file__)!r})\n"
        "from test_journal import PARAMETERS, row, stamp_of\n"
        "with Journal(sys.argv[1]) as journal:\n"
        "    journal.begin(PARAMETERS, sys.argv[2:])\n"
        "    journal.add(0, stamp_of(sys.argv[2]), row(sys.argv[2]))\n"
        "    print('locked', flush=True)\n"
        "    sys.stdin.read()\n"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", code, output, *paths],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with other:
        assert other.stdout.readline() == "locked\n"
        with pytest.raises(ResultsError, match=r"r\.csv: another run is writing to it"):
            left_on_resuming(output, paths)
        other.kill()
    assert left_on_resuming(output, paths) == [1, 2, 3, 4]


@settings(deadline=None, max_examples=200)
@given(
    names=st.lists(NAMES, min_size=1, max_size=6, unique=True),
    cut=st.integers(0, 2000),
    junk=st.sampled_from(
        [b"", b"\0" * 40, b"torn", b"\n", b'{"real": "a", "stamp": [1, 2], "row": 1}\n', b"{}\n"]
    ),
)
@example(names=["\x01", "\x01\x01\x01\x01\x01\x01   "], cut=498, junk=b"\n")
def test_whatever_a_torn_write_leaves_only_torn_rows_are_done_again(
    tmp_path_factory, names, cut, junk
):
    output = str(tmp_path_factory.mktemp("journal") / "r.csv")
    stamp = Stamp(None, None)  # as of files that are not there
    names = [f"{os.sep}nowhere{os.sep}{name}" for name in names]
    with suppress(KeyboardInterrupt), Journal(output) as journal:
        journal.begin(PARAMETERS, names)
        ends = []
        for index, name in enumerate(names):
            journal.add(index, stamp, row(name))
            ends.append(os.path.getsize(journal.path))
        raise KeyboardInterrupt
    whole = Path(journal.path).read_bytes()
    header, rows = whole.split(b"\n", 1)
    torn = header + b"\n" + rows[:cut] + junk
    Path(journal.path).write_bytes(torn)
    # Where a line break alone was cut off, the junk may be just that, and the row is whole.
    expected = [index for index, end in enumerate(ends) if torn[:end] != whole[:end]]
    with Journal(output, resume=True) as journal:
        assert journal.begin(PARAMETERS, names) == expected
        for index in expected:
            journal.add(index, stamp, row(names[index]))
        assert list(results_of(journal)) == [result(name) for name in names]


def test_a_full_disk_is_said_and_leaves_whole_rows(files):
    paths, output = files
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with Journal(output) as journal:
        journal.begin(PARAMETERS, paths)
        for index in (0, 1):
            journal.add(index, stamp_of(paths[index]), row(paths[index]))
        # Room for half of a row.
        resource.setrlimit(resource.RLIMIT_FSIZE, (os.path.getsize(journal.path) + 40, hard))
        try:
            with pytest.raises(ResultsError, match=r"could not be written, after 2 rows \(File"):
                journal.add(2, stamp_of(paths[2]), row(paths[2]))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert Path(f"{output}.journal").read_bytes().count(b"\n") == 3
    assert Path(f"{output}.journal").read_bytes().endswith(b"}\n")
    assert left_on_resuming(output, paths) == [2, 3, 4]


def test_a_journal_that_cannot_be_opened(tmp_path):
    with pytest.raises(ResultsError, match="could not be written, after 0 rows"):
        Journal(str(tmp_path / "missing/r.csv")).__enter__()
    (tmp_path / "r.csv.journal").mkdir()
    with pytest.raises(ResultsError, match="Is a directory"):
        Journal(str(tmp_path / "r.csv"), resume=True).__enter__()
