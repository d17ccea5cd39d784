"""The Python API for many recordings: files and arrays in, results and data frames out.

>>> import serctl
>>> results = serctl.classify(["talk.mp3", "angry.wav"])                        # doctest: +SKIP
>>> results[0].emotion                                                          # doctest: +SKIP
'happy'
>>> results.to_frame()[["path", "emotion", "confidence"]]                       # doctest: +SKIP

`serctl.models.classifier.Classifier` is a model that stays loaded, for programs that get their
recordings one by one. Both run in this process: a file that crashes a decoder ends it, which the
command ``serctl classify`` survives.
"""

import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import soundfile
from numpy.typing import NDArray

from serctl.audio.scan import scan
from serctl.errors import AudioError, PathError, UsageError
from serctl.files.objects import refuse_remote
from serctl.models.classifier import Classifier
from serctl.models.loading import DEFAULT_MODEL
from serctl.models.many import Voices
from serctl.progress import progress
from serctl.results.schema import Result, columns, row_of
from serctl.results.segments import Segment, row_of_segment, segment_columns
from serctl.threads import map_in_order, n_cores
from serctl.timeline.segments import TimelineSpec, segments_of

if TYPE_CHECKING:
    import pandas as pd

StrPath = str | os.PathLike[str]
Samples = NDArray[np.floating] | NDArray[np.int16]


class Results(list[Result]):
    """Results of recordings, in their order.

    Attributes
    ----------
    emotions : tuple of str
        In the order of each result's probabilities.
    segments : list of Segment
        Of the recordings that are longer than the model's window, in their order: from when to when
        somebody speaks with which emotion.
    """

    def __init__(
        self, results: Iterable[Result], emotions: Sequence[str], segments: Iterable[Segment] = ()
    ) -> None:
        super().__init__(results)
        self.emotions = tuple(emotions)
        self.segments = list(segments)

    def probabilities_of(self, result: Result) -> dict[str, float]:
        """Probability of each emotion by its name, in [0, 1]; empty unless the status is ``ok``."""
        if not result.probabilities:
            return {}
        return dict(zip(self.emotions, result.probabilities, strict=True))

    def to_frame(self) -> "pd.DataFrame":
        """One row for each recording, with the columns of a results file."""
        import pandas as pd

        rows = [row_of(result, self.emotions) for result in self]
        return pd.DataFrame(rows, columns=columns(self.emotions))

    def segments_to_frame(self) -> "pd.DataFrame":
        """One row for each segment, with the columns of a segments file."""
        import pandas as pd

        rows = [row_of_segment(segment, self.emotions) for segment in self.segments]
        return pd.DataFrame(rows, columns=segment_columns(self.emotions))


