"""The pipeline: recordings in, results out, in the same order, in bounded memory.

Threads decode and extract features, a few recordings ahead. On a CPU they also run the network; on a
GPU the caller's thread runs it, on batches of windows of one shape. A batch is filled in the order of
the recordings, so results do not depend on the number of threads.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from serctl.models.channels import extract_channels
from serctl.models.classifier import Classifier, Extraction
from serctl.results.schema import Result
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
        Model and device.
    n_workers : int, optional
        Threads that decode and extract features; the number of cores by default.
    extract : callable, optional
        What a thread does for one of ``paths``, in place of the classifier's `extract`.

    Yields
    ------
    Result
        One for every path, in their order.
    """
    one = extract or classifier.extract

    def extract_one(item: Item) -> list[Extraction]:
        return [one(item)]  # type: ignore[arg-type]

    done = classify_extractions(paths, classifier, n_workers, extract_one)
    for extraction, probabilities in done:
        yield classifier.result(extraction, probabilities)


def classify_extractions(
    paths: Iterable[Item],
    classifier: Classifier,
    n_workers: int | None = None,
    extract: Callable[[Item], Sequence[Extraction]] | None = None,
) -> Iterator[tuple[Extraction, NDArray[np.float64]]]:
    """Do what `classify_recordings` does, and give what results and timelines are made of.

    Parameters
    ----------
    paths, classifier, n_workers
        As `classify_recordings` takes them.
    extract : callable, optional
        What a thread does for one of ``paths``, in place of `extract_channels`.

    Yields
    ------
    extraction : Extraction
        One for every channel that is classified of every path, in their order.
    probabilities : float64 [n_windows, n_emotions]
        Of the windows that it had left, as `Classifier.result` takes them.
    """
    n_workers = n_workers or n_cores()
    each = extract or partial(extract_channels, classifier)
    of_paths = map_in_order(each, paths, n_workers)
    yield from _in_batches((one for some in of_paths for one in some), classifier)


def _in_batches(
    extractions: Iterable[Extraction], classifier: Classifier
) -> Iterator[tuple[Extraction, NDArray[np.float64]]]:
    """Pair each extraction with the probabilities of its windows, [n_windows, n_emotions]."""
    # Extractions that wait, and the rows for their windows' probabilities, NaN until they are known.
    waiting: deque[tuple[Extraction, NDArray[np.float64]]] = deque()
    # Windows not yet classified, with their rows, by shape. The first holds the oldest of them.
    batches: dict[tuple[int, ...], list[tuple[NDArray[np.float64], NDArray[np.float32]]]] = {}

    def classify_batch(shape: tuple[int, ...]) -> None:
        rows, windows = zip(*batches.pop(shape), strict=True)
        for row, probabilities in zip(rows, classifier.probabilities(windows), strict=True):
            row[:] = probabilities

    def finished() -> Iterator[tuple[Extraction, NDArray[np.float64]]]:
        while waiting and np.isfinite(waiting[0][1]).all():
            yield waiting.popleft()

    for extraction in extractions:
        rows = np.full((len(extraction.windows), len(classifier.emotions)), np.nan)
        waiting.append((extraction, rows))
        for row, window in zip(rows, extraction.windows, strict=True):
            batches.setdefault(window.shape, []).append((row, window))
            if len(batches[window.shape]) == classifier.batch_size:
                classify_batch(window.shape)
        extraction.windows = []  # they are in the batches, as long as they are needed
        yield from finished()
        # A batch waits until it is full, but not for so long that recordings pile up behind it.
        while len(waiting) >= MOST_WAITING_PER_WINDOW * classifier.batch_size:
            classify_batch(next(iter(batches)))
            yield from finished()
    while batches:
        classify_batch(next(iter(batches)))
    yield from finished()
