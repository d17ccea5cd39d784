"""Outputs that appear whole or not at all: written aside, and named when all is there."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from serctl.errors import ResultsError
from serctl.schema import PARTIAL


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
        If the system refuses (disk full, not writable).
    """
    partial = output + PARTIAL
    try:
        yield partial
        os.replace(partial, output)
    except OSError as error:
        raise ResultsError(
            f"{output}: cannot be written ({error.strerror or error}). Make room, or give another "
            "output."
        ) from error
    finally:
        with suppress(OSError):
            os.unlink(partial)
