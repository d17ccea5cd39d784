"""One recording in parts: every channel by itself, or the stretches that another program found."""

import os
from collections.abc import Callable, Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from serctl.audio import decoding
from serctl.audio.mixing import other_channels
from serctl.audio.speech import FRAME_S, SpeechStream
from serctl.errors import SerctlError
from serctl.models.classifier import Classifier
from serctl.models.extraction import Extraction
from serctl.timing import SPEECH, Timer


def extract_channels(
    classifier: Classifier,
    path: str | os.PathLike[str],
    on_window: Callable[[], None] | None = None,
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
    n_channels = levels.shape[1]
    has_others = n_channels > 1 and classifier.windowing.speech != "off"
    of_mean = _speech_of_mean(classifier, path, on_window) if has_others else None
    found = []
    for channel in range(1, n_channels + 1):
        extraction = Extraction(path, channel=channel, is_last=channel == n_channels)
        others = None if of_mean is None else other_channels(levels, of_mean, channel)
        found.append(classifier.extract_into(extraction, others, on_window))
    return found


def _speech_of_mean(
    classifier: Classifier, path: str, on_window: Callable[[], None] | None
) -> NDArray[np.float32]:
    """Probabilities of speech of the mean of all channels; none if it cannot be read."""
    config = classifier.config
    found = [np.zeros(0, np.float32)]
    stream = SpeechStream(config.features.rate_hz)
    try:
        _, blocks = decoding.read_windows(path, config.features.rate_hz, config.window_s)
        for block in chain(blocks, [None]):
            if on_window is not None:
                on_window()
            with Timer(SPEECH):
                samples = np.zeros(0, np.float32) if block is None else block
                found.append(stream.feed(samples, last=block is None))
    except (SerctlError, OSError):  # the rows of the channels say so
        return found[0]
    return np.concatenate(found)


def extract_given(
    classifier: Classifier,
    path: str | os.PathLike[str],
    given: Sequence[tuple[float, float, int | None, str]],
    on_window: Callable[[], None] | None = None,
) -> list[Extraction]:
    """Do what `Classifier.extract` does, for exactly the stretches that another program found.

    Parameters
    ----------
    classifier, path, on_window
        As `extract_channels` takes them.
    given : sequence of tuple
        Start and end in seconds; the channel, counted from 1, or None for the mean of all; and the
        speaker, empty if unknown.

    Returns
    -------
    list of Extraction
        One for each channel that is named, in their order, with its stretches in ``given``.
    """
    found = []
    channels = sorted({channel for *_, channel, _ in given}, key=lambda channel: channel or 0)
    for channel in channels or [None]:
        extraction = Extraction(os.fspath(path), channel=channel, is_last=False)
        of_channel = [stretch for stretch in given if stretch[2] == channel]
        extraction.given = [(start_s, end_s) for start_s, end_s, *_ in of_channel]
        extraction.given_speakers = [speaker for *_, speaker in of_channel]
        found.append(classifier.extract_into(extraction, None, on_window))
    found[-1].is_last = True
    return found
