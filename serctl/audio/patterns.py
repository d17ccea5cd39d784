"""Which recordings to take: patterns of names, and lists of files.

Whatever names the system allows can be matched and listed: bytes that are not UTF-8 are kept, as
Python keeps them. Nothing is opened or looked up here.
"""

import fnmatch
import functools
import itertools
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from serctl.errors import UsageError


@dataclass(frozen=True)
class Selection:
    """Which of the recordings below the arguments are taken.

    Attributes
    ----------
    include, exclude : sequence of str
        Patterns as of a shell, in which ``*`` stands for anything, ``/`` among it, and case counts.
        One without a ``/`` is compared with names, one with a ``/`` with the path below the
        argument. Recordings that no pattern of ``include`` matches are left out, if there are any
        patterns; recordings and whole folders that one of ``exclude`` matches are left out. A
        pattern that ends with ``/`` is compared, without it, with folders alone, and stands for all
        that is below them.
    follow_links : bool
        Whether links to folders are followed.
    all_files : bool
        Whether files are taken that a folder holds and that are hidden, or not audio by their name
        and their first bytes.
    """

    include: Sequence[str] = ()
    exclude: Sequence[str] = ()
    follow_links: bool = False
    all_files: bool = False

    def takes_file(self, below: str) -> bool:
        """Whether the recording at this path below the argument is taken."""
        below = _with_slashes(below)
        if _matches(below, _of_files(self.exclude)):
            return False
        if not self.include or _matches(below, _of_files(self.include)):
            return True
        folders = itertools.accumulate(below.split("/")[:-1], "{}/{}".format)
        return any(_matches(folder, _of_folders(self.include)) for folder in folders)

    def enters(self, below: str) -> bool:
        """Whether the folder at this path below the argument is walked."""
        below = _with_slashes(below)
        either = [*_of_files(self.exclude), *_of_folders(self.exclude)]
        return not _matches(below, either)


def _with_slashes(path: str) -> str:
    """Path or pattern with ``/`` between its parts, also where the system has backslashes."""
    return path.replace(os.sep, "/") if os.sep != "/" else path


def _of_files(patterns: Sequence[str]) -> list[str]:
    return [pattern for pattern in map(_with_slashes, patterns) if not pattern.endswith("/")]


def _of_folders(patterns: Sequence[str]) -> list[str]:
    patterns = list(map(_with_slashes, patterns))
    return [pattern.rstrip("/") for pattern in patterns if pattern.endswith("/")]


def read_list(content: bytes, separator: bytes = b"\n") -> list[str]:
    """Paths of a list of files, for `scan`.

    Parameters
    ----------
    content : bytes
        Of the list, in the encoding of the file names, or in UTF-16 with a byte order mark.
    separator : bytes
        What ends each path: a line feed, and then a carriage return before it is no part of the
        path, nor is a byte order mark; or a zero byte, and then paths may hold anything.

    Raises
    ------
    UsageError
        If a path holds a zero byte, which none can.
    """
    if separator == b"\n":
        if content[:2] in (b"\xff\xfe", b"\xfe\xff"):  # as Windows saves "Unicode"
            try:
                content = os.fsencode(content.decode("utf-16"))
            except UnicodeError as error:
                raise UsageError(
                    f"the list of files: begins as UTF-16 and is not ({error}). Save it as UTF-8."
                ) from error
        content = content.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n")
    names = content.split(separator)
    for number, name in enumerate(names, 1):
        if b"\0" in name:
            raise UsageError(
                f"the list of files: line {number} holds a zero byte, which no path can. Give -0 "
                "if the paths in it end with zero bytes."
            )
    return [os.fsdecode(name) for name in names if name]


def _matches(below: str, patterns: Sequence[str]) -> bool:
    name = below.rpartition("/")[2]
    return any(_compiled(pattern)(below if "/" in pattern else name) for pattern in patterns)


@functools.cache
def _compiled(pattern: str) -> Callable[[str], object]:
    return re.compile(fnmatch.translate(pattern)).match
