"""Directories, files and globs to recordings, in one stable order.

Arguments come in the order given; below a directory, names are in the order of their code points,
whatever the locale and the file system. A path is the argument as typed joined with the path below
it: ``./recordings`` gives ``./recordings/a.wav``. The same path comes once, however it is typed.

Below a directory only audio extensions count, in any case, and what is hidden (``.name``, macOS's
``._name`` among them) is passed over. Formats that libsndfile cannot decode count too: they become
``unreadable`` rows that say how to convert them, which is better than to miss them in silence. A
file named as an argument is always taken. Links to files are followed, links to folders are not.

Nothing is opened here. A folder that cannot be listed stops the scan, before any work is done.
"""

import glob
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

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


@dataclass(slots=True)
class _PassedOver:
    """What was seen and not taken, for the message when nothing was."""

    n_hidden: int = 0
    n_folder_links: int = 0
    extensions: Counter[str] = field(default_factory=Counter)


def scan(paths: Sequence[str | os.PathLike[str]]) -> list[str]:
    """Find the recordings that ``paths`` name, in one stable order.

    Parameters
    ----------
    paths : sequence of str or path
        Files, directories, and globs that the shell did not expand (``"calls/*.wav"``, with ``**``
        for any depth), which are expanded as a shell would.

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
        If a folder cannot be listed.
    """
    arguments = [os.fsdecode(path) for path in paths]
    passed_over = _PassedOver()
    # By real folder and name, so that `calls` and `./calls` are one, and two links to one file two.
    found: dict[str, str] = {}
    for top in [top for argument in arguments for top in _expand(argument)]:
        if os.path.isdir(top):
            real_top = os.path.realpath(top)
            for below in _walk(top, passed_over):
                found.setdefault(os.path.join(real_top, below), os.path.join(top, below))
        else:
            folder, name = os.path.split(top)
            found.setdefault(os.path.join(os.path.realpath(folder), name), top)
    if not found:
        raise NothingFoundError(_nothing_found(arguments, passed_over))
    return list(found.values())


def _expand(argument: str) -> list[str]:
    """Give the path itself, or what it matches as a glob."""
    if os.path.exists(argument):
        return [argument]
    if GLOB_CHARACTERS.isdisjoint(argument):
        found = "is a link that leads nowhere" if os.path.islink(argument) else "does not exist"
        raise PathError(
            f"{argument or repr(argument)}: {found}; a folder or a file was expected. "
            f"Check the path; it was looked for from {os.getcwd()}."
        )
    matches = sorted(glob.glob(argument, recursive=True))
    if not matches:
        raise PathError(
            f"{argument}: does not exist, and matches nothing as a pattern either. "
            f"Check the path; it was looked for from {os.getcwd()}."
        )
    return matches


def _walk(top: str, passed_over: _PassedOver) -> Iterator[str]:
    """Paths of the recordings below ``top``, relative to it, depth first with names sorted."""
    # A stack, since folders may be nested deeper than Python recurses. Last in is first out.
    pending = _list(top, "", passed_over)
    while pending:
        below, is_folder = pending.pop()
        if is_folder:
            pending.extend(_list(top, below, passed_over))
        else:
            yield below


def _list(top: str, below: str, passed_over: _PassedOver) -> list[tuple[str, bool]]:
    """List recordings and folders in one folder, last name first: path below top, is a folder."""
    folder = os.path.join(top, below) if below else top
    try:
        with os.scandir(folder) as listing:
            entries = sorted(listing, key=lambda entry: entry.name, reverse=True)
    except OSError as error:
        raise RunError(
            f"{folder}: this folder cannot be listed ({error.strerror}). Make it readable, or name "
            "the folders beside it instead."
        ) from error
    taken = []
    for entry in entries:
        extension = os.path.splitext(entry.name)[1].lower()
        if entry.name.startswith("."):
            passed_over.n_hidden += 1
        elif entry.is_dir(follow_symlinks=False):
            taken.append((os.path.join(below, entry.name), True))
        elif entry.is_dir():
            passed_over.n_folder_links += 1
        elif extension in AUDIO_EXTENSIONS and (entry.is_file() or _leads_nowhere(entry)):
            taken.append((os.path.join(below, entry.name), False))
        else:
            passed_over.extensions[extension] += 1
    return taken


def _leads_nowhere(entry: os.DirEntry[str]) -> bool:
    return entry.is_symlink() and not os.path.exists(entry.path)


def _nothing_found(arguments: Sequence[str], passed_over: _PassedOver) -> str:
    """Say what was looked for, what was there instead, and what to do."""
    n_files = passed_over.extensions.total()
    if n_files:
        kinds = [
            extension or "no extension" for extension, _ in passed_over.extensions.most_common(5)
        ]
        more = ", ..." if len(passed_over.extensions) > len(kinds) else ""
        there = (
            f"{_count(n_files, 'file')}, none with an audio extension ({', '.join(kinds)}{more})"
        )
    else:
        there = "no files"
    if passed_over.n_hidden:
        there += f"; {_count(passed_over.n_hidden, 'hidden entry', 'hidden entries')} passed over"
    if passed_over.n_folder_links:
        there += f"; {_count(passed_over.n_folder_links, 'link')} to folders, not followed"
    return (
        f"{', '.join(arguments) or 'no path given'}: no recordings found: {there}. Looked, at any "
        f"depth, for .wav, .flac, .ogg, .mp3, .aiff and {len(AUDIO_EXTENSIONS) - 5} other audio "
        "extensions. Name the folder that holds the recordings, or name files of other extensions "
        "themselves: a file that is named is always tried."
    )


def _count(n: int, one: str, many: str = "") -> str:
    return f"{n} {one if n == 1 else many or one + 's'}"
