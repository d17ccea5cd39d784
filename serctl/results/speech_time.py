"""Time by emotion: how much of the speech in long recordings has which emotion.

It is read from the segments files beside results (`serctl.results.segments`). The one label of a
long recording is an average, and says little of a call that is calm for minutes and angry for one.
"""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from serctl.results.segments import SEGMENTS, Segment, read_segments


@dataclass(slots=True)
class SpeechTime:
    """Segments and seconds of speech by emotion.

    Attributes
    ----------
    n_segments, seconds : Counter of str
        By emotion.
    recordings : set of int
        Hashes of the paths that have segments; hashes alone, since there may be many.
    """

    n_segments: Counter[str] = field(default_factory=Counter)
    seconds: dict[str, float] = field(default_factory=dict)
    recordings: set[int] = field(default_factory=set)

    def add(self, segment: Segment) -> None:
        """Add a segment, if it has an emotion."""
        if not segment.emotion:
            return
        seconds = segment.speech_s
        if seconds is None:
            seconds = segment.end_s - segment.start_s
        self.n_segments[segment.emotion] += 1
        self.seconds[segment.emotion] = self.seconds.get(segment.emotion, 0.0) + seconds
        self.recordings.add(hash(segment.path))

    def rows(self, labels: Sequence[str]) -> list[dict[str, str | float | int | None]]:
        """Tidy rows in the order of the labels: ``emotion, segments, speech_s, share``.

        ``share`` is that of the seconds of speech in segments, in [0, 1].
        """
        others = [label for label in self.seconds if label not in labels]
        total = sum(self.seconds.values())
        return [
            {
                "emotion": label,
                "segments": self.n_segments[label],
                "speech_s": round(self.seconds.get(label, 0.0), 3),
                "share": round(self.seconds.get(label, 0.0) / total, 6) if total else None,
            }
            for label in (*labels, *others)
        ]


def speech_time(files: Sequence[str]) -> SpeechTime:
    """Time by emotion of results files that have segments beside them.

    Parameters
    ----------
    files : sequence of str
        Paths of results.

    Raises
    ------
    ResultsError
        If a segments file is damaged.
    """
    time = SpeechTime()
    for file in files:
        if os.path.exists(file + SEGMENTS):
            for segment in read_segments(file + SEGMENTS)[1]:
                time.add(segment)
    return time
