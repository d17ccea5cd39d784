"""Directories, files and globs to recordings, in one stable order.

Arguments come in the order given; below a directory, names are in the order of their code points,
whatever the locale and the file system. A path is the argument as typed joined with the path below
it: ``./recordings`` gives ``./recordings/a.wav``. The same path comes once, however it is typed.
Names are bytes to the system, and any will do: what is not UTF-8 is kept, as Python keeps it.

Below a directory, files with an audio extension are taken, in any case, and others whose first bytes
are those of a recording. Hidden files (``.name``, macOS's ``._name`` among them), placeholders of
clouds, partial downloads, named pipes, sockets and devices are skipped, and counted in `Skipped`. A
file named as an argument is always taken. Links to files are followed; links to folders are if asked
for, and then a folder is walked once, however many links lead to it, so that none goes round.

Folders of objects, ``s3://bucket/calls``, are walked in the same way, by `serctl.audio.finding.objects`.

A folder that cannot be listed stops the scan, before any work is done, unless the caller takes such
errors and goes on.
"""

import enum
import glob
import os
from collections.abc import Callable, Iterator, Sequence

from serctl.audio.finding.objects import find_objects
from serctl.audio.finding.skipped import Skipped
from serctl.audio.formats import names
from serctl.audio.patterns import Selection
from serctl.errors import NothingFoundError, PathError, RunError
from serctl.files.objects import address_of, check_pyarrow, is_remote
from serctl.text import count

GLOB_CHARACTERS = frozenset("*?[")
N_NAMED = 5  # of the arguments, in a message


EVERYTHING = Selection()


def _raise(error: RunError) -> None:
    raise error


def scan(
    paths: Sequence[str | os.PathLike[str]],
    selection: Selection = EVERYTHING,
    on_unlisted: Callable[[RunError], None] = _raise,
    listed: Sequence[str] = (),
    skipped: Skipped | None = None,
) -> list[str]:
    """Find the recordings that ``paths`` name, in one stable order.

    Parameters
    ----------
    paths : sequence of str or path
        Files, directories, and globs that the shell did not expand (``"calls/*.wav"``, with ``**``
        for any depth), which are expanded as a shell would. Addresses of objects are no globs.
    selection : Selection
        Which of them are taken.
    on_unlisted : function
        Called with the error of each folder that cannot be listed; raises it by default. If it
        returns, the scan goes on without the folder.
    listed : sequence of str
        Further paths, after the others, which are no globs, and need not exist: one that does not
        is among the recordings, for the decoder to say so.
    skipped : Skipped, optional
        Filled with what the folders hold and is not taken.

    Returns
    -------
    list of str
        At least one path, no path twice. A link that leads nowhere is among them if its extension
        is an audio one: it is for the decoder to say so.

    Raises
    ------
    PathError
        If a path does not exist, or a glob matches nothing.
    NothingFoundError
        If there are no recordings.
    RunError
        If a folder cannot be listed, and ``on_unlisted`` raises it.
    """
    arguments = [os.fsdecode(path) for path in paths]
    skipped = Skipped() if skipped is None else skipped
    # By real folder and name, so that `calls` and `./calls` are one, and two links to one file two.
    found: dict[str, str] = {}
    real_folders: dict[str, str] = {}  # a list of files names few folders many times
    _check_remote([*arguments, *listed])
    for top in [*(top for argument in arguments for top in _expand(argument)), *listed]:
        if is_remote(top) or os.path.isdir(top):
            n_unlisted = len(skipped.unlisted)
            if is_remote(top):
                objects = find_objects(top, top in arguments, selection, skipped)
                found.update((path, path) for path in objects)
            else:
                for below, real in _walk(top, selection, skipped):
                    found.setdefault(real, os.path.join(top, below))
            for error in skipped.unlisted[n_unlisted:]:
                on_unlisted(error)
            continue
        folder, name = os.path.split(top)
        if selection.takes_file(name):
            if folder not in real_folders:
                real_folders[folder] = os.path.realpath(folder)
            found.setdefault(os.path.join(real_folders[folder], name), top)
        else:
            skipped.n_not_selected += 1
    if not found:
        raise NothingFoundError(_nothing_found([*arguments, *listed], skipped))
    return list(found.values())


def check_paths(paths: Sequence[str | os.PathLike[str]]) -> None:
    """Raise the PathError of `scan` for paths that do not exist, without listing any folder.

    Of remote paths only the form is checked, and UsageError raised: no connection is opened.
    """
    arguments = [os.fsdecode(path) for path in paths]
    _check_remote(arguments)
    for argument in arguments:
        if is_remote(argument) or os.path.exists(argument):
            continue
        if next(_matches(argument), None) is None:
            raise _not_there(argument)


def _check_remote(paths: Sequence[str]) -> None:
    """Refuse addresses that cannot be used, before any connection is opened."""
    if remote := list(filter(is_remote, paths)):
        for path in remote:
            address_of(path)
        check_pyarrow(remote[0])


