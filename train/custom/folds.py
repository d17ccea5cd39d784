"""Cross-validation of few recordings: what is kept together, which fold each is in, and warnings.

A figure is honest if nothing of a test recording was in training: not its speaker, or, where speakers
are not known, not its folder or the recording that it was cut from. Groups are what is kept together;
up to `MAX_FOLDS` groups are a fold each.
"""

import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from serctl.errors import LabelsError
from serctl.text import count, printable
from serctl.train.custom.recordings import OwnRecordings
from serctl.train.evaluation.labels import Labelled

MAX_FOLDS = 10
FEW_RECORDINGS = 20  # of a label
FEW_SPEAKERS = 5
DOMINATING_SHARE = 0.5  # of the recordings
DOMINATING_LABEL_SHARE = 2 / 3  # of a label's
# A number at the end of a file's name, as programs write that cut a recording into pieces.
PIECE = re.compile(
    r"(?:[ _.-]*(?:part|seg|segment|chunk|clip|piece|slice|split|window)?[ _.-]*"
    r"\(?\d[\d._-]*s?\)?)+$",
    re.IGNORECASE,
)
SPEAKER, FOLDER, RECORDING, FILE, GIVEN = "speaker", "folder", "recording", "file", "fold"


@dataclass(frozen=True)
class Folds:
    """Which recordings are tested together.

    Attributes
    ----------
    by : str
        What is kept together: a ``speaker``, ``folder``, ``recording`` or ``file``; or ``fold``, if
        the user gave the folds.
    fold_of : int64 [n]
        Fold of each recording, from 0 on.
    n_groups : int
        Number of speakers, folders and so on.
    """

    by: str
    fold_of: NDArray[np.int64]
    n_groups: int

    @property
    def n_folds(self) -> int:
        """Number of folds."""
        return int(self.fold_of.max()) + 1

    def __str__(self) -> str:
        """In words, such as ``3 folds, one speaker each``."""
        if self.by == GIVEN:
            return f"{self.n_folds} folds, as the column fold has them"
        if self.n_folds == self.n_groups:
            return f"{self.n_folds} folds, one {self.by} each"
        return f"{self.n_folds} folds of {self.n_groups} {self.by}s, each {self.by} in one of them"


def choose_folds(own: OwnRecordings) -> Folds:
    """Divide recordings into folds, by the first of speaker, folder and recording that serves.

    It serves if every label is in two groups at least, so that it can be learned and tested.

    Raises
    ------
    LabelsError
        If the user's own folds have a speaker in several.
    """
    recordings = own.recordings
    if any(one.fold for one in recordings):
        groups = _given_folds(own)
        return Folds(GIVEN, _numbered(groups), len(set(groups)))
    for by, groups in _candidates(recordings):
        if by == FILE or _serves(groups, recordings):
            by = FILE if by == RECORDING and len(set(groups)) == len(groups) else by
            return Folds(by, _folds_of(groups, recordings), len(set(groups)))
    raise AssertionError("files serve always")


def warnings_of(own: OwnRecordings, folds: Folds) -> list[str]:
    """What makes the figures of a cross-validation mean less than they seem to."""
    recordings, warnings = own.recordings, []
    counts = Counter(one.name for one in recordings)
    few = [f"{label} ({counts[label]})" for label in own.labels if counts[label] < FEW_RECORDINGS]
    if few:
        warnings.append(
            f"Fewer than {FEW_RECORDINGS} recordings of {', '.join(few)}: the figures are uncertain."
        )
    speakers = Counter(one.speaker for one in recordings if one.speaker)
    warnings += _speaker_warnings(own, folds, speakers, counts)
    base, n = Counter(_base(one.path) for one in recordings).most_common(1)[0]
    if folds.by == FILE and n > 1:
        pieces = [os.path.basename(one.path) for one in recordings if _base(one.path) == base]
        warnings.append(
            f"The names of {n} files differ only by a number ({', '.join(map(printable, pieces[:2]))}). "
            "If these are pieces of one recording, it is learned and tested, and the figures are too "
            "high: name the speaker or the recording with --speaker-pattern, or in a table."
        )
    return warnings


