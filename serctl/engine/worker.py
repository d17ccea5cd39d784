"""The worker: the process of a run that loads the model and classifies what it is sent.

`serctl.engine.supervisor` starts it, since a process that decodes damaged files may crash, hang or
run out of memory, and then only this process ends. `serctl.engine.messages` describes the lines that
it reads from standard input and writes to what was standard output. It ends when standard input
ends, and when its parent ends.

A run over a few thousand recordings takes seconds, so start-up time counts: garbage collection is off
until everything is imported, and the process exits without tearing down the interpreter.
"""

import atexit
import ctypes
import gc
import json
import os
import signal
import sys
import threading
import time
import traceback
from contextlib import suppress
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, BinaryIO, Self

from serctl.engine import messages
from serctl.engine.messages import TIMELINE_KEYS, Request, Task, late_reason, message_line
from serctl.errors import RunError, SerctlError, UsageError, missing_package
from serctl.files.stamps import content_hash

if TYPE_CHECKING:
    from serctl.models.classifier import Classifier

PROGRESS_EVERY_S = 5.0
PR_SET_PDEATHSIG = 1  # of Linux's prctl

# Decoding holds a block of a recording, some 30 MB; a file that needs more than these is hostile.
SPARE_MEMORY_BYTES = 1 << 30
MEMORY_PER_WORKER_BYTES = 1 << 28
MIN_ADDRESS_SPACE_BYTES = 800_000_000  # a worker of two threads has 590 MB when it has started


class Channel:
    """Messages to the parent, from any thread, each sent at once and whole."""

    def __init__(self) -> None:
        # What libraries print goes to standard error, so that it never mixes with messages.
        self._descriptor = os.dup(1)
        os.dup2(2, 1)
        self._lock = threading.Lock()

    def send(self, line: str) -> None:
        """Send a line of `serctl.engine.messages`; BrokenPipeError if the parent has ended."""
        data = line.encode("ascii")
        with self._lock:
            while data:
                data = data[os.write(self._descriptor, data) :]


