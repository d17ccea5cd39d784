"""Stretches cut out of recordings in a worker process, as ``serctl clips`` does.

A recording that crashes its decoder, or hangs it, costs its own stretches alone.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from serctl.engine.workers.messages import CUT, Request, Task
from serctl.engine.workers.supervisor import Supervisor, in_order
from serctl.errors import AudioError
from serctl.features.formats import spool_path
from serctl.timeline.clips import Cut, Span, cut_spans


def cut_isolated(
    spans_of: Mapping[str, Sequence[Span]],
    folder: str,
    start: Callable[[Request], Supervisor] = Supervisor,
) -> Iterator[Cut]:
    """Cut stretches out of recordings in a worker process.

    Parameters
    ----------
    spans_of : mapping of str to sequence of tuple
        The stretches of each recording, as `serctl.timeline.clips.cut_spans` takes them.
    folder : str
        Where samples are put meanwhile.
    start : callable
        Makes the supervisor.

    Yields
    ------
    Cut
        One for each stretch, recording by recording.

    Raises
    ------
    AudioError
        When all others are cut, if a recording cannot be read, crashes its decoder or hangs it.
    RunError
        If the worker cannot go on.
    """
    paths = list(spans_of)
    failure = None
    with start(Request(action=CUT, spool_folder=folder)) as supervisor:
        supervisor.given = spans_of
        rows = in_order(supervisor.rows(paths, range(len(paths))))
        for index, (_, values) in enumerate(rows):
            if values["status"] != "ok":
                failure = failure or AudioError(values["reason"], paths[index])
                continue
            for place, rate_hz in values["cut"]:
                name = spool_path(folder, index, str(place))
                samples = np.fromfile(name, "<f4")
                os.unlink(name)
                yield Cut(paths[index], place, samples, rate_hz)
    if failure is not None:
        raise failure


def cut_task(task: Task, folder: str, on_window: Callable[[], None]) -> dict[str, Any]:
    """What a worker does for one recording: the stretches go to files in a folder.

    Parameters
    ----------
    task : tuple
        Number and path of the recording, and its stretches.
    folder : str
        Where the files go.
    on_window : callable
        Called for each decoded block.
    """
    index, path, spans = task
    found = []
    for cut in cut_spans(path, spans, on_window):
        cut.samples.astype("<f4").tofile(spool_path(folder, index, str(cut.place)))
        found.append((cut.place, cut.rate_hz))
    return {"cut": found}
