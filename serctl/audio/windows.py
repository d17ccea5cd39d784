"""Windows of one recording: where they lie, and which of them hold speech.

A recording that is longer than the model's window is classified in windows of `WINDOW_S` every
`HOP_S`. The last window ends where the recording ends, so that no moment is left out.
"""

import dataclasses
import math
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from serctl.audio.mixing import OtherChannels
from serctl.audio.speech import FRAME_S, SpeechRule, SpeechStream
from serctl.errors import UsageError
from serctl.timing import SPEECH, Timer

WINDOW_S = 4.0
HOP_S = 1.0
MIN_WINDOW_S = 0.25
SPEECH_CHOICES = ("auto", "off")


@dataclasses.dataclass(frozen=True)
class Windowing:
    """Which stretches of a recording are classified.

    Attributes
    ----------
    speech : str
        ``auto``: windows without speech are left out. ``off``: all windows count but silent ones.
    window_s, hop_s : float
        Length of a window and from one to the next, in seconds, where a recording is longer than
        the model's window.
    channels : str
        ``mix``: the mean of all channels. ``each``: every channel by itself. A number from 1: this
        channel alone.

    Raises
    ------
    UsageError
        If a value is out of range.
    """

    speech: str = "auto"
    window_s: float = WINDOW_S
    hop_s: float = HOP_S
    channels: str = "mix"

    def __post_init__(self) -> None:
        if self.speech not in SPEECH_CHOICES:
            raise UsageError(
                f"speech detection {self.speech!r}: it must be one of {', '.join(SPEECH_CHOICES)}."
            )
        if self.channels not in ("mix", "each") and not (
            self.channels.isdecimal() and int(self.channels)
        ):
            raise UsageError(
                f"channels {self.channels!r}: mix, each, or the number of a channel from 1 is needed."
            )
        if not MIN_WINDOW_S <= self.window_s < math.inf:
            raise UsageError(
                f"windows of {self.window_s:g} s: at least {MIN_WINDOW_S:g} s are needed."
            )
        if not 0 < self.hop_s <= self.window_s:
            raise UsageError(
                f"a hop of {self.hop_s:g} s: it must be above 0, and no more than the window's "
                f"{self.window_s:g} s."
            )

    @property
    def only_channel(self) -> int | None:
        """The channel that is classified alone, counted from 1, if there is one."""
        return int(self.channels) if self.channels.isdecimal() else None


