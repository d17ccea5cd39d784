"""A worker: a process of a run that loads the model and classifies what it is sent.

`serctl.engine.workers.supervisor` starts it, since a process that decodes damaged files may crash,
hang or run out of memory, and then only this process ends. It reads one recording after another; on a
GPU, threads read several, and the network runs on batches. `serctl.engine.workers.messages` describes
the lines that it reads from standard input and writes to what was standard output. It ends when
standard input ends, and when its parent ends.

Where the system can fork, the process that has loaded the model forks the workers instead
(`serctl.engine.workers.forking`). A run over a few thousand recordings takes seconds, so start-up time
counts: garbage collection is off until everything is imported, and the process exits without tearing
down the interpreter.
"""

import atexit
import gc
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, BinaryIO

from serctl.caches import import_numba_without_scipy
from serctl.engine.workers import messages
from serctl.engine.workers.channel import Channel, Watch
from serctl.engine.workers.forking import serve
from serctl.engine.workers.messages import (
    TIMELINE_KEYS,
    Request,
    Task,
    message_line,
    read_tasks,
    row_line,
)
from serctl.errors import RunError, SerctlError, UsageError, missing_package
from serctl.system import address_space_limit, die_with, limit_memory
from serctl.timing import reset_seconds, seconds_by_stage

if TYPE_CHECKING:
    from serctl.models.classifier import Classifier

# Decoding holds a block of a recording, some 30 MB; a file that needs more than this is hostile.
SPARE_MEMORY_BYTES = 5 << 28
MIN_ADDRESS_SPACE_BYTES = 800_000_000  # a worker has 590 MB when it has started


Work = Callable[[BinaryIO, Channel], None]


def main() -> None:
    """Work until standard input ends, or fork workers that do."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent gets it too, and decides
    # Every core has a process: libraries start no threads of their own, which would not be forked.
    os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1")
    channel = Channel()
    lines = sys.stdin.buffer
    is_forked = False
    try:
        request, parent, forking = messages.read_request(lines.readline())
        die_with(parent)
        _check_address_space()
        gc.disable()
        own = os.getpid()
        work, description = (_classify if request.action == messages.CLASSIFY else _read)(request)
        gc.freeze()
        gc.enable()
        channel.send(message_line(messages.READY, text=json.dumps(description)))
        if forking is not None and (ends := serve(forking)) is not None:
            is_forked = True
            die_with(own)
            reset_seconds()
            lines, channel = open(ends[0], "rb"), Channel(ends[1])
        if description.get("device", "cpu") == "cpu":  # GPU drivers map far more than they use
            limit_memory(SPARE_MEMORY_BYTES)
        work(lines, channel)
        channel.send(message_line(messages.SECONDS, text=json.dumps(seconds_by_stage())))
    except BrokenPipeError:
        os._exit(1)
    except EOFError:  # the parent needs no more workers
        pass
    except SerctlError as error:
        channel.send(messages.error_line(type(error).__name__, str(error)))
    except Exception as error:
        missing = missing_package(error)
        words = str(missing or f"{type(error).__name__}: {error}".rstrip(": ."))
        if sys.flags.dev_mode:
            words += f"\n{traceback.format_exc().rstrip()}\n"
        channel.send(messages.error_line(type(missing).__name__ if missing else "", words))
    if not is_forked:  # else what is to be done at the end is done by who forked it
        atexit._run_exitfuncs()
    sys.stderr.flush()
    os._exit(0)


def _load(request: Request) -> "Classifier":
    """Load and warm up the model."""
    from serctl.audio.windows import Windowing
    from serctl.models.classifier import Classifier
    from serctl.models.loading import DEFAULT_MODEL
    from serctl.models.many import no_voices

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
    return classifier


def _classify(request: Request) -> tuple[Work, dict[str, Any]]:
    """Load the model; what a worker does with its tasks, and the description of the model."""
    from serctl.engine.pipeline import classify_as_finished
    from serctl.engine.rows import channel_row, joined_row
    from serctl.engine.voices.second_pass import classify_voices
    from serctl.models.channels import extract_channels, extract_given
    from serctl.models.extraction import Extraction
    from serctl.threads import n_cores

    n_workers = request.workers or n_cores()
    import_numba_without_scipy()
    classifier = _load(request)

    def extract(task: Task, watch: Watch) -> list[Extraction]:
        _, path, *given = task
        extractions: list[Extraction] = []
        with watch, watch.file() as file:
            if given:
                extractions = extract_given(classifier, file, given[0], watch)
            else:
                extractions = extract_channels(classifier, file, watch)
        if watch.failure:
            extractions = [Extraction(path, status="failed", reason=watch.failure)]
        for extraction in extractions:
            extraction.path = path
        return extractions

    def work_one_by_one(lines: BinaryIO, channel: Channel) -> None:
        for task in read_tasks(lines):
            if task[0] == messages.OF_A_VOICE:
                classify_voices(classifier, [task], channel)
                continue
            watch = Watch(task, request, channel)
            rows = [
                channel_row(classifier, one, classifier.probabilities(one.windows), request)
                for one in extract(task, watch)
            ]
            row = json.dumps(joined_row(rows), allow_nan=False)
            channel.send(row_line(task[0], watch.content(), row))

    def work_in_batches(lines: BinaryIO, channel: Channel) -> None:
        def extract_one(task: Task) -> tuple[tuple[int, str], list[Extraction]]:
            watch = Watch(task, request, channel)
            channel.send(message_line(messages.BEGIN, task[0]))
            extractions = extract(task, watch)
            return (task[0], watch.content()), extractions

        rows: list[dict[str, Any]] = []
        tasks = read_tasks(lines)
        finished = classify_as_finished(tasks, classifier, n_workers, extract_one)
        for (place, content), extraction, probabilities in finished:
            rows.append(channel_row(classifier, extraction, probabilities, request))
            if extraction.is_last:
                row = json.dumps(joined_row(rows), allow_nan=False)
                channel.send(row_line(place, content, row))
                rows = []

    work = work_one_by_one if classifier.device == "cpu" else work_in_batches
    return work, _description(classifier, n_workers, request)


def _read(request: Request) -> tuple[Work, dict[str, Any]]:
    """Get ready to read recordings; what a worker does with its tasks, and the number of workers."""
    from serctl.engine.workers.isolated import prepare_action
    from serctl.threads import n_cores

    action = prepare_action(request)

    def work(lines: BinaryIO, channel: Channel) -> None:
        for task in read_tasks(lines):
            with Watch(task, request, channel) as watch, watch.file() as file:
                values = action((task[0], file, *task[2:]), watch) | {"path": task[1]}
            if watch.failure:
                values = {"path": task[1], "status": "failed", "reason": watch.failure}
            channel.send(row_line(task[0], "", json.dumps(values)))

    return work, {"workers": request.workers or n_cores()}


def _description(classifier: "Classifier", n_workers: int, request: Request) -> dict[str, Any]:
    """Everything that results depend on, and the number of workers."""
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

    samples = np.zeros(classifier.config.features.rate_hz, np.float32)
    try:
        window = classifier.input_of(samples)
    except OSError:
        window = classifier.input_of(samples)
    classifier.window_logits([window])


def _check_address_space() -> None:
    """Refuse a limit under which the libraries do not load: some try again without end."""
    if (limit := address_space_limit()) < MIN_ADDRESS_SPACE_BYTES:
        raise RunError(
            f"The limit on address space (ulimit -v) is {limit / 1e9:.1f} GB, and at least "
            f"{MIN_ADDRESS_SPACE_BYTES / 1e9:.1f} GB are needed. Raise it."
        )
