"""Map a function over many recordings in threads, in order and in bounded memory.

Threads suffice, since decoding, resampling, the FFT and the kernels release the GIL.
"""

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from threading import Event
from typing import TypeVar

AHEAD_PER_WORKER = 32  # recordings submitted ahead; more only cost memory
# Recordings in one task of a thread, since each task costs a wait for the interpreter. Fewer at first,
# so that all threads share a few long recordings.
MAX_PER_TASK = 8
RECORDINGS_PER_STEP = 16  # per worker, after which tasks get one recording more

Item = TypeVar("Item")
Product = TypeVar("Product")
_Products = tuple[list[Product], BaseException | None]  # those before the exception, if any


def n_cores() -> int:
    """Number of CPU cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def map_in_order(
    function: Callable[[Item], Product], items: Iterable[Item], n_workers: int
) -> Generator[Product, None, None]:
    """Map a function over items in threads; yield the results in the order of the items.

    An exception of ``function`` is raised when its item is due. When the iterator is closed, items
    that have not started are dropped, and running ones are waited for. They are not waited for
    after an interrupt (a BaseException that is no Exception), since a recording can be long.
    """
    items = iter(items)
    pool = ThreadPoolExecutor(n_workers, thread_name_prefix="serctl")
    begun: deque[tuple[int, Future[_Products[Product]]]] = deque()
    stopped = Event()
    n_drawn = n_ahead = 0
    waits = True

    def work(some: list[Item]) -> _Products[Product]:
        done: list[Product] = []
        for item in some:
            if stopped.is_set():
                break
            try:
                done.append(function(item))
            except BaseException as error:
                return done, error
        return done, None

    def products() -> Iterator[Product]:
        nonlocal n_ahead
        n_done, future = begun.popleft()
        n_ahead -= n_done
        done, error = future.result()
        yield from done
        if error is not None:
            raise error

    try:
        while True:
            n_next = 1 + min(n_drawn // (RECORDINGS_PER_STEP * n_workers), MAX_PER_TASK - 1)
            while n_ahead + n_next > AHEAD_PER_WORKER * n_workers:
                yield from products()
            some = list(islice(items, n_next))
            if not some:
                break
            n_drawn += len(some)
            n_ahead += len(some)
            begun.append((len(some), pool.submit(work, some)))
        while begun:
            yield from products()
    except BaseException as error:
        waits = isinstance(error, Exception | GeneratorExit)
        raise
    finally:
        stopped.set()
        pool.shutdown(waits, cancel_futures=True)
