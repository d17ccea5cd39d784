"""Threads: a function over many recordings, side by side, in order, in bounded memory.

Threads are enough: decoding, resampling, the FFT and the kernels all release the GIL.
"""

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

AHEAD_PER_WORKER = 8  # recordings begun before their turn; more only costs memory

Item = TypeVar("Item")
Product = TypeVar("Product")


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
    is closed never is.
    """
    pool = ThreadPoolExecutor(n_workers, thread_name_prefix="serctl")
    begun: deque[Future[Product]] = deque()
    try:
        for item in items:
            begun.append(pool.submit(function, item))
            if len(begun) > AHEAD_PER_WORKER * n_workers:
                yield begun.popleft().result()
        while begun:
            yield begun.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
