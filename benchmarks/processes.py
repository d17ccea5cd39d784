"""Whole processes, timed."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass

KIB_PER_MIB = 1024  # the system counts in KiB


@dataclass(frozen=True)
class Time:
    """Of one process.

    Attributes
    ----------
    seconds : float
        By the clock.
    processor_seconds : float
        Of it and of its children.
    largest_mib : float
        Most memory that one of these had at once.
    output : str
        What it printed.
    """

    seconds: float
    processor_seconds: float
    largest_mib: float
    output: str


def timed(arguments: list[str], environment: Mapping[str, str] | None = None) -> Time:
    """Run this Python with arguments to its end; an error if it fails.

    Libraries that start threads of their own get one, since that is the fastest here: theirs and
    those of the processes would fight for the cores.
    """
    command = [sys.executable, *arguments]
    start = time.perf_counter()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            command,
            env=os.environ | {"OMP_NUM_THREADS": "1"} | dict(environment or {}),
            stdout=said,
            stderr=said,
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        said.seek(0)
        text = said.read().decode(errors="replace")
    if status:
        sys.exit(f"{' '.join(command)}\nfailed:\n{text[-2000:]}")
    return Time(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / KIB_PER_MIB, text)


def classify(*arguments: str, results: str) -> list[str]:
    """Arguments of `timed` for ``serctl classify``."""
    return ["-m", "serctl", "classify", *arguments, "-o", results, "--overwrite"]
