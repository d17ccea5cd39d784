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
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, BinaryIO

from serctl.engine import messages
from serctl.engine.messages import TIMELINE_KEYS, Request, Task, message_line
from serctl.errors import SerctlError

if TYPE_CHECKING:
    from serctl.models.classifier import Classifier, Extraction

PROGRESS_EVERY_S = 5.0
PR_SET_PDEATHSIG = 1  # of Linux's prctl

# Decoding holds a block of a recording, some 30 MB; a file that needs more than these is hostile.
SPARE_MEMORY_BYTES = 1 << 30
MEMORY_PER_WORKER_BYTES = 1 << 28


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
        words = f"{type(error).__name__}: {error}".rstrip(": .")
        if sys.flags.dev_mode:
            words += f"\n{traceback.format_exc().rstrip()}\n"
        channel.send(messages.error_line("", words))
    atexit._run_exitfuncs()
    sys.stderr.flush()
    os._exit(0)


def _work(request: Request, lines: BinaryIO, channel: Channel) -> None:
    gc.disable()
    from serctl.audio.windows import Windowing
    from serctl.engine.pipeline import classify_extractions
    from serctl.engine.rows import channel_row, joined_row
    from serctl.models.classifier import Classifier
    from serctl.models.loading import DEFAULT_MODEL
    from serctl.threads import n_cores
    from serctl.timing import seconds_by_stage

    n_workers = request.workers or n_cores()
    classifier = Classifier(
        request.model or DEFAULT_MODEL,
        request.emotions,
        request.device,
        request.batch_size,
        Windowing(request.speech, request.window_s, request.hop_s, request.channels),
    )
    _warm_up(classifier)
    gc.freeze()
    gc.enable()
    if classifier.device == "cpu":  # GPU drivers map far more than they use
        _limit_memory(SPARE_MEMORY_BYTES + n_workers * MEMORY_PER_WORKER_BYTES)
    description = json.dumps(_description(classifier, n_workers, request))
    channel.send(message_line(messages.READY, text=description))
    extract = _Extractor(classifier, channel)
    for job in messages.read_jobs(lines):
        indexes: deque[int] = deque()
        done = classify_extractions(_noted(job, indexes), classifier, n_workers, extract)
        rows: list[dict[str, Any]] = []
        for extraction, probabilities in done:
            rows.append(channel_row(classifier, extraction, probabilities, request))
            if not extraction.is_last:
                continue
            text = json.dumps(joined_row(rows), allow_nan=False)
            rows = []
            channel.send(message_line(messages.ROW, indexes.popleft(), text))
        channel.send(message_line(messages.SECONDS, text=json.dumps(seconds_by_stage())))


class _Extractor:
    """What a thread does for one recording; it tells the parent when decoding begins and ends."""

    def __init__(self, classifier: "Classifier", channel: Channel) -> None:
        self._classifier = classifier
        self._channel = channel

    def __call__(self, task: Task) -> "list[Extraction]":
        from serctl.models.channels import extract_channels, extract_given

        index, path, *given = task
        sent_s = time.monotonic()

        def on_window() -> None:
            nonlocal sent_s
            if time.monotonic() - sent_s > PROGRESS_EVERY_S:
                sent_s = time.monotonic()
                self._channel.send(message_line(messages.PROGRESS, index))

        self._channel.send(message_line(messages.BEGIN, index))
        if given:
            extractions = extract_given(self._classifier, path, given[0], on_window)
        else:
            extractions = extract_channels(self._classifier, path, on_window)
        self._channel.send(message_line(messages.END, index))
        return extractions


def _noted(job: Iterator[Task], indexes: deque[int]) -> Iterator[Task]:
    """Pass tasks on, and note their indexes, since results come in their order."""
    for task in job:
        indexes.append(task[0])
        yield task


def _description(classifier: "Classifier", n_workers: int, request: Request) -> dict[str, Any]:
    """Everything that results depend on, and the number of threads."""
    import hashlib

    config = classifier.config
    return {
        "model": config.name,
        "model_sha256": config.sha256,
        "config_sha256": hashlib.sha256(config.to_json().encode()).hexdigest(),
        "emotions": list(classifier.emotions),
        "device": classifier.device,
        "batch_size": classifier.batch_size,
        **{key: getattr(request, key) for key in TIMELINE_KEYS},
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


def _limit_memory(spare_bytes: int) -> None:
    """Limit this process to so much more memory than it has now (Linux).

    A recording that needs more then fails with a MemoryError in its own row, before the system runs
    out of memory and kills a process of its choice.
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
