"""The feature table: one row per recording, as CSV, Parquet or NPZ.

Columns and their order are fixed: path, status, reason; optionally the labels emotion, speaker and
corpus; duration_s, sample_rate_hz, channels, level_dbfs; and the values of a set of features
(`serctl.features.sets`) under their names. Missing values are empty (NaN or 0 in NPZ). In NPZ, each
column is an array, but numbered columns are one: the mel bands ``mel`` [n, n_mels], the MFCC ``mfcc``
[n, n_mfcc], the embedding ``embedding`` [n, n_embedding]. It can also hold the frames of each
recording, ``frames/mel/<path>`` [n_frames, n_mels] and ``frames/mfcc/<path>`` [n_frames, n_mfcc],
float32.

The same recordings give the same bytes for any number of threads. The table appears when all rows
are written; if anything fails before, no file is left.
"""

import importlib.util
import os
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing, nullcontext

from serctl.errors import ResultsError, UsageError
from serctl.features.descriptors import Description, describe
from serctl.features.formats import FACTS, TABLES, Fact, FrameSpool, Spool
from serctl.features.sets import REPORT, SPEC, names_of
from serctl.files.outputs import atomic_write, check_output, extension_of, private_folder
from serctl.results.schema import DURATION_DECIMALS
from serctl.threads import AHEAD_PER_WORKER, map_in_order, n_cores

TEXT = ("path", "status", "reason")
LABELS = ("emotion", "speaker", "corpus")
LEVEL_DECIMALS = 2
# Recordings for each thread whose frames may wait for a long one: memory and open files.
SPOOLS_AHEAD_PER_WORKER = 2

Described = tuple[Description, Spool | None]
DescribeAll = Callable[[Sequence[str], str | None, int | None], Generator[Described, None, None]]
Label = tuple[str, str, str]  # values of LABELS, or three empty strings


def check_feature_output(output: str | os.PathLike[str], overwrite: bool, frames: bool) -> None:
    """Check that an output can be written, before any work is done.

    Parameters
    ----------
    output : str or path
        Path of the table; its extension selects the format.
    overwrite : bool
        Whether an existing file may be replaced.
    frames : bool
        Whether frames are saved.

    Raises
    ------
    UsageError
        As `serctl.files.outputs.check_output`, or if the format cannot hold frames.
    ResultsError
        As `serctl.files.outputs.check_output`, or if Parquet needs pyarrow.
    """
    extension = extension_of(output, tuple(TABLES))
    if frames and extension != ".npz":
        raise UsageError(
            f"{output}: {extension} cannot hold frames, only .npz can. Choose a name that ends in "
            ".npz, or remove --frames."
        )
    if extension == ".parquet" and importlib.util.find_spec("pyarrow") is None:
        raise ResultsError(
            f"{output}: Parquet needs pyarrow, which is not installed. Install it with: pip "
            "install pyarrow, or choose a name that ends in .csv or .npz."
        )
    check_output(output, tuple(TABLES), overwrite)


def write_features(
    paths: Iterable[str | os.PathLike[str]],
    output: str | os.PathLike[str],
    label: Callable[[str], Label] | None = None,
    frames: bool = False,
    n_workers: int | None = None,
    describe_all: DescribeAll | None = None,
    feature_set: str = REPORT,
) -> Generator[Description, None, None]:
    """Describe recordings, and write a row for each.

    Parameters
    ----------
    paths : iterable of str or path
        Audio files.
    output : str or path
        Checked by `check_feature_output`. An existing file is replaced.
    label : callable, optional
        From a path to emotion, speaker and corpus.
    frames : bool
        Whether to save the frames of every recording, in NPZ.
    n_workers : int, optional
        Threads or worker processes; the number of CPU cores by default.
    describe_all : callable, optional
        What describes them, such as `serctl.engine.workers.isolated.describe_isolated`;
        `describe_in_threads` by default.
    feature_set : str
        One of `serctl.features.sets.SETS`, whose values ``describe_all`` gives.

    Yields
    ------
    Description
        One per path, in order. The table appears when all are consumed.

    Raises
    ------
    ResultsError
        If it cannot be written.
    """
    output = os.fspath(output)
    names = [os.fspath(path) for path in paths]
    # Frames wait in the folder of the output, where there must be room for them anyway.
    columns = (*TEXT, *(LABELS if label else ()), *FACTS)
    table_class = TABLES[extension_of(output, tuple(TABLES))]
    with (
        atomic_write(output) as partial,
        private_folder(output) if frames else nullcontext() as folder,
        table_class(partial, columns, names_of(feature_set)) as table,
    ):
        with closing((describe_all or describe_in_threads)(names, folder, n_workers)) as products:
            for description, spool in products:
                texts = (description.path, description.status, description.reason)
                labels = label(description.path) if label else ()
                table.add((*texts, *labels), _facts(description), description.values)
                if spool is not None and len(description.values):
                    table.add_frames(description.path, spool)
                yield description
        table.finish()


def describe_in_threads(
    paths: Sequence[str], folder: str | None, n_workers: int | None
) -> Generator[Described, None, None]:
    """Describe recordings in threads of this process.

    Parameters
    ----------
    paths : sequence of str
        Audio files.
    folder : str or None
        Where frames may be put meanwhile, if they are wanted.
    n_workers : int or None
        Number of threads; the number of CPU cores by default.

    Yields
    ------
    Description, and its frames or None
        In the order of ``paths``.
    """

    def work(path: str) -> Described:
        spool = None if folder is None else FrameSpool(folder)
        return describe(path, SPEC, spool), spool

    ahead = AHEAD_PER_WORKER if folder is None else SPOOLS_AHEAD_PER_WORKER
    yield from map_in_order(work, paths, n_workers or n_cores(), ahead)


def _facts(description: Description) -> tuple[Fact, ...]:
    duration_s, level_dbfs = description.duration_s, description.level_dbfs
    return (
        None if duration_s is None else round(duration_s, DURATION_DECIMALS),
        description.sample_rate_hz,
        description.channels,
        None if level_dbfs is None else round(level_dbfs, LEVEL_DECIMALS),
    )
