"""What a worker says to its parent: its messages, and how far the recording is that it reads."""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from serctl.engine.workers.messages import (
    PROGRESS,
    Request,
    Task,
    late_reason,
    message_line,
    object_content,
)
from serctl.errors import DownloadError
from serctl.files.downloads import folder_for, local_file
from serctl.files.objects import is_remote
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
    ``timeout_s`` of the request. Code that turns every exception into a row finds `failure` set.

    Attributes
    ----------
    failure : str
        Why a recording that is late, or that cannot be downloaded, has failed; else empty.
    """

    def __init__(self, task: Task, request: Request, channel: Channel) -> None:
        self._index, self._path = task[:2]
        self._timeout_s = request.timeout_s
        self._token = request.token
        self._channel = channel
        self._began_s = self._sent_s = time.monotonic()
        self._content = ""
        self.failure = ""

    def __enter__(self) -> Self:
        return self

    def __call__(self, share: float | None = None) -> None:
        """Note that a window was decoded, up to this share of the recording if it is known."""
        now_s = time.monotonic()
        if self._timeout_s is not None and now_s - self._began_s > self._timeout_s:
            self.failure = late_reason(self._timeout_s)
            raise _LateError
        if now_s - self._sent_s > PROGRESS_EVERY_S:
            self._sent_s = now_s
            text = "" if share is None else f"{share:.4f}"
            self._channel.send(message_line(PROGRESS, self._index, text))

    @contextmanager
    def file(self) -> Iterator[str]:
        """Path of the recording's file; of an object, that of a copy while this is entered."""
        folder = folder_for(self._token) if is_remote(self._path) else None
        with local_file(self._path, folder, str(self._index), self) as file:
            if file.known is not None:
                self._content = object_content(file.content, *file.known)
            yield file.path

    def content(self) -> str:
        """Hash of the content of the file, for `serctl.engine.workers.messages.row_line`."""
        if self.failure or is_remote(self._path):
            return self._content
        return content_hash(self._path)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: object
    ) -> bool:
        if isinstance(error, DownloadError):
            self.failure = error.reason
        return kind is _LateError or isinstance(error, DownloadError)
