import errno
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
from serctl.files import appending
from serctl.files.stamps import Stamp, content_hash, stamp_of
from serctl.results.schema import STATUSES, Result, result_of, row_of

EMOTIONS = ("angry", "sad")
PARAMETERS = {"schema_version": 1, "model_sha256": "abc", "emotions": list(EMOTIONS)}

NAMES = st.binary(min_size=1, max_size=40).filter(lambda name: b"\0" not in name).map(os.fsdecode)


def result(path, status="ok"):
    if status == "ok":
        return Result(path, "ok", "", "sad", 0.75, (0.25, 0.75), 1.5, 16000, 1, 1)
    return Result(path, status, "not audio")


def row(path, status="ok"):
    return json.dumps(row_of(result(path, status), EMOTIONS))


def results(journal):
    return [result_of(row, EMOTIONS, where) for where, row in journal.rows()]


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
        assert results(journal) == [result(path) for path in paths]
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
        assert [result.status for result in results(journal)] == ["silent"]


def test_files_that_are_gone_are_left_out_and_new_ones_are_left_to_do(files):
    paths, output = files
    keep(output, paths, [0, 1, 2])
    os.unlink(paths[1])
    others = [paths[4], paths[2], paths[0]]
    with Journal(output, resume=True) as journal:
        assert journal.begin(PARAMETERS, others) == [0]
        assert [result.path for result in results(journal)] == [paths[2], paths[0]]


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
            shown = [result.path for result in results(journal)]
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


@pytest.mark.parametrize(
    "content", ["precious\n", "precious", "{}\n", "[]\n", '{"journal": 1}\n{}\n']
)
def test_another_file_of_that_name_is_refused_and_left(files, content):
    paths, output = files
    Path(f"{output}.journal").write_text(content)
    with pytest.raises(ResultsError, match=r"not a journal of serctl|journal was 1 and is now 2"):
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
        if frame.f_code.co_filename not in (journal_module.__file__, appending.__file__):
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
        assert results(journal) == [result(name) for name in names]


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


@pytest.mark.parametrize("torn", ['{"journal": 2, "model_sh', '{"jour', "\0\0\0\0"])
def test_a_header_that_is_torn_is_no_run(files, torn):
    paths, output = files
    Path(f"{output}.journal").write_text(torn)
    keep(output, paths, [0])
    assert left_on_resuming(output, paths) == [1, 2, 3, 4]
    Path(f"{output}.journal").write_text(torn)
    assert left_on_resuming(output, paths) == [0, 1, 2, 3, 4]


