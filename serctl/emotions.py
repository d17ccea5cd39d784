"""The emotions that serctl knows, and their order, once.

A model's own emotions are a subset, in its ``config.json``, in this order. `REPORT_FIVE` are those
that all four corpora act and that the report compares its systems on.
"""

from collections.abc import Collection, Sequence

from serctl.errors import UsageError

EMOTIONS = ("angry", "disgust", "fear", "happy", "sad", "neutral", "calm", "surprise")
REPORT_FIVE = EMOTIONS[:5]


def parse_emotions(text: str, known: Sequence[str]) -> tuple[str, ...]:
    """Emotions named in a comma-separated list, in the order of ``known``.

    Parameters
    ----------
    text : str
        As typed: ``"angry,sad"``. Case and blanks do not matter.
    known : sequence of str
        The emotions that may be named, as a model has them.

    Returns
    -------
    tuple of str
        At least two emotions.

    Raises
    ------
    UsageError
        If an emotion is not known, or if fewer than two are named.
    """
    named = {part.strip().lower() for part in text.split(",")} - {""}
    unknown = sorted(named - set(known))
    if unknown:
        raise UsageError(
            f"{', '.join(unknown)}: not an emotion of this model, which knows {', '.join(known)}. "
            "Name at least two of those, with commas between them."
        )
    if len(named) < 2:
        raise UsageError(
            f"{text!r}: {len(named)} found; at least two emotions are needed to choose between. "
            f"This model knows {', '.join(known)}."
        )
    return tuple(emotion for emotion in known if emotion in named)


def as_known(emotion: str, known: Collection[str]) -> str:
    """What an emotion counts as for a model: calm as neutral, if it knows neutral and no calm."""
    is_neutral = emotion == "calm" and "calm" not in known and "neutral" in known
    return "neutral" if is_neutral else emotion
