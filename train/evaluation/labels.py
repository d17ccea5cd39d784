"""Labels: what recordings are said to be, by their names, by their folders, or by a table.

Every source gives the same: recordings, each with the name of its emotion as found, its speaker and
corpus where they are known, and a key that is the same for copies of one recording. What a source
cannot use it counts, with the reason in words.
"""

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from serctl.audio.scan import scan
from serctl.errors import CorporaError, LabelsError
from serctl.train.corpora.clip_names import ClipName, read_jl_name
from serctl.train.corpora.manifest import parse_clip_name
from serctl.train.corpora.public_names import TITLES, read_public_name
from serctl.train.evaluation.label_names import EmotionNames, unknown_names

MAX_NAMED = 5  # paths in a message
Label = tuple[str, str, str]  # emotion, speaker and corpus; empty where they are not known
Finder = Callable[[Sequence[str]], list[str]]  # from paths to recordings, as `scan`

NO_CLIP_NAME = "not named like a clip of a corpus that serctl knows"
CORPORA = ("CREMA-D", "RAVDESS", "SAVEE", "TESS", "JL-Corpus", *TITLES)


@dataclass(frozen=True, slots=True)
class Labelled:
    """One recording and what it is said to be.

    Attributes
    ----------
    path : str
        Of the recording.
    name : str
        Of its emotion, as found.
    key : str
        The same for copies of one recording.
    speaker, corpus : str
        Empty where they are not known.
    where : str
        What to look at if the label is wrong.
    fold : str
        Of a cross-validation; empty where it is not known.
    """

    path: str
    name: str
    key: str
    speaker: str = ""
    corpus: str = ""
    where: str = ""
    fold: str = ""


@dataclass
class Labels:
    """Recordings of one source.

    Attributes
    ----------
    source : str
        For messages: the table, or the paths.
    recordings : list of Labelled
        In the order of the source.
    left_out : dict
        From a reason in words to the number of recordings that are left out for it.
    warnings : list of str
        What makes the figures mean less than they seem to.
    """

    source: str
    recordings: list[Labelled]
    left_out: dict[str, int] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


def labels_of_names(paths: Sequence[str], find: Finder = scan) -> Labels:
    """Clips of `CORPORA` among recordings, by their file names.

    Parameters
    ----------
    paths : sequence of str
        Recordings and folders, as `serctl.audio.scan.scan` takes them.
    find : callable
        Finds the recordings.

    Raises
    ------
    UsageError, NothingFoundError
        If a path does not exist, or there is no recording.
    CorporaError
        If none has the name of a clip.
    """
    labels = Labels(_source(paths), [])
    found = find(paths)
    for path in found:
        name = _read_name(path)
        if name is not None:
            # Some corpora have one name for clips of several speakers.
            whose = name.speaker or os.path.realpath(path)
            key = f"{name.corpus}/{whose}/{name.clip}"
            labels.recordings.append(Labelled(path, name.emotion, key, name.speaker, name.corpus))
    if not labels.recordings:
        raise CorporaError(
            f"{labels.source}: {len(found)} recordings, such as {found[0]}, none with the name "
            f"of a clip of {', '.join(CORPORA)}. Labels are read from such names; for others, give "
            "--labels folders or --labels FILE.csv."
        )
    labels.left_out[NO_CLIP_NAME] = len(found) - len(labels.recordings)
    return labels


