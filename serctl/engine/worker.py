"""The child process of a run: it loads the model and classifies what it is sent.

`serctl.engine.supervisor` starts it, since a process that decodes damaged files may crash, hang or eat
memory, and then only this one ends. It is told what to do, as lines of JSON on standard input: the
request, then ``[index, path]`` for every recording; an empty line ends a job, all of whose rows are
sent before the next job begins. It answers in lines on what was standard output:

    R {...}         ready: what the model and the parameters are
    b 17            recording 17: its decoding begins
    w 17            it goes on; at most one every few seconds
    e 17            it has ended
    r 17 {...}      the row of recording 17
    s {...}         all of a job is done: seconds by stage (`serctl.timing`) since the
                    process began
    x ["...", ...]  it cannot go on: class and message of the error

It ends when standard input does, and when its parent has gone: no run goes on that nobody hears.

A run of some thousand recordings takes seconds, and so seconds count: the garbage collector rests
until all is imported, and the process ends without taking apart what was.
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
from itertools import chain, takewhile
from typing import TYPE_CHECKING, Any, BinaryIO

from serctl.errors import SerctlError

if TYPE_CHECKING:
    from serctl.models.classifier import Classifier, Extraction

SIGN_OF_LIFE_EVERY_S = 5.0
PR_SET_PDEATHSIG = 1  # of Linux's prctl

# Decoding holds a block of a recording, some 30 MB; a file that needs more than these is hostile.
SPARE_MEMORY_BYTES = 1 << 30
MEMORY_PER_WORKER_BYTES = 1 << 28

Task = tuple[int, str]


class Channel:
    """Lines to the parent, from any thread, each at once and whole."""

    def __init__(self) -> None:
        # What libraries print must not come between: it goes where standard error goes.
        self._descriptor = os.dup(1)
        os.dup2(2, 1)
        self._lock = threading.Lock()

    def send(self, line: str) -> None:
        """Send a line of ASCII; BrokenPipeError if the parent has gone."""
        data = line.encode("ascii") + b"\n"
        with self._lock:
            while data:
                data = data[os.write(self._descriptor, data) :]


def main() -> None:
    """Work until standard input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears it too, and decides
    channel = Channel()
    lines = sys.stdin.buffer
    try:
        request = json.loads(lines.readline())
        _die_with(request.pop("parent"))
        _work(request, lines, channel)
    except BrokenPipeError:
        os._exit(1)
    except SerctlError as error:
        channel.send("x " + json.dumps([type(error).__name__, str(error)]))
    except Exception as error:
        words = f"{type(error).__name__}: {error}".rstrip(": .")
        if sys.flags.dev_mode:
            words += f"\n{traceback.format_exc().rstrip()}\n"
        channel.send("x " + json.dumps(["", words]))
    atexit._run_exitfuncs()
    sys.stderr.flush()
    os._exit(0)


def _work(request: dict[str, Any], lines: BinaryIO, channel: Channel) -> None:
    gc.disable()
    from serctl.engine.pipeline import classify_recordings
    from serctl.models.classifier import Classifier
    from serctl.models.loading import DEFAULT_MODEL
    from serctl.results.schema import row_of
    from serctl.threads import n_cores
    from serctl.timing import seconds_by_stage

    n_workers = request["workers"] or n_cores()
    classifier = Classifier(
        request["model"] or DEFAULT_MODEL,
        request["emotions"],
        request["device"],
        request["batch_size"],
    )
    _warm_up(classifier)
    gc.freeze()
    gc.enable()
    if classifier.device == "cpu":  # drivers of others map what they like
        _limit_memory(SPARE_MEMORY_BYTES + n_workers * MEMORY_PER_WORKER_BYTES)
    channel.send("R " + json.dumps(_description(classifier, n_workers)))
    extract = _Extractor(classifier, channel)
    for job in _jobs(lines):
        indexes: deque[int] = deque()
        results = classify_recordings(_noted(job, indexes), classifier, n_workers, extract)
        for result in results:
            row = json.dumps(row_of(result, classifier.emotions), allow_nan=False)
            channel.send(f"r {indexes.popleft()} {row}")
        channel.send("s " + json.dumps(seconds_by_stage()))


class _Extractor:
    """What a thread does for one recording, with word to the parent of when it begins and ends."""

    def __init__(self, classifier: "Classifier", channel: Channel) -> None:
        self._classifier = classifier
        self._channel = channel

    def __call__(self, task: Task) -> "Extraction":
        index, path = task
        said_s = time.monotonic()

        def on_window() -> None:
            nonlocal said_s
            if time.monotonic() - said_s > SIGN_OF_LIFE_EVERY_S:
                said_s = time.monotonic()
                self._channel.send(f"w {index}")

        self._channel.send(f"b {index}")
        extraction = self._classifier.extract(path, on_window)
        self._channel.send(f"e {index}")
        return extraction


def _jobs(lines: BinaryIO) -> Iterator[Iterator[Task]]:
    for line in lines:
        job = chain([line], takewhile(bytes.strip, lines))
        yield (tuple(json.loads(line)) for line in job if line.strip())


def _noted(job: Iterator[Task], indexes: deque[int]) -> Iterator[Task]:
    """Pass tasks on, and note their indexes, since results come in their order."""
    for task in job:
        indexes.append(task[0])
        yield task


def _description(classifier: "Classifier", n_workers: int) -> dict[str, Any]:
    """What results depend on, and how many threads there are."""
    import hashlib

    config = classifier.config
    return {
        "model": config.name,
        "model_sha256": config.sha256,
        "config_sha256": hashlib.sha256(config.to_json().encode()).hexdigest(),
        "emotions": list(classifier.emotions),
        "device": classifier.device,
        "batch_size": classifier.batch_size,
        "workers": n_workers,
    }


def _warm_up(classifier: "Classifier") -> None:
    """Compile the kernels, or load them, and have the network hear something.

    So no recording suffers from it, nor is blamed if the network is what crashes. On a full disk
    numba fails the first call, when it keeps what it has compiled, and no later one.
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
    """Let this process have so much more memory and no more, where the system can do so (Linux).

    What needs more then fails as a MemoryError, in a row of its own, before the system kills
    whatever it likes.
    """
    with suppress(ImportError, OSError, ValueError, IndexError):
        import resource

        with open("/proc/self/statm", encoding="ascii") as file:
            data_bytes = int(file.read().split()[5]) * resource.getpagesize()
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(resource.RLIMIT_DATA, (data_bytes + spare_bytes, hard))


def _die_with(parent: int) -> None:
    """Have the system end this process when its parent ends (Linux).

    Elsewhere it ends at the next line that it sends, or when it has done what it was sent.
    """
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if hasattr(os, "getppid") and os.name == "posix" and os.getppid() != parent:
        os._exit(1)  # it ended before
