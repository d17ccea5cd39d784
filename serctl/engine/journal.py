"""The journal of a run: every row is saved as soon as it is known, so that a run can be resumed.

Layout. ``<output>.journal`` stands beside the output, as JSON Lines in ASCII. Its first line, the
header, has the version of the journal and the run's parameters (`serctl.engine.journal_format`).
Every other line is one finished recording: its real path, its row, as in a results file, and the
stamp of its file from before it was read. The last line of a real path counts. Order does not
matter: the output is written from the journal in scan order, so that it has the same bytes
whether the run was interrupted or not.

Atomicity. A line is written as soon as its recording is finished, and synced to disk at most a second
later: a killed process loses no row, and a power cut those of a second. The output appears whole, by
rename, and then the journal is removed. While both exist, resuming writes the same output again.

Lock. A run holds the operating system's lock on its journal (flock, or on Windows
msvcrt.locking), where the file system has locks: a second run to the same output is refused, and a
dead run leaves no lock.

Failure policy. A line whose checksum is wrong, or whose row is not a valid one, is left out, and its
recording is classified again; `Journal.warnings` says so. A journal with a torn or damaged header is
started again. When the disk is full, the torn line is cut off and the journal stays. A run that is
stopped while it writes a line counts that line if it is whole. A journal that is removed, replaced or
shortened during the run ends it. A file that is not a journal, or that belongs to a run with other
settings, is refused and left as it is. `serctl.engine.journal_resume` says which rows still hold. A
journal without rows is removed.
"""

from array import array
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from serctl.engine.journal_format import (
    check_header,
    header_line,
    is_damaged_journal,
    read_row,
    row_line,
)
from serctl.engine.journal_resume import find_rows
from serctl.errors import ResultsError, UsageError
from serctl.files.appending import AppendedFile
from serctl.files.stamps import RealPaths, Stamp
from serctl.results.schema import JOURNAL
from serctl.text import count

LONGEST_HEADER_BYTES = 1 << 16


