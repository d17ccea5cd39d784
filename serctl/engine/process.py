"""The process that classifies, as its parent sees it: started, fed, listened to and ended.

`serctl.engine.worker` is what runs there, and says how the two talk. Threads feed it and listen to
it, so that neither a pipe that is full nor a child that is silent holds up the parent. What it
writes on standard error is kept for the message, should it end.
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
from dataclasses import asdict, dataclass

from serctl import errors
from serctl.errors import RunError

# Not found through the folder that it is started in: that may hold a random.py of the user's.
COMMAND = (
    sys.executable,
    *(("-X", "dev") if sys.flags.dev_mode else ()),
    "-P",
    "-c",
    "from serctl.engine.worker import main; main()",
)

START_S = 600.0  # for a new child to be ready
PATIENCE_S = 0.5  # between looks at the clock
LONGEST_LOOK_S = 5.0  # more, and this process was stopped itself; that is not the child's fault
END_S = 5.0  # for a child that has done all to end by itself
KILL_S = 0.5  # for a killed one to be gone; a system that is out of breath may take longer
PAUSE_S = 0.03  # so that a thousand short messages do not wake this process a thousand times
CHUNK_BYTES = 1 << 16
TAIL_CHARACTERS = 4000


@dataclass(frozen=True)
class Request:
    """What a child is asked for, as the arguments of `serctl.models.classifier.Classifier`."""

    model: str | None = None
    emotions: str | None = None
    device: str = "auto"
    batch_size: int = 64
    workers: int | None = None


class Child:
    """One process that classifies, and what is known of it; it is started at once.

    Parameters
    ----------
    command : sequence of str
        What starts it.
    request : Request
        What it is asked for.

    Attributes
    ----------
    begun : dict of int to float
        Recordings that are being decoded, and the clock at their last sign of life.
    extracted : set of int
        Recordings that have been decoded and have no row yet.
    seconds_by_stage : dict of str to float
        Seconds by stage, once it has done a job.
    ready, fed, ended, stalled : bool
        Whether it has loaded its model; whether it was given recordings; whether all that it will
        ever say was received; and whether it was killed for being silent.
    """

    def __init__(self, command: Sequence[str], request: Request) -> None:
        self.begun: dict[int, float] = {}
        self.extracted: set[int] = set()
        self.seconds_by_stage: dict[str, float] = {}
        self.fed = False
        self.ready = self.ended = self.stalled = False
        self._clock_s = 0.0  # time that this process was awake
        self._looked_s = time.monotonic()
        self._heard_s = 0.0
        self._unfinished = b""
        self._stderr: deque[str] = deque(maxlen=50)
        self._ending = threading.Event()
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
        self._send([json.dumps(asdict(request) | {"parent": os.getpid()}) + "\n"])

    def feed(self, lines: Iterable[str]) -> None:
        """Send lines as it takes them, and then end its input."""
        self.fed = True

        def feed() -> None:
            self._send(lines)
            assert self._process.stdin is not None
            with suppress(OSError):
                self._process.stdin.close()

        thread = threading.Thread(target=feed, daemon=True)
        self._threads.append(thread)
        thread.start()

    def receive(self) -> list[tuple[str, str]]:
        """Wait a little, and give what it said: kind and text of each message.

        Raises
        ------
        SerctlError
            The error that it ends with.
        """
        try:
            chunk = self._chunks.get(timeout=PATIENCE_S)
        except queue.Empty:
            chunk = None
        now_s = time.monotonic()
        self._clock_s += min(now_s - self._looked_s, LONGEST_LOOK_S)
        self._looked_s = now_s
        if chunk is None:
            return []
        self._heard_s = self._clock_s
        self.ended = not chunk
        *lines, self._unfinished = (self._unfinished + chunk).split(b"\n")
        messages = []
        for line in lines:
            kind, _, text = line.decode("ascii").partition(" ")
            self._note(kind, text)
            messages.append((kind, text))
        return messages

    def _note(self, kind: str, text: str) -> None:
        if kind == "x":
            name, message = json.loads(text)
            if not name:
                raise RunError(
                    f"The process that classifies failed: {message}. This is a fault of serctl or "
                    "of this machine. To see where it arose, run the same with python -X dev -m "
                    "serctl."
                )
            raise getattr(errors, name)(message)
        if kind == "R":
            self.ready = True
            return
        if kind == "s":
            self.seconds_by_stage = json.loads(text)
            return
        index = int(text.partition(" ")[0])
        if kind in "bw":
            self.begun[index] = self._clock_s
        elif kind == "e":
            self.begun.pop(index, None)
            self.extracted.add(index)
        elif kind == "r":
            self.extracted.discard(index)

    def kill_if_stalled(self, stall_s: float) -> None:
        """Kill it, if it or one of the recordings has not shown a sign of life for so long."""
        last_s = min([self._heard_s, *self.begun.values()] if self.begun else [self._heard_s])
        stall_s = stall_s if self.ready else START_S
        if self._clock_s - last_s > stall_s and not self.stalled:
            # Of several, those that are silent are the suspects.
            for index, heard_s in list(self.begun.items()):
                if self._clock_s - heard_s <= stall_s:
                    del self.begun[index]
            self.stalled = True
            self._process.kill()

    def has_seen(self, index: int) -> bool:
        """Whether it has begun with a recording, and not given its row."""
        return index in self.begun or index in self.extracted

    def suspects(self) -> list[int]:
        """Recordings that it may have ended with: those in decoding, or else those after it."""
        return sorted(self.begun) or sorted(self.extracted)

    def how_it_ended(self) -> str:
        """Say how: by which signal, or with which exit status."""
        if self.stalled:
            return "it stood still and was killed"
        status = self._process.wait()
        if status >= 0:
            return f"exit status {status}"
        name = signal.Signals(-status).name if -status in list(signal.Signals) else str(-status)
        described = {"SIGKILL": ", killed, perhaps since memory ran out"}.get(name, "")
        return f"{name}{described}"

    def tail(self) -> str:
        """The last of what it wrote on standard error, as lines of their own."""
        self._threads[1].join(1)
        text = "".join(self._stderr)[-TAIL_CHARACTERS:].rstrip()
        return f" It said:\n{text}" if text else ""

    def end(self, at_once: bool) -> None:
        """End it, and what listens to it; a killed one is waited for no longer than `KILL_S`.

        Parameters
        ----------
        at_once : bool
            Whether it is killed, rather than left to end by itself.
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
            return  # in the middle of a stream, which closing it would wait for
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            assert stream is not None
            with suppress(OSError, ValueError):
                stream.close()

    def _send(self, lines: Iterable[str]) -> None:
        assert self._process.stdin is not None
        with suppress(OSError, ValueError):  # it has ended, which the reader sees
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