def classify(
    recordings: StrPath | Samples | Sequence[StrPath | Samples],
    *,
    model: "StrPath | Classifier" = DEFAULT_MODEL,
    rate_hz: int | None = None,
    voices: Voices | None = None,
    errors: Literal["raise", "row"] = "raise",
    n_workers: int | None = None,
    show_progress: bool = False,
) -> Results:
    """Classify recordings, in all CPU cores.

    Parameters
    ----------
    recordings : str, path, array, or sequence of them
        Audio files, or samples: float [n_samples] or [n_samples, n_channels], full scale at 1.0, or
        int16. A folder stands for all recordings in it.
    model : str, path or Classifier
        Name of a bundled model, a weights folder, or a loaded model with options of its own.
    rate_hz : int, optional
        Sample rate of the arrays; needed if there are any.
    voices : mapping, callable or sequence of str, optional
        As `Classifier.classify_many` takes them; then there are no segments.
    errors : str
        ``raise``: a recording that cannot be read raises. ``row``: it has a result with a status
        and a reason, as in a results file.
    n_workers : int, optional
        Threads; the number of CPU cores by default.
    show_progress : bool
        Whether to show progress on standard error.

    Returns
    -------
    Results
        One result for each recording, in their order. The path of an array is ``array 0``, with its
        place.

    Raises
    ------
    TypeError
        If a recording is neither a path nor an array of samples.
    UsageError
        If the model is not available, arrays have no rate, or an option has another value.
    PathError, AudioError
        With ``errors="raise"``, if a recording does not exist or cannot be read.
    """
    if errors not in ("raise", "row"):
        raise UsageError(f'errors is {errors!r}, "raise" or "row" is needed.')
    classifier = model if isinstance(model, Classifier) else Classifier(model)
    with ExitStack() as stack:
        names: list[str] = []
        files: list[str] = []
        if isinstance(recordings, str | os.PathLike | np.ndarray):
            recordings = [recordings]
        for one in recordings:
            if isinstance(one, str | os.PathLike):
                names += _found(one, errors)
                files += names[len(files) :]
            else:
                files.append(_written(one, rate_hz, stack))
                names.append(f"array {len(names)}")
        segments: list[Segment] = []
        if voices is None:
            found = _alone(classifier, files, names, segments, n_workers or n_cores())
        else:
            found = classifier.classify_many(files, voices, n_workers)
        if show_progress:
            found = progress(found, len(files), "Classifying", "recording")
        results = []
        for name, result in zip(names, found, strict=True):
            if errors == "raise" and result.status in ("unreadable", "failed"):
                raise AudioError(result.reason, name)
            results.append(replace(result, path=name))
    return Results(results, classifier.emotions, segments)


def _alone(
    classifier: Classifier,
    files: Sequence[str],
    names: Sequence[str],
    segments: list[Segment],
    n_workers: int,
) -> Iterator[Result]:
    """Results of recordings; their segments are added to ``segments``."""

    def classify_one(place: int) -> tuple[Result, list[Segment]]:
        extraction = classifier.extract(files[place])
        left = classifier.probabilities(extraction.windows)
        result = classifier.result(extraction, left)
        if result.status != "ok" or not extraction.is_long:
            return result, []
        every = np.array([*extraction.probabilities, *left])
        rate = classifier.config.features.rate_hz
        found = segments_of(extraction, every, classifier.emotions, rate, TimelineSpec())
        return result, [replace(segment, path=names[place]) for segment in found]

    for result, of_it in map_in_order(classify_one, range(len(files)), n_workers):
        segments.extend(of_it)
        yield result


def _found(path: StrPath, errors: str) -> list[str]:
    """The recording, or those of a folder; PathError if there is none such and errors are raised."""
    name = os.fspath(path)
    refuse_remote([name], "the Python API")
    if os.path.isdir(name):
        return scan([name])
    if errors == "raise" and not os.path.exists(name):
        raise PathError(f'{name}: does not exist. Check the path, or give errors="row".')
    return [name]


def _written(samples: object, rate_hz: int | None, stack: ExitStack) -> str:
    """Path of a temporary file with the samples of an array, read like any other recording."""
    if not isinstance(samples, np.ndarray) or samples.ndim not in (1, 2):
        shape = f" of shape {samples.shape}" if isinstance(samples, np.ndarray) else ""
        raise TypeError(
            f"a recording is a {type(samples).__name__}{shape}; a path or an array of samples, "
            "[n_samples] or [n_samples, n_channels], is needed"
        )
    if samples.dtype != np.int16 and not np.issubdtype(samples.dtype, np.floating):
        raise TypeError(
            f"samples are {samples.dtype}; float, full scale at 1.0, or int16 is needed"
        )
    if rate_hz is None:
        raise UsageError("rate_hz is missing: give the sample rate of the arrays.")
    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="serctl-"))
    path = os.path.join(folder, "samples.wav")
    subtype = "PCM_16" if samples.dtype == np.int16 else "FLOAT"
    if samples.dtype != np.int16:
        samples = samples.astype(np.float32)
    soundfile.write(path, samples, rate_hz, subtype)
    return path
