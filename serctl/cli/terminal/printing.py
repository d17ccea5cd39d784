"""Printing once the files of a command are complete."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from serctl.errors import PrintError


@contextmanager
def after_files() -> Iterator[None]:
    """Print what is only said, so that a full disk under standard output loses no file.

    Raises
    ------
    PrintError
        If standard output takes no more.
    BrokenPipeError
        If its reader has gone.
    """
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise PrintError(
            f"standard output cannot be written ({error.strerror}). Files that the command wrote "
            "are complete."
        ) from error
