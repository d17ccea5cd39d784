"""Map a function over many recordings in threads, in order and in bounded memory.

Threads suffice, since decoding, resampling, the FFT and the kernels release the GIL.
"""

import math
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from queue import Empty, SimpleQueue
from threading import Event, Lock, Thread
from typing import TypeVar

from serctl.system import available_cores, cpu_quota

AHEAD_PER_WORKER = 32  # recordings submitted ahead; more only cost memory
# Recordings in one task of a thread, since each task costs a wait for the interpreter. Fewer at first,
# so that all threads share a few long recordings.
MAX_PER_TASK = 8
RECORDINGS_PER_STEP = 16  # per worker, after which tasks get one recording more
FULL_PAUSE_S = 0.01  # until there may be room again

Item = TypeVar("Item")
Product = TypeVar("Product")
_Products = tuple[list[Product], BaseException | None]  # those before the exception, if any


def n_cores() -> int:
    """CPU cores that this process may use: its affinity, or a container's CPU quota if smaller."""
    return max(1, math.ceil(min(available_cores(), cpu_quota())))


def map_as_finished(
    function: Callable[[Item], Product], items: Iterable[Item], n_workers: int, idle_s: float
) -> Generator[Product | None, None, None]:
    """Map a function over items in threads, and give products as soon as they are there.

    Nothing waits for an item that takes long, but the thread that works on it.

    Parameters
    ----------
    function : callable
        Called in a thread.
    items : iterable
        Drawn from, in a thread, as threads need them.
    n_workers : int
        Threads.
    idle_s : float
        Seconds without a product after which None is given.

    Yields
    ------
    object or None
        What ``function`` gives, in the order in which it does. Its exception ends it all, as does
        closing the iterator; threads end with the item that they are at, and are not waited for.
    """
    drawn = iter(items)
    drawing = Lock()
    products: SimpleQueue[tuple[list[Product], BaseException | None] | None] = SimpleQueue()
    stopped = Event()

    def work() -> None:
        try:
            while not stopped.is_set():
                # So many products at most wait for who takes them, lest they fill the memory.
                if products.qsize() > AHEAD_PER_WORKER * n_workers:
                    stopped.wait(FULL_PAUSE_S)
                    continue
                with drawing:
                    drawn_now = list(islice(drawn, 1))
                if not drawn_now:
                    break
                products.put(([function(drawn_now[0])], None))
        except BaseException as error:
            products.put(([], error))
        else:
            products.put(None)

    for i in range(n_workers):
        Thread(target=work, name=f"serctl_{i}", daemon=True).start()
    n_working = n_workers
    try:
        while n_working:
            try:
                product = products.get(timeout=idle_s)
            except Empty:
                yield None
                continue
            if product is None:
                n_working -= 1
                continue
            done, error = product
            if error is not None:
                raise error
            yield from done
    finally:
        stopped.set()


def map_in_pool(
    pool: ThreadPoolExecutor,
    function: Callable[[Item], Product],
    items: Iterable[Item],
    ahead: int,
) -> Iterator[Product]:
    """Map a function over items in the threads of a pool; yield the results in the order of items.

    Parameters
    ----------
    pool : ThreadPoolExecutor
        Which others may use at the same time.
    function : callable
        Called in a thread.
    items : iterable
        Drawn from in the thread that iterates.
    ahead : int
        Items that are in memory at most, besides those that are drawn.

    Yields
    ------
    object
        What ``function`` gives. Its exception, or that of ``items``, ends it all.
    """
    begun: deque[Future[Product]] = deque()
    try:
        for item in items:
            begun.append(pool.submit(function, item))
            if len(begun) > ahead:
                yield begun.popleft().result()
        while begun:
            yield begun.popleft().result()
    finally:
        for future in begun:
            future.cancel()


def map_in_order(
    function: Callable[[Item], Product],
    items: Iterable[Item],
    n_workers: int,
    ahead: int = AHEAD_PER_WORKER,
) -> Generator[Product, None, None]:
    """Map a function over items in threads; yield the results in the order of the items.

    Parameters
    ----------
    function : callable
        Called in a thread.
    items : iterable
        Drawn from as threads need them.
    n_workers : int
        Threads.
    ahead : int
        Items for each thread that may be begun before their turn. Their products are in memory.

    Yields
    ------
    object
        What ``function`` gives, in the order of the items. Its exception is raised in its turn. When
        the iterator is closed, items that are begun are finished first; not so when the wait for a
        product is interrupted (by an error that is not an Exception), since a recording can be long.
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
            n_next = min(n_next, ahead)
            while n_ahead + n_next > ahead * n_workers:
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
