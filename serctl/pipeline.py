"""The pipeline: recordings in, results out, in the same order, in bounded memory.

Threads decode and extract features, a few recordings ahead, while the caller's thread runs the
network on batches. A batch is filled in the order of the recordings, so results do not depend on
the number of threads.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from serctl.classifier import Classifier, Extraction
from serctl.results import Result
from serctl.threads import map_in_order, n_cores

MOST_WAITING_PER_WINDOW = 4  # of a batch: recordings that wait for it

Item = TypeVar("Item")


def classify_recordings(
    paths: Iterable[Item],
    classifier: Classifier,
    n_workers: int | None = None,
    extract: Callable[[Item], Extraction] | None = None,
) -> Iterator[Result]:
    """Classify recordings.

    Parameters
    ----------
    paths : iterable of str
        Of audio files.
    classifier : Classifier
        What classifies.
    n_workers : int, optional
        Threads that decode and extract features; the number of cores by default.
    extract : callable, optional
        What a thread does for one of ``paths``, in place of the classifier's `extract`.

    Yields
    ------
    Result
        One for every path, in their order.
    """
    n_workers = n_workers or n_cores()
    extractions = map_in_order(extract or classifier.extract, paths, n_workers)  # type: ignore[arg-type]
    for extraction, probabilities in _in_batches(extractions, classifier):
        yield classifier.result(extraction, probabilities)


def _in_batches(
    extractions: Iterable[Extraction], classifier: Classifier
) -> Iterator[tuple[Extraction, NDArray[np.float64]]]:
    """Pair each extraction with its windows' probabilities, [n_windows, n_emotions]."""
    waiting: deque[Extraction] = deque()  # whose windows are not all classified
    windows: list[NDArray[np.float32]] = []  # of those, not yet classified
    done: list[NDArray[np.float64]] = []  # of those, classified: [n_emotions] each

    def classify_next() -> None:
        done.extend(classifier.probabilities(windows[: classifier.batch_size]))
        del windows[: classifier.batch_size]

    def finished() -> Iterator[tuple[Extraction, NDArray[np.float64]]]:
        while waiting and len(waiting[0].windows) <= len(done):
            n_windows = len(waiting[0].windows)
            probabilities = np.reshape(done[:n_windows], (n_windows, len(classifier.emotions)))
            del done[:n_windows]
            yield waiting.popleft(), probabilities

    for extraction in extractions:
        waiting.append(extraction)
        windows.extend(extraction.windows)
        # A batch waits until it is full, but no recordings without windows pile up behind it.
        too_many = len(waiting) >= MOST_WAITING_PER_WINDOW * classifier.batch_size
        while len(windows) >= (1 if too_many else classifier.batch_size):
            classify_next()
        yield from finished()
    while windows:
        classify_next()
    yield from finished()
