from types import SimpleNamespace

from serctl.engine.workers.queue import (
    AHEAD_BYTES,
    AHEAD_SEVERAL,
    HELD_UP_S,
    MOST_AHEAD,
    RecordingQueue,
)


def worker(n_rows=0, reads_several=False):
    return SimpleNamespace(
        tasks={}, begun_s={}, n_rows=n_rows, reads_several=reads_several, is_stolen_from=False
    )


def hand_out(queue, worker, n_bytes=1):
    """Hand out what a worker takes; the places."""
    taken = []
    while (place := queue.next_for(worker)) is not None:
        worker.tasks[place] = n_bytes
        taken.append(place)
    return taken


def finish(queue, worker, place):
    assert queue.finish(place)
    worker.tasks.pop(place)


def test_a_worker_gets_as_many_ahead_as_it_finishes_at_a_time():
    queue = RecordingQueue(range(500), 500)
    assert hand_out(queue, worker()) == [0, 1]
    assert hand_out(queue, worker(n_rows=5)) == list(range(2, 14))
    assert len(hand_out(queue, worker(n_rows=200))) == MOST_AHEAD
    assert queue.n_left == 500


def test_none_waits_behind_a_large_file():
    queue = RecordingQueue(range(9), 9)
    assert hand_out(queue, worker(n_rows=5), AHEAD_BYTES) == [0]
    assert hand_out(queue, worker(n_rows=5), AHEAD_BYTES // 2) == [1, 2]


def test_a_worker_that_reads_several_gets_enough_for_full_batches():
    queue = RecordingQueue(range(9999), 9999)
    assert len(hand_out(queue, worker(reads_several=True), AHEAD_BYTES)) == AHEAD_SEVERAL


def test_few_are_begun_before_their_turn_where_arrays_wait():
    queue = RecordingQueue([3, 5, 7, 9, 11], 12, n_early=2)
    one, other, third = worker(9), worker(9), worker(9)
    assert hand_out(queue, one) == [3]
    assert hand_out(queue, other) == [5]
    assert hand_out(queue, third) == []
    finish(queue, other, 5)
    assert hand_out(queue, other) == []  # 3 has no row, and its turn is first
    finish(queue, one, 3)
    assert hand_out(queue, other) == [7]


def test_a_suspect_is_tried_once_more_and_alone():
    queue = RecordingQueue(range(4), 4)
    first, second = worker(), worker(9)
    assert hand_out(queue, first) == [0, 1]
    assert not queue.suspect(0)
    queue.give_back([1])
    assert hand_out(queue, second) == [0]  # nothing behind it
    assert queue.suspect(0)
    assert hand_out(queue, worker(9)) == [1, 2, 3]


def test_what_waits_behind_a_long_recording_goes_to_others():
    queue = RecordingQueue(range(4), 4)
    held_up, idle = worker(9), worker(9)
    assert hand_out(queue, held_up) == [0, 1, 2, 3]
    held_up.begun_s[0] = 10.0
    queue.steal_from([held_up, idle], 10.0 + HELD_UP_S)
    assert hand_out(queue, idle) == []
    queue.steal_from([held_up, idle], 10.1 + HELD_UP_S)
    queue.steal_from([held_up, idle], 10.1 + HELD_UP_S)
    assert hand_out(queue, idle) == [1, 2, 3]  # once
    finish(queue, idle, 2)
    assert not queue.finish(2)  # the row of the other comes too late
    assert queue.n_left == 3


def test_only_what_is_left_comes_back():
    queue = RecordingQueue([2, 4], 5)
    one = worker()
    assert hand_out(queue, one) == [2, 4]
    finish(queue, one, 2)
    queue.give_back([2, 4])
    assert hand_out(queue, worker()) == [4]
    assert (queue.is_done(2), queue.is_done(4)) == (True, False)
