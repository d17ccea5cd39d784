"""Folders that a command fills with files: each is one command's at a time."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from serctl.errors import ResultsError
from serctl.files.outputs import lock_outputs


@contextmanager
def lock_folder(folder: str | os.PathLike[str], *names: str) -> Iterator[None]:
    """Make a folder, and keep all other commands from filling it meanwhile.

    The lock is ``<folder>/.lock``. A folder that was made here and is still empty at the end is
    removed again.

    Parameters
    ----------
    folder : str or path
        It is made if it is not there, with its parents.
    *names : str
        Files in it that other commands may name as their output: these are locked too.

    Raises
    ------
    ResultsError
        If it cannot be made or written to, or if another command has it.
    """
    path = Path(folder)
    made = [parent for parent in (path, *path.parents) if not parent.exists()]
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ResultsError(
            f"{path}: the folder cannot be made ({error.strerror}). Choose another folder."
        ) from error
    try:
        # An empty name: the folder itself.
        with lock_outputs(*(os.path.join(path, name) for name in ("", *names))):
            yield
    finally:
        with suppress(OSError):  # it has files, as it should
            for parent in made:
                parent.rmdir()
