"""Results files among the paths that a user names: files, folders of them, and patterns."""

import glob
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from serctl.errors import PathError, UsageError
from serctl.results.schema import EXTENSIONS
from serctl.results.segments import SEGMENTS
from serctl.results.writer import run_path


def find_results(paths: Sequence[str]) -> list[str]:
    """Results files that are named, that match a pattern, or that lie in a named folder.

    Parameters
    ----------
    paths : sequence of str
        Files; folders, of which every results file with the record of its run counts; or patterns,
        for shells that do not expand them. Segments files, which a pattern such as ``*.csv``
        matches too, are left to their results.

    Returns
    -------
    list of str
        In the order of the paths. Shards in a folder are in the order of their numbers, and other files
        in the order of their names. What does not exist is among them, for whoever reads it.

    Raises
    ------
    PathError
        If a folder has no results.
    UsageError
        If a segments file is named without its results.
    """
    found: list[str] = []
    left: list[str] = []
    for path in paths:
        if os.path.isdir(path):
            found += _inside(path)
            continue
        for file in [path] if os.path.exists(path) else sorted(glob.glob(path)) or [path]:
            (left if file.endswith(SEGMENTS) else found).append(file)
    for file in left:
        if (results := file.removesuffix(SEGMENTS)) not in found:
            raise UsageError(
                f"{file}: has the segments of results. Give the results file, {results}"
            )
    return found


def _inside(folder: str) -> list[str]:
    suffix = run_path("")
    numbers: dict[str, int] = {}
    for file in sorted(Path(folder).glob(f"*{suffix}")):
        path, record = str(file).removesuffix(suffix), _record(file)
        if path.endswith(EXTENSIONS) and (record is None or "emotions" in record):
            numbers[path] = _shard_number(record)
    if not numbers:
        raise PathError(
            f"{folder}: no results in this folder. Results of serctl classify have the record of "
            f"their run beside them, NAME{suffix}: copy both files, or name the results files."
        )
    return sorted(numbers, key=lambda path: (numbers[path], path))


def _record(path: Path) -> dict[str, Any] | None:
    """Record of a run; None if it cannot be read."""
    try:
        record = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return record if isinstance(record, dict) else None


def _shard_number(record: dict[str, Any] | None) -> int:
    shard = (record or {}).get("shard")
    number = shard.get("number") if isinstance(shard, dict) else None
    return number if isinstance(number, int) else 0
