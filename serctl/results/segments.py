"""Segments files: stretches of recordings with their emotions, one row each.

``<output>.segments.csv`` stands beside the results and has the segments of all recordings that are
longer than a window; a windows file has every window in the same columns. Times are in seconds from
the start of the recording, with three decimals.
"""

import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from serctl.errors import ResultsError
from serctl.files.outputs import check_output, extension_of
from serctl.results import parquet
from serctl.results.reader import open_rows, rows_of
from serctl.results.schema import (
    DURATION_DECIMALS,
    EXTENSIONS,
    PROBABILITY,
    PROBABILITY_DECIMALS,
    REMAKE,
    Cell,
)
from serctl.results.writer import RowsWriter

SEGMENTS = ".segments.csv"  # added to the name of the results file
TABLE_EXTENSIONS = (*EXTENSIONS, parquet.EXTENSION)

LEADING = (
    "path",
    "channel",
    "speaker",
    "start_s",
    "end_s",
    "speech_s",
    "emotion",
    "confidence",
)
TEXT = "text"


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a recording with one emotion.

    Parameters
    ----------
    path : str
        Of the recording, as in the results.
    channel : int or None
        Counted from 1; None for the mean of all channels.
    speaker : str
        As another program named it; empty if unknown.
    start_s, end_s : float
        In seconds from the start of the recording.
    speech_s : float or None
        Seconds of speech in it; None without speech detection.
    emotion : str
        Empty if there is no speech in it.
    confidence : float or None
        Probability of the emotion, in [0, 1].
    probabilities : tuple of float
        In the order of the file's emotions; empty if there is no emotion.
    text : str
        What is said, if another program wrote it down.
    """

    path: str
    channel: int | None
    speaker: str
    start_s: float
    end_s: float
    speech_s: float | None
    emotion: str
    confidence: float | None
    probabilities: tuple[float, ...]
    text: str = ""

    def packed(self) -> list[Any]:
        """All but the path, as JSON can hold it; rounded as in a file."""
        return [
            self.channel,
            self.speaker,
            _rounded(self.start_s, DURATION_DECIMALS),
            _rounded(self.end_s, DURATION_DECIMALS),
            _rounded(self.speech_s, DURATION_DECIMALS),
            self.emotion,
            _rounded(self.confidence, PROBABILITY_DECIMALS),
            [round(share, PROBABILITY_DECIMALS) for share in self.probabilities],
            self.text,
        ]

    @classmethod
    def unpacked(cls, path: str, values: Sequence[Any]) -> "Segment":
        """Segment of `packed` values."""
        *leading, probabilities, text = values
        return cls(path, *leading, tuple(probabilities), text)  # type: ignore[call-arg]


def segment_columns(emotions: Sequence[str]) -> tuple[str, ...]:
    """Columns of a segments file, in their fixed order."""
    return (*LEADING, *(PROBABILITY + emotion for emotion in emotions), TEXT)


def row_of_segment(segment: Segment, emotions: Sequence[str]) -> dict[str, Cell]:
    """Row of a segment, in the order of `segment_columns`."""
    channel, speaker, start_s, end_s, speech_s, emotion, confidence, shares, text = segment.packed()
    shares = shares or [None] * len(emotions)
    cells = (segment.path, channel, speaker, start_s, end_s, speech_s, emotion, confidence)
    return dict(zip(segment_columns(emotions), (*cells, *shares, text), strict=True))


def check_segments_output(output: str, overwrite: bool) -> None:
    """Check that a file of segments or windows can be written, before any work is done.

    Raises
    ------
    UsageError, ResultsError
        As `serctl.files.outputs.check_output`; ResultsError if Parquet needs pyarrow.
    """
    check_output(output, TABLE_EXTENSIONS, overwrite)
    if extension_of(output, TABLE_EXTENSIONS) == parquet.EXTENSION:
        parquet.check_pyarrow(output)


class SegmentsWriter(RowsWriter):
    """Context manager that writes segments one by one.

    Parameters
    ----------
    output : str or path
        With one of `TABLE_EXTENSIONS`, or ``-`` for CSV on standard output.
    emotions : sequence of str
        In the order of each segment's probabilities.
    overwrite : bool
        As `RowsWriter` takes it.
    """

    def __init__(
        self, output: str | os.PathLike[str], emotions: Sequence[str], overwrite: bool = False
    ) -> None:
        super().__init__(output, segment_columns(emotions), overwrite, extensions=TABLE_EXTENSIONS)
        self._emotions = tuple(emotions)

    def write(self, segment: Segment) -> None:
        """Write a row; ResultsError if it cannot be written."""
        self.write_row(row_of_segment(segment, self._emotions))


class OptionalSegmentsWriter:
    """Context manager of a segments file that may turn out not to be needed.

    Parameters
    ----------
    output : str or None
        Where to, with one of `TABLE_EXTENSIONS`; None for nowhere.
    emotions : sequence of str
        As `SegmentsWriter` takes them.
    even_empty : bool
        Whether there is a file if there are no segments. If not, one that is there is removed,
        since it belongs to results that are replaced.
    """

    def __init__(self, output: str | None, emotions: Sequence[str], even_empty: bool) -> None:
        self._output = output
        self._emotions = emotions
        self._even_empty = even_empty
        self._writer: SegmentsWriter | None = None
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        """Open the file if it is needed anyway."""
        if self._even_empty:
            self._open()
        return self

    def write(self, path: str, packed: Iterable[Sequence[Any]]) -> None:
        """Write packed segments of a recording; ResultsError if they cannot be written."""
        if self._output is None:
            return
        for values in packed:
            if self._writer is None:
                self._open()
            assert self._writer is not None
            self._writer.write(Segment.unpacked(path, values))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Name the file, or remove the one of results that are replaced."""
        if self._writer is None and kind is None and self._output is not None:
            with suppress(OSError):
                os.unlink(self._output)
        self._stack.__exit__(kind, error, traceback)

    def _open(self) -> None:
        if self._output is not None:
            writer = SegmentsWriter(self._output, self._emotions, overwrite=True)
            self._writer = self._stack.enter_context(writer)


