"""The journal of a run: every finished recording is kept as it comes, and taken up again.

Layout. ``<output>.journal`` stands beside the output, as JSON Lines in ASCII. Its first line, the
header, has the versions of journal and results, the model's SHA-256 and every parameter that
results depend on. Every other line is one finished recording: its row, as in a results file, and
size and time of the file from before it was read. The last line of a path counts. Order does not
matter: the output is written from the journal in the order of the scan, so that it is the same
bytes whether the run was disturbed or not.

Atomicity. A line is handed to the system as soon as its recording is finished, and the disk is
told to hold it at most a second later; so a killed process loses no row, and a power cut a second's. The
output appears whole, by rename, and only then the journal goes. Between the two both are there, and
taking up such a journal writes the same output again.

Lock. Whoever has the journal open holds the operating system's lock on it (flock, or on Windows
msvcrt.locking): a second run to the same output is refused, and a dead run leaves no lock. A file
system without locks gives none, and then there is none.

Failure policy. Reading stops at the first line that is not whole: what a torn write left is cut
off, and its recording done again. When the disk is full, the torn line is cut off and the journal
stays. A run that is stopped while it writes a line counts that line if it is whole. A file that is
not a journal, or one of another model or other parameters, is refused and left as it is. A journal
without rows is removed.
"""

import os
from array import array
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from serctl.engine.journal_format import check_header, header_line, read_row, row_line
from serctl.errors import ResultsError, UsageError
from serctl.files.locks import open_locked
from serctl.files.stamps import Stamp, stamp_of
from serctl.files.sync import Syncer, sync_folder
from serctl.results.schema import JOURNAL, Result, result_of

RETRYABLE = frozenset(("unreadable", "failed"))  # with ``--retry-failed``


