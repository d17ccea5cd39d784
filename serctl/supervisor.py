"""The parent of a run: it watches the process that classifies, and outlives it.

The child (`serctl.worker`) says which recordings it is decoding. When it crashes, is killed, or
shows no sign of life for `STALL_S`, these are suspects. A new child gets them one by one, each
alone, before all that is left. The one with which the child ends again is the culprit, and becomes
a row ``failed`` that says how; the others have their rows, the same as ever, since a row does not
depend on what is read beside it.

Every new child gives at least one recording its row. One that gives none, `MOST_STRIKES` times in a
row, ends the run with RunError; so do as many recordings in a row, each alone, with which it ended
after they were decoded, since then it is the network and not they.
An error that the child reports is raised here as it was there. When the parent ends, however it
does, the child ends too.

This process imports neither torch nor numba nor NumPy: it is there at once, and it is small.
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
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from types import TracebackType
from typing import Any, NamedTuple, Self

from serctl import errors
from serctl.errors import RunError
from serctl.journal import Stamp, stamp_of
from serctl.schema import Result, row_of

# Not found through the folder that it is started in: that may hold a random.py of the user's.
COMMAND = (
    sys.executable,
    *(("-X", "dev") if sys.flags.dev_mode else ()),
    "-P",
    "-c",
    "from serctl.worker import main; main()",
)

STALL_S = 120.0  # without a window of 30 s decoded, which takes a hundredth of a second or so
START_S = 600.0  # for a new child to be ready
MOST_STRIKES = 3
PATIENCE_S = 0.5  # between looks at the clock
LONGEST_LOOK_S = 5.0  # more, and this process was stopped itself; that is not the child's fault
PAUSE_S = 0.03  # so that a thousand short messages do not wake this process a thousand times
CHUNK_BYTES = 1 << 16
TAIL_CHARACTERS = 4000


@dataclass(frozen=True)
class Request:
    """What a child is asked for, as the arguments of `serctl.classifier.Classifier`."""

    model: str | None = None
    emotions: str | None = None
    device: str = "auto"
    batch_size: int = 64
    workers: int | None = None


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
        self._child: _Child

    def __enter__(self) -> Self:
        """Start a child."""
        self._child = _Child(self._command, self._request)
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
        n_strikes = n_after = 0
        while n_left:
            child = self._child
            child.feed(self._lines(recordings, suspects, left, done))
            for index, row in self._rows(child, n_left):
                done[index] = 1
                n_left -= 1
                n_strikes = n_after = 0
                yield Done(index, self._stamps.pop(index, Stamp(None, None)), row)
            if not n_left:
                return
            apart = [index for index in suspects if not done[index]]
            culprit = apart[0] if apart and child.has_seen(apart[0]) else None
            if culprit is not None:
                n_after = n_after + 1 if culprit in child.extracted else 0
                if n_after == MOST_STRIKES:
                    raise RunError(
                        f"The process that classifies ended after decoding, {n_after} times "
                        f"({child.how_it_ended()}). Try --device cpu.{child.tail()}"
                    )
                done[culprit] = 1
                n_left -= 1
                yield self._failed(culprit, recordings[culprit], child)
            elif apart or not child.suspects():
                n_strikes += 1
                if n_strikes == MOST_STRIKES:
                    raise RunError(
                        f"The process that classifies ended {n_strikes} times and did nothing "
                        f"({child.how_it_ended()}). Is there enough memory?{child.tail()}"
                    )
            suspects = [i for i in apart or child.suspects() if not done[i]]
            child.end(at_once=True)
            if n_left:
                self._child = _Child(self._command, self._request)

    def _rows(self, child: "_Child", n_left: int) -> Iterator[tuple[int, str]]:
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

    def _failed(self, index: int, path: str, child: "_Child") -> Done:
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


class _Child:
    """One process that classifies, and what is known of it.

    Attributes
    ----------
    begun : dict of int to float
        Recordings that are being decoded, and the clock at their last sign of life.
    extracted : set of int
        Recordings that have been decoded and have no row yet.
    ready, ended, stalled : bool
        Whether it has loaded its model; whether all that it will ever say was received; and whether
        it was killed for being silent.
    """

    def __init__(self, command: Sequence[str], request: Request) -> None:
        self.begun: dict[int, float] = {}
        self.extracted: set[int] = set()
        self.ready = self.ended = self.stalled = False
        self._clock_s = 0.0  # time that this process was awake
        self._looked_s = time.monotonic()
        self._heard_s = 0.0
        self._unfinished = b""
        self._stderr: deque[str] = deque(maxlen=50)
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
        """End it, and what listens to it."""
        assert self._process.stdin is not None
        if not at_once:
            with suppress(OSError, ValueError, subprocess.TimeoutExpired):
                self._process.stdin.close()
                self._process.wait(timeout=5)
        self._process.kill()
        self._process.wait()
        for thread in self._threads:
            thread.join(1)
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
                time.sleep(PAUSE_S)
        self._chunks.put(b"")

    def _read_errors(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self._stderr.append(line[:TAIL_CHARACTERS].decode("utf-8", "replace"))
