"""Files for other programs, one a recording and format, in a folder that mirrors the recordings'.

A file is named after the recording with its extension, ``talk.wav.TextGrid``, so that ``talk.wav``
and ``talk.mp3`` have files of their own. The format ``audformat`` is one table of all recordings.
"""

import os
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from serctl.errors import ResultsError, UsageError
from serctl.files.objects import is_remote
from serctl.files.outputs import atomic_write
from serctl.results.schema import Cell
from serctl.results.segments import Segment
from serctl.results.writer import RowsWriter
from serctl.timeline.exports import FORMATS

AUDFORMAT = "audformat"
AUDFORMAT_FILE = "audformat.csv"
AUDFORMAT_COLUMNS = ("file", "start", "end", "emotion", "confidence", "channel", "speaker")
NAMES = (*FORMATS, AUDFORMAT)


def parse_formats(text: str) -> tuple[str, ...]:
    """Formats named in a list with commas; UsageError if one is unknown."""
    named = tuple(dict.fromkeys(part.strip().lower() for part in text.split(",") if part.strip()))
    unknown = [name for name in named if name not in NAMES]
    if unknown or not named:
        raise UsageError(
            f"{text!r}: {', '.join(unknown) or 'nothing'} is not one of {', '.join(NAMES)}."
        )
    return named


class ExportFolder:
    """Context manager of the exports of one run.

    Parameters
    ----------
    folder : str
        It is made if it is not there.
    formats : sequence of str
        Of `NAMES`.
    """

    def __init__(self, folder: str, formats: Sequence[str]) -> None:
        self._folder = folder
        self._formats = [name for name in formats if name != AUDFORMAT]
        self._has_table = AUDFORMAT in formats
        self._table: RowsWriter | None = None
        self._taken: set[str] = set()

    def __enter__(self) -> Self:
        """Begin the table of all recordings, if it is wanted; ResultsError if that fails."""
        if self._has_table:
            _make_folder(self._folder)
            path = os.path.join(self._folder, AUDFORMAT_FILE)
            self._table = RowsWriter(path, AUDFORMAT_COLUMNS, overwrite=True).__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Complete the table or, after an error, remove it."""
        if self._table is not None:
            self._table.__exit__(kind, error, traceback)

    def write(self, path: str, segments: Sequence[Segment], duration_s: float) -> list[str]:
        """Write the files of one recording.

        Parameters
        ----------
        path : str
            Of the recording, as in the results.
        segments : sequence of Segment
            Of all its channels.
        duration_s : float
            Of the recording.

        Returns
        -------
        list of str
            Their paths without the table's; one that is there is replaced.

        Raises
        ------
        ResultsError
            If one cannot be written.
        """
        ordered = sorted(segments, key=lambda segment: (segment.start_s, segment.channel or 0))
        if self._table is not None:
            for segment in ordered:
                self._table.write_row(_audformat_row(segment))
        if not self._formats:
            return []
        stem = self._stem(path)
        _make_folder(os.path.dirname(stem))
        media = path if is_remote(path) else os.path.abspath(path)
        written = []
        for name in self._formats:
            make, extension = FORMATS[name]
            text = make(ordered, media, duration_s)
            with atomic_write(stem + extension) as partial, open(partial, "wb") as file:
                file.write(text.encode("utf-8", "surrogateescape"))
            written.append(stem + extension)
        return written

    def _stem(self, path: str) -> str:
        """Path of its files without their extension, below the folder, and of no other recording."""
        inside = os.path.normpath(path.replace("://", "/") if is_remote(path) else path)
        if os.path.isabs(inside) or inside.split(os.sep)[0] == os.pardir:
            inside = os.path.splitdrive(os.path.abspath(inside))[1].lstrip(os.sep)
        stem, number = inside, 1
        while stem in self._taken:
            number += 1
            stem = f"{inside}-{number}"
        self._taken.add(stem)
        return os.path.join(self._folder, stem)


def _make_folder(folder: str) -> None:
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise ResultsError(
            f"{folder}: the folder cannot be made ({error.strerror}). Choose another --segments-dir."
        ) from error


def _audformat_row(segment: Segment) -> dict[str, Cell]:
    times = (_timedelta(segment.start_s), _timedelta(segment.end_s))
    who = (segment.channel, segment.speaker)
    cells = (segment.path, *times, segment.emotion, segment.confidence, *who)
    return dict(zip(AUDFORMAT_COLUMNS, cells, strict=True))


def _timedelta(seconds: float) -> str:
    """Time as pandas writes it: ``0 days 00:01:02.345000``."""
    ms = round(seconds * 1000)
    minutes = ms // 60000
    clock = f"{minutes // 60 % 24:02d}:{minutes % 60:02d}:{ms // 1000 % 60:02d}"
    return f"{minutes // 1440} days {clock}.{ms % 1000:03d}000"