class SpeechGate:
    """Where somebody speaks in a recording that passes block by block.

    Parameters
    ----------
    rate_hz : int
        Of the samples.
    rule : SpeechRule
        How probabilities become speech.
    others : OtherChannels, optional
        Of the recording, if this is one of its channels.
    """

    def __init__(self, rate_hz: int, rule: SpeechRule, others: OtherChannels | None = None) -> None:
        self._others = others
        self._stream = SpeechStream(rate_hz)
        self._rate_hz = rate_hz
        self._rule = rule
        self._probabilities = np.zeros(0, np.float32)
        self._n_frames = 0

    def watch(self, blocks: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
        """Hand blocks over as they are, after the detector has taken each."""
        for block in blocks:
            self._feed(block)
            yield block
        self._feed(np.zeros(0, np.float32), last=True)

    def holds_speech(self, start: int, n_samples: int) -> bool:
        """Whether a window that has passed holds enough speech to vote."""
        first = int(start / self._rate_hz / FRAME_S)
        end = math.ceil((start + n_samples) / self._rate_hz / FRAME_S)
        return self._rule.holds_speech(self._probabilities[first : min(end, self._n_frames)])

    def speech(self) -> NDArray[np.bool_]:
        """Flags [n_frames] of all that has passed, a frame every `serctl.audio.speech.FRAME_S`."""
        return self._rule.speech_frames(self._probabilities[: self._n_frames])

    def _feed(self, block: NDArray[np.float32], last: bool = False) -> None:
        with Timer(SPEECH):
            found = self._stream.feed(block, last)
        if self._others is not None:
            found = self._others.correct(found, self._n_frames)
        n_frames = self._n_frames + len(found)
        if n_frames > len(self._probabilities):  # doubled, since copying each time adds up
            larger = np.zeros(max(n_frames, 2 * len(self._probabilities)), np.float32)
            larger[: self._n_frames] = self._probabilities[: self._n_frames]
            self._probabilities = larger
        self._probabilities[self._n_frames : n_frames] = found
        self._n_frames = n_frames


def cut_stretches(
    blocks: Iterable[NDArray[np.float32]], plan: Sequence[tuple[int, int]]
) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Cut given stretches out of a stream of blocks.

    Parameters
    ----------
    blocks : iterable of float32 [n_samples]
        Of one recording, one after another, of any lengths.
    plan : sequence of tuple of int
        First sample and number of samples of each stretch, in the order of their first samples.

    Yields
    ------
    tuple of int and float32 [n_samples]
        Place of the stretch in ``plan``, and its samples: fewer where the recording ends before,
        none where it ends before the stretch begins. In the order of ``plan``.
    """
    held = np.zeros(0, np.float32)
    first = done = 0  # of what is held, and of the plan
    for block in blocks:
        held = np.concatenate([held, block])
        while done < len(plan) and sum(plan[done]) <= first + len(held):
            start, n_samples = plan[done]
            yield done, held[start - first : start - first + n_samples]
            done += 1
        keep = min([start for start, _ in plan[done:][:1]] or [first + len(held)])
        keep = min(keep, first + len(held))
        held, first = held[keep - first :], keep
    for place in range(done, len(plan)):
        start, n_samples = plan[place]
        yield place, held[max(start - first, 0) : max(start - first, 0) + n_samples]


def plan_windows(
    stretches: Sequence[tuple[int, int]], longest: int, window_samples: int, hop_samples: int
) -> list[tuple[int, int, int]]:
    """Windows of given stretches.

    Parameters
    ----------
    stretches : sequence of tuple of int
        First sample and number of samples of each.
    longest : int
        A stretch of no more samples is one window, as long as it is.
    window_samples, hop_samples : int
        Of the windows of longer ones, as `window_starts` takes them.

    Returns
    -------
    list of tuple of int
        First sample, number of samples and place of the stretch, in the order of first samples.
    """
    plan = []
    for place, (first, n_samples) in enumerate(stretches):
        if n_samples <= longest:
            plan.append((first, n_samples, place))
            continue
        for start in window_starts(n_samples, window_samples, hop_samples):
            plan.append((first + start, window_samples, place))
    return sorted(plan)


def window_starts(n_samples: int, window_samples: int, hop_samples: int) -> list[int]:
    """First samples of the windows of a recording.

    Parameters
    ----------
    n_samples : int
        Of the recording.
    window_samples, hop_samples : int
        Length of a window, and from one to the next; at least 1.

    Returns
    -------
    list of int
        One every hop, and a last one that ends with the recording; only 0 if the recording is no
        longer than a window.
    """
    last = max(n_samples - window_samples, 0)
    return [*range(0, last, hop_samples), last]


def cut_windows(
    blocks: Iterable[NDArray[np.float32]], window_samples: int, hop_samples: int
) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Cut a stream of blocks into windows, in the memory of a window and a block.

    Parameters
    ----------
    blocks : iterable of float32 [n_samples]
        Of one recording, one after another, of any lengths.
    window_samples, hop_samples : int
        As `window_starts` takes them.

    Yields
    ------
    tuple of int and float32 [window_samples]
        First sample and samples of every window, those of `window_starts`; a recording that is
        shorter than a window is one window. None of a recording without samples.
    """
    held = np.zeros(0, np.float32)
    first = start = 0  # of what is held, and of the next window
    for block in blocks:
        held = np.concatenate([held, block])
        # A window waits for one sample more, since the last one begins at its own place.
        while first + len(held) > start + window_samples:
            yield start, held[start - first : start - first + window_samples]
            start += hop_samples
        keep = min(start, max(first + len(held) - window_samples, 0))
        held, first = held[keep - first :], max(keep, first)
    n_samples = first + len(held)
    if n_samples:
        last = max(n_samples - window_samples, 0)
        yield last, held[last - first :]
