"""The formats of the feature table: CSV, Parquet and NPZ, written row by row.

`serctl.features.table` defines the columns. The same rows give the same bytes. CSV keeps the bytes
of file names that are not UTF-8; the other formats have them as backslash escapes. If the system
refuses to write, an OSError is raised.
"""

import math
import os
import re
import shutil
import tempfile
import zipfile
from collections.abc import Sequence
from contextlib import AbstractContextManager, suppress
from functools import partial
from types import TracebackType
from typing import IO, Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from serctl.features.sets import SPEC
from serctl.results.dialects import csv_line

FACTS = ("duration_s", "sample_rate_hz", "channels", "level_dbfs")
INTEGER_FACTS = ("sample_rate_hz", "channels")
KINDS = ("mel", "mfcc")  # of frames
NUMBERED = re.compile(r"(.+)_([0-9]+)")  # columns that are one array in NPZ

VALUE_DIGITS = 9  # enough to distinguish any two float32
ROWS_PER_GROUP = 1024  # of Parquet
SPOOL_BYTES = 1 << 22  # of frames in memory per recording; more go to a temporary file

Fact = float | int | None


class Spool(Protocol):
    """The frames of one recording."""

    n_frames: int

    @property
    def mel(self) -> IO[bytes]:
        """Mel power, float32 [n_frames, n_mels]."""

    @property
    def mfcc(self) -> IO[bytes]:
        """MFCC, float32 [n_frames, n_mfcc]."""


class FrameSpool:
    """Frames of one recording, in memory or, if there are many, in temporary files."""

    def __init__(self, folder: str) -> None:
        # In the folder of the output, which needs the space anyway.
        self._files = [tempfile.SpooledTemporaryFile(SPOOL_BYTES, dir=folder) for _ in range(2)]
        self.mel, self.mfcc = self._files
        self.n_frames = 0

    def __call__(self, mel: NDArray[np.float32], mfcc: NDArray[np.float32]) -> None:
        """Add the frames of a window, as a sink of `serctl.features.descriptors.describe`."""
        self.mel.write(np.ascontiguousarray(mel, "<f4").data)
        self.mfcc.write(np.ascontiguousarray(mfcc, "<f4").data)
        self.n_frames += len(mel)

    def __del__(self) -> None:
        """Close the files, also if the recording was never written."""
        for file in self._files:
            file.close()


class SpoolFiles:
    """The frames of one recording, in files that its worker wrote; as `FrameSpool` has them."""

    def __init__(self, folder: str, index: int, n_frames: int) -> None:
        self.n_frames = n_frames
        self._paths = [spool_path(folder, index, kind) for kind in KINDS]
        self.mel, self.mfcc = (open(path, "rb") for path in self._paths)

    def close(self) -> None:
        """Remove the files."""
        for path, file in zip(self._paths, (self.mel, self.mfcc), strict=True):
            file.close()
            with suppress(OSError):
                os.unlink(path)


def spool_path(folder: str, index: int, kind: str) -> str:
    """Path of the frames of a recording."""
    return os.path.join(folder, f"{index}.{kind}")


class FeatureTable(AbstractContextManager["FeatureTable"]):
    """Context manager that writes a table; call `finish` after the last row.

    Parameters
    ----------
    path : str
        Where to.
    columns : sequence of str
        Of texts and facts.
    values : sequence of str
        Columns of the feature set.
    """

    def __init__(self, path: str, columns: Sequence[str], values: Sequence[str]) -> None:
        self.path, self.columns, self.values = path, columns, values

    def add(self, texts: Sequence[str], facts: Sequence[Fact], values: NDArray[np.float32]) -> None:
        """Add a row: texts, facts, and the values or an empty array."""
        raise NotImplementedError

    def add_frames(self, path: str, spool: Spool) -> None:
        """Add the frames of a recording."""
        raise NotImplementedError

    def finish(self) -> None:
        """Write buffered rows and the end of the file."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the file."""
        raise NotImplementedError


class _CsvTable(FeatureTable):
    """CSV, one line per row."""

    def __enter__(self) -> Self:
        self._file = open(self.path, "wb")
        self._put(csv_line((*self.columns, *self.values)))
        return self

    def add(self, texts: Sequence[str], facts: Sequence[Fact], values: NDArray[np.float32]) -> None:
        numbers = ["" if fact is None else str(fact) for fact in facts]
        numbers += [_cell(value) for value in values.tolist()] or [""] * len(self.values)
        self._put(f"{csv_line(texts)[:-1]},{','.join(numbers)}\n")

    def finish(self) -> None:
        self._file.close()

    def __exit__(self, *_: Any) -> None:
        self._file.close()

    def _put(self, text: str) -> None:
        self._file.write(text.encode("utf-8", "surrogateescape"))


