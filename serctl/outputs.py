"""Outputs that appear whole or not at all: written aside, and named when all is there."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from serctl.errors import ResultsError
from serctl.locks import open_locked
from serctl.schema import PARTIAL

LOCK = ".lock"  # after the output's name, while it is written


@contextmanager
def written_whole(output: str) -> Iterator[str]:
    """Give the path to write to in place of ``output``, and rename it in the end.

    Parameters
    ----------
    output : str
        Path that the file gets when all is written; one that is there is replaced.

    Yields
    ------
    str
        Path beside it, which is gone afterwards whatever happened.

    Raises
    ------
    ResultsError
        If another process is writing the same, or if the system refuses (disk full, not writable).
    """
    partial = output + PARTIAL
    try:
        with _alone(output):
            try:
                yield partial
                os.replace(partial, output)
            finally:
                with suppress(OSError):
                    os.unlink(partial)
    except OSError as error:
        raise ResultsError(
            f"{output}: cannot be written ({error.strerror or error}). Make room, or give another "
            "output."
        ) from error


@contextmanager
def _alone(output: str) -> Iterator[None]:
    """Keep other processes from writing the same meanwhile."""
    if os.name == "nt":  # where a file that is open cannot be removed
        yield
        return
    # Not the file that is written: on some network file systems a lock keeps out all that is
    # written through another descriptor.
    path = output + LOCK
    try:
        lock = open_locked(path)
    except BlockingIOError as error:
        raise ResultsError(
            f"{output}: is being written by another run. Wait for it, or give another output."
        ) from error
    try:
        yield
    finally:
        with suppress(OSError):
            os.unlink(path)
        os.close(lock)
