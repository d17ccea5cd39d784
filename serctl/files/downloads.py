"""Local copies of objects: what reads a recording reads a file, and never from the network.

An object is downloaded whole to a temporary file, which is removed after use. Its bytes are counted,
since a connection may break off without an error. What is transient is tried again, after a longer
pause each time; what is not, or does not pass, raises DownloadError.
"""

import hashlib
import io
import os
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

from serctl.errors import DownloadError
from serctl.files.objects import Known, address_of, error_of, file_system, is_remote, look_up_now
from serctl.files.stamps import HASH_CHARACTERS

BLOCK_BYTES = 1 << 22  # each is one request, which takes some 20 ms before its first byte
PAUSES_S = (1.0, 2.0, 4.0)  # between attempts, give or take a half
LONGEST_EXTENSION = 10


class LocalFile(NamedTuple):
    """File with a recording.

    Attributes
    ----------
    path : str
        Of the file.
    known : Known or None
        Of the object that it is a copy of; None if the recording is no object.
    content : str
        As `serctl.files.stamps.content_hash`; empty if the recording is no object.
    """

    path: str
    known: Known | None = None
    content: str = ""


def _nothing() -> None:
    pass


@contextmanager
def local_file(
    path: str, folder: str | None = None, name: str = "0", on_block: Callable[[], None] = _nothing
) -> Iterator[LocalFile]:
    """File of a recording: itself, or a copy of an object until the context ends.

    Parameters
    ----------
    path : str
        Of the recording.
    folder : str, optional
        For the copy; it is made if it is not there, and stays. A temporary one by default.
    name : str
        Of the copy, without extension.
    on_block : callable
        Called for each block that has come, and while this waits; what it raises ends it.

    Raises
    ------
    DownloadError
        If an object cannot be downloaded.
    """
    if not is_remote(path):
        yield LocalFile(path)
    elif folder is None:
        with tempfile.TemporaryDirectory(prefix="serctl-") as temporary:
            with local_file(path, temporary, name, on_block) as file:
                yield file
    else:
        copy = os.path.join(folder, name + _extension(path))
        try:
            _make_folder(folder, path)
            known, content = _download(path, copy, on_block)
            yield LocalFile(copy, known, content)
        finally:
            with suppress(OSError):
                os.unlink(copy)


def folder_for(token: str) -> str:
    """Folder for the copies of a run, which is known by a token that nobody can guess."""
    return os.path.join(tempfile.gettempdir(), f"serctl-{token}")


def _extension(path: str) -> str:
    """Extension of a key, if it is a plain one: streams without a header are known by it."""
    extension = os.path.splitext(path)[1]
    is_plain = extension[1:].isalnum() and extension.isascii()
    return extension if is_plain and len(extension) <= LONGEST_EXTENSION else ""


def _make_folder(folder: str, path: str) -> None:
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
    except OSError as error:
        raise _not_stored(error, os.path.join(folder, ""), path) from error


def _download(path: str, copy: str, on_block: Callable[[], None]) -> tuple[Known, str]:
    for pause_s in PAUSES_S:
        try:
            return _download_once(path, copy, on_block)
        except DownloadError as error:
            if not error.is_transient:
                raise
        until_s = time.monotonic() + pause_s * random.uniform(0.5, 1.5)
        while (left_s := until_s - time.monotonic()) > 0:
            on_block()
            time.sleep(min(left_s, 0.5))
    try:
        return _download_once(path, copy, on_block)
    except DownloadError as error:
        if not error.is_transient:
            raise
        raise DownloadError(
            f"{error.reason} Tried {len(PAUSES_S) + 1} times. Try again with --retry-failed.", path
        ) from None


def _download_once(path: str, copy: str, on_block: Callable[[], None]) -> tuple[Known, str]:
    _, known = look_up_now(path)
    if known is None:
        raise error_of(FileNotFoundError(), path)
    digest = hashlib.sha256()
    n_bytes = n_blocks = 0
    with _opened(copy, path) as file:
        for block in _blocks(path):
            _write(block, file, path)
            digest.update(block)
            n_bytes += len(block)
            n_blocks += 1
            on_block()
    if n_bytes != known.size:
        raise DownloadError(
            f"The download broke off after {n_bytes} of {known.size} bytes.", path, True
        )
    # Each block is of the object as it was then.
    if n_blocks > 1 and look_up_now(path)[1] != known:
        raise DownloadError("The object was replaced while it was downloaded.", path, True)
    return known, digest.hexdigest()[:HASH_CHARACTERS]


def _blocks(path: str) -> Iterator[bytes]:
    """Content of an object; DownloadError if it cannot be read."""
    address = address_of(path)
    try:
        # Without None, what is called .gz would be unpacked.
        with file_system(address.store, address.bucket).open_input_stream(
            address.inside, compression=None
        ) as stream:
            while block := stream.read(BLOCK_BYTES):
                yield block
    except (OSError, ValueError) as error:
        raise error_of(error, path) from None


def _opened(copy: str, path: str) -> io.FileIO:
    try:
        return io.FileIO(copy, "wb")  # without a buffer, so that an error is that of its block
    except OSError as error:
        raise _not_stored(error, copy, path) from error


def _write(block: bytes, file: io.FileIO, path: str) -> None:
    left = memoryview(block)
    try:
        while left:
            left = left[file.write(left) :]
    except OSError as error:
        raise _not_stored(error, str(file.name), path) from error


def _not_stored(error: OSError, copy: str, path: str) -> DownloadError:
    return DownloadError(
        f"The download cannot be stored in {os.path.dirname(copy)} ({error.strerror}). Free some "
        "space, or set TMPDIR to another folder.",
        path,
    )
