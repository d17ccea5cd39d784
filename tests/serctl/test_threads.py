import itertools
import os
import threading
import time

import pytest

from serctl.threads import AHEAD_PER_WORKER, map_in_order, n_cores


@pytest.mark.parametrize("n_workers", [1, 2, 8])
def test_products_come_in_the_order_of_the_items(n_workers):
    def slowest_first(i):
        time.sleep(0.02 / (1 + i % 7))
        return i * i

    assert list(map_in_order(slowest_first, range(50), n_workers)) == [i * i for i in range(50)]
    assert list(map_in_order(slowest_first, [], n_workers)) == []


@pytest.mark.parametrize("n_workers", [1, 3])
def test_no_more_items_are_drawn_than_may_be_begun(n_workers):
    drawn = itertools.count()
    products = map_in_order(lambda item: item, drawn, n_workers)
    for n_taken in range(1, 100):
        next(products)
        n_drawn = next(drawn)  # draws one itself
        assert n_drawn - (n_taken - 1) <= n_taken + AHEAD_PER_WORKER * n_workers
    products.close()


def test_an_exception_is_raised_in_its_turn():
    begun = []

    def fail_at_five(i):
        begun.append(i)
        if i == 5:
            raise ValueError("five")
        return i

    products = map_in_order(fail_at_five, range(10_000), 2)
    assert [next(products) for _ in range(5)] == [0, 1, 2, 3, 4]
    with pytest.raises(ValueError, match="five"):
        next(products)
    assert list(products) == []
    assert len(begun) <= 5 + 1 + AHEAD_PER_WORKER * 2 + 1


def test_what_is_not_begun_when_the_iterator_is_closed_never_is():
    release, begun = threading.Event(), []

    def wait(i):
        begun.append(i)
        if i:
            release.wait(10)

    products = map_in_order(wait, range(100), 2)
    next(products)
    threading.Timer(0.1, release.set).start()
    products.close()  # returns when what was begun is done
    assert release.is_set()
    n_begun = len(begun)
    assert n_begun <= 1 + 2
    time.sleep(0.05)
    assert len(begun) == n_begun
    assert not [t for t in threading.enumerate() if t.name.startswith("serctl")]


def test_what_is_begun_is_not_waited_for_when_it_is_interrupted():
    release = threading.Event()

    def wait(i):
        if i == 1:
            raise KeyboardInterrupt
        if i:
            release.wait(10)

    products = map_in_order(wait, range(4), 3)
    try:
        with pytest.raises(KeyboardInterrupt):
            list(products)
        assert [t for t in threading.enumerate() if t.name.startswith("serctl")]
    finally:
        release.set()


def test_work_is_shared_by_as_many_threads_as_asked():
    barrier = threading.Barrier(4)

    def meet(i):
        barrier.wait(10)  # passes only with four at a time
        return threading.current_thread().name

    names = set(map_in_order(meet, range(16), 4))
    assert len(names) == 4
    assert threading.current_thread().name not in names


def test_cores_are_those_that_may_be_used(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {1, 5, 6}, raising=False)
    assert n_cores() == 3
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert n_cores() == 1
