"""Which recordings are left, and how many each worker is sent ahead.

A worker reads one recording after another and is sent the next ones before it asks for them, so that
it never waits for the parent: as many as it finishes between two looks of the parent, but none behind
a large file. What waits for a worker that ended, or that is held up by a long recording, goes to
another one (work stealing).

A recording with which a worker ends is tried once more, alone in a worker; a second time is a crash.
"""

from collections import deque
from collections.abc import Sequence

from serctl.engine.workers.process import Worker

AHEAD_BYTES = 8 << 20
MOST_AHEAD = 64
AHEAD_SEVERAL = 1024  # of a worker that reads several at a time, so that its batches are full
HELD_UP_S = 1.0  # so long at one recording, and others take what waits behind it


class RecordingQueue:
    """Recordings of one scan, most of which no worker has yet.

    Parameters
    ----------
    left : sequence of int
        Places of those to be read.
    n_recordings : int
        Of the scan.
    n_early : int, optional
        How many may be begun before an earlier one has its row; no limit by default.

    Attributes
    ----------
    n_left : int
        Recordings without a row.
    """

    def __init__(self, left: Sequence[int], n_recordings: int, n_early: int | None = None) -> None:
        self.n_left = len(left)
        self._left = left
        self._n_early = n_early
        self._n_taken = 0  # of `left`
        self._n_in_order = 0  # of `left`, from its start: those that have their row
        self._returned: deque[int] = deque()
        self._suspects: deque[int] = deque()
        self._has_ended_one: set[int] = set()
        self._is_done = bytearray(n_recordings)

    def is_done(self, place: int) -> bool:
        """Whether a recording has its row."""
        return bool(self._is_done[place])

    def finish(self, place: int) -> bool:
        """Note that a recording has its row; False if it had one before."""
        if self._is_done[place]:
            return False
        self._is_done[place] = 1
        self.n_left -= 1
        return True

    def give_back(self, places: Sequence[int]) -> None:
        """Have others read these, which a worker does not get to."""
        self._returned.extend(place for place in places if not self._is_done[place])

    def suspect(self, place: int) -> bool:
        """Note that a worker ended with a recording; whether that is for the second time."""
        if place in self._has_ended_one:
            return True
        self._has_ended_one.add(place)
        self._suspects.append(place)
        return False

    def next_for(self, worker: Worker) -> int | None:
        """A recording for a worker; None if it has enough, or there is none for it now."""
        tasks = worker.tasks
        if not tasks and self._suspects:
            return self._suspects.popleft()
        if worker.reads_several:
            most = AHEAD_SEVERAL
        elif self._n_early is not None:
            most = 1
        else:
            most = min(2 * worker.n_rows + 2, MOST_AHEAD)
            if sum(tasks.values()) >= AHEAD_BYTES:
                return None
        if len(tasks) >= most or not self._has_ended_one.isdisjoint(tasks):
            return None
        while self._returned:
            place = self._returned.popleft()
            if not self._is_done[place]:
                return place
        return self._next()

    def steal_from(self, workers: Sequence[Worker], now_s: float) -> None:
        """Take back what waits behind a recording that takes a worker longer than `HELD_UP_S`."""
        if self._n_early is not None:
            return  # none waits
        for worker in workers:
            first, *behind = worker.tasks or (0,)
            begun_s = worker.begun_s.get(first, now_s)
            if behind and not worker.is_stolen_from and not worker.reads_several:
                if now_s - begun_s > HELD_UP_S:
                    worker.is_stolen_from = True
                    self.give_back(behind)

    def _next(self) -> int | None:
        left = self._left
        while self._n_in_order < self._n_taken and self._is_done[left[self._n_in_order]]:
            self._n_in_order += 1
        early = self._n_taken - self._n_in_order
        if self._n_taken == len(left) or (self._n_early is not None and early >= self._n_early):
            return None
        self._n_taken += 1
        return left[self._n_taken - 1]
