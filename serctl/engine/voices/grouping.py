"""Which recordings are one voice's: by a table, by their folders, or by a pattern over their paths.

A recording that the table does not name, or that the pattern does not match, has no voice and is
classified alone. A table or a pattern that fits none of the recordings is an error, since it is a
mistake. In a table a path is either as in the results, or begins in one of the folders that were
named, or in the folder of the table.
"""

import csv
import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from serctl.errors import LabelsError, PathError, UsageError
from serctl.files.objects import normal_path
from serctl.files.stamps import RealPaths
from serctl.results.dialects import TableReader, encoding_of

FOLDER = "folder"
SAME_ROOM = "same-room"
GROUP = "(?P<voice>"
NEEDED = ("path", "voice")
MAX_SHOWN = 3


@dataclass(frozen=True)
class VoiceSource:
    """What says which recordings are one voice's; `parse_voices` makes it.

    Attributes
    ----------
    kind : str
        ``table``, ``folder``, ``pattern`` or ``same-room``.
    value : str
        Path of the table, or the pattern; else empty.
    rows : tuple of (int, str, str)
        Of the table: line, path and voice.
    sha256 : str
        Of the table, in hexadecimal; else empty.
    """

    kind: str
    value: str = ""
    rows: tuple[tuple[int, str, str], ...] = ()
    sha256: str = ""

    def voices_of(self, recordings: Sequence[str], folders: Sequence[str]) -> list[str]:
        """Voice of each recording; empty if it is to be classified alone.

        Parameters
        ----------
        recordings : sequence of str
            The scan.
        folders : sequence of str
            Those that were named, in which the paths of a table may begin.

        Raises
        ------
        UsageError, LabelsError
            If the pattern or the table fits no recording, or the table gives one two voices.
        """
        if self.kind == SAME_ROOM:
            return [SAME_ROOM] * len(recordings)
        if self.kind == FOLDER:
            return [normal_path(os.path.dirname(path) or ".") for path in recordings]
        if self.kind == "pattern":
            return _matched(self.value, recordings)
        return _named(self, recordings, folders)


def parse_voices(value: str) -> VoiceSource:
    """Read the value of ``--voices``.

    Parameters
    ----------
    value : str
        ``folder``, a pattern with a group ``(?P<voice>...)``, or the path of a table. A table that
        is called ``folder`` is ``./folder``.

    Raises
    ------
    UsageError, PathError, LabelsError
        If the pattern or the table cannot be read.
    """
    if value == FOLDER:
        return VoiceSource(FOLDER)
    if GROUP in value:
        try:
            re.compile(value)
        except re.error as error:
            raise UsageError(
                f"--voices {value}: not a regular expression ({error}). Quote it for the shell, as "
                "in --voices '([^/]+/)*(?P<voice>[^/]+)/'."
            ) from error
        return VoiceSource("pattern", value)
    if not os.path.exists(value):
        raise PathError(
            f"--voices {value}: there is no such table. A CSV with the columns path and voice, the "
            "word folder, or a pattern with (?P<voice>...) is needed."
        )
    rows = tuple(_read_table(value))
    with open(value, "rb") as file:
        return VoiceSource("table", value, rows, hashlib.file_digest(file, "sha256").hexdigest())


def _matched(pattern: str, recordings: Sequence[str]) -> list[str]:
    search = re.compile(pattern).search
    matches = (search(path.replace(os.sep, "/")) for path in recordings)
    voices = [(match and match["voice"]) or "" for match in matches]
    if recordings and not any(voices):
        raise UsageError(
            f"--voices {pattern}: matches none of {len(recordings)} recordings, such as "
            f"{recordings[0]}. It is searched anywhere in the path."
        )
    return voices


def _named(source: VoiceSource, recordings: Sequence[str], folders: Sequence[str]) -> list[str]:
    real_path = RealPaths()
    spelled = {normal_path(path): place for place, path in enumerate(recordings)}
    real = {real_path(path): place for place, path in enumerate(recordings)}
    begin_in = (*folders, os.path.dirname(source.value))
    lines: dict[int, int] = {}
    voices = [""] * len(recordings)
    for line, path, voice in source.rows:
        place = spelled.get(normal_path(path))
        if place is None:
            candidates = (real.get(real_path(os.path.join(one, path))) for one in begin_in)
            place = next((one for one in candidates if one is not None), None)
        if place is None:
            continue
        if place in lines and voices[place] != voice:
            raise LabelsError(
                f"{source.value}, lines {lines[place]} and {line}: {path} has the voices "
                f"{voices[place]!r} and {voice!r}. Remove one of them."
            )
        lines[place], voices[place] = line, voice
    if recordings and not any(voices):
        named = ", ".join(repr(path) for _, path, _ in source.rows[:MAX_SHOWN])
        raise LabelsError(
            f"{source.value}: names none of {len(recordings)} recordings. It has {named}, and a "
            f"recording is {recordings[0]!r}. Write paths as in the results, or from a folder that "
            "is named or from that of the table on."
        )
    return voices


def _read_table(table: str) -> Iterator[tuple[int, str, str]]:
    """Line, path and voice of each row."""
    if not os.path.isfile(table):
        raise LabelsError(f"{table}: not a file. A CSV with the columns path and voice is needed.")
    line = 1
    n_rows = 0
    try:
        encoding, has_mark = encoding_of(table)
        errors = "strict" if encoding == "utf-16" else "surrogateescape"  # as in names of files
        with open(table, encoding=encoding, errors=errors, newline="") as file:
            reader = TableReader(file, for_excel=has_mark)
            names = [name.strip().lower() for name in next(reader, [])]
            path_at, voice_at = _columns(names, table)
            for cells in reader:
                line = reader.line_num
                if "\0" in "".join(cells):
                    raise csv.Error("a zero byte, as in UTF-16 without its mark")
                if not any(cell.strip() for cell in cells):
                    continue
                if len(cells) != len(names):
                    raise LabelsError(
                        f"{table}, line {line}: {len(cells)} cells, and the header has "
                        f"{len(names)}. Put a path that has a separator in it into quotes."
                    )
                if not cells[path_at].strip():
                    raise LabelsError(f"{table}, line {line}: no path. Complete or remove the row.")
                n_rows += 1
                yield line, cells[path_at], cells[voice_at].strip()
    except OSError as error:
        raise LabelsError(f"{table}: cannot be read ({error.strerror}).") from error
    except (csv.Error, UnicodeError) as error:
        raise LabelsError(
            f"{table}, line {line} or later: not CSV ({error}). Save it as CSV in UTF-8."
        ) from error
    if not n_rows:
        raise LabelsError(f"{table}: no row below the header. A row for each recording is needed.")


def _columns(names: Sequence[str], table: str) -> list[int]:
    """Places of path and voice in a header."""
    for name in NEEDED:
        if names.count(name) != 1:
            wrong = f"{names.count(name) or 'no'} columns {name}"
            raise LabelsError(
                f"{table}: {wrong} in its first line, which has "
                f"{', '.join(map(repr, names)) or 'nothing'}. A header with path and voice is needed."
            )
    return [names.index(name) for name in NEEDED]
