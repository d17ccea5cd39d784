"""The worker as its parent sees it: a child process that is started, sent tasks, read from and ended.

`serctl.engine.workers.worker` runs in it, and `serctl.engine.workers.messages` describes the lines between the two.
Threads write to it and read from it, so that neither a full pipe nor a silent child blocks the
parent. What the child writes to standard error is kept for the error message, in case it fails.
"""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import suppress

from serctl import errors
from serctl.engine.workers import messages
from serctl.engine.workers.messages import Message, Request, read_message, request_line
from serctl.errors import RunError

# Never imported from the current folder, which may hold a random.py of the user's.
COMMAND = (
    sys.executable,
    *(("-X", "dev") if sys.flags.dev_mode else ()),
    "-P",
    "-c",
    "from serctl.engine.workers.worker import main; main()",
)

START_S = 600.0  # for a child to load its model: kernels compile, and a network drive is slow
LATE_GRACE_S = 2.0  # for a worker to stop a late recording itself
KILLING_SIGNALS = (signal.SIGTERM, getattr(signal, "SIGKILL", 9), getattr(signal, "SIGHUP", 1))
POLL_S = 0.5  # between looks at the clock
LONGEST_POLL_S = (
    5.0  # longer ones mean that this process was stopped, which is not the child's fault
)
END_S = 5.0  # for a child that has finished to end by itself
KILL_S = 0.5  # for a killed child to end; a busy system may take longer
PAUSE_S = 0.03  # so that a thousand short messages do not wake this process a thousand times
CHUNK_BYTES = 1 << 16
TAIL_CHARACTERS = 4000