class Journal:
    """Context manager of the journal beside one output.

    Entering it takes the lock; `begin` writes or checks the header; `add` saves a row; `rows`
    gives all rows in scan order; `finish` removes the journal.

    Parameters
    ----------
    output : str
        Path of the results file.
    resume : bool
        Whether to take over the rows of a journal that exists.
    overwrite : bool
        Whether they may be discarded.

    Attributes
    ----------
    path : str
        Of the journal.
    offsets : array of int
        Byte at which the row of each recording begins; 0 if there is none.
    warnings : list of str
        What was found damaged, for the user to read.

    Raises
    ------
    UsageError
        When entered, if there is a journal, and neither ``resume`` nor ``overwrite`` is true.
    ResultsError
        When entered, if another process has it, or it cannot be opened; later, if it cannot be
        written (disk full) or read.
    """

    def __init__(self, output: str, resume: bool = False, overwrite: bool = False) -> None:
        self.path = output + JOURNAL
        self.warnings: list[str] = []
        self._output = output
        self._resume = resume
        self._overwrite = overwrite
        self._file: AppendedFile
        self._finished = False
        self._found_rows = False  # of a previous run; they stay, whatever happens
        self.offsets = array("q")
        self._recordings: Sequence[str] = ()
        self._emotions: Sequence[str] = ()
        self._real_path = RealPaths()
        self._last: tuple[int, int] | None = None  # recording and offset of the row added last

    @property
    def n_rows(self) -> int:
        """Recordings of this scan that have their row."""
        return sum(map(bool, self.offsets))

    def __enter__(self) -> Self:
        """Take the lock, and look for rows of a previous run."""
        try:
            self._file = AppendedFile(self.path)
            self._found_rows = self._has_rows()
        except BlockingIOError as error:
            raise ResultsError(
                f"{self._output}: another run is writing to it, and has {self.path} open. "
                "Wait until it has finished, or choose another output."
            ) from error
        except OSError as error:
            raise self._refused(error) from error
        if self._found_rows and not (self._resume or self._overwrite):
            self._file.close()
            raise UsageError(
                f"{self.path}: has rows of a run that did not finish. Continue it with --resume, "
                "or start again with --overwrite, or choose another output."
            )
        return self

    def begin(
        self,
        parameters: Mapping[str, Any],
        recordings: Sequence[str],
        retry_failed: bool = False,
    ) -> list[int]:
        """Write the header, or check it and take over the rows that still hold.

        Parameters
        ----------
        parameters : mapping
            Everything that results depend on, as JSON holds it.
        recordings : sequence of str
            The scan.
        retry_failed : bool
            Whether to leave out rows with a status of `serctl.engine.journal_resume.RETRYABLE`.

        Returns
        -------
        list of int
            Which of the recordings have no row yet.

        Raises
        ------
        ResultsError
            If it is not a journal, belongs to a run with other settings, has rows of files that
            are not among ``recordings``, or cannot be written.
        """
        self._recordings, self._emotions = recordings, parameters["emotions"]
        if not (self._found_rows and self._resume and self._take_over(parameters, retry_failed)):
            self._file.cut(0)
            self._append(header_line(parameters))
            self._found_rows = False
            self.offsets = array("q", bytes(8 * len(recordings)))
        self._file.start_syncing()
        return self.left()

    def left(self) -> list[int]:
        """Which of the recordings have no row yet."""
        return [index for index, offset in enumerate(self.offsets) if not offset]

    def add(self, index: int, stamp: Stamp, row: str, content: str = "") -> None:
        """Save a row.

        Parameters
        ----------
        index : int
            Of the recording, in the scan.
        stamp : Stamp
            Of its file, from before the file was read.
        row : str
            The row, as the JSON of a results file, in ASCII.
        content : str
            Hash of the file's content, if it is known.

        Raises
        ------
        ResultsError
            If it cannot be written, or if the journal was removed or changed during the run.
        """
        self._file.check_own()
        self._last = (index, self._file.end)
        self._append(row_line(self._real_path(self._recordings[index]), stamp, content, row))
        self.offsets[index] = self._last[1]

    def rows(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Rows of all recordings that have one, in scan order, with the paths of this scan.

        Yields
        ------
        where : str
            The journal and the place in it, for messages.
        row : dict
            Column to value.

        Raises
        ------
        ResultsError
            If the journal was removed or changed during the run, or is damaged.
        """
        self._file.check_own(by_name=True)
        with self._file.reading() as file:
            place = 0
            for recording, offset in zip(self._recordings, self.offsets, strict=True):
                if not offset:
                    continue
                if place != offset:
                    file.seek(offset)
                line = file.readline()
                place = offset + len(line)
                record = read_row(line, self._emotions)
                if record is None:
                    raise ResultsError(
                        f"{self.path}: the row at byte {offset} is damaged since it was written. "
                        "Check the disk, and continue with --resume."
                    )
                yield f"{self.path}, at byte {offset}", record.row | {"path": recording}

    def finish(self) -> None:
        """Remove the journal: the output has all rows."""
        self._file.remove()
        self._finished = True

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Release the lock; after an error note what is saved, or remove a journal without rows."""
        if error is not None:
            self._count_last()
        own = not self._finished and self._file.is_own()
        if self.n_rows or self._found_rows:
            if error is not None and self.offsets and own:
                error.add_note(
                    f"{self.n_rows} of {len(self.offsets)} recordings are finished and saved in "
                    f"{self.path}. To continue, run the same command with --resume."
                )
        elif own:
            self._file.remove()
        self._file.close()

    def _has_rows(self) -> bool:
        """Whether the file holds anything that must not be lost."""
        with self._file.reading() as file:
            start = file.read(LONGEST_HEADER_BYTES)
        header, _, rows = start.partition(b"\n")
        return bool(rows or not is_damaged_journal(header))

    def _take_over(self, parameters: Mapping[str, Any], retry_failed: bool) -> bool:
        """Find the rows of these recordings that still hold; False if the header is damaged.

        The file is as it was when this raises.
        """
        with self._file.reading() as file:
            header = file.readline()
            if is_damaged_journal(header):
                self.warnings.append(
                    f"{self.path}: its first line is damaged, so all recordings are classified "
                    "again. Check the disk."
                )
                return False
            check_header(header, parameters, self.path)
            found = find_rows(
                file, self.path, self._recordings, self._real_path, self._emotions, retry_failed
            )
        self._file.cut(found.end)
        self.offsets = found.offsets
        if found.n_damaged:
            self.warnings.append(
                f"{self.path}: {count(found.n_damaged, 'line')} of it damaged, and left out; "
                "recordings without a row are classified again. Check the disk."
            )
        return True

    def _count_last(self) -> None:
        """Count the row added last if the file has it: the run may have stopped in between."""
        if self._last is None:
            return
        index, offset = self._last
        with suppress(OSError), self._file.reading() as file:
            file.seek(offset)
            if read_row(file.readline(), self._emotions) is not None:
                self.offsets[index] = offset

    def _append(self, line: str) -> None:
        try:
            self._file.append(line)
            self._file.check_synced()
        except OSError as error:
            raise self._refused(error) from error

    def _refused(self, error: OSError) -> ResultsError:
        return ResultsError(
            f"{self.path}: could not be written, after {self.n_rows} rows ({error.strerror}). "
            "Free some space, or choose an output elsewhere."
        )
