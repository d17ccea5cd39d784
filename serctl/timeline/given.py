"""Segments that another program found: who spoke when, what was said, where a phrase lies.

`read_given` reads CSV, RTTM, the JSON of Whisper and WhisperX, SubRip, WebVTT, Praat's TextGrid,
ELAN's EAF and Audacity's labels, by the file's extension. Nothing is guessed: a line that does not
fit is a `LabelsError` with its place.
"""

import csv
import json
import os
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from serctl.errors import LabelsError, PathError, UsageError


@dataclass(frozen=True)
class GivenSegment:
    """A stretch of a recording that another program found.

    Attributes
    ----------
    recording : str
        Path or name of the recording, with or without its extension; empty if the file does not
        say.
    start_s, end_s : float
        In seconds.
    speaker, text : str
        Empty if unknown.
    channel : int or None
        Counted from 1.
    """

    recording: str
    start_s: float
    end_s: float
    speaker: str = ""
    text: str = ""
    channel: int | None = None


def read_given(path: str, tier: str | None = None) -> list[GivenSegment]:
    """Read the segments in a file.

    Parameters
    ----------
    path : str
        With one of the extensions of `READERS`.
    tier : str, optional
        Of a TextGrid or an EAF; all tiers by default.

    Raises
    ------
    PathError, UsageError, LabelsError
        If there is no such file, its extension is not known, or something in it does not fit.
    """
    extension = os.path.splitext(path)[1].lower()
    if extension not in READERS:
        raise UsageError(
            f"{path}: the file extension selects the format, and {extension or 'none'} is not one of "
            f"{', '.join(READERS)}."
        )
    try:
        with open(path, "rb") as file:
            data = file.read()
    except FileNotFoundError as error:
        raise PathError(f"{path}: does not exist; a file of segments was expected.") from error
    except OSError as error:
        raise LabelsError(f"{path}: cannot be read ({error.strerror}).") from error
    text = _decoded(data, path)
    if extension in (".textgrid", ".eaf"):
        read_tier = _read_textgrid if extension == ".textgrid" else _read_eaf
        found = list(read_tier(text, path, tier))
    else:
        found = list(READERS[extension](text, path))
    for segment in found:
        if not 0 <= segment.start_s < segment.end_s < float("inf"):
            raise LabelsError(
                f"{path}: a segment from {segment.start_s:g} to {segment.end_s:g} s; a time and a "
                "later one are needed."
            )
    return found


def _decoded(data: bytes, path: str) -> str:
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return data.decode(encoding).replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise LabelsError(f"{path}: not {encoding} text ({error.reason}). Save it so.") from error


def _read_csv(text: str, path: str) -> Iterator[GivenSegment]:
    lines = csv.DictReader(text.splitlines(), strict=True)
    names = lines.fieldnames or ()
    start, end = (next((n for n in (a, a + "_s") if n in names), "") for a in ("start", "end"))
    if "path" not in names or not start or not end:
        raise LabelsError(
            f"{path}, line 1: found {', '.join(names)}; the columns path, start and end are needed, "
            "and speaker, channel and text are read too."
        )
    try:
        for row in lines:
            where = f"{path}, line {lines.line_num}"
            channel = (row.get("channel") or "").strip()
            yield GivenSegment(
                row["path"],
                _seconds(row[start], where),
                _seconds(row[end], where),
                row.get("speaker") or "",
                row.get("text") or "",
                _channel(channel, where) if channel else None,
            )
    except csv.Error as error:
        raise LabelsError(f"{path}, line {lines.line_num}: not CSV ({error}).") from error


def _read_rttm(text: str, path: str) -> Iterator[GivenSegment]:
    for number, line in enumerate(text.splitlines(), start=1):
        fields = line.split()
        if not fields or fields[0] != "SPEAKER":
            continue  # comments, and the other types of lines
        where = f"{path}, line {number}"
        if len(fields) < 8:
            raise LabelsError(f"{where}: {len(fields)} fields; at least 8 are needed.")
        start_s = _seconds(fields[3], where)
        speaker = "" if fields[7] == "<NA>" else fields[7]
        yield GivenSegment(fields[1], start_s, start_s + _seconds(fields[4], where), speaker)


def _read_json(text: str, path: str) -> Iterator[GivenSegment]:
    try:
        held = json.loads(text)
        segments = held["segments"] if isinstance(held, dict) else held
        for segment in segments:
            yield GivenSegment(
                "",
                float(segment["start"]),
                float(segment["end"]),
                str(segment.get("speaker") or ""),
                str(segment.get("text") or "").strip(),
            )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise LabelsError(
            f"{path}: not the JSON of Whisper or WhisperX ({type(error).__name__}: {error}); "
            '"segments" with "start" and "end" are needed.'
        ) from error


_CLOCK = r"(?:(\d+):)?(\d+):(\d+)[.,](\d+)"
_CUE = re.compile(rf"^\s*{_CLOCK}\s*-->\s*{_CLOCK}")
_VOICE = re.compile(r"<v(?:\.[^ >]*)?\s+([^>]+)>")
_TAG = re.compile(r"<[^>]*>")


