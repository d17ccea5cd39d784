"""Reading recordings in a worker process, without a journal.

``serctl features`` describes them so, ``serctl evaluate`` classifies them, and ``serctl plot``
decodes them.

A recording that crashes its decoder, hangs it or runs out of memory costs itself alone, as in
``serctl classify``: `serctl.engine.workers.supervisor` starts the workers and replaces them. A
description is sent as JSON, in which float32 values are exact. Frames go through files in a folder of
their own, ``<number>.mel`` and ``<number>.mfcc``; few recordings are described before their turn, so
that neither memory nor disk fills up behind a long one.
"""

import json
import os
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from serctl.audio.decoding import read_whole
from serctl.engine.workers.cutting import cut_task
from serctl.engine.workers.messages import CUT, DECODE, DESCRIBE, OUTLINE, Request, Task
from serctl.engine.workers.supervisor import Supervisor, in_order
from serctl.errors import AudioError
from serctl.features.blocks import BlockFeatures
from serctl.features.descriptors import Description, describe, frame_blocks
from serctl.features.formats import KINDS, SpoolFiles, spool_path
from serctl.features.sets import EMBEDDING, REPORT, SPEC, by_package
from serctl.features.table import Described
from serctl.results.schema import Result, result_of
from serctl.timeline.outline import Outline, read_outlines

SAMPLES = "samples"

OnWindow = Callable[[], None]
Action = Callable[[Task, OnWindow], dict[str, Any]]


def describe_isolated(
    paths: Sequence[str],
    folder: str | None,
    n_workers: int | None,
    timeout_s: float | None = None,
    start: Callable[[Request], Supervisor] = Supervisor,
    feature_set: str = REPORT,
) -> Generator[Described, None, None]:
    """Describe recordings in a worker process, in their order.

    Parameters
    ----------
    paths : sequence of str
        Audio files.
    folder : str or None
        Where frames are put meanwhile, if they are wanted; nothing else may be in it.
    n_workers : int or None
        Processes; the number of CPU cores by default.
    timeout_s : float or None
        For each recording.
    start : callable
        Makes the supervisor.
    feature_set : str
        One of `serctl.features.sets.SETS`.

    Yields
    ------
    Description, and its frames or None

    Raises
    ------
    RunError
        If the worker cannot go on.
    """
    request = Request(
        workers=n_workers,
        timeout_s=timeout_s,
        action=DESCRIBE,
        feature_set=feature_set,
        spool_folder=folder,
    )
    with start(request) as supervisor:
        early: dict[int, str] = {}
        turn = 0
        for done in supervisor.rows(paths, range(len(paths))):
            early[done.place] = done.row
            while turn in early:
                description, n_frames = _read(early.pop(turn))
                spool = None
                if folder is not None and n_frames:
                    spool = SpoolFiles(folder, turn, n_frames)
                turn += 1
                try:
                    yield description, spool
                finally:
                    if spool is not None:
                        spool.close()


@contextmanager
def classify_isolated(request: Request, paths: Sequence[str]) -> Iterator[Iterator[Result]]:
    """Classify recordings in a worker process, which those that crash or hang cannot take along.

    Parameters
    ----------
    request : Request
        What the worker classifies with.
    paths : sequence of str
        Audio files.

    Yields
    ------
    iterator of Result
        One for every path, in their order, as in a results file, once the worker is ready.

    Raises
    ------
    SerctlError
        If the worker cannot go on.
    """
    with Supervisor(request) as supervisor:
        emotions = supervisor.description()["emotions"]
        rows = in_order(supervisor.rows(paths, range(len(paths))))
        yield (result_of(row, emotions, where) for where, row in rows)


def decode_isolated(
    paths: Sequence[str],
    folder: str,
    timeout_s: float | None = None,
    start: Callable[[Request], Supervisor] = Supervisor,
) -> Iterator[tuple[NDArray[np.float32], str]]:
    """Decode short recordings in a worker process, in their order.

    Parameters
    ----------
    paths : sequence of str
        Audio files of at most `serctl.audio.decoding.MAX_WHOLE_S`.
    folder : str
        Where samples are put meanwhile.
    timeout_s, start
        As in `describe_isolated`.

    Yields
    ------
    samples : float32 [n_samples]
        Mono, at the rate of the features, full scale at 1.0.
    reason : str
        What is wrong with it, as in `serctl.audio.decoding.Recording`.

    Raises
    ------
    AudioError
        If one cannot be decoded, is empty or too long, crashes its decoder, or takes too long.
    RunError
        If the worker cannot go on.
    """
    request = Request(timeout_s=timeout_s, action=DECODE, spool_folder=folder)
    with start(request) as supervisor:
        rows = in_order(supervisor.rows(paths, range(len(paths))))
        for index, (_, values) in enumerate(rows):
            _raise_failure(values, paths[index])
            name = spool_path(folder, index, SAMPLES)
            samples = np.fromfile(name, "<f4")
            os.unlink(name)
            yield samples, values["reason"]


