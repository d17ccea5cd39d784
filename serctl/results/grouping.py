"""What recordings are grouped by: emotion, folder, status, a column, or a part of the path; counts.

A pattern with a named group finds a part of the path: ``calls/(?P<agent>[^/]+)/`` groups
``calls/ann/1.wav`` and ``calls/ann/2.wav`` by the agent ``ann``. Recordings without the column, or
whose path does not match, are one group without a name.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from serctl.errors import UsageError
from serctl.results.schema import Result

BUILT_IN = ("emotion", "folder", "status")
# Columns of serctl with few values; of the others, each recording has its own.
GROUPABLE = ("reason", "sample_rate_hz", "channels", "windows", "channel", "voice")
# Other columns of a table of groups.
TAKEN = (*BUILT_IN, "n", "n_channels", "share", "mean_confidence", "duration_s", "most_frequent")
EXAMPLE = "'calls/(?P<agent>[^/]+)/'"


@dataclass(slots=True)
class Tally:
    """Counts of one group.

    Attributes
    ----------
    n : int
        Recordings, or rows.
    n_rows : int
        Rows: a recording may have one for each channel.
    duration_s : float
        Of what ``n`` counts.
    speech_s : float
        Of all rows.
    n_labelled : int
        Rows with an emotion.
    confidence : float
        Sum over these.
    emotions : Counter of str
        Of these.
    """

    n: int = 0
    n_rows: int = 0
    duration_s: float = 0.0
    speech_s: float = 0.0
    n_labelled: int = 0
    confidence: float = 0.0
    emotions: Counter[str] = field(default_factory=Counter)
    # How often a row of a recording was counted, and of a channel of it: by hash, since there may be
    # millions. The same recording in two results files is two.
    _seen: dict[int, int] = field(default_factory=dict)

    def add(self, result: Result, once: bool = False) -> None:
        """Add a row; with ``once``, recordings are counted, and their other channels are not."""
        self.n_rows += 1
        if not once or self._is_first(result):
            self.n += 1
            self.duration_s += result.duration_s or 0.0
        self.speech_s += result.speech_s or 0.0
        if result.status == "ok":
            self.n_labelled += 1
            self.confidence += result.confidence or 0.0
            self.emotions[result.emotion] += 1

    def merge(self, other: "Tally") -> None:
        """Add all that another tally has counted."""
        self.n += other.n
        self.n_rows += other.n_rows
        self.duration_s += other.duration_s
        self.speech_s += other.speech_s
        self.n_labelled += other.n_labelled
        self.confidence += other.confidence
        self.emotions.update(other.emotions)

    @property
    def mean_confidence(self) -> float | None:
        """Mean over the rows with an emotion; None if there are none."""
        return round(self.confidence / self.n_labelled, 6) if self.n_labelled else None

    def _is_first(self, result: Result) -> bool:
        """Whether no other channel of the same recording has been counted."""
        if result.channel is None:
            return True
        recording, channel = hash(result.path), hash((result.path, result.channel))
        self._seen[channel] = self._seen.get(channel, 0) + 1
        if self._seen[channel] <= self._seen.get(recording, 0):
            return False
        self._seen[recording] = self._seen[channel]
        return True


@dataclass(frozen=True, slots=True)
class Grouping:
    """Something that recordings are grouped by.

    Attributes
    ----------
    name : str
        Of the column, or of the pattern's group.
    group_of : callable
        Group of a result; empty if it has none.
    """

    name: str
    group_of: Callable[[Result], str]


def parse_grouping(by: str | None, names: Sequence[str]) -> Grouping | None:
    """Grouping by a column or a pattern.

    Parameters
    ----------
    by : str or None
        Name of a column, or a regular expression with one named group; None, or one of `BUILT_IN`,
        gives None.
    names : sequence of str
        Columns of the results files.

    Raises
    ------
    UsageError
        If it is neither.
    """
    if by is None or by in BUILT_IN:
        return None
    if "(?P<" in by:
        return _by_pattern(by)
    if by in GROUPABLE:
        return Grouping(by, lambda result: _text(getattr(result, by)))
    known = {"path", "status", "emotion", "confidence", "duration_s", "speech_s"}
    added = [name for name in dict.fromkeys(names) if not name.startswith("p_")]
    added = [name for name in added if name and name not in known.union(TAKEN)]
    if by not in added:
        raise UsageError(
            f"--by {by}: {', '.join((*BUILT_IN, *added))} or a pattern with a named group is needed, "
            f"such as {EXAMPLE}."
        )
    return Grouping(by, lambda result: _text(dict(result.extra).get(by)))


def _by_pattern(by: str) -> Grouping:
    try:
        pattern = re.compile(by)
    except re.error as error:
        raise UsageError(
            f"--by {by}: not a regular expression ({error}). Give one such as {EXAMPLE}."
        ) from error
    if len(pattern.groupindex) != 1 or set(pattern.groupindex) & set(TAKEN):
        raise UsageError(
            f"--by {by}: has the named groups {', '.join(pattern.groupindex)}; one is needed, with "
            f"another name than {', '.join(TAKEN)}, such as {EXAMPLE}."
        )
    (name,) = pattern.groupindex

    def group_of(result: Result) -> str:
        found = pattern.search(result.path)
        return (found[name] or "") if found else ""

    return Grouping(name, group_of)


def _text(cell: object) -> str:
    return "" if cell is None else str(cell)