class _ParquetTable(FeatureTable):
    """Parquet, in groups of rows."""

    def __enter__(self) -> Self:
        import pyarrow
        from pyarrow.parquet import ParquetWriter

        whole, real = pyarrow.int32(), pyarrow.float64()
        kinds = {name: whole if name in INTEGER_FACTS else real for name in FACTS}
        fields = [(name, kinds.get(name, pyarrow.string())) for name in self.columns]
        schema = pyarrow.schema([*fields, *((name, pyarrow.float32()) for name in self.values)])
        self._batch = partial(pyarrow.record_batch, schema=schema)
        self._writer = ParquetWriter(self.path, schema)
        self._rows: list[tuple[Any, ...]] = []
        return self

    def add(self, texts: Sequence[str], facts: Sequence[Fact], values: NDArray[np.float32]) -> None:
        known = _known(values) or [None] * len(self.values)
        self._rows.append((*map(_in_unicode, texts), *facts, *known))
        if len(self._rows) == ROWS_PER_GROUP:
            self._write_group()

    def finish(self) -> None:
        if self._rows:
            self._write_group()
        self._writer.close()

    def __exit__(self, *_: Any) -> None:
        self._writer.close()

    def _write_group(self) -> None:
        self._writer.write_batch(self._batch(list(map(list, zip(*self._rows, strict=True)))))
        self._rows.clear()


class _NpzTable(FeatureTable):
    """NPZ: frames are written at once, and columns are kept in memory until the end."""

    def __enter__(self) -> Self:
        self._archive = zipfile.ZipFile(self.path, "w")
        self._names: set[str] = set()
        self._texts: list[tuple[str, ...]] = []
        self._facts: list[tuple[Fact, ...]] = []
        self._values: list[NDArray[np.float32]] = []
        return self

    def add(self, texts: Sequence[str], facts: Sequence[Fact], values: NDArray[np.float32]) -> None:
        self._texts.append(tuple(map(_in_unicode, texts)))
        self._facts.append(tuple(facts))
        self._values.append(
            values if len(values) else np.full(len(self.values), np.nan, np.float32)
        )

    def add_frames(self, path: str, spool: Spool) -> None:
        # Paths that are not UTF-8 are escaped, and may then look like others.
        own = _in_unicode(path)
        if own in self._names:
            own += f" [{len(self._texts)}]"  # number of its row, from 1
        self._names.add(own)
        for name, file, n_columns in (
            ("mel", spool.mel, SPEC.n_mels),
            ("mfcc", spool.mfcc, SPEC.n_mfcc),
        ):
            shape = (spool.n_frames, n_columns)
            header = {"descr": "<f4", "fortran_order": False, "shape": shape}
            with self._member(f"frames/{name}/{own}") as member:
                np.lib.format.write_array_header_1_0(member, header)
                file.seek(0)
                shutil.copyfileobj(file, member)

    def finish(self) -> None:
        names = self.columns[: -len(FACTS)]
        arrays: dict[str, NDArray[Any]] = {
            name: np.array(texts)
            for name, texts in zip(names, zip(*self._texts, strict=True), strict=True)
        }
        for name, facts in zip(FACTS, zip(*self._facts, strict=True), strict=True):
            none, kind = (0, np.int32) if name in INTEGER_FACTS else (np.nan, np.float64)
            arrays[name] = np.array([none if fact is None else fact for fact in facts], kind)
        values = np.stack(self._values)
        for name, places in _arrays(self.values).items():
            arrays[name] = values[:, places] if len(places) > 1 else values[:, places[0]]
        for name, array in arrays.items():
            with self._member(name, zipfile.ZIP_DEFLATED) as member:
                np.lib.format.write_array(member, np.ascontiguousarray(array), allow_pickle=False)
        self._archive.close()

    def __exit__(self, *_: Any) -> None:
        self._archive.close()

    def _member(self, name: str, compression: int = zipfile.ZIP_STORED) -> Any:
        info = zipfile.ZipInfo(f"{name}.npy")  # dated 1980, so that bytes do not depend on the day
        info.compress_type = compression
        return self._archive.open(info, "w", force_zip64=True)


TABLES: dict[str, type[FeatureTable]] = {
    ".csv": _CsvTable,
    ".parquet": _ParquetTable,
    ".npz": _NpzTable,
}


def _cell(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.{VALUE_DIGITS}g}"


def _known(values: NDArray[np.float32]) -> list[float | None]:
    return [None if math.isnan(value) else value for value in values.tolist()]


def _arrays(names: Sequence[str]) -> dict[str, list[int]]:
    """Places of the columns of each array: numbered columns, such as mel_1 and mel_2, are one."""
    arrays: dict[str, list[int]] = {}
    for i, name in enumerate(names):
        numbered = NUMBERED.fullmatch(name)
        arrays.setdefault(numbered[1] if numbered else name, []).append(i)
    return arrays


def _in_unicode(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()
