"""The tables of a page: a row for each recording, and a row for each segment of long ones."""

import os
import re
from collections.abc import Sequence
from typing import Any

from serctl.reports.columns import CategoryColumn, Column, NumberColumn, TextColumn, column_of
from serctl.results.grouping import Grouping
from serctl.results.schema import DURATION_DECIMALS, PROBABILITY, STATUSES, Cell, Result
from serctl.results.segments import SEGMENTS, read_segments

SHARE_DECIMALS = 3  # of probabilities; more would be a seventh of a large page
FOLDER = re.compile(r"(.*[/\\])?(.*)", re.DOTALL)


class RecordingsTable:
    """Rows of results, column by column.

    Parameters
    ----------
    emotions : sequence of str
        Of all files.
    grouping : Grouping, optional
        Gives a column of its own.
    """

    def __init__(self, emotions: Sequence[str], grouping: Grouping | None = None) -> None:
        self._emotions = tuple(emotions)
        self._grouping = grouping
        self.n_rows = 0
        self.rows: dict[tuple[str, int | None], int] = {}
        self._folder, self._name = CategoryColumn("folder"), TextColumn("name")
        self._status = CategoryColumn("status", STATUSES)
        self._reason = CategoryColumn("reason", ("",))
        self._emotion = CategoryColumn("emotion", ("", *emotions))
        self._confidence = NumberColumn("confidence", SHARE_DECIMALS)
        self._shares = {
            emotion: NumberColumn(PROBABILITY + emotion, SHARE_DECIMALS) for emotion in emotions
        }
        self._group = CategoryColumn(grouping.name) if grouping else None
        self._numbers = {
            name: NumberColumn(name, DURATION_DECIMALS if name.endswith("_s") else 0)
            for name in (
                "duration_s",
                "speech_s",
                "sample_rate_hz",
                "channels",
                "windows",
                "channel",
                "voice_n",
            )
        }
        self._voice = CategoryColumn("voice", ("",))
        self._extra: dict[str, list[Cell]] = {}

    def add(self, result: Result, emotions: Sequence[str]) -> None:
        """Add a result, whose probabilities are in the order of ``emotions``."""
        self.rows.setdefault((result.path, result.channel), self.n_rows)
        found = FOLDER.fullmatch(result.path)
        assert found is not None
        self._folder.append(found[1] or "")
        self._name.append(found[2])
        self._status.append(result.status)
        self._reason.append(result.reason)
        self._emotion.append(result.emotion)
        self._confidence.append(result.confidence)
        shares = dict(zip(emotions, result.probabilities, strict=False))
        for emotion, column in self._shares.items():
            column.append(shares.get(emotion))
        if self._group and self._grouping:
            self._group.append(self._grouping.group_of(result))
        for name, numbers in self._numbers.items():
            numbers.append(getattr(result, name))
        self._voice.append(result.voice)
        for name, cell in result.extra:
            cells = self._extra.setdefault(name, [])
            cells.extend([None] * (self.n_rows - len(cells)))  # of files without the column
            cells.append(cell)
        self.n_rows += 1

    def packed(self) -> dict[str, Any]:
        """``n_rows`` and ``columns``, as JSON can hold them; ``group`` names the grouping's column."""
        columns: list[Column] = [self._folder, self._name, self._status, self._emotion]
        columns += [self._confidence, *self._shares.values(), *self._numbers.values()]
        columns += [self._voice, self._reason]
        held = {*self._numbers, "voice", "reason", *self._extra}
        is_new = self._group and self._group.name not in held
        if self._group and is_new:
            columns.append(self._group)
        for name, cells in self._extra.items():
            cells.extend([None] * (self.n_rows - len(cells)))
            columns.append(column_of(name, cells))
        packed = {"n_rows": self.n_rows, "columns": [column.packed() for column in columns]}
        if self._group:
            packed["group"] = self._group.packed()
        return packed


def segments_table(
    files: Sequence[str], recordings: RecordingsTable, emotions: Sequence[str]
) -> dict[str, Any]:
    """Segments of results files, from the segments files beside them.

    Parameters
    ----------
    files : sequence of str
        Results files; those without a segments file have no segments.
    recordings : RecordingsTable
        Of these files. Segments of recordings that are not in it are left out, as when rows were
        removed from the results.
    emotions : sequence of str
        Of all files.

    Returns
    -------
    dict
        ``n_rows`` and ``columns``; ``row`` is the number of the recording's row.

    Raises
    ------
    ResultsError
        If a segments file cannot be read.
    """
    row = NumberColumn("row", 0)
    times = NumberColumn("start_s", DURATION_DECIMALS), NumberColumn("end_s", DURATION_DECIMALS)
    speech = NumberColumn("speech_s", DURATION_DECIMALS)
    party, text = CategoryColumn("party", ("",)), CategoryColumn("text", ("",))
    emotion = CategoryColumn("emotion", ("", *emotions))
    confidence = NumberColumn("confidence", SHARE_DECIMALS)
    shares = {name: NumberColumn(PROBABILITY + name, SHARE_DECIMALS) for name in emotions}
    n_rows = 0
    for file in files:
        if not os.path.exists(file + SEGMENTS):
            continue
        names, segments = read_segments(file + SEGMENTS)
        for segment in segments:
            place = recordings.rows.get((segment.path, segment.channel))
            if place is None:
                place = recordings.rows.get((segment.path, None))
            if place is None:
                continue
            channel = f"channel {segment.channel}" if segment.channel else ""
            probabilities = dict(zip(names, segment.probabilities, strict=False))
            row.append(place)
            times[0].append(segment.start_s)
            times[1].append(segment.end_s)
            speech.append(segment.speech_s)
            party.append(segment.speaker or channel)
            emotion.append(segment.emotion)
            confidence.append(segment.confidence)
            for name, column in shares.items():
                column.append(probabilities.get(name))
            text.append(segment.text)
            n_rows += 1
    columns: list[Column] = [
        row,
        *times,
        speech,
        party,
        emotion,
        confidence,
        *shares.values(),
        text,
    ]
    return {"n_rows": n_rows, "columns": [column.packed() for column in columns]}