def _expand(argument: str) -> list[str]:
    """Give the path itself, or what it matches as a glob."""
    found = (
        [argument]
        if is_remote(argument) or os.path.exists(argument)
        else sorted(_matches(argument))
    )
    if not found:
        raise _not_there(argument)
    return found


def _matches(argument: str) -> Iterator[str]:
    if not GLOB_CHARACTERS.isdisjoint(argument):
        yield from glob.iglob(argument, recursive=True)


def _not_there(argument: str) -> PathError:
    if not GLOB_CHARACTERS.isdisjoint(argument):
        found = "does not exist, and matches nothing as a pattern either"
    elif os.path.islink(argument):
        found = "is a link that leads nowhere"
    else:
        found = "does not exist, or may not be reached"
    return PathError(
        f"{argument or repr(argument)}: {found}; a folder or a file was expected. "
        f"Check the path; it was looked for from {os.getcwd()}."
    )


def _walk(top: str, selection: Selection, skipped: Skipped) -> Iterator[tuple[str, str]]:
    """Recordings below ``top``, depth first with names sorted: path below it, real path."""
    # A stack, since folders may be nested deeper than Python recurses. Last in is first out.
    pending = [("", os.path.realpath(top), True)]
    walked: set[str] = set()
    while pending:
        below, real, is_folder = pending.pop()
        if not is_folder:
            yield below, real
        elif real not in walked:
            if selection.follow_links:  # without, there is one way to each folder
                walked.add(real)
            pending.extend(_list(top, below, real, selection, skipped))


def _list(
    top: str, below: str, real: str, selection: Selection, skipped: Skipped
) -> list[tuple[str, str, bool]]:
    """List recordings and folders in one, last name first: path below, real path, is a folder."""
    folder = os.path.join(top, below) if below else top
    try:
        with os.scandir(folder) as listing:
            entries = sorted(listing, key=lambda entry: entry.name, reverse=True)
    except OSError as error:
        skipped.unlisted.append(_unlisted(folder, error))
        return []
    taken = []
    for entry in entries:
        name = entry.name
        entry_below, entry_real = os.path.join(below, name), os.path.join(real, name)
        kind = _kind(entry)
        if kind is not _Kind.FILE and name.startswith("."):
            skipped.add(entry.path, names.HIDDEN)
        elif kind is _Kind.FOLDER_LINK and not selection.follow_links:
            skipped.n_folder_links += 1
        elif kind in (_Kind.FOLDER, _Kind.FOLDER_LINK):
            if kind is _Kind.FOLDER_LINK:
                entry_real = os.path.realpath(entry.path)
            if selection.enters(entry_below):
                taken.append((entry_below, entry_real, True))
            else:
                skipped.n_not_selected += 1
        elif kind is _Kind.OTHER:
            skipped.add(entry.path, names.SPECIAL)
        elif not selection.takes_file(entry_below):
            skipped.n_not_selected += 1
        elif (reason := names.reason_to_skip(name)) and not (
            selection.all_files or (reason == names.NOT_AUDIO and names.begins_as_audio(entry.path))
        ):
            skipped.add(entry.path, reason)
        else:
            taken.append((entry_below, entry_real, False))
    return taken


class _Kind(enum.Enum):
    FOLDER = enum.auto()
    FOLDER_LINK = enum.auto()
    FILE = enum.auto()
    OTHER = enum.auto()


def _kind(entry: os.DirEntry[str]) -> _Kind:
    try:
        if entry.is_dir(follow_symlinks=False):
            return _Kind.FOLDER
        if entry.is_dir():
            return _Kind.FOLDER_LINK
        return _Kind.FILE if entry.is_file() or _leads_nowhere(entry) else _Kind.OTHER
    except OSError:  # a link to itself, or one that leads where we may not look
        return _Kind.FILE


def _leads_nowhere(entry: os.DirEntry[str]) -> bool:
    return entry.is_symlink() and not os.path.exists(entry.path)


def _unlisted(folder: str, error: OSError) -> RunError:
    return RunError(
        f"{folder}: this folder cannot be listed ({error.strerror}). Make it readable, or name "
        "the folders beside it instead."
    )


def _nothing_found(arguments: Sequence[str], skipped: Skipped) -> str:
    """Say what was looked for, what was there instead, and what to do."""
    named = [*arguments[:N_NAMED], "..."] if len(arguments) > N_NAMED else arguments
    there = str(skipped) or "no files"
    if skipped.n_not_selected:
        there += f"; {skipped.n_not_selected} left out by --include or --exclude"
    if skipped.unlisted:
        there += f". {skipped.unlisted[0]}"
        if (n_more := len(skipped.unlisted) - 1) > 0:
            there += f" And {count(n_more, 'more such folder')}."
    n_more = len(names.AUDIO_EXTENSIONS) - 5
    return (
        f"{', '.join(named) or 'no path given'}: no recordings found: {there.rstrip('.')}. Looked, "
        f"at any depth, for .wav, .flac, .ogg, .mp3, .aiff and {n_more} other audio extensions. Name "
        "the folder that holds the recordings, or name files of other extensions themselves: a file "
        "that is named is always tried."
    )
