"""Merge the results of shards (`serctl.files.shards`) to the results of one run.

Shards are put in the order of their numbers, whatever the order of the arguments. All must be there,
of one scan, and made with the same settings: what differs is an error, and nothing is written.
"""

import itertools
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serctl.errors import PathError, ResultsError, UsageError
from serctl.files.outputs import check_output, lock_outputs
from serctl.results.reader import read_results
from serctl.results.schema import EXTENSIONS, STATUSES, Result
from serctl.results.segments import SEGMENTS, OptionalSegmentsWriter, read_segments
from serctl.results.shards.finding import find_results
from serctl.results.writer import ResultsWriter, run_path, write_run

# Keys of ``run.json`` that may differ between shards: where, when and how fast each was made.
OWN_KEYS = frozenset(
    "shard workers batch_size device counts began ended arguments n_found skipped skipped_files "
    "not_listed".split()
)


@dataclass(frozen=True)
class ShardResults:
    """Results of one shard.

    Attributes
    ----------
    path : str
        Of the results file.
    record : dict
        Of its run.
    """

    path: str
    record: dict[str, Any]

    @property
    def number(self) -> int:
        """Of the shard, from 1 on."""
        number: int = self.record["shard"]["number"]
        return number

    def results(self) -> Iterator[Result]:
        """Rows of the shard; ResultsError if they are not as many as its run counted."""
        n_rows = 0
        if expected := sum(self.record["counts"].values()):
            for result in read_results(self.path)[1]:
                n_rows += 1
                yield result
        if n_rows != expected:
            raise ResultsError(
                f"{self.path}: {n_rows} rows; its run wrote {expected}. Classify this shard again, "
                "with --overwrite."
            )


def merge_shards(paths: Sequence[str], output: str, overwrite: bool = False) -> list[ShardResults]:
    """Merge shards to one results file, with its segments and the record of the run.

    Parameters
    ----------
    paths : sequence of str
        Results files of all shards, or folders that hold them. Globs are expanded, and segments
        files that they match are left to their results.
    output : str
        Results file to write, with one of `serctl.results.schema.EXTENSIONS`.
    overwrite : bool
        Whether an existing file may be replaced.

    Returns
    -------
    list of ShardResults
        What was merged, in order.

    Raises
    ------
    PathError
        If a path does not exist.
    UsageError
        If a shard is missing or twice, or shards are of different scans or settings, or the output
        exists.
    ResultsError
        If a file cannot be read or is not whole, or the output cannot be written.
    """
    shards = sorted(map(_read_shard, _files(paths)), key=lambda shard: shard.number)
    _check_complete(shards)
    check_output(output, EXTENSIONS, overwrite)
    with lock_outputs(output, output + SEGMENTS, run_path(output)):
        _write_merged(shards, output)
    return shards


def _write_merged(shards: Sequence[ShardResults], output: str) -> None:
    emotions: tuple[str, ...] = tuple(shards[0].record["emotions"])
    segments_of = [shard.path + SEGMENTS for shard in shards]
    is_named = {os.path.realpath(path) for path in (output, output + SEGMENTS)}
    if is_named & {
        os.path.realpath(path) for path in [shard.path for shard in shards] + segments_of
    }:
        raise UsageError(f"{output}: is one of the shards. Give another output.")
    with (
        OptionalSegmentsWriter(output + SEGMENTS, emotions, False) as segments,
        ResultsWriter(output, emotions, overwrite=True) as writer,
    ):
        for shard, segments_path in zip(shards, segments_of, strict=True):
            for result in shard.results():
                writer.write(result)
            if os.path.exists(segments_path):
                for segment in read_segments(segments_path)[1]:
                    segments.write(segment.path, [segment.packed()])
    write_run(output, _merged_record(shards))


def _files(paths: Sequence[str]) -> list[str]:
    """Results files that are named, or lie in named folders with the record of a shard's run."""
    found: list[str] = []
    for path in paths:
        if os.path.isdir(path):
            with suppress(PathError):  # as if there were none of shards
                found += [file for file in find_results([path]) if "shard" in _record(file)]
        else:
            found += find_results([path])
    if not found:
        raise PathError(f"{', '.join(paths)}: no results of shards. Give the files of all shards.")
    return found


def _record(path: str) -> dict[str, Any]:
    """Record of the run that wrote a results file."""
    try:
        content = Path(run_path(path)).read_bytes()
        record = json.loads(content)
    except FileNotFoundError as error:
        raise PathError(
            f"{path}: no {run_path(path)} beside it. Has this shard finished? Copy both files."
        ) from error
    except (OSError, ValueError) as error:
        raise ResultsError(f"{run_path(path)}: cannot be read ({error}).") from error
    if not isinstance(record, dict):
        raise ResultsError(f"{run_path(path)}: not the record of a run.")
    return record


def _read_shard(path: str) -> ShardResults:
    record = _record(path)
    if not isinstance(record.get("shard"), dict) or "emotions" not in record:
        raise UsageError(
            f"{path}: not the results of a shard. Classify with --shard, or give several files to "
            "serctl report, which needs no merging."
        )
    if not os.path.exists(path):
        raise PathError(f"{path}: does not exist, but {run_path(path)} does. Copy both files.")
    return ShardResults(path, record)


def _check_complete(shards: Sequence[ShardResults]) -> None:
    """Raise UsageError unless these are all shards of one scan, with the same settings."""
    first = shards[0]
    for before, other in itertools.pairwise(shards):
        keys = (first.record.keys() | other.record.keys()) - OWN_KEYS
        different = [key for key in sorted(keys) if first.record.get(key) != other.record.get(key)]
        of_scan = ("count", "n_recordings", "scan_sha256")
        found, expected = other.record["shard"], first.record["shard"]
        different += [f"shard {key}" for key in of_scan if found.get(key) != expected.get(key)]
        if different:
            raise UsageError(
                f"{first.path} and {other.path}: made with different {', '.join(different)}. Classify "
                "the shards of one manifest with the same options."
            )
        if before.number == other.number:
            raise UsageError(f"{before.path} and {other.path}: both are shard {other.number}.")
    count = first.record["shard"]["count"]
    missing = sorted(set(range(1, count + 1)) - {shard.number for shard in shards})
    if missing:
        raise UsageError(
            f"{len(missing)} of {count} shards missing: {', '.join(map(str, missing[:20]))}"
            f"{', ...' if len(missing) > 20 else ''}. Classify them, or give their files too."
        )


def _merged_record(shards: Sequence[ShardResults]) -> dict[str, Any]:
    """Record of the run that all shards are parts of."""
    records = [shard.record for shard in shards]
    merged = {k: v for k, v in records[0].items() if k not in ("shard", "schema_version")}
    counts = [record["counts"] for record in records]
    return merged | {
        "counts": {status: sum(count.get(status, 0) for count in counts) for status in STATUSES},
        "began": min(record["began"] for record in records),
        "ended": max(record["ended"] for record in records),
        "n_found": sum(record["n_found"] for record in records),
        "shards": len(shards),
    }
