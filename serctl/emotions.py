"""The emotions that serctl knows, in their fixed order, and the labels of users' own models.

The emotions of a model are a subset in this order; its ``config.json`` has them. A model that a user
trained on recordings of their own may have other labels, which come after the emotions. `REPORT_FIVE`
are the emotions that all four corpora have, on which the report compares its systems.
"""

import unicodedata
from collections.abc import Collection, Iterable, Sequence

from serctl.errors import UsageError

EMOTIONS = ("angry", "disgust", "fear", "happy", "sad", "neutral", "calm", "surprise")
REPORT_FIVE = EMOTIONS[:5]
MAX_LABELS = 50  # of a model
MAX_LABEL_CHARACTERS = 40
RESERVED = ("uncertain",)  # results have it in place of a label
LABEL_MARKS = "_-.+"  # beside letters, digits and accents


def as_label(name: str) -> str:
    """Name of a label as models and results have it: lower case, ``_`` for blanks.

    It is the same in a column of a table, in the name of a file and on a command line.
    """
    return "_".join(unicodedata.normalize("NFC", name).lower().split())


def is_label(name: str) -> bool:
    """Whether a model may have a label of this name.

    Letters, digits and `LABEL_MARKS`, the first a letter or a digit, `MAX_LABEL_CHARACTERS` at
    most, in lower case, and not `RESERVED`.
    """
    return (
        0 < len(name) <= MAX_LABEL_CHARACTERS
        and name == as_label(name)
        and name[0].isalnum()
        and all(unicodedata.category(c)[0] in "LMN" or c in LABEL_MARKS for c in name)
        and name not in RESERVED
    )


def in_order(labels: Iterable[str]) -> tuple[str, ...]:
    """Labels, each once: emotions in their fixed order, then others in alphabetical order."""
    found = set(labels)
    return (*(one for one in EMOTIONS if one in found), *sorted(found - set(EMOTIONS)))


def parse_emotions(text: str, known: Sequence[str]) -> tuple[str, ...]:
    """Parse a comma-separated list of emotions.

    Parameters
    ----------
    text : str
        Such as ``"angry,sad"``. Case and spaces do not matter.
    known : sequence of str
        The valid emotions, such as those of a model.

    Returns
    -------
    tuple of str
        At least two emotions, in the order of ``known``.

    Raises
    ------
    UsageError
        If an emotion is unknown, or if there are fewer than two.
    """
    named = {part.strip().lower() for part in text.split(",")} - {""}
    unknown = sorted(named - set(known))
    if unknown:
        raise UsageError(
            f"{', '.join(unknown)}: not an emotion of this model. Available: {', '.join(known)}. "
            "Give at least two of these, separated by commas."
        )
    if len(named) < 2:
        raise UsageError(
            f"{text!r}: {len(named)} found; at least two emotions are needed. Available: "
            f"{', '.join(known)}."
        )
    return tuple(emotion for emotion in known if emotion in named)


def map_to_known(emotion: str, known: Collection[str]) -> str:
    """Map calm to neutral for a model that knows neutral but not calm; others stay the same."""
    is_neutral = emotion == "calm" and "calm" not in known and "neutral" in known
    return "neutral" if is_neutral else emotion
