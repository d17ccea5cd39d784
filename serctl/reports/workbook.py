"""A workbook for Excel: every recording, the groups, and the segments of long recordings.

Cells are values, never formulas, whatever a file is called. Characters that XML or UTF-8 cannot hold
are escaped, as in a terminal.
"""

import io
import os
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from serctl.errors import ResultsError
from serctl.files.outputs import atomic_write
from serctl.results.schema import Cell, row_of
from serctl.results.segments import SEGMENTS, read_segments, row_of_segment
from serctl.results.summary import GROUPINGS, open_summary, rows
from serctl.text import printable

if TYPE_CHECKING:
    import pandas as pd

MOST_ROWS = 1_048_575  # below the header: Excel's limit
LONGEST_CELL = 32_767
SHEET_WIDTH = 60  # characters of the widest column
FORBIDDEN = re.compile(r"[\[\]:*?/\\']")  # in the names of sheets


def write_workbook(files: Sequence[str], output: str, by: str | None = None) -> None:
    """Write a workbook of results files.

    Parameters
    ----------
    files : sequence of str
        Results files, with segments files beside them if there are any.
    output : str
        Path of the workbook, ``.xlsx``. An existing file is replaced.
    by : str, optional
        What recordings are grouped by, as `serctl.results.grouping.parse_grouping` takes it.

    Raises
    ------
    PathError, UsageError, ResultsError, NothingFoundError
        As `serctl.results.summary.summarize`. ResultsError also if openpyxl is not installed, if
        there are more rows than Excel takes, or if the system refuses.
    """
    try:
        import openpyxl  # noqa: F401 - pandas uses it
        import pandas as pd
    except ImportError as error:
        raise ResultsError(
            f"{output}: needs {error.name}, which is missing. Install it with: pip install "
            f"{error.name}"
        ) from error
    summary, results = open_summary(files, by)
    recordings = [
        dict(row_of(result, emotions)) | dict(result.extra) for result, emotions in results
    ]
    names = [*GROUPINGS, *([summary.grouping.name] if summary.grouping else [])]
    sheets: dict[str, list[dict[str, Any]]] = {"recordings": recordings}
    sheets.update({name: rows(summary, name) for name in names})
    if segments := [*_segments(summary.files)]:
        sheets["segments"] = segments
    for name, found in sheets.items():
        if len(found) > MOST_ROWS:
            raise ResultsError(
                f"{output}: {len(found)} {name}; Excel takes {MOST_ROWS}. Use --format csv."
            )
    content = io.BytesIO()  # whole first: where a disk is full, an archive on it cannot be closed
    with pd.ExcelWriter(content, engine="openpyxl") as writer:
        for name, found in sheets.items():
            _write_sheet(pd.DataFrame(map(_row, found)), writer, FORBIDDEN.sub("_", name)[:31])
    with atomic_write(output) as partial, open(partial, "wb") as file:
        file.write(content.getbuffer())


def _segments(files: Iterable[str]) -> Iterable[dict[str, Any]]:
    for file in files:
        if os.path.exists(file + SEGMENTS):
            emotions, segments = read_segments(file + SEGMENTS)
            yield from (row_of_segment(segment, emotions) for segment in segments)


def _row(row: dict[str, Any]) -> dict[str, Cell]:
    return {printable(name): _cell(cell) for name, cell in row.items()}


def _cell(cell: Cell) -> Cell:
    return printable(cell)[:LONGEST_CELL] if isinstance(cell, str) else cell


def _write_sheet(table: "pd.DataFrame", writer: "pd.ExcelWriter[Any]", name: str) -> None:
    table.to_excel(writer, sheet_name=name, index=False, freeze_panes=(1, 0))
    sheet = writer.sheets[name]
    sheet.auto_filter.ref = sheet.dimensions
    for cells in sheet.iter_cols(max_row=min(sheet.max_row, 100)):
        width = max(len(str(cell.value or "")) for cell in cells)
        sheet.column_dimensions[cells[0].column_letter].width = min(width + 2, SHEET_WIDTH)
    for cells in sheet.iter_rows():
        for cell in cells:
            if cell.data_type == "f":  # openpyxl takes text that begins with = for a formula
                cell.data_type = "s"
