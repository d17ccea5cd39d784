import threading

import pytest

from serctl import timing
from serctl.timing import Timer, seconds_by_stage


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """A clock that goes on by a second whenever it is looked at."""
    seconds = iter(range(10_000))
    monkeypatch.setattr(timing.time, "perf_counter", lambda: next(seconds))


def test_seconds_are_added_up_over_threads_and_whatever_comes():
    before = seconds_by_stage().get("a stage", 0.0)

    def work():
        with Timer("a stage"), pytest.raises(ValueError, match="no"), Timer("another"):
            raise ValueError("no")

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
        thread.join()
    with Timer("a stage"):
        pass
    # Three of three looks each, since the other stage looks twice within, and one of one.
    assert seconds_by_stage()["a stage"] - before == 3 * 3 + 1
    assert seconds_by_stage()["another"] >= 3
    assert tuple(seconds_by_stage())[: len(timing.STAGES)] == timing.STAGES
