"""Output files that appear complete or not at all.

An output is written to a new file beside it, ``<output>.<random>.partial``, and renamed when it is
complete. The lock ``<output>.lock`` keeps a second command, whichever it is, from writing the same
output. If anything fails, the partial file is removed and a file that was there before stays as it
was; what a killed run left is removed by the next one to that output. Links are not followed: a link
that is an output is replaced.
"""

import os
import re
import secrets
import stat
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress

from serctl.errors import ResultsError, UsageError
from serctl.files.locks import open_locked, refuse_irregular
from serctl.system import CAN_REMOVE_OPEN_FILES, NO_FOLLOW

STANDARD_OUTPUT = "-"
# Added to the output's name while it is written; before the first two, a random number.
PARTIAL = ".partial"
FOLDER = ".frames"
LOCK = ".lock"
TOKEN_BYTES = 4


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
    real = _real_path(output)
    if real in _written:
        raise _in_use(output)
    with lock_output(output):
        _check_replaceable(output)
        partial = _create_private(output)
        _written.add(real)
        try:
            yield partial
            if sync:
                _sync(partial)
            os.replace(partial, output)
        finally:
            _written.discard(real)
            with suppress(OSError):
                os.unlink(partial)


def _create_private(output: str) -> str:
    """Create an empty file beside an output, under a name that nobody can foresee; its path."""
    while True:
        partial = f"{output}.{secrets.token_hex(TOKEN_BYTES)}{PARTIAL}"
        with suppress(FileExistsError):
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | NO_FOLLOW
            os.close(os.open(partial, flags, 0o666))
            return partial


@contextmanager
def private_folder(output: str) -> Iterator[str]:
    """Yield a new folder beside an output that only this user can read; its files go with it."""
    path = f"{output}.{secrets.token_hex(TOKEN_BYTES)}{FOLDER}"
    os.mkdir(path, 0o700)
    try:
        yield path
    finally:
        _remove_folder(path)


def _remove_folder(path: str) -> None:
    """Remove a folder and the files in it; folders and links in it are nothing of ours."""
    with suppress(OSError):
        for entry in list(os.scandir(path)):
            if entry.is_file(follow_symlinks=False):
                os.unlink(entry.path)
        os.rmdir(path)


def _sync(path: str) -> None:
    with open(path, "r+b") as file:  # Windows syncs only files that are open for writing
        os.fsync(file.fileno())


# Real paths of outputs. A command locks its output from its beginning, and what writes it locks it
# again; only one may write it at a time.
_locked: set[str] = set()
_written: set[str] = set()


def _real_path(output: str) -> str:
    folder, name = os.path.split(output)
    return os.path.join(os.path.realpath(folder or os.curdir), name)


def _in_use(output: str) -> ResultsError:
    return ResultsError(
        f"{output}: another run is writing to it. Wait until it ends, or choose another output."
    )


@contextmanager
def lock_output(output: str | os.PathLike[str]) -> Iterator[None]:
    """Keep all other commands from writing the same output, and remove what killed ones left.

    It may be nested. A path that ends with a separator is a folder. Where there are no locks, as on
    some network file systems, there is none.

    Raises
    ------
    ResultsError
        If another command has it, or if something else than a file has the lock's name.
    """
    output = os.fspath(output)
    folder, name = os.path.split(output)
    real = _real_path(output)
    if real in _locked or output == STANDARD_OUTPUT or not CAN_REMOVE_OPEN_FILES:
        yield
        return
    # Not a lock on the output itself: on some network file systems a lock blocks writes through
    # another descriptor.
    path = output + LOCK
    try:
        lock = open_locked(path)
    except BlockingIOError as error:
        raise _in_use(output) from error
    except OSError as error:
        raise ResultsError(
            f"{output}: cannot be written ({error.strerror}: {path}). Choose another output."
        ) from error
    _locked.add(real)
    try:
        _remove_leftovers(folder or os.curdir, name)
        yield
    finally:
        _locked.discard(real)
        with suppress(OSError):
            os.unlink(path)
        os.close(lock)


@contextmanager
def lock_outputs(*outputs: str | os.PathLike[str] | None) -> Iterator[None]:
    """Do what `lock_output` does for several outputs; None is none."""
    with ExitStack() as stack:
        for output in outputs:
            if output is not None:
                stack.enter_context(lock_output(output))
        yield


def _remove_leftovers(folder: str, name: str) -> None:
    """Remove partial files and folders of killed runs to the output of this name."""
    token = f"[0-9a-f]{{{2 * TOKEN_BYTES}}}"
    left = re.compile(rf"{re.escape(name)}\.{token}({re.escape(PARTIAL)}|{re.escape(FOLDER)})")
    with suppress(OSError):
        for entry in list(os.scandir(folder)):
            if (found := left.fullmatch(entry.name)) is None:
                continue
            if found[1] == PARTIAL and entry.is_file(follow_symlinks=False):
                os.unlink(entry.path)
            elif found[1] == FOLDER and entry.is_dir(follow_symlinks=False):
                _remove_folder(entry.path)


def _check_replaceable(output: str) -> None:
    """Refuse to replace what is neither a file nor a link: it would be gone."""
    with suppress(FileNotFoundError):
        mode = os.lstat(output).st_mode
        if not stat.S_ISREG(mode) and not stat.S_ISLNK(mode):
            refuse_irregular(mode)


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
    try:
        _check_replaceable(output)
    except OSError as error:
        raise ResultsError(f"{output}: {error.strerror}, or choose another output.") from error
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
