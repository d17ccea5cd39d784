"""What differs between two results files of the same recordings: labels, and by how much.

Rows belong together if they have the same path and channel. Rows are in the order of the newer file;
those that only the older one has come last.
"""

import os
from collections import Counter
from dataclasses import dataclass, field

from serctl.results.reader import read_results
from serctl.results.schema import Result

NO_ROW = "no row"


@dataclass(frozen=True, slots=True)
class Change:
    """A recording whose label differs.

    Attributes
    ----------
    path : str
        Of the recording.
    channel : int or None
        If its channels were classified by themselves.
    old, new : str
        Emotion, status if there is none, or `NO_ROW`.
    old_confidence, new_confidence : float or None
        Probability of each label, in [0, 1].
    change : float or None
        How much the probability of the new label rose, in [-1, 1]; None if one of the files does not
        know it.
    """

    path: str
    channel: int | None
    old: str
    new: str
    old_confidence: float | None
    new_confidence: float | None
    change: float | None


@dataclass(slots=True)
class Comparison:
    """Difference of two results files.

    Attributes
    ----------
    old, new : str
        Paths of the files.
    n_both, n_same : int
        Rows that both have, and those of them with the same label.
    changes : list of Change
        All others.
    moved : float
        Sum of the total variation distances of the probabilities, over ``n_moved`` rows.
    n_moved : int
        Rows with probabilities in both.
    """

    old: str
    new: str
    n_both: int = 0
    n_same: int = 0
    changes: list[Change] = field(default_factory=list)
    moved: float = 0.0
    n_moved: int = 0

    @property
    def pairs(self) -> list[tuple[tuple[str, str], int]]:
        """Old and new label, and how often; the most frequent first."""
        return Counter((change.old, change.new) for change in self.changes).most_common()

    @property
    def ordered(self) -> list[Change]:
        """Changes, those whose new label gained the most probability first."""
        return sorted(self.changes, key=lambda change: -(change.change or 0.0))


def compare_results(old: str | os.PathLike[str], new: str | os.PathLike[str]) -> Comparison:
    """Compare two results files.

    Parameters
    ----------
    old, new : str or path
        As `serctl.results.reader.read_results` takes them.

    Raises
    ------
    PathError, UsageError, ResultsError
        As `serctl.results.reader.read_results`.
    """
    compared = Comparison(os.fspath(old), os.fspath(new))
    old_emotions, old_results = read_results(old)
    before = {(result.path, result.channel): result for result in old_results}
    new_emotions, new_results = read_results(new)
    for result in new_results:
        earlier = before.pop((result.path, result.channel), None)
        if earlier is None:
            change = Change(
                result.path, result.channel, NO_ROW, _label(result), None, result.confidence, None
            )
            compared.changes.append(change)
            continue
        compared.n_both += 1
        was = dict(zip(old_emotions, earlier.probabilities, strict=False))
        now = dict(zip(new_emotions, result.probabilities, strict=False))
        if was and now:
            compared.n_moved += 1
            names = {*was, *now}
            compared.moved += sum(abs(now.get(e, 0) - was.get(e, 0)) for e in names) / 2
        if _label(earlier) == _label(result):
            compared.n_same += 1
            continue
        emotion = result.emotion
        rise = now[emotion] - was[emotion] if emotion in now and emotion in was else None
        compared.changes.append(
            Change(
                result.path,
                result.channel,
                _label(earlier),
                _label(result),
                earlier.confidence,
                result.confidence,
                None if rise is None else round(rise, 6),
            )
        )
    for (path, channel), earlier in before.items():
        change = Change(path, channel, _label(earlier), NO_ROW, earlier.confidence, None, None)
        compared.changes.append(change)
    return compared


def _label(result: Result) -> str:
    return result.emotion or result.status
