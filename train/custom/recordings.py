"""A user's own recordings and their labels, of any kind, checked before any is decoded.

Labels are the names of folders, or a column of a table; speakers are a column, the other level of
folders, or a part of the path. Everything that is wrong with names and numbers is an error here, with
what to do about it.
"""

import hashlib
import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from serctl.audio.scan import scan
from serctl.emotions import MAX_LABELS, as_label, in_order, is_label
from serctl.errors import LabelsError, PathError, UsageError
from serctl.text import count, printable
from serctl.train.custom.names import parse_map, similar_names
from serctl.train.evaluation.label_names import EmotionNames, unknown_names
from serctl.train.evaluation.label_table import labels_of_table
from serctl.train.evaluation.labelled import each_once
from serctl.train.evaluation.labels import Labelled, Labels
from serctl.train.evaluation.synonyms import LEFT_OUT

FOLDERS = "folders"
LEAST_RECORDINGS = 5  # of a label
MAX_SHOWN = 3


@dataclass(frozen=True)
class DataOptions:
    """Which recordings train, and what they are said to be.

    Attributes
    ----------
    data : str
        A folder, or a table of labels.
    labels : str or None
        `FOLDERS`, or a table of labels.
    pairs : tuple of str
        Of ``--map``.
    speaker_pattern : str or None
        Regular expression with a group named ``speaker``, searched in paths.
    emotions_only : bool
        Whether every label must be one of `serctl.emotions.EMOTIONS`, or be mapped, since the
        recordings are mixed with others of known emotions.
    """

    data: str
    labels: str | None = None
    pairs: tuple[str, ...] = ()
    speaker_pattern: str | None = None
    emotions_only: bool = False


@dataclass(frozen=True)
class OwnRecordings:
    """Recordings with a label each, each of them once.

    Attributes
    ----------
    source : str
        For messages.
    recordings : list of Labelled
        ``name`` is the label, ``key`` the SHA-256 of the content.
    speakers_from : str
        In words, where speakers were found; empty if there are none.
    left_out : dict
        From a reason in words to a number of recordings.
    notes : list of str
        How names were understood.
    has_others : bool
        Whether clips of other labels are learned beside these.
    """

    source: str
    recordings: list[Labelled]
    speakers_from: str
    left_out: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    has_others: bool = False

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels that there are, in the order of the model."""
        return in_order(one.name for one in self.recordings)


def read_recordings(options: DataOptions) -> OwnRecordings:
    """Find recordings and their labels, and check both.

    Raises
    ------
    UsageError, NothingFoundError
        If a path, an option or a recording is missing or unusable.
    LabelsError
        If the labels cannot be trained on: too few, too many, misspelled, or contradictory.
    """
    names = parse_map(options.pairs, options.emotions_only)
    pattern = _pattern(options.speaker_pattern)
    table = _table(options)
    if table is None:
        found, speakers_from = _labels_of_folders(options.data, names)
    else:
        paths = [options.data] if table != options.data else []
        found = labels_of_table(table, paths, names, for_training=True)
        speakers_from = f"the column speaker of {table}"
    meant = [names.emotion(one.name) for one in found.recordings]
    notes = _renamed(found.recordings, meant)
    kept = [i for i, label in enumerate(meant) if label != LEFT_OUT]
    left_out = found.left_out | {"--map leaves them out": len(meant) - len(kept)}
    recordings = [replace(found.recordings[i], name=meant[i]) for i in kept]
    unused = names.unused([one.name for one in found.recordings])
    if unused:
        raise UsageError(
            f"--map {unused[0]}=...: no label of {found.source} is so named. Labels: "
            f"{', '.join(sorted({one.name for one in found.recordings}))}."
        )
    if pattern is not None:
        recordings = _with_speakers(recordings, pattern)
        speakers_from = "--speaker-pattern"
    recordings = [replace(one, key=sha256_of(one.path)) for one in recordings]
    first = each_once(Labels(found.source, recordings), [one.name for one in recordings])
    left_out["copies, which count once"] = len(recordings) - len(first)
    own = OwnRecordings(
        found.source,
        [recordings[i] for i in first],
        speakers_from if any(one.speaker for one in recordings) else "",
        {reason: n for reason, n in left_out.items() if n},
        notes,
        options.emotions_only,
    )
    check_labels(own)
    return own


def check_labels(own: OwnRecordings) -> None:
    """Raise LabelsError unless a model can learn from these labels, and be tested on them."""
    counts = Counter(one.name for one in own.recordings)
    labels = own.labels
    found = ", ".join(f"{label} ({counts[label]})" for label in labels[:MAX_LABELS]) or "none"
    what = "Labels are the names of folders" if os.path.isdir(own.source) else "Labels are a column"
    if len(labels) < (1 if own.has_others else 2):
        raise LabelsError(
            f"{own.source}: labels found: {found}; at least two are needed to choose between. {what}."
        )
    if len(labels) > MAX_LABELS:
        raise LabelsError(
            f"{own.source}: {len(labels)} labels, and no more than {MAX_LABELS} are possible: "
            f"{found} ... {what}; are these speakers or recordings?"
        )
    for label in labels:
        if not is_label(label):
            raise LabelsError(
                f"{own.source}: the label {label!r} cannot be the name of a column. Letters, digits, "
                f"_, -, . and + are possible, 40 at most: --map '{label}=another_name'."
            )
    if alike := similar_names(counts):
        raise LabelsError(f"{own.source}: {alike}")
    few = [label for label in labels if counts[label] < LEAST_RECORDINGS]
    if few:
        shown = ", ".join(f"{label} ({counts[label]})" for label in few)
        raise LabelsError(
            f"{own.source}: too few recordings of {shown}; at least {LEAST_RECORDINGS} of each label "
            f"are needed, and 20 are better. Add some, or leave the label out: --map {few[0]}=-"
        )


def sha256_of(path: str) -> str:
    """SHA-256 of a file's content; of a file that cannot be read, its path."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:  # it will be unreadable when it is decoded
        return path


