"""Where torch computes: the device, and the number of its threads on a CPU."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from serctl.errors import UsageError


def choose_device(name: str) -> torch.device:
    """Device of ``auto``, ``cpu``, ``cuda`` or ``mps``; UsageError if this machine has none such."""
    available = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if name == "auto":
        name = next(device for device, is_there in available.items() if is_there)
    if not available.get(name):
        there = ", ".join(device for device, is_there in available.items() if is_there)
        raise UsageError(f"device {name}: not to be had on this machine, which has {there}.")
    return torch.device(name)


@contextmanager
def one_thread() -> Iterator[None]:
    """Have torch compute on one CPU thread, in this thread and in those that are begun meanwhile.

    Results must not depend on the number of cores, and the threads of `serctl.pipeline` keep these
    busy. Where there is one thread already, nothing is touched: torch forgets what it has prepared
    whenever the number is set.
    """
    n_threads = torch.get_num_threads()
    if n_threads == 1:
        yield
        return
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(n_threads)
