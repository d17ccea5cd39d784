"""Names of a user's own labels: any name is one, and two spellings of one are found.

Names that differ in case or blanks are the same label. The name of an emotion counts as it does for
`serctl.train.evaluation.label_names` (anger is angry), so that a model which knows emotions can start
from what it knows. `--map` goes before.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from serctl.emotions import as_label, is_label
from serctl.errors import UsageError
from serctl.text import printable
from serctl.train.evaluation.label_names import EmotionNames
from serctl.train.evaluation.synonyms import LEFT_OUT

LEAST_LETTERS = 4  # shorter words may well differ in one


@dataclass(frozen=True)
class LabelNames(EmotionNames):
    """Which label a name stands for; any name stands for one."""

    def emotion(self, name: str) -> str:
        """Label of a name, or `LEFT_OUT`; empty for an empty name."""
        return super().emotion(name) or as_label(name)


def parse_map(pairs: Sequence[str], emotions_only: bool) -> EmotionNames:
    """Names from the words of ``--map``, to any label.

    Parameters
    ----------
    pairs : sequence of str
        ``"joy=happy"``, or ``"test=-"`` to leave it out.
    emotions_only : bool
        Whether other names than those of emotions must be mapped.

    Raises
    ------
    UsageError
        If one is not of this form, or two contradict each other.
    """
    mapped: dict[str, str] = {}
    for pair in pairs:
        found, _, other = pair.rpartition("=")
        name, label = found.strip().casefold(), as_label(other)
        if not name or not (is_label(label) or label == LEFT_OUT):
            raise UsageError(
                f"--map {pair}: a name of your labels, = and the label that it counts as are needed, "
                "such as joy=happy; or test=- to leave it out. A label has letters, digits, _, -, . "
                "and +, 40 at most."
            )
        if mapped.setdefault(name, label) != label:
            raise UsageError(
                f"--map {pair}: {name} is mapped to {mapped[name]} as well. Say one of the two."
            )
    return (EmotionNames if emotions_only else LabelNames)(mapped)


def similar_names(counts: Counter[str]) -> str:
    """Say which two labels may be one that is spelled in two ways; empty if there are none.

    Parameters
    ----------
    counts : Counter
        From each label to its recordings.
    """
    for one, other in combinations(sorted(counts, key=lambda label: (counts[label], label)), 2):
        if _is_near(one, other):
            one_name, other_name = printable(one), printable(other)
            return (
                f"{one_name} ({counts[one]}) and {other_name} ({counts[other]}) may be two spellings "
                f"of one label. If they are: --map '{one_name}={other_name}'. If not, give one of "
                f"them another name, such as --map '{one_name}={one_name}_2'."
            )
    return ""


def _is_near(one: str, other: str) -> bool:
    """Whether one letter more, less or other, or two swapped, make one name the other."""
    one, other = (re.sub(r"[_.+-]", "", name) for name in (one, other))
    if one == other:
        return True
    if min(len(one), len(other)) < LEAST_LETTERS or abs(len(one) - len(other)) > 1:
        return False
    n = 0
    while n < min(len(one), len(other)) and one[n] == other[n]:
        n += 1
    rest, other_rest = one[n:], other[n:]
    if any(c.isdigit() for c in rest[:1] + other_rest[:1]):  # level1 and level2
        return False
    return (
        rest[1:] == other_rest[1:]
        or rest[1:] == other_rest
        or rest == other_rest[1:]
        or (rest[1::-1] == other_rest[:2] and rest[2:] == other_rest[2:])
    )
