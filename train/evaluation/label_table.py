"""Labels from a table: a CSV file with a header, and a row for each recording.

Columns ``path`` and ``emotion`` are needed; ``speaker``, ``corpus``, ``fold`` and ``split`` (or
``part``) are used where they are there, in any order and case, and others are passed over. Cells are
separated by commas, semicolons or tabs. A relative path begins in one of the folders that were
named, or else in the folder of the table.

Where the table says which part of a split a row belongs to, and there is a part ``test``, that part
alone is scored, and speakers who are in another part too give a warning.
"""

import csv
import io
import os
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from serctl.audio.scan import scan
from serctl.errors import LabelsError, PathError
from serctl.train.evaluation.label_names import EmotionNames, unknown_names
from serctl.train.evaluation.labels import Finder, Labelled, Labels

NEEDED = ("path", "emotion")
OPTIONAL = ("speaker", "corpus", "fold")
PART = ("split", "part")
TEST = "test"
SEPARATORS = ",;\t"
MAX_SHOWN = 3


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    path: str
    emotion: str
    speaker: str
    corpus: str
    fold: str
    part: str


def labels_of_table(
    table: str, paths: Sequence[str], names: EmotionNames | None, find: Finder = scan
) -> Labels:
    """Recordings that a table names.

    Parameters
    ----------
    table : str
        Path of the CSV file.
    paths : sequence of str
        Recordings and folders, as `serctl.audio.scan.scan` takes them, to which the table is restricted;
        all that it names if there are none.
    names : EmotionNames or None
        What may stand for an emotion. None takes every row and every label as it is.
    find : callable
        Finds the recordings of ``paths``.

    Raises
    ------
    UsageError, NothingFoundError
        If the table or a path does not exist, or there is no recording.
    LabelsError
        If the table cannot be read as such, names files that are not there, or has a name that
        stands for no emotion.
    """
    labels = Labels(table, [])
    scanned = find(paths) if paths else []
    rows, encoding_remark = _read_rows(table)
    tested = rows if names is None else _part_to_score(rows, labels)
    if names is not None:
        _check_names(tested, names, table, encoding_remark)
    folders = [*(path for path in paths if os.path.isdir(path)), os.path.dirname(table)]
    found = {row.path: _found(row.path, folders) for row in (rows if paths else tested)}
    missing = [row for row in tested if not found[row.path]]
    if missing:
        named = [f"{row.path!r} (line {row.line})" for row in missing[:MAX_SHOWN]]
        backslashes = ""
        if os.sep != "\\" and any("\\" in row.path for row in missing):
            backslashes = " Paths have backslashes, as on Windows; write / in place of them."
        if len(missing) > MAX_SHOWN:
            named.append(f"and {len(missing) - MAX_SHOWN} more")
        raise LabelsError(
            f"{table}: {len(missing)} of {len(tested)} rows name files that are not there: "
            f"{', '.join(named)}. Looked for below {', '.join(map(os.path.abspath, folders))}. "
            f"Name the folder that the paths begin in, or remove the rows.{backslashes}{encoding_remark}"
        )
    for row in tested:
        path, where = found[row.path], f"{table}, line {row.line}"
        key = os.path.realpath(path)
        one = Labelled(path, row.emotion, key, row.speaker, row.corpus, where, row.fold)
        labels.recordings.append(one)
    if paths:
        _restrict(labels, scanned, {os.path.realpath(path) for path in found.values() if path})
    if names is None:
        return labels
    n_before = len(labels.recordings)
    labels.recordings = [one for one in labels.recordings if one.name]
    labels.left_out[f"{table} gives no emotion"] = n_before - len(labels.recordings)
    return labels


def _check_names(rows: list[_Row], names: EmotionNames, table: str, remark: str) -> None:
    """Raise LabelsError if names stand for no emotion."""
    unknown = Counter(row.emotion for row in rows if row.emotion and not names.emotion(row.emotion))
    if unknown:
        raise LabelsError(f"{table}: {unknown_names(unknown)}{remark}")