def read_segments(path: str | os.PathLike[str]) -> tuple[tuple[str, ...], Iterator[Segment]]:
    """Read a segments file.

    Parameters
    ----------
    path : str or path
        A file with one of `TABLE_EXTENSIONS`.

    Returns
    -------
    emotions : tuple of str
        In the order of each segment's probabilities.
    segments : iterator of Segment
        In the order of the file.

    Raises
    ------
    PathError, UsageError, ResultsError
        As `serctl.results.reader.read_results`.
    """
    lines, where, names = open_rows(path, TABLE_EXTENSIONS)
    emotions = tuple(
        name.removeprefix(PROBABILITY) for name in names if name.startswith(PROBABILITY)
    )
    if names != segment_columns(emotions) or not emotions:
        expected = f"{', '.join(LEADING)}, p_<emotion> ..., {TEXT}"
        raise ResultsError(
            f"{where}: not the columns of serctl segments: found {', '.join(names)}; expected, in "
            f"this order, {expected}. {REMAKE}"
        )
    return emotions, (_segment_of(row, emotions, place) for place, row in rows_of(lines))


def _segment_of(row: Mapping[str, object], emotions: Sequence[str], where: str) -> Segment:
    shares = [_number(row, PROBABILITY + emotion, where) for emotion in emotions]
    channel = _number(row, "channel", where)
    start_s, end_s = _number(row, "start_s", where), _number(row, "end_s", where)
    if start_s is None or end_s is None or end_s < start_s:
        raise ResultsError(
            f"{where}: start_s is {row['start_s']!r} and end_s {row['end_s']!r}; a time and a later "
            f"one were expected. {REMAKE}"
        )
    return Segment(
        path=str(row["path"]),
        channel=None if channel is None else int(channel),
        speaker=str(row["speaker"] or ""),
        start_s=start_s,
        end_s=end_s,
        speech_s=_number(row, "speech_s", where),
        emotion=str(row["emotion"] or ""),
        confidence=_number(row, "confidence", where),
        probabilities=tuple(share for share in shares if share is not None),
        text=str(row[TEXT] or ""),
    )


def _number(row: Mapping[str, object], column: str, where: str) -> float | None:
    value = row[column]
    if value is None or value == "":
        return None
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        number = math.nan
    if not (math.isfinite(number) and number >= 0):
        raise ResultsError(
            f"{where}: column {column} holds {value!r}; a number of at least 0 was expected. "
            f"{REMAKE}"
        )
    return number


def _rounded(number: float | None, decimals: int) -> float | None:
    return None if number is None else round(float(number), decimals)
