"""Progress on standard error: a bar on a terminal, a line every 10 s otherwise, or JSON for programs."""

import io
import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

PLAIN_LINE_EVERY_S = 10.0
JSON_LINE_EVERY_S = 1.0

Item = TypeVar("Item")
OnShare = Callable[[float], None]


def progress(
    items: Iterable[Item],
    n_items: int,
    verb: str,
    unit: str,
    watch: Callable[[OnShare], None] | None = None,
) -> Iterator[Item]:
    """Yield items, and show how many are done.

    Parameters
    ----------
    items : iterable
        Yielded unchanged.
    n_items : int
        Their total number.
    verb : str
        Such as ``"Classifying"``.
    unit : str
        Singular noun for an item, such as ``"recording"``.
    watch : callable, optional
        Gets a function to call while an item is waited for, with how much is done of those that are
        being worked on: 0.5 is half of one.
    """
    display: _Display
    if sys.stderr.isatty():
        display = _Bar(n_items, verb, unit)
    else:
        display = _Lines(n_items, verb, unit)
    n_done = 0
    if watch is not None:
        watch(lambda share: display.show(n_done, share))
    try:
        for item in items:
            n_done += 1
            display.show(n_done)
            yield item
    finally:
        display.close()


def progress_in_json(
    items: Iterable[Item],
    n_items: int,
    describe: Callable[[Item], tuple[str, bool]],
    watch: Callable[[OnShare], None] | None = None,
) -> Iterator[Item]:
    """Yield items, and print how many are done for a program: a JSON object a line.

    There is a line at the beginning, one at the end, and one a second in between. Its keys are
    ``done``, ``total`` and ``failed`` (numbers of items), ``rate`` (items a second), ``eta`` (seconds
    that are left; null as long as it is not known) and ``current`` (the item that was finished last).

    Parameters
    ----------
    items, n_items, watch
        As of `progress`.
    describe : callable
        From an item to its name, and whether it failed.
    """
    display = _JsonLines(n_items)
    if watch is not None:
        watch(display.show)
    for item in items:
        name, failed = describe(item)
        display.add(name, failed)
        yield item
    display.print_line()


class _Display(Protocol):
    def show(self, n_done: int, share: float = 0.0) -> None: ...

    def close(self) -> None: ...


class _Bar:
    def __init__(self, n_items: int, verb: str, unit: str) -> None:
        from tqdm import tqdm

        self._bar: tqdm[None] = tqdm(
            None, verb, n_items, unit=f" {unit}s", dynamic_ncols=True, leave=False
        )

    def show(self, n_done: int, share: float = 0.0) -> None:
        if share:
            self._bar.n = n_done + round(share, 2)  # the bar shows as many decimals as there are
            self._bar.refresh()
        else:
            self._bar.n = n_done - 1
            self._bar.update()

    def close(self) -> None:
        self._bar.close()


class _Lines:
    def __init__(self, n_items: int, verb: str, unit: str) -> None:
        self._n_items, self._verb, self._unit = n_items, verb, unit
        self._began_s = self._last_s = time.monotonic()

    def show(self, n_done: int, share: float = 0.0) -> None:
        now_s = time.monotonic()
        done = n_done + share
        if now_s - self._last_s < PLAIN_LINE_EVERY_S or not 0 < done < self._n_items:
            return
        self._last_s = now_s
        left_s = (now_s - self._began_s) / done * (self._n_items - done)
        _print_line(
            f"{self._verb}: {n_done} of {self._n_items} {self._unit}s ({done / self._n_items:.0%}), "
            f"about {left_s:.0f} s left"
        )

    def close(self) -> None:
        pass


class _JsonLines:
    def __init__(self, n_items: int) -> None:
        self._n_items, self._n_done, self._n_failed, self._name = n_items, 0, 0, ""
        self._began_s = time.monotonic()
        self._share = 0.0
        self.print_line()

    def add(self, name: str, failed: bool) -> None:
        self._n_done += 1
        self._n_failed += failed
        self._name = name
        self.show(0.0)

    def show(self, share: float) -> None:
        """Print a line if one is due; ``share`` is of the items that are being worked on."""
        self._share = share
        if time.monotonic() - self._last_s >= JSON_LINE_EVERY_S and self._n_done < self._n_items:
            self.print_line()

    def print_line(self) -> None:
        self._last_s = time.monotonic()
        passed_s = self._last_s - self._began_s
        done = self._n_done + self._share
        rate = done / passed_s if passed_s > 0 else 0.0
        eta = round((self._n_items - done) / rate, 1) if rate else None
        values = {
            "done": self._n_done,
            "total": self._n_items,
            "failed": self._n_failed,
            "rate": round(rate, 3),
            "eta": 0.0 if self._n_done == self._n_items else eta,
            "current": self._name or None,
        }
        _print_line(json.dumps(values))


def _print_line(line: str) -> None:
    """Print on standard error, as long as there is one: a terminal may go away during a run."""
    try:
        print(line, file=sys.stderr, flush=True)
    except OSError:
        sys.stderr = _Nowhere()


class _Nowhere(io.TextIOBase):
    """A stream that discards what is written."""

    def write(self, text: str, /) -> int:
        return len(text)
