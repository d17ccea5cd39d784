"""One run of classifying: its journal, the process that works, and its output.

A run with a file as output keeps every row in a journal (`serctl.engine.journal`) and writes the output
from it at the end, in the order of the scan. One with standard output as output streams its rows,
and has no journal. Either way every recording of the scan has exactly one row, or the run raises.
"""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from serctl.engine.journal import Journal
from serctl.engine.process import Request
from serctl.engine.retry import PreviousRun
from serctl.engine.supervisor import Done, Supervisor
from serctl.errors import UsageError
from serctl.files.outputs import STANDARD_OUTPUT, check_output
from serctl.results.schema import EXTENSIONS, JOURNAL, Result, result_of
from serctl.results.writer import ResultsWriter, write_run

Progress = Callable[[Iterable[Done], int], Iterable[Done]]


@dataclass(frozen=True)
class Destination:
    """Where the results go, and what becomes of those that are there.

    Attributes
    ----------
    output : str
        A path with one of `serctl.results.schema.EXTENSIONS`, or ``-`` for standard output.
    overwrite : bool
        Whether results, and the journal of a run that did not finish, may be replaced.
    resume : bool
        Whether such a journal is taken up.
    retry_failed : bool
        Whether its unreadable and failed recordings are done again, or, if there is no journal,
        those of the results that are there.
    """

    output: str
    overwrite: bool = False
    resume: bool = False
    retry_failed: bool = False


class Run:
    """Context manager of one run; entering it checks and locks the output, and starts the child.

    Parameters
    ----------
    request : Request
        What classifies.
    destination : Destination
        Where to.

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
        """Take what the run needs; give it back if some of it is not to be had."""
        to = self._destination
        taking_up = to.resume or to.retry_failed
        if to.output == STANDARD_OUTPUT and taking_up:
            raise UsageError(
                "-: standard output has no journal to go on with. Give a file as --output."
            )
        # Results beside a journal are those that its run was to replace, or has just written.
        unfinished = taking_up and os.path.exists(to.output + JOURNAL)
        if taking_up and os.path.exists(to.output) and not (unfinished or to.overwrite):
            if not to.retry_failed:
                raise UsageError(
                    f"{to.output}: there is such a file and no journal beside it: its run has "
                    "finished. Give --retry-failed to do again what could not be read, or "
                    "--overwrite to classify anew."
                )
            self._previous = PreviousRun(to.output)
        check_output(
            to.output, EXTENSIONS, to.overwrite or unfinished or self._previous is not None
        )
        with ExitStack() as stack:
            if to.output != STANDARD_OUTPUT:
                journal = Journal(to.output, resume=taking_up, overwrite=to.overwrite)
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
        """End the child, and let go of the journal."""
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
            Given what is done as it comes and how much there is to do, hands it over.

        Yields
        ------
        Result
            One for every recording, in their order, as it is written to the output.

        Raises
        ------
        SerctlError
            If the run cannot go on. What is done stays in the journal.
        """
        emotions = self.description["emotions"]
        if self._journal is None:
            every = range(len(recordings))
            done = progress(self._supervisor.classify(recordings, every), len(recordings))
            results = _in_order(done, emotions)
        else:
            self._fill(self._journal, recordings, progress)
            results = self._journal.results(emotions)
        with ResultsWriter(self._destination.output, emotions, overwrite=True) as writer:
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

        # The number of threads is no parameter: results do not depend on it.
        parameters = {key: value for key, value in self.description.items() if key != "workers"}
        parameters = {"serctl_version": __version__, **parameters}
        left = journal.begin(parameters, recordings, self._destination.retry_failed)
        if self._previous is not None:
            for kept in self._previous.rows(parameters, recordings):
                journal.add(*kept)
            left = journal.left()
        for done in progress(self._supervisor.classify(recordings, left), len(left)):
            journal.add(*done)


def _in_order(done: Iterable[Done], emotions: Sequence[str]) -> Iterator[Result]:
    """Results in the order of the scan; the few that come early wait."""
    early: dict[int, Result] = {}
    turn = 0
    for index, _, row in done:
        early[index] = result_of(json.loads(row), emotions, "standard output")
        while turn in early:
            yield early.pop(turn)
            turn += 1