def _table(options: DataOptions) -> str | None:
    """Path of the table of labels, or None for folders."""
    data, labels = options.data, options.labels
    if data.lower().endswith(".csv"):
        if labels is not None:
            raise UsageError(f"--data {data} is a table of labels already. Remove --labels.")
        return data
    if not os.path.isdir(data):
        what = "not a folder" if os.path.exists(data) else "does not exist"
        raise PathError(f"--data {data}: {what}. Give a folder, or a table of labels (.csv).")
    if labels in (None, FOLDERS):
        return None
    if not labels.lower().endswith(".csv"):
        raise UsageError(f"--labels {labels}: use folders or the path of a .csv file.")
    return labels


def _labels_of_folders(data: str, names: EmotionNames) -> tuple[Labels, str]:
    """Recordings by folders below ``data``, and where their speakers are from.

    The label is the first folder below ``data``; or the last one, if all last ones are emotions and
    the first ones are not. If there is one other level, it is the speaker.
    """
    paths = scan([data])
    levels = [_folders_between(data, path) for path in paths]
    loose = [path for path, above in zip(paths, levels, strict=True) if not above]
    if loose:
        raise LabelsError(
            f"{data}: a folder for each label is needed, and {count(len(loose), 'recording')} "
            f"{'is' if len(loose) == 1 else 'are'} in none, such as {loose[0]}. Move them, or give a "
            "table with --labels FILE.csv."
        )
    known = EmotionNames(names.mapped)  # and not any other name
    last_are_emotions = all(known.emotion(above[-1]) for above in levels)
    is_last = last_are_emotions and not all(known.emotion(above[0]) for above in levels)
    unknown = Counter(above[-is_last] for above in levels if not names.emotion(above[-is_last]))
    if unknown:
        raise LabelsError(f"{data}: {unknown_names(unknown)}")
    has_speakers = all(len(above) == 2 for above in levels)
    labels = Labels(data, [])
    for path, above in zip(paths, levels, strict=True):
        speaker = above[0 if is_last else 1] if has_speakers else ""
        labels.recordings.append(Labelled(path, above[-is_last], path, speaker, where=path))
    level = "in" if is_last else "below the folders of labels in"
    return labels, f"the folders {level} {data}"


def _folders_between(top: str, path: str) -> list[str]:
    """Names of the folders from ``top`` down to a recording."""
    between = os.path.relpath(os.path.dirname(path), top)
    return [] if between == os.curdir else between.split(os.sep)


def _pattern(text: str | None) -> re.Pattern[str] | None:
    """Compile ``--speaker-pattern``."""
    if text is None:
        return None
    example = r"such as '(?P<speaker>[A-Z]+)_\d+'"
    try:
        pattern = re.compile(text)
    except re.error as error:
        raise UsageError(
            f"--speaker-pattern {text}: not a regular expression ({error}); one with a group named "
            f"speaker is needed, {example}."
        ) from error
    if "speaker" not in pattern.groupindex:
        raise UsageError(
            f"--speaker-pattern {text}: no group named speaker; one is needed, {example}."
        )
    return pattern


def _with_speakers(recordings: Sequence[Labelled], pattern: re.Pattern[str]) -> list[Labelled]:
    """Recordings with the speakers that their paths name."""
    matches = [pattern.search(one.path) for one in recordings]
    without = [
        one.path
        for one, match in zip(recordings, matches, strict=True)
        if match is None or not match["speaker"]
    ]
    if without:
        raise UsageError(
            f"--speaker-pattern {pattern.pattern}: finds no speaker in {len(without)} of "
            f"{len(recordings)} paths, such as {', '.join(map(printable, without[:MAX_SHOWN]))}. It "
            "is searched anywhere in the path; capital and small letters differ."
        )
    return [
        replace(one, speaker=match["speaker"])
        for one, match in zip(recordings, matches, strict=True)
        if match is not None
    ]


def _renamed(recordings: Sequence[Labelled], meant: Sequence[str]) -> list[str]:
    """Say which names count as another label."""
    counts = Counter(
        f"{one.name} as {label}"
        for one, label in zip(recordings, meant, strict=True)
        if label != LEFT_OUT and label != as_label(one.name)
    )
    if not counts:
        return []
    return [f"Counted: {', '.join(f'{what} ({n})' for what, n in counts.items())}."]