def labels_of_folders(paths: Sequence[str], names: EmotionNames, find: Finder = scan) -> Labels:
    """Recordings labelled by the nearest folder above them that is named after an emotion.

    The folders looked at are those below a path, and the path itself.

    Parameters
    ----------
    paths : sequence of str
        Recordings and folders, as `serctl.audio.scan.scan` takes them.
    names : EmotionNames
        What folders may be named.
    find : callable
        Finds the recordings.

    Raises
    ------
    UsageError, NothingFoundError
        If a path does not exist, or there is no recording.
    LabelsError
        If a recording is below no folder of such a name.
    """
    labels = Labels(_source(paths), [])
    tops = [os.path.abspath(path) for path in paths if os.path.isdir(path)]
    unknown: Counter[str] = Counter()
    alike: dict[tuple[str, str, int], list[Labelled]] = {}
    for path in find(paths):
        above = _folders_above(path, tops)
        name = next((one for one in above if names.emotion(one)), "")
        if name:
            one = Labelled(path, name, os.path.realpath(path), where=path)
            labels.recordings.append(one)
            alike.setdefault((name, os.path.basename(path), _size(path)), []).append(one)
        else:
            unknown[above[0]] += 1
    if unknown:
        raise LabelsError(
            f"{labels.source}: a folder for each emotion is needed. Recordings are in folders "
            f"named {unknown_names(unknown)}"
        )
    # Downloads come unpacked twice: what has name, label and bytes of another is a copy of it.
    keys = {one.key: key for group in alike.values() for one, key in _identical(group)}
    labels.recordings = [replace(one, key=keys[one.key]) for one in labels.recordings]
    return labels


def name_label(path: str) -> Label:
    """Emotion, speaker and corpus that the name of a recording says; empty if it says nothing."""
    name = _read_name(path)
    return ("", "", "") if name is None else (name.emotion, name.speaker, name.corpus)


def folder_label(path: str, paths: Sequence[str]) -> Label:
    """Name of the nearest folder that is named after an emotion, or else of the nearest folder.

    Parameters
    ----------
    path : str
        Of the recording.
    paths : sequence of str
        What was named; no folder above is looked at.

    Returns
    -------
    tuple of str
        The name as it is, and no speaker and no corpus.
    """
    above = _folders_above(path, [os.path.abspath(one) for one in paths if os.path.isdir(one)])
    names = EmotionNames()
    return next((one for one in above if names.emotion(one)), above[0]), "", ""


def label_by_table(labels: Labels) -> Callable[[str], Label]:
    """Give the labels of a table by the path of a recording; empty for others.

    Raises
    ------
    LabelsError
        If a recording has two labels.
    """
    found: dict[str, Labelled] = {}
    for one in labels.recordings:
        before = found.setdefault(one.key, one)
        if before.name != one.name:
            raise LabelsError(
                f"{labels.source}: {one.path} is {before.name} ({before.where}) and {one.name} "
                f"({one.where}). Keep the label that is right."
            )

    def label(path: str) -> Label:
        one = found.get(os.path.realpath(path))
        return ("", "", "") if one is None else (one.name, one.speaker, one.corpus)

    return label


def _read_name(path: str) -> ClipName | None:
    # The absolute path, since a folder that was named may itself be the one of SAVEE's speaker.
    whole = os.path.abspath(path)
    return parse_clip_name(whole) or read_jl_name(whole) or read_public_name(whole)


def _folders_above(path: str, tops: Sequence[str]) -> list[str]:
    """Names of the folders above a recording, the nearest first, up to the one that was named."""
    folder = os.path.dirname(os.path.abspath(path))
    top = max((top for top in tops if _is_below(folder, top)), key=len, default=folder)
    below = [] if folder == top else os.path.relpath(folder, top).split(os.sep)
    return [*reversed(below), os.path.basename(top)]


def _source(paths: Sequence[str]) -> str:
    return ", ".join(paths if len(paths) <= MAX_NAMED else [*paths[:MAX_NAMED], "..."])


def _is_below(folder: str, top: str) -> bool:
    return folder == top or folder.startswith(top.rstrip(os.sep) + os.sep)


def _size(path: str) -> int:
    """Size in bytes, or -1 of what cannot be asked, such as a broken link."""
    try:
        return os.path.getsize(path)
    except OSError:
        return -1


def _identical(group: list[Labelled]) -> list[tuple[Labelled, str]]:
    """Give recordings of one name and size their keys: the same for the same content."""
    if len(group) == 1:
        return [(group[0], group[0].key)]
    first: dict[str, str] = {}
    return [(one, first.setdefault(_digest(one), one.key)) for one in group]


def _digest(one: Labelled) -> str:
    try:
        with open(one.path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:  # it will be unreadable when it is classified
        return one.key
