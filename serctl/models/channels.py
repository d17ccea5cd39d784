"""One recording in parts: every channel by itself, or the stretches that another program found."""

import os
from collections.abc import Callable, Sequence

from serctl.audio import decoding
from serctl.audio.speech import FRAME_S
from serctl.audio.windows import overheard_frames
from serctl.models.classifier import Classifier
from serctl.models.extraction import Extraction


def extract_channels(
    classifier: Classifier,
    path: str | os.PathLike[str],
    on_window: Callable[[float], None] | None = None,
) -> list[Extraction]:
    """Do what `Classifier.extract` does, for every channel that is to be classified by itself.

    Parameters
    ----------
    classifier : Classifier
        Whose ``windowing.channels`` says which channels.
    path, on_window
        As `Classifier.extract` takes them.

    Returns
    -------
    list of Extraction
        One, unless ``windowing.channels`` is ``each`` and the recording has several channels.
    """
    if classifier.windowing.channels != "each":
        return [classifier.extract(path, on_window)]
    path = os.fspath(path)
    try:
        levels = decoding.read_levels(path, FRAME_S)
    except Exception:  # whatever it is, the first channel's row says so
        return [classifier.extract_into(Extraction(path, channel=1), None, on_window)]
    found = []
    for channel in range(1, levels.shape[1] + 1):
        extraction = Extraction(path, channel=channel, is_last=channel == levels.shape[1])
        overheard = overheard_frames(levels, channel)
        found.append(classifier.extract_into(extraction, overheard, on_window))
    return found


def extract_given(
    classifier: Classifier,
    path: str | os.PathLike[str],
    given: Sequence[tuple[float, float, int | None]],
    on_window: Callable[[float], None] | None = None,
) -> list[Extraction]:
    """Do what `Classifier.extract` does, for exactly the stretches that another program found.

    Parameters
    ----------
    classifier, path, on_window
        As `extract_channels` takes them.
    given : sequence of tuple
        Start and end in seconds, and the channel, counted from 1, or None for the mean of all.

    Returns
    -------
    list of Extraction
        One for each channel that is named, in their order, with its stretches in ``given``.
    """
    found = []
    channels = sorted({channel for *_, channel in given}, key=lambda channel: channel or 0)
    for channel in channels or [None]:
        extraction = Extraction(os.fspath(path), channel=channel, is_last=False)
        extraction.given = [(start, end) for start, end, of in given if of == channel]
        found.append(classifier.extract_into(extraction, None, on_window))
    found[-1].is_last = True
    return found
