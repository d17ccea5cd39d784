"""One recording in parts: every channel by itself, or the stretches that another program found."""

import os
from collections.abc import Callable, Sequence
from itertools import chain

import numpy as np

from serctl.audio import decoding
from serctl.audio.mixing import OtherChannels, other_channels
from serctl.audio.speech import FRAME_S, SpeechStream
from serctl.models.classifier import Classifier
from serctl.models.embedding import EmbeddingFile
from serctl.models.extraction import Extraction
from serctl.timing import SPEECH, Timer


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
    path, channels = os.fspath(path), classifier.windowing.channels
    if channels != "each":
        only = classifier.windowing.only_channel
        extraction = Extraction(path, channel=only)
        extraction.embeddings = None if only is None else _embeddings(classifier)
        return [classifier.extract_into(extraction, None, on_window)]
    config = classifier.config
    try:
        others = others_of(path, config.features.rate_hz, config.window_s, on_window)
    except Exception:  # whatever it is, the first channel's row says so
        return [classifier.extract_into(Extraction(path, channel=1), None, on_window)]
    found = []
    for channel, of_it in enumerate(others, start=1):
        extraction = Extraction(path, channel=channel, is_last=channel == len(others))
        extraction.embeddings = _embeddings(classifier)
        found.append(classifier.extract_into(extraction, of_it, on_window))
    return found


def others_of(
    path: str, rate_hz: int, block_s: float, on_window: Callable[[float], None] | None = None
) -> list[OtherChannels | None]:
    """What the other channels say of speech in each channel of a recording.

    Parameters
    ----------
    path : str
        Of the recording, which is read twice.
    rate_hz, block_s : int, float
        At which it is read, and how much at a time, in seconds.
    on_window : callable, optional
        Called for each block, as that of `Classifier.extract`; nothing is classified yet.

    Returns
    -------
    list of OtherChannels or None
        One a channel; None if it is the only one.

    Raises
    ------
    AudioError, OSError
        If the recording cannot be read.
    """
    levels = decoding.read_levels(path, FRAME_S)
    if levels.shape[1] == 1:
        return [None]
    _, blocks = decoding.read_windows(path, rate_hz, block_s)
    stream = SpeechStream(rate_hz)
    found = []
    for block in chain(blocks, [None]):
        if on_window is not None:
            on_window(0.0)
        with Timer(SPEECH):
            samples = np.zeros(0, np.float32) if block is None else block
            found.append(stream.feed(samples, last=block is None))
    of_mean = np.concatenate(found)
    return [other_channels(levels, of_mean, i + 1) for i in range(levels.shape[1])]


def extract_given(
    classifier: Classifier,
    path: str | os.PathLike[str],
    given: Sequence[tuple[float, float, int | None, str]],
    on_window: Callable[[float], None] | None = None,
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
        extraction.embeddings = _embeddings(classifier) if any(extraction.given_speakers) else None
        found.append(classifier.extract_into(extraction, None, on_window))
    found[-1].is_last = True
    return found


def _embeddings(classifier: Classifier) -> EmbeddingFile | None:
    """Where embeddings of windows go, of a model that compares those of one speaker."""
    return None if classifier.voice_heads is None else EmbeddingFile()
