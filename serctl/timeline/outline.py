"""Outline of a recording of any length: an envelope of its waveform, and where somebody speaks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from serctl.audio.decoding import read_windows
from serctl.audio.mixing import OtherChannels
from serctl.audio.speech import FRAME_S, RATE_HZ, SpeechRule, stretches
from serctl.audio.windows import SpeechGate
from serctl.models.channels import others_of

BLOCK_S = 30.0
STEP_SAMPLES = RATE_HZ // 50  # 20 ms, which are joined further when all is known
N_ENVELOPE = 40_000  # points of a waveform, so that a few minutes of hours can be drawn too


@dataclass(frozen=True)
class Outline:
    """Outline of one channel.

    Attributes
    ----------
    peaks : float32 [n_points]
        Largest absolute sample of every ``step_s`` seconds, full scale at 1.0.
    step_s : float
        Seconds a point.
    speech_s : list of tuple of float
        When each stretch of speech begins and ends, in seconds.
    reason : str
        What is wrong with the recording, as in `serctl.audio.decoding.Recording`.
    """

    peaks: NDArray[np.float32]
    step_s: float
    speech_s: list[tuple[float, float]]
    reason: str


def read_outlines(
    path: str, channels: Sequence[int | None], on_window: Callable[[], None] | None = None
) -> list[Outline]:
    """Read channels of a recording block by block.

    Parameters
    ----------
    path : str
        Of the recording.
    channels : sequence of int or None
        Counted from 1; None for the mean of all channels.
    on_window : callable, optional
        Called for each decoded block.

    Returns
    -------
    list of Outline
        In the order of ``channels``. Speech of a channel is without the crosstalk of others.

    Raises
    ------
    AudioError, OSError
        If the recording cannot be read.
    """
    watched = on_window or _nothing
    others: list[OtherChannels | None] = []
    if list(channels) != [None]:
        others = others_of(path, RATE_HZ, BLOCK_S, lambda _: watched())
    found = []
    for number in channels:
        is_there = number is not None and number <= len(others)
        of_it = others[number - 1] if number is not None and is_there else None
        found.append(_read(path, number, of_it, watched))
    return found


def thinned(peaks: NDArray[np.float32], n_points: int) -> tuple[NDArray[np.float32], int]:
    """Largest of every few neighbours, so that about ``n_points`` are left, and of how many."""
    joined = max(len(peaks) // n_points, 1)
    padded = np.pad(peaks, (0, -len(peaks) % joined))
    return padded.reshape(-1, joined).max(axis=1), joined


def _nothing() -> None:
    pass


def _read(
    path: str, channel: int | None, others: OtherChannels | None, on_window: Callable[[], None]
) -> Outline:
    recording, blocks = read_windows(path, RATE_HZ, BLOCK_S, channel)
    gate = SpeechGate(RATE_HZ, SpeechRule(), others)
    peaks = []
    for block in gate.watch(blocks):
        on_window()
        filled = np.pad(np.abs(block), (0, -len(block) % STEP_SAMPLES))
        peaks.append(filled.reshape(-1, STEP_SAMPLES).max(axis=1))
    envelope, joined = thinned(np.concatenate([np.zeros(0, np.float32), *peaks]), N_ENVELOPE)
    starts, ends = (frames * FRAME_S for frames in stretches(gate.speech()))
    speech_s = list(zip(starts.tolist(), ends.tolist(), strict=True))
    return Outline(envelope, joined * STEP_SAMPLES / RATE_HZ, speech_s, recording.reason)
