"""One run of ``serctl classify``: its journal, its worker process and its output.

A run to a file saves every row in a journal (`serctl.engine.journal`) and writes the output from it
at the end, in scan order. A run to standard output streams its rows, and has no journal. Either
way every recording of the scan has exactly one row, or the run raises.
"""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from serctl.engine.journal import Journal
from serctl.engine.journal_format import run_parameters
from serctl.engine.messages import Request
from serctl.engine.retry import PreviousRun
from serctl.engine.supervisor import Done, Supervisor
from serctl.errors import UsageError
from serctl.files.outputs import STANDARD_OUTPUT, check_output
from serctl.results.schema import EXTENSIONS, JOURNAL, Result, result_of
from serctl.results.writer import ResultsWriter, write_run

Progress = Callable[[Iterable[Done], int], Iterable[Done]]


@dataclass(frozen=True)
class Destination:
    """Where the results go, and what becomes of results that exist.

    Attributes
    ----------
    output : str
        A path with one of `serctl.results.schema.EXTENSIONS`, or ``-`` for standard output.
    overwrite : bool
        Whether results, and the journal of a run that did not finish, may be replaced.
    resume : bool
        Whether such a run is continued.
    retry_failed : bool
        Whether unreadable and failed recordings of that run, or, if it finished, of the previous
        run, are classified again.
    dialect : str
        How CSV is written: one of `serctl.results.dialects.DIALECTS`.
    """

    output: str
    overwrite: bool = False
    resume: bool = False
    retry_failed: bool = False
    dialect: str = "standard"


class Run:
    """Context manager of one run; entering it checks and locks the output, and starts the worker.

    Parameters
    ----------
    request : Request
        What the worker classifies with.
    destination : Destination
        Where the results go.

    Raises
    ------
    UsageError, ResultsError
        When entered, if the output cannot be written or is taken.
    """

    def __init__(self, request: Request, destination: Destination) -> None:
        self._destination = destination
        self._supervisor = Supervisor(request)
        self._journal: Journal | None = None
        self._previous: PreviousRun | None = None
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        """Take what the run needs; release it if some of it is not available."""
        to = self._destination
        continues = to.resume or to.retry_failed
        if to.output == STANDARD_OUTPUT and continues:
            raise UsageError(
                "-: a run to standard output has no journal and cannot be resumed. Give a file as "
                "--output."
            )
        # Results beside a journal are those that its run was to replace, or has just written.
        unfinished = continues and os.path.exists(to.output + JOURNAL)
        if continues and os.path.exists(to.output) and not (unfinished or to.overwrite):
            if not to.retry_failed:
                raise UsageError(
                    f"{to.output}: exists, and there is no journal beside it: its run has finished. "
                    "Give --retry-failed to try unreadable and failed recordings again, or "
                    "--overwrite to start again."
                )
            self._previous = PreviousRun(to.output)
        check_output(
            to.output, EXTENSIONS, to.overwrite or unfinished or self._previous is not None
        )
        with ExitStack() as stack:
            if to.output != STANDARD_OUTPUT:
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
    def description(self) -> dict[str, Any]:
        """Model, hashes and parameters; waits until the model is loaded."""
        return self._supervisor.description()

    def results(self, recordings: Sequence[str], progress: Progress) -> Iterator[Result]:
        """Classify recordings and write the output.

        Parameters
        ----------
        recordings : sequence of str
            The scan.
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
        if self._journal is None:
            every = range(len(recordings))
            done = progress(self._supervisor.classify(recordings, every), len(recordings))
            results = _in_order(done, emotions)
        else:
            self._fill(self._journal, recordings, progress)
            results = self._journal.results(emotions)
        to = self._destination
        with ResultsWriter(to.output, emotions, overwrite=True, dialect=to.dialect) as writer:
            for result in results:
                writer.write(result)
                yield result

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
        left = journal.begin(parameters, recordings, self._destination.retry_failed)
        if self._previous is not None:
            for kept in self._previous.rows(parameters, recordings):
                journal.add(*kept)
            left = journal.left()
        for done in progress(self._supervisor.classify(recordings, left), len(left)):
            journal.add(*done)


def _in_order(done: Iterable[Done], emotions: Sequence[str]) -> Iterator[Result]:
    """Results in scan order; those that come early wait."""
    early: dict[int, Result] = {}
    turn = 0
    for index, _, row in done:
        early[index] = result_of(json.loads(row), emotions, "standard output")
        while turn in early:
            yield early.pop(turn)
            turn += 1
