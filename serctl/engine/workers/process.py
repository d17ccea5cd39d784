"""Worker processes as their parent sees them: started, sent tasks, read from and ended.

`serctl.engine.workers.worker` runs in them, and `serctl.engine.workers.messages` describes the lines
between the two. Threads write to a worker and read from it, so that neither a full pipe nor a silent
worker blocks the parent.
"""

import os
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from queue import SimpleQueue
from typing import IO, TYPE_CHECKING

from serctl.engine.workers.messages import (
    BEGIN,
    OF_A_VOICE,
    PROGRESS,
    READY,
    ROW,
    VOICE,
    Message,
    read_message,
)

if TYPE_CHECKING:
    from serctl.engine.workers.child import Child

PAUSE_S = 0.03  # so that a thousand short messages do not wake the parent a thousand times
CHUNK_BYTES = 1 << 16

Inbox = SimpleQueue[tuple["Worker", bytes]]


class Worker:
    """A process that does tasks, and what the parent knows of it.

    Parameters
    ----------
    child : Child
        The started process: this worker, or what forked it.
    tasks, messages : binary file
        To and from it.
    inbox : queue
        Where chunks of its messages go, each with this worker; an empty one is the last.
    pid : int, optional
        Of a forked worker.

    Attributes
    ----------
    tasks : dict of int to int
        Recordings that it was sent and that have no row yet, in order: bytes of their files.
    progress_s : dict of int to float
        Of them, those that it has begun: the clock at the last sign of progress.
    begun_s : dict of int to float
        The same, and the clock when they were begun.
    shares : dict of int to float
        Of those that take long: how much is decoded, in [0, 1].
    reads_several : bool
        Whether it reads several at a time, and says which; or one after another.
    is_ready : bool
        Whether its model is loaded.
    is_stolen_from : bool
        Whether what waited behind a long recording was given to others.
    message_s : float
        The clock at its last message.
    n_rows : int
        In its last chunk.
    killed : str
        Why it was killed, if it was; killed_s is the clock then.
    ended : bool
        Whether all its messages are read.
    """

    def __init__(
        self,
        child: "Child",
        tasks: IO[bytes],
        messages: IO[bytes],
        inbox: Inbox,
        pid: int | None = None,
    ) -> None:
        self.child = child
        self.tasks: dict[int, int] = {}
        self.progress_s: dict[int, float] = {}
        self.begun_s: dict[int, float] = {}
        self.shares: dict[int, float] = {}
        self.reads_several = self.is_ready = self.ended = self.is_stolen_from = False
        self.message_s = self.killed_s = 0.0
        self.n_rows = 0
        self.killed = ""
        self._pid = pid
        self._unfinished = b""
        self._tasks, self._messages, self._inbox = tasks, messages, inbox
        self._lines: SimpleQueue[Iterable[str] | None] = SimpleQueue()
        self._ending = threading.Event()
        self._threads = [
            threading.Thread(target=target, daemon=True) for target in (self._read, self._write)
        ]
        for thread in self._threads:
            thread.start()

    def send(self, lines: Iterable[str]) -> None:
        """Send lines in the background, as fast as it reads them."""
        self._lines.put(lines)

    def close(self) -> None:
        """Close its input, once all lines are sent, so that it ends."""
        self._ending.set()
        self._lines.put(None)

    def join(self, until_s: float) -> None:
        """Wait for the threads that serve it, until a time of `time.monotonic` at most."""
        for thread in self._threads:
            thread.join(max(0.0, until_s - time.monotonic()))

    def add(self, place: int, n_bytes: int, now_s: float) -> None:
        """Note a recording that it is sent."""
        self.tasks[place] = n_bytes
        self._begin_next(now_s)

    def read(self, chunk: bytes, now_s: float) -> list[Message]:
        """Messages that a chunk completes; what they say of recordings is noted."""
        self.ended = not chunk
        self.message_s = now_s
        *lines, self._unfinished = (self._unfinished + chunk).split(b"\n")
        received = [read_message(line) for line in lines]
        self.n_rows = 0
        for kind, place, text in received:
            if kind == ROW:
                self.n_rows += 1
                for known in (self.tasks, self.progress_s, self.begun_s, self.shares):
                    known.pop(place, None)
                self._begin_next(now_s)
            elif kind == READY:
                self.is_ready = True
            elif kind == VOICE:
                self.progress_s[OF_A_VOICE] = now_s
            elif kind in (BEGIN, PROGRESS):
                self.progress_s[place] = now_s
                self.begun_s.setdefault(place, now_s)
                if text:
                    self.shares[place] = float(text)
        return received

    def kill(self, why: str, now_s: float) -> None:
        """End it, for this reason."""
        self.killed, self.killed_s = why, now_s
        self.child.kill(self._pid)

    def status(self) -> int | None:
        """Exit status, negative for a signal; None if it was killed, or what forked it has ended."""
        return None if self.killed else self.child.status(self._pid)

    def _begin_next(self, now_s: float) -> None:
        if not self.reads_several and self.tasks:
            place = next(iter(self.tasks))
            self.begun_s.setdefault(place, now_s)
            self.progress_s.setdefault(place, now_s)

    def _read(self) -> None:
        with self._messages:
            descriptor = self._messages.fileno()
            while chunk := os.read(descriptor, CHUNK_BYTES):
                self._inbox.put((self, chunk))
                if len(chunk) < CHUNK_BYTES // 2:
                    self._ending.wait(PAUSE_S)
        self._inbox.put((self, b""))

    def _write(self) -> None:
        with suppress(OSError, ValueError):  # it has ended; the reader notices
            while (lines := self._lines.get()) is not None:
                for line in lines:
                    self._tasks.write(line.encode("ascii"))
                self._tasks.flush()
        with suppress(OSError, ValueError):
            self._tasks.close()
