"""One run of ``serctl classify``: its journal, its worker process and its output.

A run to a file saves every row in a journal (`serctl.engine.journal`) and writes the output from it
at the end, in scan order. A run to standard output streams its rows, and has no journal. Either
way every recording of the scan has exactly one row, or the run raises.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, nullcontext
from types import TracebackType
from typing import Any, Self

from serctl.engine.journal import Journal
from serctl.engine.journal_format import run_parameters
from serctl.engine.retry import PreviousRun
from serctl.engine.voices.grouping import VoiceSource
from serctl.engine.voices.together import Together
from serctl.engine.workers.messages import Request
from serctl.engine.workers.supervisor import Done, Supervisor, in_order
from serctl.errors import ResultsError, UsageError
from serctl.files.folders import lock_folder
from serctl.files.locks import check_regular
from serctl.files.outputs import STANDARD_OUTPUT, check_output, lock_outputs
from serctl.results.destination import Destination
from serctl.results.schema import (
    CHANNELS_KEY,
    EXTENSIONS,
    JOURNAL,
    SEGMENTS_KEY,
    WINDOWS_KEY,
    Result,
    result_of,
)
from serctl.results.segments import OptionalSegmentsWriter, Segment
from serctl.results.writer import ResultsWriter, run_path, write_run
from serctl.timeline.export_files import ExportFolder
from serctl.timeline.given import GivenSegment
from serctl.timeline.matching import GivenSegments

Progress = Callable[[Iterable[Done], int], Iterable[Done]]


class Run:
    """Context manager of one run; entering it checks and locks the output, and starts the worker.

    Parameters
    ----------
    request : Request
        What the worker classifies with.
    destination : Destination
        Where the results go.
    given : GivenSegments, optional
        Segments that another program found: only these are classified.
    voices : VoiceSource, optional
        Which recordings are one voice's, for a request that is ``grouped``.

    Raises
    ------
    UsageError, ResultsError
        When entered, if the output cannot be written or is taken.
    """

    def __init__(
        self,
        request: Request,
        destination: Destination,
        given: GivenSegments | None = None,
        voices: VoiceSource | None = None,
    ) -> None:
        self._request = request
        self._given = given
        self._voices = voices
        self._destination = destination
        self._supervisor = Supervisor(request)
        self._journal: Journal | None = None
        self._previous: PreviousRun | None = None
        self._unfinished = False  # a journal has newer rows than the previous run
        self.n_classified = 0  # recordings whose rows are not kept from before
        self.n_missing = 0  # recordings that are gone, and whose rows are kept
        self._stack = ExitStack()
        self.n_other_channels = 0  # rows beside the first of each recording
        self.together: Together | None = None  # with voices, once all is classified

    def __enter__(self) -> Self:
        """Take what the run needs; release it if some of it is not available."""
        to = self._destination
        continues = to.resume or to.retry_failed
        if to.output == STANDARD_OUTPUT and continues:
            raise UsageError(
                "-: a run to standard output has no journal and cannot be resumed. Give a file as "
                "--output."
            )
        if to.output == STANDARD_OUTPUT and self._voices is not None:
            raise UsageError(
                "-: with voices no row is known before all recordings are classified. Give a file "
                "as --output."
            )
        # Results beside a journal are those that its run was to replace, or has just written.
        unfinished = self._unfinished = continues and os.path.exists(to.output + JOURNAL)
        finished = continues and os.path.exists(to.output) and not (unfinished or to.overwrite)
        if finished or (unfinished and to.keep_missing and os.path.exists(to.output)):
            if not to.retry_failed:
                raise UsageError(
                    f"{to.output}: exists, and there is no journal beside it: its run has finished. "
                    "Give --retry-failed to try unreadable and failed recordings again, or "
                    "--overwrite to start again."
                )
            paths = {SEGMENTS_KEY: to.segments_path, WINDOWS_KEY: to.windows}
            tables = {key: path for key, path in paths.items() if path is not None}
            self._previous = PreviousRun(to.output, tables)
        check_output(
            to.output, EXTENSIONS, to.overwrite or unfinished or self._previous is not None
        )
        to.check_tables(to.overwrite or unfinished or self._previous is not None)
        with ExitStack() as stack:
            stack.enter_context(lock_outputs(to.output, to.segments_path, to.windows))
            if to.exports is not None:
                stack.enter_context(lock_folder(to.exports))
            if to.output != STANDARD_OUTPUT:
                stack.enter_context(lock_outputs(run_path(to.output)))
                _check_record(run_path(to.output))
                journal = Journal(to.output, resume=continues, overwrite=to.overwrite)
                self._journal = stack.enter_context(journal)
            stack.enter_context(self._supervisor)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the worker, and release the journal."""
        self._stack.__exit__(kind, error, traceback)

    @property
    def warnings(self) -> list[str]:
        """What was found damaged in the journal of a run that is resumed."""
        return [] if self._journal is None else self._journal.warnings

    @property
    def n_gone(self) -> int:
        """Recordings of the previous run that are gone, and whose rows are left out."""
        return 0 if self._previous is None else self._previous.n_gone

    @property
    def description(self) -> dict[str, Any]:
        """Model, hashes and parameters; waits until the model is loaded."""
        return self._supervisor.description()

    def watch(self, on_share: Callable[[float], None]) -> None:
        """Have ``on_share`` called with how much is done of the recordings that are being read."""
        self._supervisor.on_share = on_share

    def results(
        self, recordings: Sequence[str], progress: Progress, folders: Sequence[str] = ()
    ) -> Iterator[Result]:
        """Classify recordings and write the output.

        Parameters
        ----------
        recordings : sequence of str
            The scan.
        folders : sequence of str
            Those that were named, in which the paths of a table of voices may begin.
        progress : callable
            Wraps the iterable of finished recordings, given their total number.

        Yields
        ------
        Result
            One for every recording, in scan order, as it is written to the output.

        Raises
        ------
        SerctlError
            If the run cannot continue. Finished rows stay in the journal.
        """
        emotions = self.description["emotions"]
        of_recording: dict[str, list[GivenSegment]] = {}
        if self._given is not None:
            of_recording = self._given.of_recordings(recordings)
            self._supervisor.given = {
                path: [(s.start_s, s.end_s, s.channel, s.speaker) for s in segments]
                for path, segments in of_recording.items()
            }
        if self._journal is None:
            every = range(len(recordings))
            done = progress(self._supervisor.rows(recordings, every), len(recordings))
            rows = in_order(done)
        else:
            voices = self._voices.voices_of(recordings, folders) if self._voices else None
            self._fill(self._journal, recordings, progress)
            if voices is not None:
                self._compare(self._journal, recordings, voices, progress)
            rows = self._journal.rows()
        to = self._destination
        segments_file = OptionalSegmentsWriter(to.segments_path, emotions, to.segments is not None)
        windows_file = OptionalSegmentsWriter(to.windows, emotions, to.windows is not None)
        exports = ExportFolder(to.exports, to.formats) if to.exports else None
        with (
            segments_file,
            windows_file,
            exports or nullcontext(),
            ResultsWriter(to.output, emotions, overwrite=True, dialect=to.dialect) as writer,
        ):
            for place, (where, first) in enumerate(rows):
                rows_of_it = (first, *first.get(CHANNELS_KEY, ()))
                self.n_other_channels += len(rows_of_it) - 1
                for row in rows_of_it:
                    result = result_of(row | {"path": first["path"]}, emotions, where)
                    if self.together is not None:
                        result = self.together.result(place, result)
                    writer.write(result)
                    _carry_along(of_recording.get(result.path, ()), row)
                    segments_file.write(result.path, row.get(SEGMENTS_KEY, ()))
                    windows_file.write(result.path, row.get(WINDOWS_KEY, ()))
                    yield result
                if exports is not None:
                    _export(exports, first["path"], rows_of_it)

    def seconds_by_stage(self) -> dict[str, float]:
        """Seconds that threads spent in each stage (`serctl.timing`), once all is classified."""
        return self._supervisor.seconds_by_stage()

    def finish(self, record: dict[str, Any]) -> None:
        """Write the record of the run beside its results, and remove the journal."""
        if self._journal is not None:
            write_run(self._destination.output, record)
            self._journal.finish()

    def _fill(self, journal: Journal, recordings: Sequence[str], progress: Progress) -> None:
        from serctl import __version__

        parameters = run_parameters(self.description, __version__)
        missing: list[str] = []
        if self._previous is not None and self._destination.keep_missing:
            missing = self._previous.missing(recordings)
            self.n_missing = len(missing)
        recordings = [*recordings, *missing]
        left = journal.begin(parameters, recordings, self._destination.retry_failed)
        if self._previous is not None:
            gone = frozenset(missing)
            for kept in self._previous.rows(parameters, recordings, gone):
                if not self._unfinished or recordings[kept[0]] in gone:
                    journal.add(*kept)
            left = journal.left()
        self.n_classified = len(left)
        self._classify(journal, recordings, left, progress)

    def _classify(
        self, journal: Journal, recordings: Sequence[str], left: Sequence[int], progress: Progress
    ) -> None:
        for done in progress(self._supervisor.rows(recordings, left), len(left)):
            journal.add(*done)

    def _compare(
        self,
        journal: Journal,
        recordings: Sequence[str],
        voices: Sequence[str],
        progress: Progress,
    ) -> None:
        """Classify recordings beside the others of their voice, with embeddings for all of them."""
        assert self._voices is not None
        together = Together(journal, voices, self._voices)
        if together.stale:
            self._classify(journal, recordings, together.stale, progress)
            together = Together(journal, voices, self._voices)
        emotions = self.description["emotions"]
        together.classify(self._supervisor, emotions, self._request.min_confidence)
        self.together = together


def _carry_along(given: Sequence[GivenSegment], row: dict[str, Any]) -> None:
    """Put speaker and text of given segments into those of a row, which are in the same order."""
    of_channel = [segment for segment in given if segment.channel == row["channel"]]
    packed = row.get(SEGMENTS_KEY, ())
    if of_channel and len(of_channel) == len(packed):
        for values, segment in zip(packed, of_channel, strict=True):
            values[1], values[-1] = segment.speaker, segment.text


def _export(exports: ExportFolder, path: str, rows: Sequence[dict[str, Any]]) -> None:
    """Export the segments of a recording, if it is one that has segments."""
    if any(SEGMENTS_KEY in row for row in rows):
        packed = [values for row in rows for values in row.get(SEGMENTS_KEY, ())]
        segments = [Segment.unpacked(path, values) for values in packed]
        exports.write(path, segments, rows[0]["duration_s"] or 0.0)


def _check_record(path: str) -> None:
    """Refuse a run whose record could not be written at its end."""
    try:
        check_regular(path)
    except OSError as error:
        raise ResultsError(f"{path}: {error.strerror}, or choose another output.") from error
