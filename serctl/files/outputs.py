"""Outputs that appear whole or not at all: written aside, and named when all is there."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from serctl.errors import ResultsError, UsageError
from serctl.files.locks import open_locked

STANDARD_OUTPUT = "-"
PARTIAL = ".partial"  # after the output's name, while it is written
LOCK = ".lock"  # after the output's name, while it is written


@contextmanager
def atomic_write(output: str) -> Iterator[str]:
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


def check_output(output: str, extensions: Sequence[str], overwrite: bool = False) -> None:
    """Refuse an output that could not be written, before any work is done.

    Parameters
    ----------
    output : str
        A path with one of ``extensions``, or ``-`` for standard output.
    extensions : sequence of str
        In lower case, with their dots.
    overwrite : bool
        Whether a file that is there may be replaced.

    Raises
    ------
    UsageError
        If the extension is not known, or if there is such a file and ``overwrite`` is false.
    ResultsError
        If the folder does not exist or cannot be written to.
    """
    if output == STANDARD_OUTPUT:
        return
    extension_of(output, extensions)
    if os.path.isdir(output):
        raise ResultsError(f"{output}: is a folder; a file is needed. Give another output.")
    if os.path.lexists(output) and not overwrite:
        raise UsageError(
            f"{output}: there is such a file already. Give another output, or --overwrite."
        )
    folder = os.path.dirname(output) or os.curdir
    if not os.path.isdir(folder):
        raise ResultsError(
            f"{output}: there is no folder {folder}. Make it, or give another output."
        )
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ResultsError(
            f"{output}: the folder {folder} cannot be written to. Give an output in one that can."
        )


def extension_of(path: str, known: Sequence[str]) -> str:
    """Extension of an output, in lower case, which says its format.

    Raises
    ------
    UsageError
        If it is not a known one.
    """
    extension = os.path.splitext(path)[1].lower()
    if extension not in known:
        raise UsageError(
            f"{path}: the extension says the format, and {extension or 'none'} is not one of "
            f"{', '.join(known)}. Name the file so."
        )
    return extension
