"""What a worker says to its parent: its messages, and how far the recording is that it reads."""

import os
import threading
import time
from typing import Self

from serctl.engine.workers.messages import PROGRESS, Task, late_reason, message_line
from serctl.files.stamps import content_hash

PROGRESS_EVERY_S = 5.0


class Channel:
    """Messages to the parent, from any thread, each sent at once and whole.

    Parameters
    ----------
    descriptor : int, optional
        Where they go; by default to what was standard output. What libraries print goes to standard
        error, so that it never mixes with messages.
    """

    def __init__(self, descriptor: int | None = None) -> None:
        if descriptor is None:
            descriptor = os.dup(1)
            os.dup2(2, 1)
        self._descriptor = descriptor
        self._lock = threading.Lock()

    def send(self, line: str) -> None:
        """Send a line of `serctl.engine.workers.messages`; BrokenPipeError if the parent has ended."""
        data = line.encode("ascii")
        with self._lock:
            while data:
                data = data[os.write(self._descriptor, data) :]


class _LateError(Exception):
    """A recording takes longer than it may."""


class Watch:
    """Context manager of the decoding of one recording; called for every window of it.

    It tells the parent how far decoding is, and stops a recording that takes longer than
    ``timeout_s``. Code that turns every exception into a row finds `is_late` set.
    """

    def __init__(self, task: Task, timeout_s: float | None, channel: Channel) -> None:
        self._index, self._path = task[:2]
        self._timeout_s = timeout_s
        self._channel = channel
        self._began_s = self._sent_s = time.monotonic()
        self.is_late = False

    def __enter__(self) -> Self:
        return self

    def __call__(self, share: float | None = None) -> None:
        """Note that a window was decoded, up to this share of the recording if it is known."""
        now_s = time.monotonic()
        if self._timeout_s is not None and now_s - self._began_s > self._timeout_s:
            self.is_late = True
            raise _LateError
        if now_s - self._sent_s > PROGRESS_EVERY_S:
            self._sent_s = now_s
            text = "" if share is None else f"{share:.4f}"
            self._channel.send(message_line(PROGRESS, self._index, text))

    def reason(self) -> str:
        """Why a late recording has failed."""
        assert self._timeout_s is not None
        return late_reason(self._timeout_s)

    def content(self) -> str:
        """Hash of the content of the file; empty for a late one."""
        return "" if self.is_late else content_hash(self._path)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        return kind is _LateError