def _read_cues(text: str, path: str) -> Iterator[GivenSegment]:
    """Cues of SubRip and WebVTT."""
    blocks = re.split(r"\n[ \t]*\n", text)
    for block in blocks:
        lines = block.split("\n")
        at = next((i for i, line in enumerate(lines) if "-->" in line), None)
        if at is None:
            continue  # a header, a note or a style
        cue = _CUE.match(lines[at])
        if cue is None:
            raise LabelsError(
                f"{path}: {lines[at].strip()!r}; hh:mm:ss.mmm --> hh:mm:ss.mmm needed."
            )
        times = [_clock_s(*cue.groups()[i : i + 4]) for i in (0, 4)]
        said = " ".join(line.strip() for line in lines[at + 1 :]).strip()
        voice = _VOICE.search(said)
        said = _TAG.sub("", said)
        for entity, character in (("&lt;", "<"), ("&gt;", ">"), ("&nbsp;", " "), ("&amp;", "&")):
            said = said.replace(entity, character)
        yield GivenSegment("", times[0], times[1], voice.group(1).strip() if voice else "", said)


def _read_audacity(text: str, path: str) -> Iterator[GivenSegment]:
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("\\"):
            continue  # a line of frequencies
        where = f"{path}, line {number}"
        fields = line.split("\t", 2)
        if len(fields) < 2:
            raise LabelsError(f"{where}: start, end and label with tabs between them are needed.")
        start_s, end_s = (_seconds(field.replace(",", "."), where) for field in fields[:2])
        if end_s > start_s:  # a point label has no length
            yield GivenSegment("", start_s, end_s, text=fields[2] if len(fields) > 2 else "")


# A text in quotes, or a number by itself: not one in brackets, as of "item [1]:".
_PRAAT = re.compile(r'"((?:[^"]|"")*)"|(?<!\S)([-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?)(?!\S)')


def _read_textgrid(text: str, path: str, tier: str | None) -> Iterator[GivenSegment]:
    """Intervals of a TextGrid in its long or short form: the same texts and numbers in order."""
    values = [
        match.group(1).replace('""', '"') if match.group(1) is not None else float(match.group(2))
        for match in _PRAAT.finditer(text)
    ]
    try:
        if values[:2] != ["ooTextFile", "TextGrid"]:
            raise ValueError("no ooTextFile of a TextGrid")
        place, names = 5, []
        for _ in range(int(values[4])):
            kind, name, n_marks = values[place], str(values[place + 1]), int(values[place + 4])
            place += 5
            names.append(name)
            width = 3 if kind == "IntervalTier" else 2
            for i in range(place, place + n_marks * width, width):
                marks = values[i : i + width]
                if width == 3 and (tier is None or name == tier) and str(marks[2]).strip():
                    yield GivenSegment("", float(marks[0]), float(marks[1]), name, str(marks[2]))
            place += n_marks * width
    except (ValueError, TypeError, IndexError) as error:
        raise LabelsError(f"{path}: not a TextGrid of Praat ({error}).") from error
    _check_tier(tier, names, path)


def _read_eaf(text: str, path: str, tier: str | None) -> Iterator[GivenSegment]:
    if "<!DOCTYPE" in text or "<!ENTITY" in text:  # which an EAF has not, and which can blow up
        raise LabelsError(f"{path}: a document type; an EAF has none.")
    try:
        root = ElementTree.fromstring(text)
        times_s = {
            slot.attrib["TIME_SLOT_ID"]: int(slot.attrib["TIME_VALUE"]) / 1000
            for slot in root.iter("TIME_SLOT")
            if "TIME_VALUE" in slot.attrib
        }
        names = []
        for held in root.iter("TIER"):
            name = held.attrib["TIER_ID"]
            names.append(name)
            if tier is not None and name != tier:
                continue
            for annotation in held.iter("ALIGNABLE_ANNOTATION"):
                refs = [annotation.attrib[f"TIME_SLOT_REF{i}"] for i in (1, 2)]
                if not all(ref in times_s for ref in refs):
                    continue  # one that is not aligned with time
                said = annotation.findtext("ANNOTATION_VALUE") or ""
                who = held.attrib.get("PARTICIPANT") or name
                yield GivenSegment("", times_s[refs[0]], times_s[refs[1]], who, said)
    except (ElementTree.ParseError, KeyError, ValueError) as error:
        raise LabelsError(f"{path}: not an EAF of ELAN ({error}).") from error
    _check_tier(tier, names, path)


def _check_tier(tier: str | None, names: Iterable[str], path: str) -> None:
    names = list(names)
    if tier is not None and tier not in names:
        raise LabelsError(f"{path}: no tier {tier!r}; it has {', '.join(names) or 'none'}.")


def _seconds(text: str | None, where: str) -> float:
    try:
        return float(text or "")
    except ValueError as error:
        raise LabelsError(f"{where}: {text!r}; a time in seconds is needed.") from error


def _channel(text: str, where: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise LabelsError(f"{where}: channel {text!r}; a number from 1 is needed.")
    return int(text)


def _clock_s(hours: str | None, minutes: str, seconds: str, decimals: str) -> float:
    return int(hours or 0) * 3600 + int(minutes) * 60 + float(f"{seconds}.{decimals}")


READERS: dict[str, Callable[[str, str], Iterator[GivenSegment]]] = {
    ".csv": _read_csv,
    ".rttm": _read_rttm,
    ".json": _read_json,
    ".srt": _read_cues,
    ".vtt": _read_cues,
    ".txt": _read_audacity,
    ".textgrid": lambda text, path: _read_textgrid(text, path, None),
    ".eaf": lambda text, path: _read_eaf(text, path, None),
}