def _speaker_warnings(
    own: OwnRecordings, folds: Folds, speakers: Counter[str], counts: Counter[str]
) -> list[str]:
    """Warn of speakers that are not known, are few, or have most of the recordings."""
    if not speakers:
        return [
            f"Speakers are not known, and the folds are by {folds.by}: the same voice may be learned "
            "and tested, and figures for new speakers are lower. Name speakers with "
            "--speaker-pattern, or in a table."
        ]
    warnings = []
    n = len(own.recordings)
    if speakers.total() < n:
        warnings.append(
            f"{n - speakers.total()} of {n} recordings have no speaker, and may be of one that is "
            "tested."
        )
    if folds.by not in (SPEAKER, GIVEN):
        warnings.append(
            f"The folds are by {folds.by} and not by speaker, since one speaker alone has all "
            f"recordings of {', '.join(_of_one_speaker(own))}: figures for new speakers are lower."
        )
    if len(speakers) < FEW_SPEAKERS:
        warnings.append(
            f"Only {count(len(speakers), 'speaker')}: the figures are of these voices, and those of "
            "other people may be far from them."
        )
    speaker, most = speakers.most_common(1)[0]
    if most > DOMINATING_SHARE * n and len(speakers) > 1:
        warnings.append(
            f"Speaker {printable(speaker)} has {most} of {n} recordings: the model learns this voice "
            "more than others."
        )
    by_label = Counter((one.name, one.speaker) for one in own.recordings if one.speaker)
    for (label, who), most in by_label.most_common():
        if most > DOMINATING_LABEL_SHARE * counts[label] and len(speakers) > 2:
            warnings.append(
                f"Speaker {printable(who)} has {most} of {counts[label]} recordings of {label}: the "
                "model may learn the voice in place of the label."
            )
    return warnings


def _of_one_speaker(own: OwnRecordings) -> list[str]:
    """Labels all of whose recordings are of one speaker."""
    speakers: dict[str, set[str]] = {}
    for one in own.recordings:
        speakers.setdefault(one.name, set()).add(one.speaker)
    return [label for label in own.labels if len(speakers[label]) == 1]


def _given_folds(own: OwnRecordings) -> list[str]:
    """The user's folds; LabelsError if they are not whole, or share a speaker."""
    recordings = own.recordings
    without = [one for one in recordings if not one.fold]
    folds = sorted({one.fold for one in recordings if one.fold})
    if without or len(folds) < 2:
        what = f"{count(len(without), 'row')} without a fold" if without else "one fold alone"
        raise LabelsError(
            f"{own.source}: {what} in its column fold; every row needs one, and there must be two at "
            "least. Complete the column, or leave it out."
        )
    of_speaker: dict[str, set[str]] = {}
    for one in recordings:
        if one.speaker:
            of_speaker.setdefault(one.speaker, set()).add(one.fold)
    shared = {speaker: found for speaker, found in of_speaker.items() if len(found) > 1}
    if shared:
        speaker, found = next(iter(shared.items()))
        raise LabelsError(
            f"{own.source}: {len(shared)} of {len(of_speaker)} speakers are in several folds, such as "
            f"{printable(speaker)} in {', '.join(sorted(found))}, so that voices are learned and "
            "tested. Give each speaker one fold, or leave the column fold out: serctl then keeps "
            "speakers together."
        )
    return [one.fold for one in recordings]


def _candidates(recordings: Sequence[Labelled]) -> list[tuple[str, list[str]]]:
    """Groups of each kind, one name a recording, the safest first."""
    paths = [os.path.abspath(one.path) for one in recordings]
    folders = [os.path.dirname(path) for path in paths]
    bases = [_base(path) for path in paths]
    by_speaker = [one.speaker or base for one, base in zip(recordings, bases, strict=True)]
    found = [(SPEAKER, by_speaker)] if any(one.speaker for one in recordings) else []
    return [*found, (FOLDER, folders), (RECORDING, bases), (FILE, paths)]


def _base(path: str) -> str:
    """Path without its extension and the number at its end."""
    stem, _ = os.path.splitext(os.path.abspath(path))
    folder, name = os.path.split(stem)
    return os.path.join(folder, PIECE.sub("", name))


def _serves(groups: Sequence[str], recordings: Sequence[Labelled]) -> bool:
    """Whether every label is in two groups at least."""
    of_label: dict[str, set[str]] = {}
    for group, one in zip(groups, recordings, strict=True):
        of_label.setdefault(one.name, set()).add(group)
    return all(len(found) > 1 for found in of_label.values())


def _folds_of(groups: Sequence[str], recordings: Sequence[Labelled]) -> NDArray[np.int64]:
    """Fold of each recording, int64 [n]: a group's recordings in one, labels spread over all."""
    numbers = _numbered(groups)
    n_groups = int(numbers.max()) + 1
    if n_groups <= MAX_FOLDS:
        return numbers
    labels = _numbered([one.name for one in recordings])
    shares = np.zeros((n_groups, int(labels.max()) + 1))  # of a label's recordings
    np.add.at(shares, (numbers, labels), 1)
    shares /= shares.sum(axis=0)
    filled = np.zeros((MAX_FOLDS, shares.shape[1]))
    fold_of_group = np.zeros(n_groups, np.int64)
    for group in np.argsort(-shares.sum(axis=1), kind="stable"):
        # The fold that has least of what this group has; of several, the emptiest.
        fold = np.lexsort((filled.sum(axis=1), filled @ shares[group]))[0]
        filled[fold] += shares[group]
        fold_of_group[group] = fold
    return fold_of_group[numbers]


def _numbered(groups: Sequence[str]) -> NDArray[np.int64]:
    """Number of each group, in alphabetical order, int64 [n]."""
    numbers = {group: i for i, group in enumerate(sorted(set(groups)))}
    return np.array([numbers[group] for group in groups], np.int64)