def main() -> None:
    """Work until standard input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent gets it too, and decides
    channel = Channel()
    lines = sys.stdin.buffer
    try:
        request, parent = messages.read_request(lines.readline())
        _die_with(parent)
        _work(request, lines, channel)
    except BrokenPipeError:
        os._exit(1)
    except SerctlError as error:
        channel.send(messages.error_line(type(error).__name__, str(error)))
    except Exception as error:
        missing = missing_package(error)
        words = str(missing or f"{type(error).__name__}: {error}".rstrip(": ."))
        if sys.flags.dev_mode:
            words += f"\n{traceback.format_exc().rstrip()}\n"
        channel.send(messages.error_line(type(missing).__name__ if missing else "", words))
    atexit._run_exitfuncs()
    sys.stderr.flush()
    os._exit(0)


def _work(request: Request, lines: BinaryIO, channel: Channel) -> None:
    _check_address_space()
    gc.disable()
    (_classify if request.action == messages.CLASSIFY else _read)(request, lines, channel)


def _classify(request: Request, lines: BinaryIO, channel: Channel) -> None:
    from serctl.audio.windows import Windowing
    from serctl.engine.pipeline import classify_as_finished
    from serctl.engine.rows import channel_row, joined_row
    from serctl.engine.voices.second_pass import classify_voices
    from serctl.models.channels import extract_channels, extract_given
    from serctl.models.classifier import Classifier
    from serctl.models.extraction import Extraction
    from serctl.models.loading import DEFAULT_MODEL
    from serctl.models.many import no_voices
    from serctl.threads import n_cores

    n_workers = request.workers or n_cores()
    classifier = Classifier(
        request.model or DEFAULT_MODEL,
        request.emotions,
        "cpu" if request.grouped and request.device == "auto" else request.device,
        request.batch_size,
        Windowing(request.speech, request.window_s, request.hop_s, request.channels),
    )
    if request.grouped and classifier.voice_heads is None:
        raise UsageError(f"--voices and --same-room: {no_voices(classifier.config.name)}")
    _warm_up(classifier)
    _get_ready(n_workers, classifier.device, channel, _description(classifier, n_workers, request))

    def extract(task: Task) -> tuple[Task, list[Extraction]]:
        _, path, *given = task
        with _Watch(task, request.timeout_s, channel) as watch:
            if given:
                extractions = extract_given(classifier, path, given[0], watch)
            else:
                extractions = extract_channels(classifier, path, watch)
            if watch.is_late:
                extractions = [Extraction(path, status="failed", reason=watch.reason())]
        return task, extractions

    for left in messages.read_jobs(lines):
        first = list(islice(left, 1))
        job = chain(first, left)
        if first and first[0][0] == messages.OF_A_VOICE:
            classify_voices(classifier, job, channel)
            continue
        finished = classify_as_finished(job, classifier, n_workers, extract)
        rows: list[dict[str, Any]] = []
        for task, extraction, probabilities in finished:
            rows.append(channel_row(classifier, extraction, probabilities, request))
            if extraction.is_last:
                row = json.dumps(joined_row(rows), allow_nan=False)
                channel.send(message_line(messages.ROW, task[0], row))
                rows = []
        _end_job(channel)


def _read(request: Request, lines: BinaryIO, channel: Channel) -> None:
    from serctl.engine.isolated import AHEAD_PER_WORKER, prepare_action
    from serctl.threads import map_in_order, n_cores

    n_workers = request.workers or n_cores()
    action = prepare_action(request)
    _get_ready(n_workers, "cpu", channel, {"workers": n_workers})

    def read(task: Task) -> tuple[int, str]:
        with _Watch(task, request.timeout_s, channel) as watch:
            values = action(task, watch)
            if watch.is_late:
                values = {"path": task[1], "status": "failed", "reason": watch.reason()}
        return task[0], json.dumps(values)

    for job in messages.read_jobs(lines):
        for index, row in map_in_order(read, job, n_workers, AHEAD_PER_WORKER):
            channel.send(message_line(messages.ROW, index, row))
        _end_job(channel)


def _get_ready(n_workers: int, device: str, channel: Channel, description: dict[str, Any]) -> None:
    """Collect garbage again, limit the memory, and tell the parent."""
    gc.freeze()
    gc.enable()
    if device == "cpu":  # GPU drivers map far more than they use
        _limit_memory(SPARE_MEMORY_BYTES + n_workers * MEMORY_PER_WORKER_BYTES)
    channel.send(message_line(messages.READY, text=json.dumps(description)))


def _end_job(channel: Channel) -> None:
    from serctl.timing import seconds_by_stage

    channel.send(message_line(messages.SECONDS, text=json.dumps(seconds_by_stage())))


class _LateError(Exception):
    """A recording takes longer than it may."""


class _Watch:
    """Context manager of the decoding of one recording; called for every window of it.

    It tells the parent when decoding begins, makes progress and ends, and stops a recording that
    takes longer than ``timeout_s``. Code that turns every exception into a row finds `is_late` set.
    """

    def __init__(self, task: Task, timeout_s: float | None, channel: Channel) -> None:
        self._index, self._path = task[:2]
        self._timeout_s = timeout_s
        self._channel = channel
        self._began_s = self._sent_s = time.monotonic()
        self.is_late = False

    def __enter__(self) -> Self:
        self._channel.send(message_line(messages.BEGIN, self._index))
        return self

    def __call__(self, share: float | None = None) -> None:
        now_s = time.monotonic()
        if self._timeout_s is not None and now_s - self._began_s > self._timeout_s:
            self.is_late = True
            raise _LateError
        if now_s - self._sent_s > PROGRESS_EVERY_S:
            self._sent_s = now_s
            text = "" if share is None else f"{share:.4f}"
            self._channel.send(message_line(messages.PROGRESS, self._index, text))

    def reason(self) -> str:
        """Why a late recording has failed."""
        assert self._timeout_s is not None
        return late_reason(self._timeout_s)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            content = "" if self.is_late else content_hash(self._path)
            text = json.dumps(content)
            self._channel.send(message_line(messages.END, self._index, text))


def _description(classifier: "Classifier", n_workers: int, request: Request) -> dict[str, Any]:
    """Everything that results depend on, and the number of threads."""
    import hashlib

    from serctl.timeline.habit import method_of

    config = classifier.config
    return {
        "model": config.name,
        "model_sha256": config.sha256,
        "config_sha256": hashlib.sha256(config.to_json().encode()).hexdigest(),
        "emotions": list(classifier.emotions),
        "device": classifier.device,
        "batch_size": classifier.batch_size,
        **{key: getattr(request, key) for key in TIMELINE_KEYS},
        "habit": method_of(classifier) if request.knows_speakers else "",
        "workers": n_workers,
    }


def _warm_up(classifier: "Classifier") -> None:
    """Compile the kernels, or load them, and run the network once.

    A network that crashes does so here, where no recording is blamed for it. On a full disk the
    first call fails, since numba cannot cache what it compiled, and later calls pass.
    """
    import numpy as np

    config, spec = classifier.config, classifier.config.features
    samples = np.zeros(spec.rate_hz, np.float32)
    try:
        raw = config.inputs.extract(samples, spec)
    except OSError:
        raw = config.inputs.extract(samples, spec)
    classifier.window_logits([config.inputs.normalize(raw, config.normalization, spec)])


def _check_address_space() -> None:
    """Refuse a limit under which the libraries do not load: some try again without end."""
    with suppress(ImportError):
        import resource

        limit, _ = resource.getrlimit(resource.RLIMIT_AS)
        if limit != resource.RLIM_INFINITY and limit < MIN_ADDRESS_SPACE_BYTES:
            raise RunError(
                f"The limit on address space (ulimit -v) is {limit / 1e9:.1f} GB, and at least "
                f"{MIN_ADDRESS_SPACE_BYTES / 1e9:.1f} GB are needed. Raise it."
            )


def _limit_memory(spare_bytes: int) -> None:
    """Limit this process to so much more memory than it has now (Linux).

    A recording that needs more then fails with a MemoryError in its own row.
    """
    with suppress(ImportError, OSError, ValueError, IndexError):
        import resource

        with open("/proc/self/statm", encoding="ascii") as file:
            data_bytes = int(file.read().split()[5]) * resource.getpagesize()
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(resource.RLIMIT_DATA, (data_bytes + spare_bytes, hard))


def _die_with(parent: int) -> None:
    """Have the system end this process when its parent ends (Linux).

    On other systems it ends at the next line that it sends, or at the end of its input.
    """
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if hasattr(os, "getppid") and os.name == "posix" and os.getppid() != parent:
        os._exit(1)  # it ended before the call above
