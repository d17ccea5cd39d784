"""Which windows of a recording are classified, read one after another."""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice

import numpy as np
from numpy.typing import NDArray

from serctl.audio import decoding
from serctl.audio.lone_stretch import LoneStretch, Window
from serctl.audio.mixing import OtherChannels
from serctl.audio.speech import SpeechRule
from serctl.audio.windows import (
    SpeechGate,
    Windowing,
    cut_stretches,
    cut_windows,
    plan_windows,
)
from serctl.models.config import ModelConfig
from serctl.models.extraction import Extraction


def cut_recording(
    blocks: Iterable[NDArray[np.float32]],
    extraction: Extraction,
    config: ModelConfig,
    windowing: Windowing,
) -> Iterator[tuple[int, NDArray[np.float32], int | None]]:
    """Cut a recording into windows: one as long as it is, or many that overlap.

    Parameters
    ----------
    blocks : iterable of float32 [n_samples]
        Of the recording, at the model's rate.
    extraction : Extraction
        Whether the recording is long, and the stretches that are given.
    config : ModelConfig
        Of the model.
    windowing : Windowing
        Parameters.

    Yields
    ------
    tuple of int, float32 [n_samples] and int or None
        First sample and samples of each window, and which of the given stretches it is in.
    """
    rate_hz, longest_s = config.features.rate_hz, config.window_s
    window_s = min(longest_s, windowing.window_s)
    if not extraction.is_long and extraction.given is None:
        window_s = longest_s
    window, hop = (
        max(round(seconds * rate_hz), 1) for seconds in (window_s, min(window_s, windowing.hop_s))
    )
    if extraction.given is None:
        for start, samples in cut_windows(blocks, window, hop):
            yield start, samples, None
        return
    stretches = [
        (round(start_s * rate_hz), round((end_s - start_s) * rate_hz))
        for start_s, end_s in extraction.given
    ]
    plan = plan_windows(stretches, round(longest_s * rate_hz), window, hop)
    for place, samples in cut_stretches(blocks, [(start, n) for start, n, _ in plan]):
        yield plan[place][0], samples, plan[place][2]


def read_windows_with_speech(
    extraction: Extraction,
    config: ModelConfig,
    windowing: Windowing,
    others: OtherChannels | None = None,
    on_window: Callable[[float], None] | None = None,
) -> Iterator[NDArray[np.float32]]:
    """Read a recording, and iterate over the windows of it that count.

    What is known of it goes into the extraction: each window's place before it is handed over, and
    speech, status and reason at the end.

    Parameters
    ----------
    extraction : Extraction
        Of the recording.
    config : ModelConfig
        Of the model.
    windowing : Windowing
        Parameters.
    others : OtherChannels, optional
        As `serctl.audio.windows.SpeechGate` takes it.
    on_window : callable, optional
        Called for each decoded window, with the share of the recording up to its end, in [0, 1].

    Yields
    ------
    float32 [n_samples]
        Windows that are long enough, not silent, and hold speech or were given.

    Raises
    ------
    AudioError, OSError
        If the recording cannot be read.
    """
    rate_hz = config.features.rate_hz
    extraction.recording, blocks = decoding.read_windows(
        extraction.path, rate_hz, config.window_s, extraction.channel
    )
    # Whether there is a second block says whether the recording is longer than a window.
    begun = list(islice(blocks, 2))
    extraction.is_long = len(begun) > 1
    blocks = chain(begun, blocks)
    gate = None
    if windowing.speech != "off":
        gate = SpeechGate(rate_hz, SpeechRule(), others)
        blocks = gate.watch(blocks)
    lone = None
    if gate is not None and extraction.is_long and extraction.given is None:
        lone = LoneStretch(round(config.window_s * rate_hz), rate_hz)
    n_sounding, n_least = 0, config.min_duration_s * rate_hz
    for start, samples, place in cut_recording(blocks, extraction, config, windowing):
        n = len(samples)
        if on_window is not None:
            on_window(extraction.recording.share_at((start + n) / rate_hz))
        # A recording that is too short, or a silent window, is skipped.
        sounds = n >= n_least and decoding.peak_of(samples) >= decoding.SILENT_PEAK
        n_sounding += sounds
        if sounds and place is not None:
            extraction.given_places.append(place)
        counts = sounds and (gate is None or place is not None or gate.holds_speech(start, n))
        if lone is not None:
            yield from _note(extraction, lone.add(start, samples, counts))
        elif counts:
            yield from _note(extraction, [(start, samples)])
    if gate is not None:
        extraction.speech = gate.speech()
        if lone is not None:
            windows = lone.finish(extraction.speech)
            extraction.is_lone = lone.is_found
            yield from _note(extraction, windows)
    describe(extraction, config, n_sounding)


def _note(extraction: Extraction, windows: Iterable[Window]) -> Iterator[NDArray[np.float32]]:
    """Write down the place of each window, and hand it over."""
    for start, samples in windows:
        extraction.starts.append(start)
        extraction.lengths.append(len(samples))
        yield samples


def describe(extraction: Extraction, config: ModelConfig, n_sounding: int) -> None:
    """Set status and reason of a recording that has been read.

    Parameters
    ----------
    extraction : Extraction
        Of the recording.
    config : ModelConfig
        Of the model.
    n_sounding : int
        Windows that are long enough and not silent.
    """
    recording = extraction.recording
    assert recording is not None
    if recording.duration_s < config.min_duration_s:
        extraction.status = "too_short"
        extraction.reason = (
            f"{recording.duration_s:.3f} s; at least {config.min_duration_s} s are needed."
        )
    elif extraction.given is not None and not extraction.lengths:
        extraction.status = "no_speech"
        extraction.reason = "No segments are given for it."
        if extraction.given:
            extraction.reason = "None of the given segments is in it and long enough."
    elif recording.peak < decoding.SILENT_PEAK or not n_sounding:
        silent = "sample" if recording.peak < decoding.SILENT_PEAK else "part that is long enough"
        extraction.status = "silent"
        extraction.reason = f"No {silent} reaches 1/32768 of full scale."
    elif not extraction.lengths:
        extraction.status = "no_speech"
        extraction.reason = "No speech was found. To classify it all the same, use --speech off."
    if recording.reason:
        extraction.reason = f"{extraction.reason} {recording.reason}".lstrip()