class Journal:
    """Context manager of the journal beside one output.

    Entering it takes the lock; `begin` writes or checks the header; `add` keeps a row; `results`
    gives all of them in the order of the scan; `finish` removes it.

    Parameters
    ----------
    output : str
        Path of the results file.
    resume : bool
        Whether the rows of a journal that is there are taken up.
    overwrite : bool
        Whether they may be thrown away.

    Attributes
    ----------
    path : str
        Of the journal.
    n_rows : int
        Recordings of this scan that have their row.

    Raises
    ------
    UsageError
        When entered, if there is a journal, and neither ``resume`` nor ``overwrite`` is true.
    ResultsError
        When entered, if another process has it, or it cannot be opened; and on the way, if it
        cannot be written (disk full) or read.
    """

    def __init__(self, output: str, resume: bool = False, overwrite: bool = False) -> None:
        self.path = output + JOURNAL
        self._output = output
        self._resume = resume
        self._overwrite = overwrite
        self._descriptor = -1
        self._found_rows = False  # of a run before this one; they stay, whatever happens
        self._offsets = array("q")  # of each recording's row, in scan order; 0 if there is none
        self._end = 0
        self._last: tuple[int, int] | None = None  # of the row added last: recording and offset
        self._syncer: Syncer | None = None

    @property
    def n_rows(self) -> int:
        """Recordings of this scan that have their row."""
        return sum(1 for offset in self._offsets if offset)

    def __enter__(self) -> Self:
        """Take the lock, and see whether there are rows."""
        try:
            self._descriptor = open_locked(self.path)
            self._end = os.fstat(self._descriptor).st_size
        except BlockingIOError as error:
            raise ResultsError(
                f"{self._output}: another serctl is writing to it, and has {self.path} open. "
                "Wait until it has finished, or give another output."
            ) from error
        except OSError as error:
            raise self._refused(error) from error
        self._found_rows = self._end > 0
        if self._found_rows and not (self._resume or self._overwrite):
            self._close()
            raise UsageError(
                f"{self.path}: holds rows of a run that did not finish. Go on with it with "
                "--resume, or start anew with --overwrite, or give another output."
            )
        return self

    def begin(
        self,
        parameters: Mapping[str, Any],
        recordings: Sequence[str],
        retry_failed: bool = False,
    ) -> list[int]:
        """Write the header, or check it and take up the rows that still hold.

        Parameters
        ----------
        parameters : mapping
            Everything that results depend on, as JSON holds it.
        recordings : sequence of str
            The scan.
        retry_failed : bool
            Whether rows with a status of `RETRYABLE` are left out.

        Returns
        -------
        list of int
            Which of the recordings have no row yet.

        Raises
        ------
        ResultsError
            If the journal is of another model or other parameters, is no journal, or cannot be
            written.
        """
        if self._found_rows and self._resume:
            self._take_up(parameters, recordings, retry_failed)
        else:
            self._cut(0)
            self._append(header_line(parameters))
            self._found_rows = False
            self._offsets = array("q", bytes(8 * len(recordings)))
        self._syncer = Syncer(self._descriptor, self.path)
        self._syncer.wrote()
        return self.left()

    def left(self) -> list[int]:
        """Which of the recordings have no row yet."""
        return [index for index, offset in enumerate(self._offsets) if not offset]

    def add(self, index: int, stamp: Stamp, row: str) -> None:
        """Keep a row.

        Parameters
        ----------
        index : int
            Of the recording, in the scan.
        stamp : Stamp
            Of its file, from before it was read.
        row : str
            The row, as the JSON of a results file, in ASCII.

        Raises
        ------
        ResultsError
            If it cannot be written.
        """
        self._last = (index, self._end)
        self._append(row_line(stamp, row))
        self._offsets[index] = self._last[1]
        if self._syncer is not None:
            self._syncer.wrote()
            if self._syncer.error is not None:
                raise self._refused(self._syncer.error) from self._syncer.error

    def results(self, emotions: Sequence[str]) -> Iterator[Result]:
        """Results of all recordings that have a row, in the order of the scan."""
        with open(self.path, "rb") as file:
            place = 0
            for offset in self._offsets:
                if not offset:
                    continue
                if place != offset:
                    file.seek(offset)
                where = f"{self.path}, at byte {offset}"
                line = file.readline()
                place = offset + len(line)
                record = read_row(line)
                if record is None:
                    raise ResultsError(
                        f"{where}: a row was here and is damaged. Is the disk whole?"
                    )
                yield result_of(record.row, emotions, where)

    def finish(self) -> None:
        """Remove the journal: the output has everything."""
        sync_folder(self.path)
        with suppress(OSError):
            os.unlink(self.path)
        self._close()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Let go of the lock; after an error say what is kept, or remove a journal without rows."""
        if self._descriptor < 0:
            return
        if error is not None:
            self._count_last()
        if self.n_rows or self._found_rows:
            if error is not None and self._offsets:
                error.add_note(
                    f"{self.n_rows} of {len(self._offsets)} recordings are done and kept in "
                    f"{self.path}. To go on, give the same command again with --resume."
                )
        else:
            with suppress(OSError):
                os.unlink(self.path)
        self._close()

    def _take_up(
        self, parameters: Mapping[str, Any], recordings: Sequence[str], retry_failed: bool
    ) -> None:
        """Check the header, and find the rows of these recordings that still hold."""
        with open(self.path, "rb") as file:
            header = file.readline()
            check_header(header, parameters, self.path)
            end = len(header)
            self._offsets = array("q", bytes(8 * len(recordings)))
            indexes = {path: index for index, path in enumerate(recordings)}
            for line in file:
                record = read_row(line)
                if record is None:
                    break
                offset, end = end, end + len(line)
                index = indexes.get(record.row["path"])
                if index is not None:
                    again = retry_failed and record.row["status"] in RETRYABLE
                    holds = not again and stamp_of(recordings[index]) == record.stamp
                    self._offsets[index] = offset if holds else 0
        self._cut(end)

    def _count_last(self) -> None:
        """Count the row added last if the file has it: the run may have stopped in between."""
        if self._last is None:
            return
        index, offset = self._last
        with suppress(OSError), open(self.path, "rb") as file:
            file.seek(offset)
            if read_row(file.readline()) is not None:
                self._offsets[index] = offset

    def _append(self, line: str) -> None:
        data = line.encode("ascii")
        n_written = 0
        try:
            while n_written < len(data):  # a disk that is full takes what fits, and then says so
                n_written += os.write(self._descriptor, data[n_written:])
        except OSError as error:
            with suppress(OSError):
                self._cut(self._end)
            raise self._refused(error) from error
        self._end += n_written

    def _cut(self, end: int) -> None:
        os.ftruncate(self._descriptor, end)
        os.lseek(self._descriptor, end, os.SEEK_SET)
        self._end = end

    def _close(self) -> None:
        if self._syncer is not None:
            self._syncer.stop()
        os.close(self._descriptor)
        self._descriptor = -1

    def _refused(self, error: OSError) -> ResultsError:
        return ResultsError(
            f"{self.path}: could not be written, after {self.n_rows} rows ({error.strerror}). "
            "Make room, or give an output elsewhere."
        )
