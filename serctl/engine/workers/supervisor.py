"""The parent of a run: it hands recordings out to worker processes, and survives them.

A worker (`serctl.engine.workers.worker`) reads one recording after another. So when it crashes, is
killed or makes no progress for `STALL_S`, the recording that it was at is known. That one is tried
again in a new worker; if it ends that too, it becomes a row ``failed`` that says how. All others get
their rows, the same as ever, since a row does not depend on what is read beside it.

`MOST_FRUITLESS` ends in a row of workers that had nothing to read, or `MOST_CRASHES` crashed recordings
in a row without a row of another, end the run with RunError. An error that a worker reports is
raised here as it was there. When the parent ends, however it does, the workers end too.

This process imports neither torch nor numba nor NumPy: it starts at once and stays small.
"""

import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from types import TracebackType
from typing import Any, NamedTuple, Self

from serctl.engine.workers import messages
from serctl.engine.workers.child import COMMAND
from serctl.engine.workers.messages import Message, Request, late_reason, read_content, task_line
from serctl.engine.workers.pool import LATE, STALLED, Pool, how_it_ended
from serctl.engine.workers.process import Worker
from serctl.engine.workers.queue import RecordingQueue
from serctl.errors import RunError
from serctl.files.downloads import folder_for
from serctl.files.objects import is_remote
from serctl.files.stamps import Stamp, stamp_at_hand, stamp_of
from serctl.results.schema import Result, row_of

