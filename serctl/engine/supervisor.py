"""The parent of a run: it watches the process that classifies, and outlives it.

The child (`serctl.engine.worker`) says which recordings it is decoding. When it crashes, is killed, or
shows no sign of life for `STALL_S`, these are suspects. A new child gets them one by one, each
alone, before all that is left. The one with which the child ends again is the culprit, and becomes
a row ``failed`` that says how; the others have their rows, the same as ever, since a row does not
depend on what is read beside it.

Every new child gives at least one recording its row. One that gives none, `MAX_FRUITLESS_RESTARTS`
times in a row, ends the run with RunError; so do as many recordings in a row, each alone, with
which it ended after they were decoded, since then it is the network and not they. An error that the
child reports is raised here as it was there. When the parent ends, however it does, the child ends
too.

This process imports neither torch nor numba nor NumPy: it is there at once, and it is small.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType
from typing import Any, NamedTuple, Self

from serctl.engine.process import COMMAND, Child, Request
from serctl.errors import RunError
from serctl.files.stamps import Stamp, stamp_of
from serctl.results.schema import Result, row_of

STALL_S = 120.0  # without a window of 30 s decoded, which takes a hundredth of a second or so
MAX_FRUITLESS_RESTARTS = 3


class Done(NamedTuple):
    """A recording's place in the scan, its file's stamp from before, and its row in JSON."""

    place: int
    stamp: Stamp
    row: str


class Supervisor:
    """Context manager of the process that classifies; entering it starts one, and does not wait.

    Parameters
    ----------
    request : Request
        What is asked for.
    command : sequence of str
        What starts a child.
    stall_s : float
        Seconds without a sign of life after which it is given up.
    """

    def __init__(
        self, request: Request, command: Sequence[str] = COMMAND, stall_s: float = STALL_S
    ) -> None:
        self._request = request
        self._command = command
        self._stall_s = stall_s
        self._description: dict[str, Any] = {}
        self._stamps: dict[int, Stamp] = {}
        self._child: Child

    def __enter__(self) -> Self:
        """Start a child."""
        self._child = Child(self._command, self._request)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the child: at once after an error, and otherwise when it has tidied up."""
        self._child.end(at_once=kind is not None)

    def description(self) -> dict[str, Any]:
        """Wait for the child to be ready, and say what it has: model, hashes and parameters.

        Raises
        ------
        SerctlError
            As the child raised it: a model or a device that is not to be had.
        RunError
            If it ended before.
        """
        while not self._description:
            for message in self._child.receive():
                if message[0] == "R":
                    self._description = json.loads(message[1])
            if self._child.ended and not self._description:
                raise RunError(
                    f"The process that classifies ended at its start ({self._child.how_it_ended()})."
                    f"{self._child.tail()}"
                )
        return self._description

    def classify(self, recordings: Sequence[str], left: Sequence[int]) -> Iterator[Done]:
        """Classify recordings.

        Parameters
        ----------
        recordings : sequence of str
            The scan.
        left : sequence of int
            Which of them are to be classified.

        Yields
        ------
        Done
            One for each of ``left``; in their order, but for those that were suspects.

        Raises
        ------
        RunError
            If children end and nothing comes of them.
        SerctlError
            As the child raised it.
        """
        self.description()
        done = bytearray(len(recordings))
        suspects: list[int] = []
        n_left = len(left)
        n_fruitless = n_after = 0
        while n_left:
            child = self._child
            child.feed(self._lines(recordings, suspects, left, done))
            for index, row in self._rows(child, n_left):
                done[index] = 1
                n_left -= 1
                n_fruitless = n_after = 0
                yield Done(index, self._stamps.pop(index, Stamp(None, None)), row)
            if not n_left:
                return
            isolated = [index for index in suspects if not done[index]]
            culprit = isolated[0] if isolated and child.has_seen(isolated[0]) else None
            if culprit is not None:
                n_after = n_after + 1 if culprit in child.extracted else 0
                if n_after == MAX_FRUITLESS_RESTARTS:
                    raise _hopeless(child, "after decoding", "Try --device cpu.")
                done[culprit] = 1
                n_left -= 1
                yield self._failed(culprit, recordings[culprit], child)
            elif isolated or not child.suspects():
                n_fruitless += 1
                if n_fruitless == MAX_FRUITLESS_RESTARTS:
                    raise _hopeless(child, "and did nothing", "Is there enough memory?")
            suspects = [i for i in isolated or child.suspects() if not done[i]]
            child.end(at_once=True)
            if n_left:
                self._child = Child(self._command, self._request)

    def seconds_by_stage(self) -> dict[str, float]:
        """Wait for a child that has done all to say so; seconds of its threads by stage."""
        while self._child.fed and not self._child.seconds_by_stage and not self._child.ended:
            self._child.receive()
        return self._child.seconds_by_stage

    def _rows(self, child: Child, n_left: int) -> Iterator[tuple[int, str]]:
        """Rows of a child, until it has done all or has ended, or stalls and is killed."""
        while n_left:
            for kind, text in child.receive():
                if kind == "r":
                    index, _, row = text.partition(" ")
                    n_left -= 1
                    yield int(index), row
                elif kind == "R" and json.loads(text) != self._description:
                    raise RunError(
                        f"The model {self._description['model']} was changed during the run. "
                        "Begin again."
                    )
            if child.ended:
                return
            child.kill_if_stalled(self._stall_s)

    def _failed(self, index: int, path: str, child: Child) -> Done:
        if child.stalled:
            reason = (
                f"Decoding came to a halt for {self._stall_s:g} s, also when it was tried alone."
            )
        else:
            reason = (
                "Decoding ended the process that did it, also when it was tried alone "
                f"({child.how_it_ended()})."
            )
        result = Result(path, "failed", f"{reason} Export it again as 16-bit wav or flac.")
        row = json.dumps(row_of(result, self._description["emotions"]))
        return Done(index, self._stamps.pop(index, Stamp(None, None)), row)

    def _lines(
        self,
        recordings: Sequence[str],
        suspects: Iterable[int],
        left: Iterable[int],
        done: bytearray,
    ) -> Iterator[str]:
        """Lines for a child: each suspect as a job of its own, then the others as one."""
        suspects = set(suspects)
        for index in sorted(suspects):
            yield self._line(index, recordings) + "\n"
        for index in left:
            if index not in suspects and not done[index]:
                yield self._line(index, recordings)

    def _line(self, index: int, recordings: Sequence[str]) -> str:
        self._stamps[index] = stamp_of(recordings[index])
        return json.dumps([index, recordings[index]]) + "\n"


def _hopeless(child: Child, when: str, advice: str) -> RunError:
    return RunError(
        f"The process that classifies ended {when}, {MAX_FRUITLESS_RESTARTS} times "
        f"({child.how_it_ended()}). {advice}{child.tail()}"
    )
