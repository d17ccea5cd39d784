"""Threads: a function over many recordings, side by side, in order, in bounded memory.

Threads are enough: decoding, resampling, the FFT and the kernels all release the GIL.
"""

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from threading import Event
from typing import TypeVar

AHEAD_PER_WORKER = 32  # recordings begun before their turn; more only costs memory
# Recordings that a thread does in one go: after each hand-over it waits for the interpreter. Fewer at
# first, so that a few recordings, which may be long, are shared by all threads.
MOST_IN_ONE_GO = 8
DONE_PER_WORKER = 16  # for each that is done in one go

Item = TypeVar("Item")
Product = TypeVar("Product")
_Products = tuple[list[Product], BaseException | None]  # until an exception, if there was one


def n_cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def map_in_order(
    function: Callable[[Item], Product], items: Iterable[Item], n_workers: int
) -> Generator[Product, None, None]:
    """Map a function over items in threads, a few items ahead, in their order.

    An exception of ``function`` is raised in its turn. What is not begun by the time the iterator
    is closed never is, and what is begun is waited for; not so when waiting for the next product is
    interrupted (by what is no Exception), since a recording can be long.
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
            n_next = 1 + min(n_drawn // (DONE_PER_WORKER * n_workers), MOST_IN_ONE_GO - 1)
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
