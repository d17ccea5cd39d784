"""A close look at corpora on disk: every clip read, hashed and decoded once.

What is odd (silent, unreadable, repeated, misnamed, changed, missing) is data in the `Survey`, not
an error: whoever downloads corpora wants to know all that is wrong at once. Only a folder that is
not there, cannot be listed or has no clip of the four corpora raises. Files are read in threads,
since hashing and decoding let go of the interpreter; one file a thread is in memory. Songs and
files of unknown names are not opened.
"""

import hashlib
import io
import os
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass

import numpy as np
import pandas as pd
import soundfile

from serctl.audio.decoding import SILENT_PEAK
from serctl.audio.formats.names import OTHER_EXTENSIONS
from serctl.results.schema import DURATION_DECIMALS
from serctl.threads import n_cores
from serctl.train.corpora.manifest import (
    absent_error,
    chosen_clips,
    find_clips,
    manifest,
    missing_clips,
)

BLOCK_FRAMES = 1 << 18  # decoded at a time
# What a clone without Git LFS has in place of a file; CREMA-D's repository uses it.
LFS_POINTER = b"version https://git-lfs"


@dataclass(frozen=True)
class _Reading:
    """What one file holds; fields without an answer stay at their defaults."""

    status: str
    reason: str = ""
    sha256: str | None = None
    duration_s: float | None = None
    sample_rate_hz: int | None = None
    channels: int | None = None


Readings = Generator[tuple[str, _Reading], None, None]


@dataclass(frozen=True)
class Survey:
    """What lies below a folder.

    Parameters
    ----------
    table : DataFrame
        A row for each clip found, sorted by corpus and clip: path, corpus, clip, speaker, emotion,
        fold, test, emobox, duration_s, sample_rate_hz, channels, sha256, original (bool: the bytes
        are those that the corpus was published with), status (``ok``, ``silent`` or
        ``unreadable``), reason (of ``unreadable``; else empty). What is unknown of an unreadable
        file is NA.
    missing : dict of str to list of str
        Clips that were not found, by corpus; complete corpora are left out.
    duplicates : DataFrame
        Further files of clips in the table: path, repeats (the path in the table), same_bytes.
    identical : list of tuple of (str, str)
        Groups of different clips, as (corpus, clip), that hold the same bytes.
    songs, unknown : list of str
        Paths of RAVDESS's song clips, and of audio files that no corpus names so.
    """

    table: pd.DataFrame
    missing: dict[str, list[str]]
    duplicates: pd.DataFrame
    identical: list[tuple[tuple[str, str], ...]]
    songs: list[str]
    unknown: list[str]

    @property
    def complete(self) -> bool:
        """Whether every clip of the four corpora is there and can be read."""
        return not self.missing and not (self.table["status"] == "unreadable").any()


def survey(
    root: str | os.PathLike[str],
    progress: Callable[[Readings, int], Iterable[tuple[str, _Reading]]] | None = None,
) -> Survey:
    """Find, read, hash and decode the clips of the four corpora below a folder.

    Parameters
    ----------
    root : path
        A folder; the corpora may lie below it in any layout.
    progress : callable, optional
        Given an iterator over the files as they are read, and how many there will be, hands the
        same items over, as a progress bar does.

    Returns
    -------
    Survey

    Raises
    ------
    CorporaError
        If ``root`` is not a folder, has one below it that cannot be listed, or has no clip of the
        four corpora below it.
    """
    found = find_clips(root)
    if not found.copies:
        raise absent_error(root, found)
    paths = [path for copies in found.copies.values() for path in copies]
    # Closed at once when interrupted, or every file would still be read.
    with closing(_read_all(paths)) as reading:
        readings = dict(reading if progress is None else progress(reading, len(paths)))
    table = _table(chosen_clips(found.copies), readings)
    repeats = [(path, first) for first, *rest in found.copies.values() for path in rest]
    duplicates = pd.DataFrame(repeats, columns=["path", "repeats"], dtype=object)
    duplicates["same_bytes"] = [
        _same_bytes(readings[path], readings[first]) for path, first in repeats
    ]
    return Survey(
        table=table,
        missing=missing_clips(found.copies),
        duplicates=duplicates,
        identical=_identical(table),
        songs=found.songs,
        unknown=found.unknown,
    )


def _read_all(paths: list[str]) -> Readings:
    executor = ThreadPoolExecutor(max_workers=n_cores())
    try:
        yield from zip(paths, executor.map(_read, paths), strict=True)
    finally:
        executor.shutdown(cancel_futures=True)


def _read(path: str) -> _Reading:
    try:
        with open(path, "rb") as file:
            content = file.read()
    except OSError as error:
        return _Reading("unreadable", error.strerror or str(error))
    sha256 = hashlib.sha256(content).hexdigest()
    if not content:
        return _Reading("unreadable", "0 bytes", sha256)
    if content.startswith(LFS_POINTER):
        return _Reading("unreadable", "a Git LFS pointer: run `git lfs pull`", sha256)
    try:
        return _decode(content, sha256)
    except soundfile.SoundFileError as error:
        extension = os.path.splitext(path)[1].lower()
        reason = str(getattr(error, "error_string", error)).rstrip(".")
        if extension in OTHER_EXTENSIONS:
            reason = f"{extension} is not decoded here; convert it to wav or flac"
        return _Reading("unreadable", reason, sha256)


def _decode(content: bytes, sha256: str) -> _Reading:
    n_frames = 0
    peak = np.float32(0)
    with soundfile.SoundFile(io.BytesIO(content)) as file:
        # In blocks, since a damaged header may claim any length.
        while len(block := file.read(BLOCK_FRAMES, dtype="float32", always_2d=True)):
            n_frames += len(block)
            # Of the mix of its channels, as a network gets it; maximum keeps a NaN.
            peak = np.maximum(peak, np.abs(block.mean(axis=1)).max())
        rate_hz, n_channels = file.samplerate, file.channels
    facts = (sha256, round(n_frames / rate_hz, DURATION_DECIMALS), rate_hz, n_channels)
    if n_frames == 0:
        return _Reading("unreadable", "0 samples", *facts)
    if not np.isfinite(peak):
        return _Reading("unreadable", "samples that are not numbers", *facts)
    return _Reading("silent" if peak < SILENT_PEAK else "ok", "", *facts)


def _table(clips: pd.DataFrame, readings: dict[str, _Reading]) -> pd.DataFrame:
    read = pd.DataFrame([vars(readings[path]) for path in clips["path"]])
    read = read.astype({"sample_rate_hz": "Int64", "channels": "Int64", "duration_s": "float64"})
    originals = manifest().set_index(["corpus", "clip"])["sha256"]
    keys = pd.MultiIndex.from_frame(clips[["corpus", "clip"]])
    read["original"] = read["sha256"].to_numpy() == originals.reindex(keys).to_numpy()
    facts = ["duration_s", "sample_rate_hz", "channels", "sha256", "original", "status", "reason"]
    return clips.join(read[facts])


def _same_bytes(reading: _Reading, other: _Reading) -> bool:
    return reading.sha256 is not None and reading.sha256 == other.sha256


def _identical(table: pd.DataFrame) -> list[tuple[tuple[str, str], ...]]:
    readable = table[table["status"] != "unreadable"]
    shared = readable[readable.duplicated("sha256", keep=False)]
    return sorted(
        tuple(zip(group["corpus"], group["clip"], strict=True))
        for _, group in shared.groupby("sha256")
    )
