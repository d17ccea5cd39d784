"""Output files that appear complete or not at all.

An output is written to ``<output>.partial`` and renamed when it is complete. A lock keeps a second
process from writing the same output. If anything fails, the partial file is removed and a file that
was there before stays as it was.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from serctl.errors import ResultsError, UsageError
from serctl.files.locks import open_locked

STANDARD_OUTPUT = "-"
PARTIAL = ".partial"  # added to the output's name while it is written
LOCK = ".lock"  # added to the output's name while it is written


@contextmanager
def atomic_write(output: str | os.PathLike[str], sync: bool = False) -> Iterator[str]:
    """Yield a path to write to, and rename it to ``output`` at the end.

    Parameters
    ----------
    output : str or path
        Path of the complete file. An existing file is replaced.
    sync : bool
        Whether the content must be on the disk before the file is renamed.

    Yields
    ------
    str
        Path of the partial file. It does not exist afterwards, whatever happens.

    Raises
    ------
    ResultsError
        If another process is writing the same output, or if the system refuses (disk full, no
        permission).
    BrokenPipeError
        If the body raises it: that is about a pipe and not about ``output``.
    """
    output = os.fspath(output)
    try:
        with replace_when_complete(output, sync) as partial:
            yield partial
    except BrokenPipeError:
        raise
    except OSError as error:
        raise ResultsError(
            f"{output}: cannot be written ({error.strerror or error}). Free some space, or choose "
            "another output."
        ) from error


@contextmanager
def replace_when_complete(output: str, sync: bool = False) -> Iterator[str]:
    """Do what `atomic_write` does, but let an OSError pass unchanged."""
    partial = output + PARTIAL
    with _exclusive(output):
        try:
            yield partial
            if sync:
                _sync(partial)
            os.replace(partial, output)
        finally:
            with suppress(OSError):
                os.unlink(partial)


def _sync(path: str) -> None:
    with open(path, "r+b") as file:  # Windows syncs only files that are open for writing
        os.fsync(file.fileno())


@contextmanager
def _exclusive(output: str) -> Iterator[None]:
    """Keep other processes from writing the same output."""
    if os.name == "nt":  # Windows cannot remove an open file
        yield
        return
    # Not a lock on the output itself: on some network file systems a lock blocks writes through
    # another descriptor.
    path = output + LOCK
    try:
        lock = open_locked(path)
    except BlockingIOError as error:
        raise ResultsError(
            f"{output}: is being written by another run. Wait until it ends, or choose another "
            "output."
        ) from error
    try:
        yield
    finally:
        with suppress(OSError):
            os.unlink(path)
        os.close(lock)


def check_output(
    output: str | os.PathLike[str], extensions: Sequence[str], overwrite: bool = False
) -> None:
    """Check that an output can be written, before any work is done.

    Parameters
    ----------
    output : str or path
        A path with one of ``extensions``, or ``-`` for standard output.
    extensions : sequence of str
        In lower case, with their dots.
    overwrite : bool
        Whether an existing file may be replaced.

    Raises
    ------
    UsageError
        If the extension is unknown, or if the file exists and ``overwrite`` is false.
    ResultsError
        If the folder does not exist or is not writable.
    """
    output = os.fspath(output)
    if output == STANDARD_OUTPUT:
        return
    extension_of(output, extensions)
    if os.path.isdir(output):
        raise ResultsError(f"{output}: is a folder; a file is needed. Choose another output.")
    if os.path.lexists(output) and not overwrite:
        raise UsageError(f"{output}: exists already. Choose another output, or use --overwrite.")
    folder = os.path.dirname(output) or os.curdir
    if not os.path.isdir(folder):
        raise ResultsError(
            f"{output}: the folder {folder} does not exist. Create it, or choose another output."
        )
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ResultsError(
            f"{output}: the folder {folder} is not writable. Choose an output in another folder."
        )


def extension_of(path: str | os.PathLike[str], known: Sequence[str]) -> str:
    """Extension of a path, in lower case; it selects the format.

    Raises
    ------
    UsageError
        If it is not one of ``known``.
    """
    path = os.fspath(path)
    extension = os.path.splitext(path)[1].lower()
    if extension not in known:
        raise UsageError(
            f"{path}: the file extension selects the format, and {extension or 'none'} is not one of "
            f"{', '.join(known)}. Rename the file."
        )
    return extension
