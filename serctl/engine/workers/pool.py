"""The worker processes of a run: started, watched and replaced.

One process loads the model. It is the only worker itself, or forks the others where the system can;
elsewhere every worker is a process that loads the model. A worker that makes no progress, or that
takes longer for a recording than it may, is killed.
"""

import json
import queue
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

from serctl import errors
from serctl.engine.workers import messages
from serctl.engine.workers.child import KILL_S, KILLING_SIGNALS, Child
from serctl.engine.workers.messages import Message, Request
from serctl.engine.workers.process import Inbox, Worker
from serctl.errors import RunError
from serctl.system import CAN_FORK

START_S = 600.0  # for a worker to load its model: kernels compile, and a network drive is slow
LATE_GRACE_S = 2.0  # for a worker to stop a late recording itself
POLL_S = 0.5  # between looks at the clock
LONGEST_POLL_S = 5.0  # longer ones mean that this process was stopped, which is no worker's fault
MOST_STARTS = 3  # of a process that is killed while it starts

STALLED, LATE = "stalled", "late"


class Pool:
    """Worker processes.

    Parameters
    ----------
    request : Request
        What the workers do.
    command : sequence of str
        Starts a process that loads the model.
    stall_s : float
        Seconds without progress after which a worker is killed.

    Attributes
    ----------
    workers : list of Worker
        Those that do tasks.
    now_s : float
        Time that this process was running, at the last messages.
    """

    def __init__(self, request: Request, command: Sequence[str], stall_s: float) -> None:
        self.workers: list[Worker] = []
        self.now_s = 0.0
        self.stall_s = stall_s
        self._request = request
        self._command = command
        self._children: list[Child] = []
        self._inbox: Inbox = queue.SimpleQueue()
        self._polled_s = time.monotonic()
        self._description: dict[str, Any] = {}

    def load(self) -> None:
        """Start a process that loads the model, and do not wait."""
        child = Child(self._command, self._request, self._inbox)
        child.own.message_s = self.now_s
        self._children.append(child)

    def description(self) -> dict[str, Any]:
        """Wait for the model to be loaded; the model, hashes and parameters.

        Raises
        ------
        SerctlError
            As the worker raised it: a model or a device that is not available.
        RunError
            If the process ends before, or is not ready after `START_S`.
        """
        n_starts = 1
        while not (child := self._children[-1]).own.is_ready:
            self.receive()
            if child.own.ended and not child.own.is_ready:
                status = child.own.status()
                was_killed = status is not None and -status in KILLING_SIGNALS
                if n_starts == MOST_STARTS or not was_killed:
                    raise RunError(_not_started(child.own))
                n_starts += 1
                self._end_child(child)
                self.load()
        return self._description

    def start(self, n_tasks: int) -> Iterator[Worker]:
        """Start workers, not more than there are tasks, unless there are some; each once it is there.

        Raises
        ------
        SerctlError
            As `description`, and RunError if the system refuses.
        """
        if self.workers:
            return
        n = min(self.description()["workers"], n_tasks)
        several = self._description.get("device", "cpu") != "cpu"
        if n == 1 or several or not CAN_FORK:
            self._children[0].work(several)
            for _ in range(0 if several else n - 1):
                self.load()
            self.workers = [child.own for child in self._children]
            yield from self.workers
            return
        for _ in range(n):
            try:
                worker = self._children[0].fork()
            except ConnectionError:  # it has ended meanwhile, as is noticed then
                self.workers = self.workers or [self._children[0].own]
                break
            except OSError as error:  # of a limit on processes; fewer do as well
                if self.workers:
                    break
                raise RunError(f"No worker process can be started ({error}).") from error
            self.workers.append(worker)
            yield worker

    def receive(self) -> list[Message]:
        """Wait for messages, for `POLL_S` at most; kill workers that make no progress.

        Raises
        ------
        SerctlError
            That a worker has sent.
        """
        received: list[Message] = []
        with suppress(queue.Empty):
            chunks = [self._inbox.get(timeout=POLL_S)]
            while not self._inbox.empty():
                chunks.append(self._inbox.get())
            for worker, chunk in chunks:
                received += worker.read(chunk, self.now_s)
        now_s = time.monotonic()
        self.now_s += min(now_s - self._polled_s, LONGEST_POLL_S)
        self._polled_s = now_s
        for message in received:
            if message.kind == messages.ERROR:
                raise _error_of(message.text)
            if message.kind == messages.READY:
                self._check_same_model(json.loads(message.text))
        for worker in self.workers or [child.own for child in self._children]:
            self._kill_if_stuck(worker)
        return received

    def replace(self, worker: Worker) -> list[Worker]:
        """Start another worker for one that has ended; all those that have ended with it."""
        child = worker.child
        if worker is not child.own and not child.own.ended:
            self.workers.remove(worker)
            worker.close()
            with suppress(OSError):  # the others go on, or all are started again
                self.workers.append(child.fork())
                return [worker]
        lost = [worker, *(other for other in self.workers if other.child is child)]
        self._end_child(child)
        self.load()
        if len(self._children) > 1:
            self.workers.append(self._children[-1].own)
        return lost

    def has_ended(self, worker: Worker) -> bool:
        """Whether a worker has ended, or was killed and the system does not end it."""
        return worker.ended or bool(worker.killed and self.now_s - worker.killed_s > KILL_S)

    def end(self, at_once: bool) -> None:
        """End all processes: at once, or when they have cleaned up."""
        for child in [*self._children]:
            self._end_child(child, at_once)

    def _end_child(self, child: Child, at_once: bool = True) -> None:
        own = [worker for worker in self.workers if worker.child is child]
        child.end(own, at_once)
        self._children.remove(child)
        self.workers = [worker for worker in self.workers if worker not in own]

    def _kill_if_stuck(self, worker: Worker) -> None:
        if worker.killed or worker.ended:
            return
        stall_s = self.stall_s if worker.is_ready else START_S
        if worker.tasks or not worker.is_ready:
            since_s = min(worker.progress_s.values(), default=worker.message_s)
            if self.now_s - since_s > stall_s:
                # Recordings that make progress are no suspects.
                for place, progress_s in list(worker.progress_s.items()):
                    if self.now_s - progress_s <= stall_s:
                        del worker.begun_s[place]
                worker.kill(STALLED, self.now_s)
                return
        timeout_s = self._request.timeout_s
        if timeout_s is not None and worker.begun_s:
            if self.now_s - min(worker.begun_s.values()) > timeout_s + LATE_GRACE_S:
                worker.kill(LATE, self.now_s)

    def _check_same_model(self, description: dict[str, Any]) -> None:
        if self._description and description != self._description:
            model = self._description["model"]
            raise RunError(f"The model {model} was changed during the run. Start the run again.")
        self._description = description


def how_it_ended(worker: Worker) -> str:
    """The signal, or the exit status; empty if it is not known."""
    if worker.killed:
        return "killed, since it made no progress"
    status = worker.status()
    if status is None:
        return ""
    if status >= 0:
        return f"exit status {status}"
    name = signal.Signals(-status).name if -status in list(signal.Signals) else str(-status)
    return f"{name}, perhaps out of memory" if name == "SIGKILL" else name


def _not_started(worker: Worker) -> str:
    tail = worker.child.tail()
    if worker.killed:
        return (
            f"The worker process was not ready after {START_S:g} s, and was killed. Is the disk with "
            f"Python or the model slow or unreachable?{tail}"
        )
    return f"The worker process ended while it started ({how_it_ended(worker)}).{tail}"


def _error_of(text: str) -> errors.SerctlError:
    """Error that a worker sent, of the class that it had there."""
    name, message = json.loads(text)
    if name:
        error: errors.SerctlError = getattr(errors, name)(message)
        return error
    return RunError(
        f"The worker process failed: {message}. This is a bug in serctl or a fault of this machine. "
        "To see where it arose, run the same command with python -I -X dev -m serctl."
    )
