import itertools
import os
import threading
import time

import pytest

from serctl import system
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
    assert not [t for t in threading.enumerate() if t.name.startswith("serctl_")]


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


@pytest.mark.parametrize("ahead", [1, 3])
def test_how_many_are_begun_ahead_can_be_less(ahead):
    drawn = itertools.count()
    products = map_in_order(lambda item: item, drawn, 2, ahead)
    for n_taken in range(1, 200):
        next(products)
        n_drawn = next(drawn)  # draws one itself
        assert n_drawn - (n_taken - 1) <= n_taken + ahead * 2
    products.close()


@pytest.mark.parametrize(
    ("limits", "n_expected"),
    [
        ({"": "max 100000"}, 8),
        ({"": "200000 100000"}, 2),  # as within a container
        ({"a/b": "150000 100000"}, 2),
        ({"a": "50000 100000", "a/b": "max 100000"}, 1),  # that of a group above holds too
        ({"a/b": "3200000 100000"}, 8),
        ({"a/b": "nonsense"}, 8),
        ({}, 8),
    ],
)
def test_a_quota_of_cpu_time_counts_as_so_many_cores(monkeypatch, tmp_path, limits, n_expected):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    (tmp_path / "own").write_text("1:name=systemd:/\n0::/a/b\n")
    (tmp_path / "a/b").mkdir(parents=True)
    for group, limit in limits.items():
        (tmp_path / group / "cpu.max").write_text(limit + "\n")
    monkeypatch.setattr(system, "OWN_CGROUP", str(tmp_path / "own"))
    monkeypatch.setattr(system, "CGROUPS", str(tmp_path))
    assert n_cores() == n_expected
    monkeypatch.setattr(system, "OWN_CGROUP", str(tmp_path / "gone"))
    assert n_cores() == 8


def test_cores_are_those_that_may_be_used(monkeypatch):
    monkeypatch.setattr(system, "OWN_CGROUP", "/nowhere")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {1, 5, 6}, raising=False)
    assert n_cores() == 3
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert n_cores() == 1