@settings(deadline=None, max_examples=200)
@given(data=st.data())
def test_a_flipped_bit_gives_no_other_value_and_is_said(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("flipped")
    output, names = str(folder / "r.csv"), [f"/nowhere/{name}.wav" for name in "abc"]
    stamp = Stamp(None, None)  # as of files that are not there
    with suppress(KeyboardInterrupt), Journal(output) as journal:
        journal.begin(PARAMETERS, names)
        for index, name in enumerate(names):
            journal.add(index, stamp, row(name), "0123456789abcdef")
        raise KeyboardInterrupt
    content = bytearray(Path(journal.path).read_bytes())
    bit = data.draw(st.integers(0, 8 * len(content) - 1))
    content[bit // 8] ^= 1 << bit % 8
    Path(journal.path).write_bytes(content)
    with Journal(output, resume=True) as journal:
        left = journal.begin(PARAMETERS, names)
        assert left
        # A last line without its line feed looks torn, as by a kill.
        assert journal.warnings or bit // 8 == len(content) - 1
        for index in left:
            journal.add(index, stamp, row(names[index]))
        assert results(journal) == [result(name) for name in names]
        journal.finish()


def test_a_damaged_line_is_done_again_and_said_and_those_after_it_count(files):
    paths, output = files
    keep(output, paths, [0, 1, 2])
    lines = Path(f"{output}.journal").read_bytes().splitlines(keepends=True)
    lines[2] = lines[2].replace(b"0.25", b"0.35", 1)
    Path(f"{output}.journal").write_bytes(b"".join(lines))
    with Journal(output, resume=True) as journal:
        assert journal.begin(PARAMETERS, paths) == [1, 3, 4]
        (warning,) = journal.warnings
        assert warning.startswith(f"{output}.journal: 1 line of it damaged, and left out;")


def test_a_row_that_is_damaged_after_it_was_taken_over_is_no_result(files):
    paths, output = files
    with Journal(output) as journal:
        journal.begin(PARAMETERS, paths[:1])
        journal.add(0, stamp_of(paths[0]), row(paths[0]))
        with open(journal.path, "r+b") as file:
            file.seek(os.path.getsize(journal.path) - 20)
            file.write(b"\0")
        with pytest.raises(ResultsError, match=r"the row at byte \d+ is damaged since"):
            list(journal.rows())


@pytest.mark.parametrize("when", ["before a row", "at the end"])
@pytest.mark.parametrize("what", ["removed", "replaced", "shortened", "moved"])
def test_a_journal_that_is_changed_during_the_run_is_noticed(files, what, when):
    paths, output = files
    if (what, when) == ("moved", "before a row"):
        pytest.skip("noticed at the end")
    error = None
    with suppress(ResultsError), Journal(output) as journal:
        journal.begin(PARAMETERS, paths)
        journal.add(0, stamp_of(paths[0]), row(paths[0]))
        if what == "removed":
            os.unlink(journal.path)
        elif what == "replaced":
            Path(f"{output}.other").write_bytes(Path(journal.path).read_bytes())
            os.replace(f"{output}.other", journal.path)
        elif what == "shortened":
            os.truncate(journal.path, os.path.getsize(journal.path) - 5)
        else:
            os.rename(journal.path, f"{output}.moved")
        try:
            if when == "before a row":
                journal.add(1, stamp_of(paths[1]), row(paths[1]))
            else:
                list(journal.rows())
        except ResultsError as raised:
            error = raised
            raise
    assert "was removed or changed by another program during the run" in str(error)
    assert not getattr(error, "__notes__", [])  # nothing is said to be saved


def test_a_file_with_another_inode_and_the_same_content_is_the_same(files):
    paths, output = files
    contents = [content_hash(path) for path in paths]
    with suppress(KeyboardInterrupt), Journal(output) as journal:
        journal.begin(PARAMETERS, paths)
        for index, content in enumerate([*contents[:3], "", contents[4]]):
            journal.add(index, stamp_of(paths[index]), row(paths[index]), content)
        raise KeyboardInterrupt
    for path, text in zip(paths[1:], ["audio", "other", "audio", "audio"], strict=True):
        stamp = os.stat(path)
        Path(f"{path}.new").write_text(text)
        os.replace(f"{path}.new", path)
        os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    os.chmod(paths[0], 0o600)  # which changes the time of status change alone
    # b is the same; c has another content; of d no hash is known; e is the same.
    assert left_on_resuming(output, paths) == [2, 3]


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: Path(path).symlink_to("precious")])
def test_a_journal_is_a_regular_file_or_refused(files, make):
    _, output = files
    precious = Path(output).with_name("precious")
    precious.write_text("precious")
    make(f"{output}.journal")
    for options in ({}, {"resume": True}, {"overwrite": True}):
        with pytest.raises(ResultsError, match=r"r\.csv\.journal: .*a regular file is needed"):
            Journal(output, **options).__enter__()
    assert precious.read_text() == "precious"
    assert os.path.lexists(f"{output}.journal")


class Refusing:
    """Replace os.write: of one call a part, of another nothing, then all; or nothing for good."""

    def __init__(self, monkeypatch, error, at, for_good=False, part=0):
        self.write, self.n, self.error, self.at = os.write, 0, error, at
        self.for_good, self.part = for_good, part
        monkeypatch.setattr(appending.os, "write", self)

    def __call__(self, descriptor, data):
        self.n += 1
        if self.n == self.at or (self.for_good and self.n > self.at):
            if self.part:
                return self.write(descriptor, data[: self.part])
            raise self.error
        return self.write(descriptor, data)


@pytest.mark.parametrize("error", [OSError(errno.EIO, "I/O"), OSError(errno.ENOSPC, "full")])
@pytest.mark.parametrize("at", range(1, 7))
@pytest.mark.parametrize("part", [0, 1, 50])
def test_at_whichever_write_the_disk_fails_nothing_is_lost_and_nothing_false(
    files, monkeypatch, error, at, part
):
    paths, output = files
    refusing = Refusing(monkeypatch, error, at, part=part)
    with suppress(ResultsError), Journal(output) as journal:
        journal.begin(PARAMETERS, paths)
        for index, path in enumerate(paths):
            journal.add(index, stamp_of(path), row(path))
    monkeypatch.setattr(appending.os, "write", refusing.write)
    n_kept = max(at - 2, 0) if not part else 5  # a short write is gone on with
    with Journal(output, resume=True) as journal:
        left = journal.begin(PARAMETERS, paths)
        assert left == list(range(n_kept, 5))
        for index in left:
            journal.add(index, stamp_of(paths[index]), row(paths[index]))
        assert results(journal) == [result(path) for path in paths]
