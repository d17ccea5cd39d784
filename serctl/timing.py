"""Where time goes: seconds that threads spend in each stage of classifying.

They are always counted, since it takes a microsecond a stage, and told by ``serctl classify
--profile``. Seconds are by the clock: waiting for the interpreter or for a core is in them.
"""

import threading
import time
from types import TracebackType

OPEN, DECODE, RESAMPLE, FEATURES, NETWORK = "open", "decode", "resample", "features", "network"
STAGES = (OPEN, DECODE, RESAMPLE, FEATURES, NETWORK)  # in the order of a recording's way


class _Local(threading.local):
    """Seconds by stage, of the thread that looks."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        _of_threads.append(self.seconds)


_of_threads: list[dict[str, float]] = []
_local = _Local()


class Timer:
    """Context manager whose seconds count for one stage.

    Parameters
    ----------
    name : str
        Of the stage.
    """

    __slots__ = ("_name", "_start")

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None:
        """Begin."""
        self._start = time.perf_counter()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Count, whatever came of it."""
        seconds = _local.seconds
        seconds[self._name] = seconds.get(self._name, 0.0) + time.perf_counter() - self._start


def seconds_by_stage() -> dict[str, float]:
    """Seconds by stage, in the order of `STAGES`, of all threads since this process began."""
    totals = dict.fromkeys(STAGES, 0.0)
    for seconds in _of_threads:
        for name, more in list(seconds.items()):
            totals[name] = totals.get(name, 0.0) + more
    return totals
