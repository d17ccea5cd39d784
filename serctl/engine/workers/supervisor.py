"""The parent of a run: it supervises the worker process, and survives it.

The worker (`serctl.engine.workers.worker`) says which recordings it is decoding. When it crashes, is killed
or makes no progress for `STALL_S`, those recordings are suspects. A new worker gets each of them in
a job of its own, isolated from the others, before all that is left. The recording with which a
worker ends again is the culprit, and becomes a row ``failed`` that says how. The others get their
rows, the same as ever, since a row does not depend on what is read beside it.

Every restart gives at least one recording its row. `MAX_FRUITLESS_RESTARTS` restarts in a row that
give none end the run with RunError. So do as many isolated recordings in a row that end the worker
after they are decoded, since then the network is the cause. An error that the worker reports is
raised here as it was there. When the parent ends, however it does, the worker ends too.

This process imports neither torch nor numba nor NumPy: it starts at once and stays small.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from types import TracebackType
from typing import Any, NamedTuple, Self

from serctl.engine.workers import messages, process
from serctl.engine.workers.messages import END_OF_JOB, Message, Request, late_reason, task_line
from serctl.engine.workers.process import COMMAND, Child
from serctl.errors import RunError
from serctl.files.stamps import Stamp, stamp_of
from serctl.results.schema import Result, row_of

STALL_S = 120.0  # without progress; decoding a window of 30 s takes a hundredth of a second or so
MAX_FRUITLESS_RESTARTS = 3


class Done(NamedTuple):
    """A finished recording.

    Attributes
    ----------
    place : int
        In the scan.
    stamp : Stamp
        Of its file, from before it was read.
    row : str
        In JSON.
    content : str
        Hash of the file's content, or empty if it is not known.
    """

    place: int
    stamp: Stamp
    row: str
    content: str = ""


class Supervisor:
    """Context manager of the worker process; entering it starts one, and does not wait.

    Parameters
    ----------
    request : Request
        What the worker classifies with.
    command : sequence of str
        Starts a worker.
    stall_s : float
        Seconds without progress after which a worker is killed.
    """

    def __init__(
        self, request: Request, command: Sequence[str] = COMMAND, stall_s: float = STALL_S
    ) -> None:
        self._request = request
        self._command = command
        self._stall_s = stall_s
        self._description: dict[str, Any] = {}
        self._stamps: dict[int, Stamp] = {}
        # By recording, if only these are read: stretches (start, end, channel, speaker), or channels.
        self.given: Mapping[str, Sequence[Any]] | None = None
        # Called with the share that is done of the recordings that are being read.
        self.on_share: Callable[[float], None] | None = None
        self._child: Child

    def __enter__(self) -> Self:
        """Start a worker."""
        self._child = Child(self._command, self._request)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the worker: at once after an error, and otherwise when it has cleaned up."""
        self._child.end(at_once=kind is not None)

    def description(self) -> dict[str, Any]:
        """Wait for the worker to be ready; its model, hashes and parameters.

        Raises
        ------
        SerctlError
            As the worker raised it: a model or a device that is not available.
        RunError
            If the worker ends before, or is not ready after `serctl.engine.workers.process.START_S`.
        """
        n_starts = 1
        while not self._description:
            child = self._child
            for message in child.receive():
                if message.kind == messages.READY:
                    self._description = json.loads(message.text)
            if child.ended and not self._description:
                if n_starts == MAX_FRUITLESS_RESTARTS or not child.was_killed():
                    raise RunError(_not_started(child))
                n_starts += 1
                self._restart()
            child.kill_if_stalled(self._stall_s)
        return self._description

    def rows(self, recordings: Sequence[str], left: Sequence[int]) -> Iterator[Done]:
        """Classify recordings, or do with each what the request says.

        Parameters
        ----------
        recordings : sequence of str
            The scan.
        left : sequence of int
            Which of them to classify.

        Yields
        ------
        Done
            One for each of ``left``, as they are finished.

        Raises
        ------
        RunError
            If restarts give no rows.
        SerctlError
            As the worker raised it.
        """
        self.description()
        done = bytearray(len(recordings))
        suspects: list[int] = []
        n_left = len(left)
        n_fruitless = n_after = 0
        while n_left:
            child = self._child
            child.feed(self._lines(recordings, suspects, left, done), not self._request.grouped)
            for index, row in self._rows(child, n_left):
                done[index] = 1
                n_left -= 1
                n_fruitless = n_after = 0
                yield self._done(index, recordings[index], row, child.contents.pop(index, ""))
            if not n_left:
                return
            # Native code may hold up the other threads too: only one that is alone is surely late.
            late = child.late if len(child.begun) == 1 else []
            for index in late:
                done[index] = 1
                n_left -= 1
                n_fruitless = n_after = 0
                reason = late_reason(self._request.timeout_s or 0.0)  # there is one, if it is late
                yield self._failed(index, recordings[index], reason)
            isolated = [index for index in suspects if not done[index]]
            culprit = isolated[0] if isolated and child.holds(isolated[0]) else None
            if culprit is not None:
                n_after = n_after + 1 if culprit in child.extracted else 0
                if n_after == MAX_FRUITLESS_RESTARTS:
                    raise _hopeless(child, "after decoding", "Try --device cpu.")
                done[culprit] = 1
                n_left -= 1
                yield self._failed(culprit, recordings[culprit], self._crash_reason(child))
            elif not child.late and (isolated or not child.suspects()):
                n_fruitless += 1
                if n_fruitless == MAX_FRUITLESS_RESTARTS:
                    raise _hopeless(child, "before any recording", "Is there enough memory?")
            suspects = [] if late else child.suspects()
            suspects = [index for index in isolated or suspects if not done[index]]
            if n_left or self._request.grouped:
                self._restart()
            else:
                child.end(at_once=True)

    def job(self, lines: Iterable[str]) -> Iterator[Message]:
        """Messages about tasks that are no recordings, without end: the caller knows the last one.

        RunError if the worker ends before.
        """
        child = self._child
        child.feed(chain(lines, [END_OF_JOB]), last=False)
        while not child.ended:
            for message in child.receive():
                if message.kind == messages.READY:
                    self._check_same_model(message)
                yield message
            child.kill_if_stalled(self._stall_s)
        raise RunError(
            f"The worker process ended while it compared recordings ({child.how_it_ended()}). "
            f"Continue with --resume.{child.tail()}"
        )

    def seconds_by_stage(self) -> dict[str, float]:
        """Wait for a worker that has finished; seconds of its threads by stage."""
        while self._child.fed and not self._child.seconds_by_stage and not self._child.ended:
            self._child.receive()
        return self._child.seconds_by_stage

    def _restart(self) -> None:
        self._child.end(at_once=True)
        self._child = Child(self._command, self._request)

    def _rows(self, child: Child, n_left: int) -> Iterator[tuple[int, str]]:
        """Rows of a worker, until it has sent all, has ended, or stalls and is killed."""
        while n_left:
            for message in child.receive():
                if message.kind == messages.ROW:
                    n_left -= 1
                    yield message.place, message.text
                elif message.kind == messages.READY:
                    self._check_same_model(message)
            if self.on_share is not None and child.shares:
                self.on_share(sum(child.shares.values()))
            if child.ended:
                return
            child.kill_if_stalled(self._stall_s)
            if self._request.timeout_s is not None:
                child.kill_if_late(self._request.timeout_s)

    def _check_same_model(self, ready: Message) -> None:
        if json.loads(ready.text) != self._description:
            model = self._description["model"]
            raise RunError(f"The model {model} was changed during the run. Start the run again.")

    def _crash_reason(self, child: Child) -> str:
        reason = f"Decoding crashed, and again when isolated ({child.how_it_ended()})."
        if child.stalled:
            reason = f"Decoding made no progress for {self._stall_s:g} s, and again when isolated."
        return f"{reason} Export it again as 16-bit wav or flac."

    def _failed(self, index: int, path: str, reason: str) -> Done:
        row: Mapping[str, Any] = {"path": path, "status": "failed", "reason": reason}
        if self._request.action == messages.CLASSIFY:
            row = row_of(Result(path, "failed", reason), self._description["emotions"])
        return Done(index, self._stamps.pop(index, Stamp(None, None)), json.dumps(row))

    def _done(self, index: int, path: str, row: str, content: str) -> Done:
        stamp = self._stamps.pop(index, Stamp(None, None))
        # The hash is of what is there now: of a file that changed meanwhile, it says nothing.
        return Done(index, stamp, row, content if stamp_of(path) == stamp else "")

    def _lines(
        self,
        recordings: Sequence[str],
        isolated: Iterable[int],
        left: Iterable[int],
        done: bytearray,
    ) -> Iterator[str]:
        """Lines for a worker: each suspect as a job of its own, then the others as one job."""
        suspects = set(isolated)
        for index in sorted(suspects):
            yield self._line(index, recordings) + END_OF_JOB
        for index in left:
            if index not in suspects and not done[index]:
                yield self._line(index, recordings)
        if self._request.grouped:
            yield END_OF_JOB

    def _line(self, index: int, recordings: Sequence[str]) -> str:
        self._stamps[index] = stamp_of(recordings[index])
        given = None if self.given is None else self.given.get(recordings[index], [])
        return task_line(index, recordings[index], given)


def _not_started(child: Child) -> str:
    if child.stalled:
        return (
            f"The worker process was not ready after {process.START_S:g} s, and was killed. Is the "
            f"disk with Python or the model slow or unreachable?{child.tail()}"
        )
    return f"The worker process ended while it started ({child.how_it_ended()}).{child.tail()}"


def _hopeless(child: Child, when: str, advice: str) -> RunError:
    return RunError(
        f"The worker process ended {when}, {MAX_FRUITLESS_RESTARTS} times "
        f"({child.how_it_ended()}). {advice}{child.tail()}"
    )


def in_order(done: Iterable[Done]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Place and row of each recording, in scan order; those that come early wait."""
    early: dict[int, str] = {}
    turn = 0
    for finished in done:
        early[finished.place] = finished.row
        while turn in early:
            yield "standard output", json.loads(early.pop(turn))
            turn += 1
