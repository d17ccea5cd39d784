"""Names of emotions, as labels have them: which of serctl's emotions each stands for.

A name counts as what ``--map`` says, and else as the emotion that it is, in any case, or as that
whose noun or participle it is (anger, fearful, happiness). Nothing else is guessed: joy, calmness
or boredom are for the user to map, since whether they are the same is a question of the data.
"""

import difflib
import re
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from serctl.emotions import EMOTIONS
from serctl.errors import UsageError
from serctl.text import printable
from serctl.train.evaluation.synonyms import LEFT_OUT, SYNONYMS

SAME_WORD = {
    "anger": "angry",
    "disgusted": "disgust",
    "fearful": "fear",
    "happiness": "happy",
    "sadness": "sad",
    "surprised": "surprise",
}
MAX_NAMES_SHOWN = 8
NEAR = 0.75  # of difflib's ratio; at its default of 0.6, bed is near red


@dataclass(frozen=True)
class EmotionNames:
    """Which emotion a name stands for.

    Parameters
    ----------
    mapped : mapping of str to str
        By `parse_map`.
    """

    mapped: Mapping[str, str] = field(default_factory=dict)

    def emotion(self, name: str) -> str:
        """One of `EMOTIONS`, `LEFT_OUT`, or empty if it is not known."""
        folded = _folded(name)
        if folded in self.mapped:
            return self.mapped[folded]
        return folded if folded in EMOTIONS else SAME_WORD.get(folded, "")

    def unused(self, names: Sequence[str]) -> list[str]:
        """Names that are mapped and not among these."""
        found = set(map(_folded, names))
        return [name for name in self.mapped if name not in found]


def parse_map(pairs: Sequence[str]) -> EmotionNames:
    """Names from the words of ``--map``.

    Parameters
    ----------
    pairs : sequence of str
        As typed: ``"anger=angry"``, or ``"boredom=-"`` to leave it out. Case does not matter.

    Raises
    ------
    UsageError
        If one is not of this form, or names no emotion, or two contradict each other.
    """
    mapped: dict[str, str] = {}
    for pair in pairs:
        name, equals, emotion = (part.strip().casefold() for part in pair.rpartition("="))
        if not (name and equals) or emotion not in (*EMOTIONS, LEFT_OUT):
            raise UsageError(
                f"--map {pair}: a name of your labels, = and one of {', '.join(EMOTIONS)} are "
                "needed, such as anger=angry; or boredom=- to leave it out."
            )
        if mapped.setdefault(name, emotion) != emotion:
            raise UsageError(
                f"--map {pair}: {name} is mapped to {mapped[name]} as well. Say one of the two."
            )
    return EmotionNames(mapped)


def unknown_names(counts: Counter[str]) -> str:
    """Say which names are not known, how often they come, and which --map options to copy.

    Parameters
    ----------
    counts : Counter
        From each name, as it was found, to the recordings that have it; not empty.
    """
    shown = [name for name, _ in counts.most_common(MAX_NAMES_SHOWN)]
    more = f" and {len(counts) - len(shown)} more" if len(counts) > len(shown) else ""
    listed = ", ".join(f"{printable(name)} ({counts[name]})" for name in shown)
    pairs = (f"{name.strip()}={_nearest(name) or LEFT_OUT}" for name in shown)
    options = " ".join(f"--map {printable(shlex.quote(pair))}" for pair in pairs)
    return (
        f"{listed}{more}: no emotions that serctl knows, which are {', '.join(EMOTIONS)}. Say what "
        f"each one counts as; {LEFT_OUT} leaves it out. A suggestion to copy and to correct: {options}"
    )


def _nearest(name: str) -> str:
    """Emotion of a synonym, or one that is spelled much like this name; `LEFT_OUT` or empty."""
    folded = re.sub(r"[\s_-]+", "-", _folded(name))
    if folded in SYNONYMS:
        return SYNONYMS[folded]
    near = difflib.get_close_matches(folded, [*EMOTIONS, *SAME_WORD, *SYNONYMS], 1, NEAR)
    return {**SYNONYMS, **SAME_WORD}.get(near[0], near[0]) if near else ""


def _folded(name: str) -> str:
    return name.strip().casefold()