def outline_isolated(
    path: str,
    channels: Sequence[int | None],
    timeout_s: float | None = None,
    start: Callable[[Request], Supervisor] = Supervisor,
) -> list[Outline]:
    """Outlines of channels of a recording, read in a worker process; errors as `decode_isolated`."""
    with start(Request(timeout_s=timeout_s, action=OUTLINE)) as supervisor:
        supervisor.given = {path: channels}
        ((_, values),) = in_order(supervisor.rows([path], [0]))
    _raise_failure(values, path)
    return [
        Outline(np.array(peaks, np.float32), step_s, [(a, b) for a, b in speech], reason)
        for peaks, step_s, speech, reason in values["outlines"]
    ]


def _raise_failure(values: dict[str, Any], path: str) -> None:
    if values["status"] != "ok":
        raise AudioError(values["reason"], path)


def prepare_action(request: Request) -> Action:
    """What a worker's threads do with each recording, by the action of a request."""
    if request.action == DESCRIBE:
        warm_up(request.feature_set)
        return lambda task, on_window: describe_task(task, request, on_window)
    if request.action in (CUT, DECODE):
        assert request.spool_folder is not None
        folder, read = request.spool_folder, cut_task if request.action == CUT else _decode
        return lambda task, on_window: _row(task, lambda: read(task, folder, on_window))
    return lambda task, on_window: _row(task, lambda: _outline(task, on_window))


def _row(task: Task, read: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What was read of a recording, with its status; a bad recording does not raise."""
    status, reason, values = "ok", "", {}
    try:
        values = read()
    except AudioError as error:
        status, reason = "unreadable", error.reason
    except Exception as error:
        status, reason = "failed", f"{type(error).__name__}: {error}"
    return {"path": task[1], "status": status, "reason": reason} | values


def _decode(task: Task, folder: str, on_window: OnWindow) -> dict[str, Any]:
    samples, reason = read_whole(task[1], SPEC.rate_hz, on_window)
    samples.astype("<f4").tofile(spool_path(folder, task[0], SAMPLES))
    return {"reason": reason}


def _outline(task: Task, on_window: OnWindow) -> dict[str, Any]:
    _, path, channels = task
    outlines = read_outlines(path, channels, on_window)
    return {"outlines": [(o.peaks.tolist(), o.step_s, o.speech_s, o.reason) for o in outlines]}


def describe_task(task: Task, request: Request, on_window: OnWindow) -> dict[str, Any]:
    """What a worker's thread does for one recording; the description, as JSON holds it.

    Parameters
    ----------
    task : tuple
        Number and path of the recording.
    request : Request
        With the set of features, and where frames go, if they are wanted.
    on_window : callable
        Called for every window that was decoded.
    """
    index, path = task
    folder = request.spool_folder
    if request.feature_set != REPORT:
        return _sent(block_features(request.feature_set).describe(path, on_window), 0)
    with ExitStack() as stack:
        files: list[BinaryIO] = []
        if folder is not None:
            names = [spool_path(folder, index, kind) for kind in KINDS]
            files = [stack.enter_context(open(name, "wb")) for name in names]
        n_frames = 0

        def sink(*arrays: Any) -> None:
            nonlocal n_frames
            on_window()
            n_frames += len(arrays[0])
            for array, file in zip(arrays, files, strict=False):
                file.write(np.ascontiguousarray(array, "<f4").data)

        description = describe(path, SPEC, sink)
    return _sent(description, n_frames)


def block_features(feature_set: str) -> BlockFeatures:
    """How a set of features other than the report's is computed."""
    if feature_set == EMBEDDING:
        from serctl.models.embedding import embedding_features

        return embedding_features()
    return by_package(feature_set)


def _sent(description: Description, n_frames: int) -> dict[str, Any]:
    """A description as JSON holds it; what is not known, NaN, is None."""
    values = asdict(description)
    values["values"] = [None if v != v else v for v in description.values.tolist()]
    return values | {"n_frames": n_frames if len(description.values) else 0}


def _read(row: str) -> tuple[Description, int]:
    """Description and number of frames of a row."""
    values = json.loads(row)
    n_frames = values.pop("n_frames", 0)
    values["values"] = np.array(values.get("values", ()), np.float32)  # None becomes NaN
    return Description(**values), n_frames


def warm_up(feature_set: str) -> None:
    """Compile the kernels, or load them and the network, so that no recording is blamed for it."""
    if feature_set == EMBEDDING:
        from serctl.models.embedding import bundled_embedder

        bundled_embedder()
    samples = np.zeros(SPEC.rate_hz, np.float32)
    try:
        list(frame_blocks([samples], SPEC))
    except OSError:  # numba cannot cache what it compiled on a full disk; later calls pass
        list(frame_blocks([samples], SPEC))
