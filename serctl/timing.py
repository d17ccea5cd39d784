"""Time that threads spend in each stage of classifying.

It is always measured, which costs a microsecond per stage; ``serctl classify --profile`` prints it.
It is wall-clock time, and includes waiting for the interpreter or for a core.
"""

import threading
import time
from types import TracebackType

OPEN, DECODE, RESAMPLE, SPEECH = "open", "decode", "resample", "speech"
FEATURES, NETWORK, SMOOTHING = "features", "network", "smoothing"
STAGES = (
    OPEN,
    DECODE,
    RESAMPLE,
    SPEECH,
    FEATURES,
    NETWORK,
    SMOOTHING,
)  # in the order in which a recording passes them


class _Local(threading.local):
    """Seconds by stage, of the current thread."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        _of_threads.append(self.seconds)


_of_threads: list[dict[str, float]] = []
_local = _Local()


class Timer:
    """Context manager that adds its duration to one stage.

    Parameters
    ----------
    name : str
        Name of the stage.
    """

    __slots__ = ("_name", "_start")

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None:
        """Start."""
        self._start = time.perf_counter()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Add the seconds, with or without an error."""
        seconds = _local.seconds
        seconds[self._name] = seconds.get(self._name, 0.0) + time.perf_counter() - self._start


def seconds_by_stage() -> dict[str, float]:
    """Seconds by stage, in the order of `STAGES`, of all threads since the process started."""
    totals = dict.fromkeys(STAGES, 0.0)
    for seconds in _of_threads:
        for name, more in list(seconds.items()):
            totals[name] = totals.get(name, 0.0) + more
    return totals


def reset_seconds() -> None:
    """Forget what was measured so far, as in a process that was forked."""
    for seconds in _of_threads:
        seconds.clear()