STALL_S = 120.0  # without progress; decoding a window of 30 s takes a hundredth of a second or so
MOST_FRUITLESS = 3
MOST_CRASHES = 20
EARLY_PER_WORKER = 2  # recordings that may be read before their turn, where arrays wait for it


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
    """Context manager of the worker processes; entering it starts one, and does not wait.

    Parameters
    ----------
    request : Request
        What the workers classify with.
    command : sequence of str
        Starts a worker.
    stall_s : float
        Seconds without progress after which a worker is killed.
    """

    def __init__(
        self, request: Request, command: Sequence[str] = COMMAND, stall_s: float = STALL_S
    ) -> None:
        self._request = replace(request, token=os.urandom(16).hex())
        self._has_copies = False
        self._pool = Pool(self._request, command, stall_s)
        self._stamps: dict[int, Stamp] = {}
        # By recording, if only these are read: stretches (start, end, channel, speaker), or channels.
        self.given: Mapping[str, Sequence[Any]] | None = None
        # Called with the share that is done of the recordings that are being read.
        self.on_share: Callable[[float], None] | None = None
        self._n_fruitless = self._n_crashes = 0

    def __enter__(self) -> Self:
        """Start a process that loads the model."""
        self._pool.load()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End all processes: at once after an error, and otherwise when they have cleaned up."""
        self._pool.end(at_once=kind is not None)
        if self._has_copies:
            shutil.rmtree(folder_for(self._request.token), ignore_errors=True)

    def description(self) -> dict[str, Any]:
        """Wait for the model to be loaded; as `serctl.engine.workers.pool.Pool.description`."""
        return self._pool.description()

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
            If workers end again and again.
        SerctlError
            As a worker raised it.
        """
        n_workers = self.description()["workers"]
        in_turn = self._request.action != messages.CLASSIFY
        n_early = EARLY_PER_WORKER * n_workers if in_turn else None
        pool = self._pool
        waiting = RecordingQueue(left, len(recordings), n_early)
        while waiting.n_left:
            for worker in chain(pool.start(waiting.n_left), pool.workers):
                self._hand_out(worker, waiting, recordings)
            for message in pool.receive():
                if message.kind == messages.ROW and waiting.finish(message.place):
                    self._n_fruitless = self._n_crashes = 0
                    content, _, row = message.text.partition(" ")
                    yield self._done(message.place, recordings[message.place], row, content)
            shares = [share for worker in pool.workers for share in worker.shares.values()]
            if self.on_share is not None and shares:
                self.on_share(sum(shares))
            for worker in pool.workers:
                if pool.has_ended(worker):
                    for place, reason in self._lose(worker, waiting):
                        waiting.finish(place)
                        yield self._failed(place, recordings[place], reason)
                    break  # the workers are others now

    def job(self, lines: Iterable[str]) -> Iterator[Message]:
        """Messages about tasks that are no recordings, without end: the caller knows the last one.

        RunError if the worker ends before.
        """
        worker = [*self._pool.workers, *self._pool.start(1)][0]
        worker.add(messages.OF_A_VOICE, 0, self._pool.now_s)
        worker.send(lines)
        while not self._pool.has_ended(worker):
            yield from self._pool.receive()
        raise RunError(
            f"The worker process ended while it compared recordings ({how_it_ended(worker)}). "
            f"Continue with --resume.{worker.child.tail()}"
        )

    def seconds_by_stage(self) -> dict[str, float]:
        """Wait for workers that have finished; seconds of their threads by stage."""
        seconds: dict[str, float] = {}
        for worker in self._pool.workers:
            worker.close()
        while not all(worker.ended for worker in self._pool.workers):
            for message in self._pool.receive():
                if message.kind == messages.SECONDS:
                    for stage, more in json.loads(message.text).items():
                        seconds[stage] = seconds.get(stage, 0.0) + more
        return seconds

    def _hand_out(self, worker: Worker, waiting: RecordingQueue, recordings: Sequence[str]) -> None:
        lines: list[str] = []
        while worker.is_ready and not (worker.killed or worker.ended):
            place = waiting.next_for(worker)
            if place is None:
                if not worker.tasks:
                    waiting.steal_from(self._pool.workers, self._pool.now_s)
                break
            path = recordings[place]
            self._has_copies |= is_remote(path)
            self._stamps[place] = stamp = stamp_at_hand(path)
            worker.add(place, stamp.size or 0, self._pool.now_s)
            given = None if self.given is None else self.given.get(path, [])
            lines.append(task_line(place, path, given))
        if lines:
            worker.send(lines)

    def _lose(self, worker: Worker, waiting: RecordingQueue) -> list[tuple[int, str]]:
        """Replace a worker that has ended; what it was at, if that has failed, and why."""
        how = how_it_ended(worker)
        suspects = [place for place in worker.begun_s if not waiting.is_done(place)]
        if not how:  # what forked it has ended, and with it all that it forked
            suspects = []
        for lost in self._pool.replace(worker):
            waiting.give_back([place for place in lost.tasks if place not in suspects])
        if worker.killed == LATE and len(suspects) == 1:
            # Native code may hold up other threads too: only one that is alone is surely late.
            return [(suspects[0], late_reason(self._request.timeout_s or 0.0))]
        failed = [(p, self._crash_reason(worker, how)) for p in suspects if waiting.suspect(p)]
        self._n_crashes += len(failed)
        self._n_fruitless += not suspects
        if self._n_fruitless == MOST_FRUITLESS:
            raise _hopeless(worker, f"before any recording, {MOST_FRUITLESS} times", how)
        if self._n_crashes == MOST_CRASHES:
            raise _hopeless(worker, f"with each of {MOST_CRASHES} recordings", how)
        return failed

    def _crash_reason(self, worker: Worker, how: str) -> str:
        reason = f"Decoding crashed, and again in a new process ({how})."
        if worker.killed == STALLED:
            stall_s = self._pool.stall_s
            reason = f"Decoding made no progress for {stall_s:g} s, and again in a new process."
        return f"{reason} Export it again as 16-bit wav or flac."

    def _failed(self, place: int, path: str, reason: str) -> Done:
        row: Mapping[str, Any] = {"path": path, "status": "failed", "reason": reason}
        if self._request.action == messages.CLASSIFY:
            row = row_of(Result(path, "failed", reason), self.description()["emotions"])
        return Done(place, self._stamps.pop(place, Stamp(None, None)), json.dumps(row))

    def _done(self, place: int, path: str, row: str, content: str) -> Done:
        stamp = self._stamps.pop(place, Stamp(None, None))
        content, of_object = read_content(content)
        if of_object is not None:
            return Done(place, Stamp(*of_object), row, content)
        # The hash is of what is there now: of a file that changed meanwhile, it says nothing.
        is_same = content and not is_remote(path) and stamp_of(path) == stamp
        return Done(place, stamp, row, content if is_same else "")


def _hopeless(worker: Worker, when: str, how: str) -> RunError:
    ended = f"The worker process ended {when}"
    return RunError(f"{ended} ({how}). Is there enough memory?{worker.child.tail()}")


def in_order(done: Iterable[Done]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Place and row of each recording, in scan order; those that come early wait."""
    early: dict[int, str] = {}
    turn = 0
    for finished in done:
        early[finished.place] = finished.row
        while turn in early:
            yield "standard output", json.loads(early.pop(turn))
            turn += 1
