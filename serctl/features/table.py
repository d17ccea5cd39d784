"""The feature table: one row for every recording, as CSV, Parquet or NPZ.

Columns and their order are fixed: path, status, reason; emotion, speaker and corpus where labels
are asked for; duration_s, sample_rate_hz, channels, level_dbfs; and the values of
`serctl.features.descriptors`, each under its name. What is not known is empty (in NPZ, not a number
or 0). In NPZ, columns are arrays, those of the mel bands one ``mel`` [n, n_mels], those of the MFCC
one ``mfcc`` [n, n_mfcc]. It may also hold the frames of every recording, as ``frames/mel/<path>``
[n_frames, n_mels] and ``frames/mfcc/<path>`` [n_frames, n_mfcc], all float32.

The same recordings give the same bytes, for any number of threads. A table appears whole, by
rename, when all rows are there; when anything fails before, nothing is left.
"""

import importlib.util
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing

from serctl.errors import ResultsError, UsageError
from serctl.features.descriptors import Description, describe
from serctl.features.formats import FACTS, SPEC, TABLES, Fact, FrameSpool
from serctl.files.outputs import atomic_write, check_output, extension_of
from serctl.results.schema import DURATION_DECIMALS
from serctl.threads import map_in_order, n_cores

TEXT = ("path", "status", "reason")
LABELS = ("emotion", "speaker", "corpus")
LEVEL_DECIMALS = 2

Label = tuple[str, str, str]  # as LABELS, or three empty texts


def check_feature_output(output: str, overwrite: bool, frames: bool) -> None:
    """Refuse an output that could not be written, before any work is done.

    Parameters
    ----------
    output : str
        Path, whose extension says the format.
    overwrite : bool
        Whether a file that is there may be replaced.
    frames : bool
        Whether frames are to be kept.

    Raises
    ------
    UsageError
        As `results.check_output`, or if the format has no place for frames.
    ResultsError
        As `results.check_output`, or if Parquet is asked for and pyarrow is not installed.
    """
    extension = extension_of(output, tuple(TABLES))
    if frames and extension != ".npz":
        raise UsageError(
            f"{output}: {extension} has no place for frames, and .npz has. Give a name that ends "
            "in .npz, or leave --frames out."
        )
    if extension == ".parquet" and importlib.util.find_spec("pyarrow") is None:
        raise ResultsError(
            f"{output}: Parquet needs pyarrow, which is not installed. Install it with: pip "
            "install 'serctl[parquet]'; or give a name that ends in .csv or .npz."
        )
    check_output(output, tuple(TABLES), overwrite)


def write_features(
    paths: Iterable[str],
    output: str,
    label: Callable[[str], Label] | None = None,
    frames: bool = False,
) -> Iterator[Description]:
    """Describe recordings in threads, and write a row for each.

    Parameters
    ----------
    paths : iterable of str
        Of audio files.
    output : str
        What `check_feature_output` has passed. A file that is there is replaced.
    label : callable, optional
        From a path to its emotion, speaker and corpus.
    frames : bool
        Whether to keep the frames of every recording, in NPZ.

    Yields
    ------
    Description
        One for every path, in their order. The table appears when all are drawn.

    Raises
    ------
    ResultsError
        If it cannot be written.
    """
    folder = os.path.dirname(output) or os.curdir

    def work(path: str) -> tuple[Description, FrameSpool | None]:
        spool = FrameSpool(folder) if frames else None
        return describe(path, SPEC, spool), spool

    columns = (*TEXT, *(LABELS if label else ()), *FACTS)
    table_class = TABLES[extension_of(output, tuple(TABLES))]
    with atomic_write(output) as aside, table_class(aside, columns) as table:
        with closing(map_in_order(work, paths, n_cores())) as products:
            for description, spool in products:
                texts = (description.path, description.status, description.reason)
                labels = label(description.path) if label else ()
                table.add((*texts, *labels), _facts(description), description.values)
                if spool is not None and len(description.values):
                    table.add_frames(description.path, spool)
                yield description
        table.finish()


def _facts(description: Description) -> tuple[Fact, ...]:
    duration_s, level_dbfs = description.duration_s, description.level_dbfs
    return (
        None if duration_s is None else round(duration_s, DURATION_DECIMALS),
        description.sample_rate_hz,
        description.channels,
        None if level_dbfs is None else round(level_dbfs, LEVEL_DECIMALS),
    )
