"""The Python API: a model on a device, recordings in, results out.

>>> from serctl import Classifier
>>> classifier = Classifier("cnn")                                              # doctest: +SKIP
>>> classifier.classify("a.wav").emotion                                        # doctest: +SKIP
'happy'

`extract` is the part that runs in a thread per recording, `probabilities` runs the network on
windows, and `result` combines both. `serctl.engine.pipeline` does this for many recordings;
`serctl.models.inference` runs the network on a CPU or GPU.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from serctl.audio import decoding
from serctl.emotions import parse_emotions
from serctl.errors import AudioError, ModelError, UsageError
from serctl.models.devices import choose_device
from serctl.models.inference import GraphInference, TorchInference
from serctl.models.inputs import CLIP_STATISTICS
from serctl.models.loading import DEFAULT_MODEL, Model, load_model
from serctl.results.schema import Result
from serctl.timing import FEATURES, NETWORK, Timer

DEFAULT_BATCH_SIZE = 64


@dataclass
class Extraction:
    """One recording, before all of its windows are classified.

    Attributes
    ----------
    path : str
        Path of the recording.
    status, reason : str
        As in a result; ``ok`` if there are windows to classify.
    recording : Recording or None
        Its duration, sample rate and channels, if it could be opened.
    lengths : list of int
        Samples in each window; its weight in the mean.
    probabilities : list of float64 [n_emotions]
        Of the first windows, which are already classified.
    windows : list of float32 [...]
        Input of the network for each of the other windows.
    """

    path: str
    status: str = "ok"
    reason: str = ""
    recording: decoding.Recording | None = None
    lengths: list[int] = field(default_factory=list)
    probabilities: list[NDArray[np.float64]] = field(default_factory=list)
    windows: list[NDArray[np.float32]] = field(default_factory=list)


class Classifier:
    """A model on a device.

    Parameters
    ----------
    model : str, path or Model
        Name of a bundled model, path of a weights folder, or a loaded model.
    emotions : str or sequence of str, optional
        Subset of the model's emotions to choose between; a string is separated by commas. All
        emotions by default.
    device : str
        ``auto`` (a GPU if available), ``cpu``, ``cuda`` or ``mps``.
    batch_size : int
        Windows per batch on a GPU, at least 1; on a CPU, the batch size is always 1.

    Attributes
    ----------
    emotions : tuple of str
        In the order of the probabilities.

    Raises
    ------
    UsageError
        If the model, an emotion or the device is not available, or the batch size is below 1.
    ModelError
        If the model cannot be loaded.
    """

    def __init__(
        self,
        model: str | os.PathLike[str] | Model = DEFAULT_MODEL,
        emotions: str | Sequence[str] | None = None,
        device: str = "auto",
        batch_size: int = DEFAULT_BATCH_SIZE,
    ) -> None:
        if batch_size < 1:
            raise UsageError(f"batch size {batch_size}: it must be at least 1.")
        loaded = model if isinstance(model, Model) else load_model(os.fspath(model))
        self.config = loaded.config
        known = self.config.emotions
        if not isinstance(emotions, str | None):
            emotions = ",".join(emotions)
        self.emotions = known if emotions is None else parse_emotions(emotions, known)
        self.device = choose_device(device)
        self.batch_size = batch_size
        self._columns = [known.index(emotion) for emotion in self.emotions]
        self._inference: GraphInference | TorchInference
        if self.device == "cpu":
            self._inference = GraphInference(loaded)
        else:
            self._inference = TorchInference(loaded, self.device, batch_size)
        # `extract` leaves fewer windows than this. On a GPU, it leaves all statistics, which are small.
        all_left = self.device != "cpu" and self.config.inputs is CLIP_STATISTICS
        self._n_left_below = None if all_left else self._inference.batch_size

    def extract(
        self, path: str | os.PathLike[str], on_window: Callable[[], None] | None = None
    ) -> Extraction:
        """Decode a recording and compute the network's input; do not raise for a bad recording.

        Windows that need not wait for other recordings are classified here: all of them on a CPU,
        and full batches on a GPU.

        Parameters
        ----------
        path : str or path
            An audio file.
        on_window : callable, optional
            Called for each decoded window, to show progress.

        Raises
        ------
        ModelError
            As `probabilities` does.
        """
        extraction = Extraction(os.fspath(path))
        try:
            self._extract(extraction, on_window)
        except AudioError as error:
            extraction.status, extraction.reason = "unreadable", error.reason
        except ModelError:
            raise
        except OSError as error:
            extraction.status = "failed"
            extraction.reason = (
                f"{error.strerror or error} while it was read. Is the disk or the network share "
                "still there? --retry-failed tries it again."
            )
        except Exception as error:
            extraction.status = "failed"
            extraction.reason = f"{type(error).__name__}: {error}"
        if extraction.status != "ok":
            extraction.lengths, extraction.probabilities, extraction.windows = [], [], []
        return extraction

    def _extract(self, extraction: Extraction, on_window: Callable[[], None] | None) -> None:
        config, spec = self.config, self.config.features
        min_samples = config.min_duration_s * spec.rate_hz
        recording, windows = decoding.read_windows(extraction.path, spec.rate_hz, config.window_s)
        extraction.recording = recording
        for samples in windows:
            if on_window is not None:
                on_window()
            # A remainder that is too short, or a silent window, is skipped.
            if len(samples) < min_samples or decoding.peak_of(samples) < decoding.SILENT_PEAK:
                continue
            with Timer(FEATURES):
                raw = config.inputs.extract(samples, spec)
                extraction.windows.append(config.inputs.normalize(raw, config.normalization, spec))
            extraction.lengths.append(len(samples))
            if len(extraction.windows) == self._n_left_below:
                extraction.probabilities.extend(self.probabilities(extraction.windows))
                extraction.windows.clear()
        if recording.duration_s < config.min_duration_s:
            extraction.status = "too_short"
            extraction.reason = (
                f"{recording.duration_s:.3f} s; at least {config.min_duration_s} s are needed."
            )
        elif recording.peak < decoding.SILENT_PEAK or not extraction.lengths:
            silent = (
                "sample" if recording.peak < decoding.SILENT_PEAK else "part that is long enough"
            )
            extraction.status = "silent"
            extraction.reason = f"No {silent} reaches 1/32768 of full scale."
        if recording.reason:
            extraction.reason = f"{extraction.reason} {recording.reason}".lstrip()

    def probabilities(self, windows: Sequence[NDArray[np.float32]]) -> NDArray[np.float64]:
        """Classify windows.

        Parameters
        ----------
        windows : sequence of float32 [...]
            As of `Extraction.windows`.

        Returns
        -------
        float64 [n_windows, n_emotions]
            In [0, 1]; each row sums to 1.

        Raises
        ------
        ModelError
            If a probability is not finite, as after a failed training.
        """
        with Timer(NETWORK):
            logits = self.window_logits(windows)[:, self._columns]
        probabilities = _softmax(logits / self.config.temperature)
        if not np.isfinite(probabilities).all():
            raise ModelError(
                f"{self.config.name}: its probabilities are not finite, so its weights are unusable. "
                "Train it again."
            )
        return probabilities

    def window_logits(self, windows: Sequence[NDArray[np.float32]]) -> NDArray[np.float64]:
        """Logits [n_windows, n_model_emotions] of windows of any lengths."""
        logits = np.empty((len(windows), len(self.config.emotions)))
        of_shape: dict[tuple[int, ...], list[int]] = {}
        for i, window in enumerate(windows):
            of_shape.setdefault(window.shape, []).append(i)
        batch_size = self._inference.batch_size
        for shape, indexes in of_shape.items():
            for first in range(0, len(indexes), batch_size):
                chosen = indexes[first : first + batch_size]
                batch = np.zeros((batch_size, *shape), np.float32)
                batch[: len(chosen)] = [windows[i] for i in chosen]
                logits[chosen] = self._inference.logits(batch)[: len(chosen)]
        return logits

    def result(self, extraction: Extraction, probabilities: NDArray[np.float64]) -> Result:
        """Result of one recording.

        Parameters
        ----------
        extraction : Extraction
            From `extract`.
        probabilities : float64 [n_windows, n_emotions]
            Of `Extraction.windows`. The result has the mean over all windows, weighted by length.
        """
        recording = extraction.recording
        described: dict[str, Any] = {}
        if recording is not None:
            described = {
                "duration_s": recording.duration_s,
                "sample_rate_hz": recording.rate_hz,
                "channels": recording.n_channels,
            }
        if extraction.status == "unreadable":
            described["duration_s"] = None  # only a part was decoded
        if extraction.status != "ok":
            return Result(extraction.path, extraction.status, extraction.reason, **described)
        of_windows = [*extraction.probabilities, *probabilities]
        mean = np.average(of_windows, axis=0, weights=extraction.lengths)
        best = int(mean.argmax())
        return Result(
            extraction.path,
            extraction.status,
            extraction.reason,
            emotion=self.emotions[best],
            confidence=float(mean[best]),
            probabilities=tuple(mean.tolist()),
            windows=len(extraction.lengths),
            **described,
        )

    def classify(self, path: str | os.PathLike[str]) -> Result:
        """Classify one recording.

        Parameters
        ----------
        path : str or path
            An audio file.

        Returns
        -------
        Result
            With a status and a reason if it cannot be classified.
        """
        extraction = self.extract(path)
        return self.result(extraction, self.probabilities(extraction.windows))


def _softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Softmax of each row; SciPy takes longer to import than the network to load."""
    with np.errstate(invalid="ignore"):  # infinite logits; the caller checks
        # The largest exponent is 0, to avoid overflow.
        exponentials = np.exp(logits - logits.max(axis=1, keepdims=True, initial=-np.inf))
    return exponentials / exponentials.sum(axis=1, keepdims=True)
