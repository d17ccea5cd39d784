"""The Python API: a model on a device, recordings in, results out.

>>> classifier = Classifier("paper-cnn")                                        # doctest: +SKIP
>>> classifier.classify("a.wav").emotion                                        # doctest: +SKIP
'happy'

`extract` does what a thread can do for one recording, `probabilities` what the network does for a
batch, and `result` joins them; `serctl.pipeline` runs these for many recordings. The network sees
batches of one fixed shape, the last one filled up with zeros, and runs on one CPU thread, so that
probabilities do not depend on how many recordings are read side by side. It computes in float64:
how a product of matrices rounds depends on a window's place in its batch, and in float32 that
reaches the sixth decimal now and then, so that a run that is resumed would not give the same bytes.
"""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from serctl import audio, features
from serctl.emotions import parse_emotions
from serctl.errors import AudioError, ModelError, UsageError
from serctl.models import DEFAULT_MODEL, Model, load_model
from serctl.results import Result

DEFAULT_BATCH_SIZE = 64
DEVICES = ("auto", "cpu", "cuda", "mps")


@dataclass
class Extraction:
    """What is known of one recording before the network has seen it.

    Attributes
    ----------
    path : str
        Of the recording.
    status, reason : str
        As in a result; ``ok`` if there is something to classify.
    recording : audio.Recording or None
        Its length, rate and channels, if it could be opened.
    windows : list of float32 [n_inputs]
        The network's input for each window.
    lengths : list of int
        Samples in each window, its weight in the mean.
    """

    path: str
    status: str = "ok"
    reason: str = ""
    recording: audio.Recording | None = None
    windows: list[NDArray[np.float32]] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)


