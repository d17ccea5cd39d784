"""The pipeline: recordings in, results out, in bounded memory.

Threads decode and extract features. On a CPU they also run the network; on a GPU the caller's thread
runs it, on batches of windows of one shape that are filled up to one size. So a result depends
neither on the number of threads nor on the recordings beside it.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from serctl.models.channels import extract_channels
from serctl.models.classifier import Classifier
from serctl.models.extraction import Extraction
from serctl.models.inference import WindowInput
from serctl.results.schema import Result
from serctl.threads import map_as_finished, map_in_order, n_cores

IDLE_S = 1.0  # no window waits longer for a batch to be full
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


def classify_as_finished(
    tasks: Iterable[Item],
    classifier: Classifier,
    n_workers: int,
    extract: Callable[[Item], tuple[Item, Sequence[Extraction]]],
) -> Iterator[tuple[Item, Extraction, NDArray[np.float64]]]:
    """Classify recordings in the order in which they are finished: none waits for a long one.

    Parameters
    ----------
    tasks : iterable
        What ``extract`` takes.
    classifier : Classifier
        Model and device.
    n_workers : int
        Threads that decode and extract features.
    extract : callable
        What a thread does for one task; it gives the task, and an extraction for every channel
        that is classified.

    Yields
    ------
    task
        One of ``tasks``.
    extraction : Extraction
        Of a channel of its recording; all of one recording follow each other.
    probabilities : float64 [n_windows, n_emotions]
        Of the windows of the extraction, as `Classifier.result` takes them.
    """
    finished = deque[Item]()

    def extractions() -> Iterator[Extraction | None]:
        for product in map_as_finished(extract, tasks, n_workers, IDLE_S):
            if product is None:
                yield None
                continue
            task, of_channels = product
            finished.extend([task] * len(of_channels))
            yield from of_channels

    for extraction, probabilities in _in_batches(extractions(), classifier):
        yield finished.popleft(), extraction, probabilities


def _in_batches(
    extractions: Iterable[Extraction | None], classifier: Classifier
) -> Iterator[tuple[Extraction, NDArray[np.float64]]]:
    """Pair each extraction, in order, with the probabilities of its windows.

    These are [n_windows, n_emotions]. None among the extractions says that no more come for now.
    """
    # Extractions that wait, and the rows for their windows' probabilities, NaN until they are known.
    waiting: deque[tuple[Extraction, NDArray[np.float64]]] = deque()
    # Windows not yet classified, with their rows, by shape. The first holds the oldest of them.
    batches: dict[tuple[int, ...], list[tuple[NDArray[np.float64], WindowInput]]] = {}

    def classify_batch(shape: tuple[int, ...]) -> None:
        rows, windows = zip(*batches.pop(shape), strict=True)
        for row, probabilities in zip(rows, classifier.probabilities(windows), strict=True):
            row[:] = probabilities

    def finished() -> Iterator[tuple[Extraction, NDArray[np.float64]]]:
        while waiting and np.isfinite(waiting[0][1]).all():
            yield waiting.popleft()

    for extraction in extractions:
        if extraction is None:
            while batches:
                classify_batch(next(iter(batches)))
            yield from finished()
            continue
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