class Child:
    """A worker process, started at once, and what its messages said.

    Parameters
    ----------
    command : sequence of str
        Starts the process.
    request : Request
        The first line that it gets.

    Attributes
    ----------
    decoding : dict of int to float
        Recordings that are being decoded, and the clock at their last message, in seconds.
    begun : dict of int to float
        The same recordings, and the clock when they were begun.
    shares : dict of int to float
        Of those that take long: how much is decoded, in [0, 1].
    extracted : set of int
        Recordings that have been decoded and have no row yet.
    contents : dict of int to str
        Hashes of the content of recordings that have been decoded.
    late : list of int
        Recordings that took too long, if it was killed for that.
    seconds_by_stage : dict of str to float
        Seconds by stage, after the first job.
    ready, fed, ended, stalled : bool
        Whether it has loaded its model; has been sent tasks; has ended, with all its messages
        received; and was killed since it made no progress.
    """

    def __init__(self, command: Sequence[str], request: Request) -> None:
        self.decoding: dict[int, float] = {}
        self.begun: dict[int, float] = {}
        self.contents: dict[int, str] = {}
        self.shares: dict[int, float] = {}
        self.late: list[int] = []
        self.extracted: set[int] = set()
        self.seconds_by_stage: dict[str, float] = {}
        self.fed = False
        self.ready = self.ended = self.stalled = False
        self._clock_s = 0.0  # time that this process was running
        self._polled_s = time.monotonic()
        self._last_message_s = 0.0
        self._unfinished = b""
        self._stderr: deque[str] = deque(maxlen=50)
        self._ending = threading.Event()
        self._feeding: threading.Thread | None = None
        self._chunks: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._threads = [
            threading.Thread(target=target, daemon=True)
            for target in (self._read, self._read_errors)
        ]
        for thread in self._threads:
            thread.start()
        self._send([request_line(request, os.getpid())])

    def feed(self, lines: Iterable[str], last: bool = True) -> None:
        """Send task lines in the background, as fast as it reads them.

        Parameters
        ----------
        lines : iterable of str
            Of tasks.
        last : bool
            Whether to close its input then, so that it ends.
        """
        self.fed = True
        before = self._feeding

        def feed() -> None:
            if before is not None:
                before.join()
            self._send(lines)
            if last:
                assert self._process.stdin is not None
                with suppress(OSError):
                    self._process.stdin.close()

        self._feeding = threading.Thread(target=feed, daemon=True)
        self._threads.append(self._feeding)
        self._feeding.start()

    def receive(self) -> list[Message]:
        """Wait for messages, for `POLL_S` at most.

        Raises
        ------
        SerctlError
            The error that ended the child.
        """
        try:
            chunk = self._chunks.get(timeout=POLL_S)
        except queue.Empty:
            chunk = None
        now_s = time.monotonic()
        self._clock_s += min(now_s - self._polled_s, LONGEST_POLL_S)
        self._polled_s = now_s
        if chunk is None:
            return []
        self._last_message_s = self._clock_s
        self.ended = not chunk
        *lines, self._unfinished = (self._unfinished + chunk).split(b"\n")
        received = [read_message(line) for line in lines]
        for message in received:
            self._note(message)
        return received

    def _note(self, message: Message) -> None:
        kind, index, text = message
        if kind == messages.ERROR:
            raise _error_of(text)
        if kind == messages.READY:
            self.ready = True
        elif kind == messages.SECONDS:
            self.seconds_by_stage = json.loads(text)
        elif kind in (messages.BEGIN, messages.PROGRESS):
            self.decoding[index] = self._clock_s
            self.begun.setdefault(index, self._clock_s)
            if text:
                self.shares[index] = float(text)
        elif kind == messages.END:
            self.decoding.pop(index, None)
            self.begun.pop(index, None)
            self.shares.pop(index, None)
            self.contents[index] = json.loads(text)
            self.extracted.add(index)
        elif kind == messages.ROW:
            self.extracted.discard(index)

    def kill_if_stalled(self, stall_s: float) -> None:
        """Kill it if it, or a recording that it decodes, has made no progress for so long.

        Until it is ready, `START_S` is the limit.
        """
        stall_s = stall_s if self.ready else START_S
        last_s = min([self._last_message_s, *self.decoding.values()])
        if self._clock_s - last_s > stall_s and not self.stalled:
            # Recordings that make progress are no suspects.
            for index, message_s in list(self.decoding.items()):
                if self._clock_s - message_s <= stall_s:
                    del self.decoding[index]
            self.stalled = True
            self._process.kill()

    def kill_if_late(self, timeout_s: float) -> None:
        """Kill it if a recording takes longer than ``timeout_s``, which it has not noticed itself."""
        limit_s = self._clock_s - timeout_s - LATE_GRACE_S
        late = [index for index, begun_s in self.begun.items() if begun_s < limit_s]
        if late and not (self.late or self.stalled):
            self.late = late
            self._process.kill()

    def was_killed(self) -> bool:
        """Whether someone else ended it, as by ``kill`` or for want of memory."""
        status = self._process.wait()
        return not (self.stalled or self.late) and -status in KILLING_SIGNALS

    def holds(self, index: int) -> bool:
        """Whether it has begun a recording and not sent its row."""
        return index in self.decoding or index in self.extracted

    def suspects(self) -> list[int]:
        """Recordings that may have ended it: those being decoded, or else those decoded."""
        return sorted(self.decoding) or sorted(self.extracted)

    def how_it_ended(self) -> str:
        """Describe how: the signal, or the exit status."""
        if self.stalled:
            return "killed, since it made no progress"
        status = self._process.wait()
        if status >= 0:
            return f"exit status {status}"
        name = signal.Signals(-status).name if -status in list(signal.Signals) else str(-status)
        described = {"SIGKILL": ", perhaps out of memory"}.get(name, "")
        return f"{name}{described}"

    def tail(self) -> str:
        """The end of what it wrote to standard error, on lines of their own."""
        self._threads[1].join(1)
        text = "".join(self._stderr)[-TAIL_CHARACTERS:].rstrip()
        return f" Its last lines:\n{text}" if text else ""

    def end(self, at_once: bool) -> None:
        """End it and the threads that serve it; wait `KILL_S` at most for a killed one.

        Parameters
        ----------
        at_once : bool
            Whether to kill it, rather than let it end by itself.
        """
        assert self._process.stdin is not None
        self._ending.set()
        if not at_once:
            with suppress(OSError, ValueError, subprocess.TimeoutExpired):
                self._process.stdin.close()
                self._process.wait(END_S)
        self._process.kill()
        until_s = time.monotonic() + KILL_S
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(KILL_S)
        for thread in self._threads:
            thread.join(max(0.0, until_s - time.monotonic()))
        if any(thread.is_alive() for thread in self._threads):
            return  # closing a stream that a thread reads or writes would wait for it
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            assert stream is not None
            with suppress(OSError, ValueError):
                stream.close()

    def _send(self, lines: Iterable[str]) -> None:
        assert self._process.stdin is not None
        with suppress(OSError, ValueError):  # it has ended; the reader notices
            for line in lines:
                self._process.stdin.write(line.encode("ascii"))
            self._process.stdin.flush()

    def _read(self) -> None:
        assert self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        while chunk := os.read(descriptor, CHUNK_BYTES):
            self._chunks.put(chunk)
            if len(chunk) < CHUNK_BYTES // 2:
                self._ending.wait(PAUSE_S)
        self._chunks.put(b"")

    def _read_errors(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self._stderr.append(line[:TAIL_CHARACTERS].decode("utf-8", "replace"))


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
