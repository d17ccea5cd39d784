"""What recordings are grouped by: emotion, folder, status, a column, or a part of the path.

A pattern with a named group finds a part of the path: ``calls/(?P<agent>[^/]+)/`` groups
``calls/ann/1.wav`` and ``calls/ann/2.wav`` by the agent ``ann``. Recordings without the column, or
whose path does not match, are one group without a name.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from serctl.errors import UsageError
from serctl.results.schema import Result

BUILT_IN = ("emotion", "folder", "status")
# Columns of serctl with few values; of the others, each recording has its own.
GROUPABLE = ("reason", "sample_rate_hz", "channels", "windows", "channel", "voice")
# Other columns of a table of groups.
TAKEN = (*BUILT_IN, "n", "share", "mean_confidence", "duration_s", "most_frequent")
EXAMPLE = "'calls/(?P<agent>[^/]+)/'"


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
