"""The process that a run starts: it loads the model, and is a worker itself or forks workers.

What they write to standard error is kept for the error message, in case one fails.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from typing import IO

from serctl.engine.workers.forking import ForkServer
from serctl.engine.workers.messages import Request, request_line
from serctl.engine.workers.process import Inbox, Worker
from serctl.system import CAN_FORK

# Never imported from the current folder, which may hold a random.py of the user's.
COMMAND = (
    sys.executable,
    *(("-X", "dev") if sys.flags.dev_mode else ()),
    "-P",
    "-c",
    "from serctl.engine.workers.worker import main; main()",
)

KILLING_SIGNALS = (signal.SIGTERM, getattr(signal, "SIGKILL", 9), getattr(signal, "SIGHUP", 1))
END_S = 5.0  # for a process that has finished to end by itself
KILL_S = 0.5  # for a killed process to end; a busy system may take longer
TAIL_CHARACTERS = 4000


class Child:
    """A process that is started and loads the model: a worker itself, or one that forks workers.

    Parameters
    ----------
    command : sequence of str
        Starts the process.
    request : Request
        The first line that it gets.
    inbox : queue
        As of `Worker`.

    Attributes
    ----------
    own : Worker
        The process itself; its first message is that it is ready.
    """

    def __init__(self, command: Sequence[str], request: Request, inbox: Inbox) -> None:
        self._forks = ForkServer() if CAN_FORK else None
        child_end = None if self._forks is None else self._forks.child_end
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=() if child_end is None else (child_end.fileno(),),
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._inbox = inbox
        self._stderr: deque[str] = deque(maxlen=50)
        self._stderr_thread = threading.Thread(
            target=self._read_errors, args=(self._process.stderr,), daemon=True
        )
        self._stderr_thread.start()
        self.own = Worker(self, self._process.stdin, self._process.stdout, inbox)
        descriptor = None if child_end is None else child_end.fileno()
        self.own.send([request_line(request, os.getpid(), descriptor)])
        if child_end is not None:
            child_end.close()

    def work(self, reads_several: bool) -> None:
        """Have this process be a worker itself, and fork none."""
        self.own.reads_several = reads_several
        if self._forks is not None:
            with suppress(OSError):  # it has ended, as is noticed then
                self._forks.work()

    def fork(self) -> Worker:
        """Fork a worker; OSError if the system refuses or this process has ended."""
        assert self._forks is not None
        pid, tasks, messages = self._forks.fork()
        worker = Worker(self, tasks, messages, self._inbox, pid)
        worker.is_ready = True
        return worker

    def kill(self, pid: int | None = None) -> None:
        """Kill a worker that was forked, or this process and with it all of them."""
        if pid is None or self._forks is None:
            self._process.kill()
            return
        with suppress(OSError):
            self._forks.kill(pid)

    def status(self, pid: int | None = None) -> int | None:
        """Exit status of what has ended: a forked worker, None if not known; or this process."""
        if pid is None or self._forks is None:
            return self._process.wait()
        try:
            return self._forks.status(pid)
        except OSError:
            return None

    def tail(self) -> str:
        """The end of what was written to standard error, on lines of their own."""
        self._stderr_thread.join(1)
        text = "".join(self._stderr)[-TAIL_CHARACTERS:].rstrip()
        return f" Its last lines:\n{text}" if text else ""

    def end(self, workers: Sequence[Worker], at_once: bool) -> None:
        """End it, its workers and the threads that serve them; wait `KILL_S` at most for killed ones.

        Parameters
        ----------
        workers : sequence of Worker
            That it has forked.
        at_once : bool
            Whether to kill it, rather than let it end by itself.
        """
        every = {*workers, self.own}
        for worker in every:
            worker.close()
        if self._forks is not None:
            self._forks.close()
        if not at_once:
            with suppress(OSError, ValueError, subprocess.TimeoutExpired):
                self._process.wait(END_S)
        self._process.kill()  # the system then ends those that it has forked
        until_s = time.monotonic() + KILL_S
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(KILL_S)
        for worker in every:
            worker.join(until_s)
        self._stderr_thread.join(max(0.0, until_s - time.monotonic()))

    def _read_errors(self, stream: IO[bytes]) -> None:
        with stream:
            for line in stream:
                self._stderr.append(line[:TAIL_CHARACTERS].decode("utf-8", "replace"))