class Classifier:
    """A model on a device.

    Parameters
    ----------
    model : str or Model
        Name of a bundled model, path of a weights folder, or a loaded model.
    emotions : str, optional
        Comma-separated subset of the model's emotions to choose between; all of them by default.
    device : str
        ``auto`` (a GPU if there is one), ``cpu``, ``cuda`` or ``mps``.
    batch_size : int
        Windows that the network sees at a time, at least one.

    Attributes
    ----------
    emotions : tuple of str
        In the order of the probabilities.

    Raises
    ------
    UsageError
        If model, emotions or device are not to be had, or the batch size is none.
    ModelError
        If the model cannot be loaded.
    """

    def __init__(
        self,
        model: str | Model = DEFAULT_MODEL,
        emotions: str | None = None,
        device: str = "auto",
        batch_size: int = DEFAULT_BATCH_SIZE,
    ) -> None:
        if batch_size < 1:
            raise UsageError(f"batch size {batch_size}: at least 1 is needed.")
        loaded = load_model(model) if isinstance(model, str) else model
        self.config = loaded.config
        known = self.config.emotions
        self.emotions = known if emotions is None else parse_emotions(emotions, known)
        self.device = choose_device(device)
        self.batch_size = batch_size
        self._columns = [known.index(emotion) for emotion in self.emotions]
        # MPS has no float64.
        self._dtype = torch.float32 if self.device.type == "mps" else torch.float64
        # A copy, since the network of a loaded model is its owner's.
        self._network = copy.deepcopy(loaded.network).to(self.device, self._dtype)

    def extract(self, path: str, on_window: Callable[[], None] | None = None) -> Extraction:
        """Decode a recording and compute the network's input; never raises for a bad recording.

        Parameters
        ----------
        path : str
            Of the recording.
        on_window : callable, optional
            Called for every window that was decoded: a sign of life.
        """
        extraction = Extraction(path)
        try:
            self._extract(extraction, on_window)
        except AudioError as error:
            extraction.status, extraction.reason = "unreadable", error.reason
        except Exception as error:
            extraction.status = "failed"
            extraction.reason = f"{type(error).__name__}: {error}"
        if extraction.status != "ok":
            extraction.windows, extraction.lengths = [], []
        return extraction

    def _extract(self, extraction: Extraction, on_window: Callable[[], None] | None) -> None:
        config, spec = self.config, self.config.features
        min_samples = config.min_duration_s * spec.rate_hz
        recording, windows = audio.read_windows(extraction.path, spec.rate_hz, config.window_s)
        extraction.recording = recording
        for samples in windows:
            if on_window is not None:
                on_window()
            # A rest too short to judge is left out, and so is a window of silence.
            if len(samples) < min_samples or np.abs(samples).max() < audio.SILENT_PEAK:
                continue
            statistics = features.clip_statistics(samples, spec)
            extraction.windows.append(config.scaling(statistics, spec))
            extraction.lengths.append(len(samples))
        if recording.duration_s < config.min_duration_s:
            extraction.status = "too_short"
            extraction.reason = (
                f"{recording.duration_s:.3f} s; at least {config.min_duration_s} s are needed."
            )
        elif recording.peak < audio.SILENT_PEAK or not extraction.windows:
            silent = "sample" if recording.peak < audio.SILENT_PEAK else "part that is long enough"
            extraction.status = "silent"
            extraction.reason = f"No {silent} reaches 1/32768 of full scale."
        if recording.truncated:
            extraction.reason = f"{extraction.reason} {recording.truncated}".lstrip()

    def probabilities(self, windows: Sequence[NDArray[np.float32]]) -> NDArray[np.float64]:
        """Probabilities of a batch of windows.

        Parameters
        ----------
        windows : sequence of float32 [n_inputs]
            At most ``batch_size``.

        Returns
        -------
        float64 [n_windows, n_emotions]
            In [0, 1], each row adding up to 1.

        Raises
        ------
        ModelError
            If they are not numbers, as the weights of a failed training give.
        """
        batch = np.zeros((self.batch_size, *windows[0].shape), np.float32)
        batch[: len(windows)] = windows
        logits = self.logits(torch.from_numpy(batch))[: len(windows), self._columns]
        probabilities = torch.softmax(logits / self.config.temperature, dim=1).numpy()
        if not np.isfinite(probabilities).all():
            raise ModelError(
                f"{self.config.name}: gives probabilities that are not numbers; its weights are "
                "useless. Train it again."
            )
        return probabilities

    def logits(self, batch: torch.Tensor) -> torch.Tensor:
        """Logits float64 [n, n_model_emotions], on the CPU, of inputs float32 [n, n_inputs]."""
        # One thread: results must not depend on the number of cores, and workers keep them busy.
        n_threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            with torch.inference_mode():
                logits: torch.Tensor = self._network(batch.to(self.device, self._dtype))
                return logits.cpu().double()  # in this order, since MPS has no float64
        finally:
            torch.set_num_threads(n_threads)

    def result(self, extraction: Extraction, probabilities: NDArray[np.float64]) -> Result:
        """Join what is known of one recording.

        Parameters
        ----------
        extraction : Extraction
            Of the recording.
        probabilities : float64 [n_windows, n_emotions]
            Of its windows; they are averaged, each with the weight of its length.
        """
        recording = extraction.recording
        described: dict[str, Any] = {}
        if recording is not None:
            described = {
                "duration_s": recording.duration_s,
                "sample_rate_hz": recording.rate_hz,
                "channels": recording.n_channels,
            }
        if extraction.status != "ok":
            return Result(extraction.path, extraction.status, extraction.reason, **described)
        mean = np.average(probabilities, axis=0, weights=extraction.lengths)
        best = int(mean.argmax())
        return Result(
            extraction.path,
            extraction.status,
            extraction.reason,
            emotion=self.emotions[best],
            confidence=float(mean[best]),
            probabilities=tuple(mean.tolist()),
            windows=len(extraction.windows),
            **described,
        )

    def classify(self, path: str) -> Result:
        """Classify one recording.

        Parameters
        ----------
        path : str
            Of an audio file.

        Returns
        -------
        Result
            With a status and a reason where it cannot be classified.
        """
        extraction = self.extract(path)
        windows, n = extraction.windows, self.batch_size
        batches = [self.probabilities(windows[i : i + n]) for i in range(0, len(windows), n)]
        return self.result(extraction, np.concatenate(batches) if batches else np.empty(0))


def choose_device(name: str) -> torch.device:
    """Device of a name in `DEVICES`; UsageError if this machine has none such."""
    available = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if name == "auto":
        name = next(device for device, is_there in available.items() if is_there)
    if not available.get(name):
        there = ", ".join(device for device, is_there in available.items() if is_there)
        raise UsageError(f"device {name}: not to be had on this machine, which has {there}.")
    return torch.device(name)
