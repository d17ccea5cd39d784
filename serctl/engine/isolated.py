"""Describing and classifying recordings in a worker process, without a journal.

This is what ``serctl features`` and ``serctl evaluate`` do.

A recording that crashes its decoder, hangs it or runs out of memory costs itself alone, as in
``serctl classify``: `serctl.engine.supervisor` starts the worker and restarts it. A description is
sent as JSON, in which float32 values are exact. Frames go through files in a folder of their own,
``<number>.mel`` and ``<number>.mfcc``; few recordings are described before their turn, so that
neither memory nor disk fills up behind a long one.
"""

import json
import os
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict
from typing import Any, BinaryIO

import numpy as np

from serctl.engine.messages import Request, Task
from serctl.engine.supervisor import Supervisor, in_order
from serctl.features.blocks import BlockFeatures
from serctl.features.descriptors import Description, describe, frame_blocks
from serctl.features.sets import EMBEDDING, PROSODY, REPORT, SPEC
from serctl.features.table import Described
from serctl.results.schema import Result, result_of

KINDS = ("mel", "mfcc")
AHEAD_PER_WORKER = 2  # recordings that may be described before their turn


class SpoolFiles:
    """The frames of one recording, in files that its worker wrote; as `FrameSpool` has them."""

    def __init__(self, folder: str, index: int, n_frames: int) -> None:
        self.n_frames = n_frames
        self._paths = [spool_path(folder, index, kind) for kind in KINDS]
        self.mel, self.mfcc = (open(path, "rb") for path in self._paths)

    def close(self) -> None:
        """Remove the files."""
        for path, file in zip(self._paths, (self.mel, self.mfcc), strict=True):
            file.close()
            with suppress(OSError):
                os.unlink(path)


def spool_path(folder: str, index: int, kind: str) -> str:
    """Path of the frames of a recording."""
    return os.path.join(folder, f"{index}.{kind}")


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
        Threads; the number of CPU cores by default.
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
        describe=True,
        feature_set=feature_set,
        frames_folder=folder,
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


def describe_task(task: Task, request: Request, on_window: Callable[[], None]) -> dict[str, Any]:
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
    folder = request.frames_folder
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
        from serctl.models import embedding

        return embedding.EMBEDDING
    if feature_set == PROSODY:
        from serctl.features import prosody

        return prosody.PROSODY
    from serctl.features import egemaps

    return egemaps.EGEMAPS


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
