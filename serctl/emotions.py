"""The emotions that serctl knows, in their fixed order.

The emotions of a model are a subset in this order; its ``config.json`` has them. `REPORT_FIVE` are
the emotions that all four corpora have, on which the report compares its systems.
"""

from collections.abc import Collection, Sequence

from serctl.errors import UsageError

EMOTIONS = ("angry", "disgust", "fear", "happy", "sad", "neutral", "calm", "surprise")
REPORT_FIVE = EMOTIONS[:5]


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
