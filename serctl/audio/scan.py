"""Directories, files and globs to recordings, in one stable order.

Arguments come in the order given; below a directory, names are in the order of their code points,
whatever the locale and the file system. A path is the argument as typed joined with the path below
it: ``./recordings`` gives ``./recordings/a.wav``. The same path comes once, however it is typed.
Names are bytes to the system, and any will do: what is not UTF-8 is kept, as Python keeps it.

Below a directory only audio extensions count, in any case, and what is hidden (``.name``, macOS's
``._name`` among them) is passed over, and so are named pipes, sockets and devices. Formats that
libsndfile cannot decode count too: they become ``unreadable`` rows that say how to convert them,
which is better than to miss them in silence. A file named as an argument is always taken. Links to
files are followed; links to folders are if asked for, and then a folder is walked once, however
many links lead to it, so that none goes round.

Nothing is opened here. A folder that cannot be listed stops the scan, before any work is done,
unless the caller takes such errors and goes on.
"""

import enum
import glob
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from serctl.audio.patterns import Selection
from serctl.errors import NothingFoundError, PathError, RunError

# What libsndfile 1.2 decodes and recordings come as. It knows more (.mat, .raw, ...), whose
# extensions say nothing about audio.
DECODABLE_EXTENSIONS = frozenset(
    ".wav .wave .bwf .rf64 .w64 .flac .ogg .oga .opus .mp3 .mp2 .aif .aiff .aifc .au .snd .caf "
    ".voc .sph .nist .avr .paf .svx .8svx".split()
)
# What phones, dictaphones, meeting software and players write, and libsndfile cannot read.
UNDECODABLE_EXTENSIONS = frozenset(
    ".m4a .m4b .m4r .aac .mp4 .mov .mkv .mka .webm .weba .3gp .3g2 .wma .asf .amr .awb .ac3 .eac3 "
    ".dts .ape .wv .tta .mpc .spx .ra .rm .dss .ds2 .dsf .dff .gsm .qcp .shn".split()
)
AUDIO_EXTENSIONS = DECODABLE_EXTENSIONS | UNDECODABLE_EXTENSIONS

GLOB_CHARACTERS = frozenset("*?[")
N_NAMED = 5  # of the arguments, in a message


EVERYTHING = Selection()


@dataclass(slots=True)
class _Skipped:
    """What was seen and not taken, for the message when nothing was."""

    n_hidden: int = 0
    n_folder_links: int = 0
    n_not_selected: int = 0
    extensions: Counter[str] = field(default_factory=Counter)
    unlisted: list[RunError] = field(default_factory=list)


def _raise(error: RunError) -> None:
    raise error


def scan(
    paths: Sequence[str | os.PathLike[str]],
    selection: Selection = EVERYTHING,
    on_unlisted: Callable[[RunError], None] = _raise,
    listed: Sequence[str] = (),
) -> list[str]:
    """Find the recordings that ``paths`` name, in one stable order.

    Parameters
    ----------
    paths : sequence of str or path
        Files, directories, and globs that the shell did not expand (``"calls/*.wav"``, with ``**``
        for any depth), which are expanded as a shell would.
    selection : Selection
        Which of them are taken.
    on_unlisted : function
        Called with the error of each folder that cannot be listed; raises it by default. If it
        returns, the scan goes on without the folder.
    listed : sequence of str
        Further paths, after the others, which are no globs, and need not exist: one that does not
        is among the recordings, for the decoder to say so.

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
    skipped = _Skipped()
    # By real folder and name, so that `calls` and `./calls` are one, and two links to one file two.
    found: dict[str, str] = {}
    real_folders: dict[str, str] = {}  # a list of files names few folders many times
    for top in [*(top for argument in arguments for top in _expand(argument)), *listed]:
        if os.path.isdir(top):
            n_unlisted = len(skipped.unlisted)
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


def _expand(argument: str) -> list[str]:
    """Give the path itself, or what it matches as a glob."""
    if os.path.exists(argument):
        return [argument]
    matches = []
    if not GLOB_CHARACTERS.isdisjoint(argument):
        matches = sorted(glob.glob(argument, recursive=True))
        found = "does not exist, and matches nothing as a pattern either"
    elif os.path.islink(argument):
        found = "is a link that leads nowhere"
    else:
        found = "does not exist, or may not be reached"
    if not matches:
        raise PathError(
            f"{argument or repr(argument)}: {found}; a folder or a file was expected. "
            f"Check the path; it was looked for from {os.getcwd()}."
        )
    return matches


def _walk(top: str, selection: Selection, skipped: _Skipped) -> Iterator[tuple[str, str]]:
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
    top: str, below: str, real: str, selection: Selection, skipped: _Skipped
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
        extension = os.path.splitext(name)[1].lower()
        kind = _kind(entry)
        if name.startswith("."):
            skipped.n_hidden += 1
        elif kind is _Kind.FOLDER_LINK and not selection.follow_links:
            skipped.n_folder_links += 1
        elif kind in (_Kind.FOLDER, _Kind.FOLDER_LINK):
            if kind is _Kind.FOLDER_LINK:
                entry_real = os.path.realpath(entry.path)
            if selection.enters(entry_below):
                taken.append((entry_below, entry_real, True))
            else:
                skipped.n_not_selected += 1
        elif kind is _Kind.OTHER or extension not in AUDIO_EXTENSIONS:
            skipped.extensions[extension] += 1
        elif selection.takes_file(entry_below):
            taken.append((entry_below, entry_real, False))
        else:
            skipped.n_not_selected += 1
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


def _nothing_found(arguments: Sequence[str], skipped: _Skipped) -> str:
    """Say what was looked for, what was there instead, and what to do."""
    named = [*arguments[:N_NAMED], "..."] if len(arguments) > N_NAMED else arguments
    n_files = skipped.extensions.total()
    if n_files:
        kinds = [extension or "no extension" for extension, _ in skipped.extensions.most_common(5)]
        more = ", ..." if len(skipped.extensions) > len(kinds) else ""
        there = (
            f"{_count(n_files, 'file')}, none with an audio extension ({', '.join(kinds)}{more})"
        )
    else:
        there = "no files"
    if skipped.n_hidden:
        there += f"; {_count(skipped.n_hidden, 'hidden entry', 'hidden entries')} passed over"
    if skipped.n_folder_links:
        there += f"; {_count(skipped.n_folder_links, 'link')} to folders, not followed"
    if skipped.n_not_selected:
        there += f"; {skipped.n_not_selected} left out by --include or --exclude"
    if skipped.unlisted:
        there += f". {skipped.unlisted[0]}"
        if (n_more := len(skipped.unlisted) - 1) > 0:
            there += f" And {_count(n_more, 'more such folder')}."
    return (
        f"{', '.join(named) or 'no path given'}: no recordings found: {there}. Looked, at any "
        f"depth, for .wav, .flac, .ogg, .mp3, .aiff and {len(AUDIO_EXTENSIONS) - 5} other audio "
        "extensions. Name the folder that holds the recordings, or name files of other extensions "
        "themselves: a file that is named is always tried."
    )


def _count(n: int, one: str, many: str = "") -> str:
    return f"{n} {one if n == 1 else many or one + 's'}"