def _read_rows(table: str) -> tuple[list[_Row], str]:
    """Rows of the table, and what is to be said of its encoding if something is not found."""
    text, remark = _read_text(table)
    header = text.partition("\n")[0]
    separator = max(SEPARATORS, key=header.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    rows: list[_Row] = []
    try:
        names = [name.strip().lower() for name in next(reader, [])]
        at = _columns(names, table)
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(names):
                raise LabelsError(
                    f"{table}, line {reader.line_num}: {len(cells)} cells, and the header has "
                    f"{len(names)}. Put a path that has a {separator!r} in it into quotes."
                )
            values = {name: cells[i].strip() if i >= 0 else "" for name, i in at.items()}
            # A path is taken as it is: names may begin and end with blanks.
            row = _Row(reader.line_num, **{**values, "path": cells[at["path"]]})
            if not row.path.strip():
                raise LabelsError(f"{table}, line {row.line}: no path. Complete or remove the row.")
            rows.append(row)
    except csv.Error as error:
        raise LabelsError(
            f"{table}, line {reader.line_num}: cannot be read as CSV ({error}). Write it again "
            "with the program that made it, with a quote at both ends of a cell or at none."
        ) from error
    if not rows:
        raise LabelsError(f"{table}: no row below the header. A row for each recording is needed.")
    return rows, remark


def _read_text(table: str) -> tuple[str, str]:
    """Text of the table, bytes that are not UTF-8 kept as in file names, and a remark if any are."""
    try:
        with open(table, "rb") as file:
            content = file.read()
    except FileNotFoundError as error:
        raise PathError(
            f"{table}: there is no such file. --labels takes corpora, folders or a CSV file."
        ) from error
    except OSError as error:
        raise LabelsError(
            f"{table}: cannot be read ({error.strerror}). A CSV is needed."
        ) from error
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):  # as Excel saves "Unicode text"
        with suppress(UnicodeError):
            return content.decode("utf-16"), ""
    if b"\0" in content:
        raise LabelsError(
            f"{table}: holds zero bytes, so it is no CSV, or one in UTF-16. Save it as CSV in UTF-8."
        )
    content = content.removeprefix(b"\xef\xbb\xbf")
    text = content.decode("utf-8", "surrogateescape")
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return text, f" The table is not in UTF-8 (line {line}): save it so."
    return text, ""


def _columns(names: list[str], table: str) -> dict[str, int]:
    """Place of each column that is used, -1 for those that are not there."""
    missing = [name for name in NEEDED if name not in names]
    twice = [name for name, n in Counter(names).items() if n > 1 and name in NEEDED]
    if missing or twice:
        found = ", ".join(repr(name) for name in names) or "nothing"
        wrong = (
            f"no column {' and no column '.join(missing)}" if missing else f"two columns {twice[0]}"
        )
        raise LabelsError(
            f"{table}: {wrong} in its first line, which has {found}. A header with path and emotion "
            "is needed, and speaker, corpus and split may be there; rename the columns."
        )
    part = next((name for name in PART if name in names), "")
    wanted = {name: name for name in (*NEEDED, *OPTIONAL)} | {"part": part}
    return {field: names.index(name) if name in names else -1 for field, name in wanted.items()}


def _part_to_score(rows: list[_Row], labels: Labels) -> list[_Row]:
    """Rows of the test part if there is one, with a warning where speakers are in others too."""
    tested = [row for row in rows if row.part.lower() == TEST]
    others = [row for row in rows if row.part.lower() != TEST]
    if not tested and len(found := sorted({row.part for row in rows})) > 1:
        raise LabelsError(
            f"{labels.source}: its split has the parts {', '.join(map(repr, found))}, and none is "
            "called test. Call the one to score so, or leave the column out."
        )
    if not tested or not others:
        return rows
    parts = ", ".join(sorted({row.part or "none" for row in others}))
    labels.left_out[f"{labels.source} puts them into another part than test ({parts})"] = len(
        others
    )
    ours = {(row.corpus, row.speaker) for row in tested if row.speaker}
    shared = ours & {(row.corpus, row.speaker) for row in others}
    if shared:
        n_rows = sum((row.corpus, row.speaker) in shared for row in tested)
        labels.warnings.append(
            f"{labels.source}: {len(shared)} of {len(ours)} speakers of the test part "
            f"({n_rows} of {len(tested)} rows) are in another part too. For a model that learned "
            "from it, the figures say nothing about new speakers."
        )
    n_both = len({row.path for row in tested} & {row.path for row in others})
    if n_both:
        labels.warnings.append(
            f"{labels.source}: of the test part's recordings, {n_both} are in another part too."
        )
    return tested


def _found(path: str, folders: Sequence[str]) -> str:
    """Path of the file that a row names, or empty."""
    spelled = (path, path.strip())
    candidates = (os.path.join(folder, one) for folder in folders for one in spelled)
    return next((candidate for candidate in candidates if os.path.isfile(candidate)), "")


def _restrict(labels: Labels, scanned: Sequence[str], named: set[str]) -> None:
    """Leave out recordings that are not among those scanned, and count those without a row."""
    among = {os.path.realpath(path) for path in scanned}
    n_before = len(labels.recordings)
    labels.recordings = [one for one in labels.recordings if one.key in among]
    n_elsewhere = n_before - len(labels.recordings)
    labels.left_out[f"in {labels.source}, and not among the PATHS"] = n_elsewhere
    labels.left_out[f"among the PATHS, and not in {labels.source}"] = len(among - named)
