"""Progress on standard error: a bar on a terminal, and a line every 10 s otherwise."""

import io
import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

PLAIN_LINE_EVERY_S = 10.0

Item = TypeVar("Item")


def progress(items: Iterable[Item], n_items: int, verb: str, unit: str) -> Iterator[Item]:
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
    """
    if sys.stderr.isatty():
        from tqdm import tqdm

        yield from tqdm(items, verb, n_items, unit=f" {unit}s", dynamic_ncols=True, leave=False)
        return
    began = last = time.monotonic()
    for n_done, item in enumerate(items, 1):
        now = time.monotonic()
        if now - last >= PLAIN_LINE_EVERY_S and n_done < n_items:
            last = now
            left_s = (now - began) / n_done * (n_items - n_done)
            _print_line(
                f"{verb}: {n_done} of {n_items} {unit}s ({n_done / n_items:.0%}), "
                f"about {left_s:.0f} s left"
            )
        yield item


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
