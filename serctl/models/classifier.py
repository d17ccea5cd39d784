"""The Python API: a model on a device, recordings in, results out.

>>> from serctl import Classifier
>>> classifier = Classifier("cnn")                                              # doctest: +SKIP
>>> classifier.classify("a.wav").emotion                                        # doctest: +SKIP
'happy'

`extract` is the part that runs in a thread per recording, `probabilities` runs the network on
windows, and `result` combines both. `serctl.engine.pipeline` does this for many recordings.
`serctl.models.inference` runs the network; where windows of a long recording overlap,
`serctl.models.windows.sliding` does.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from itertools import chain, islice

import numpy as np
from numpy.typing import NDArray

from serctl.audio.mixing import OtherChannels
from serctl.audio.windows import Windowing
from serctl.emotions import parse_emotions
from serctl.errors import ModelError, UsageError
from serctl.models.devices import choose_device
from serctl.models.extraction import Extraction
from serctl.models.inference import (
    TorchInference,
    WindowInput,
    inference_of,
    input_of,
    logits_of_windows,
    softmax,
)
from serctl.models.inputs import CLIP_STATISTICS
from serctl.models.loading import DEFAULT_MODEL, Model, load_model
from serctl.models.many import Voices, classify_many
from serctl.models.voices import VoiceHeads
from serctl.models.windows.reading import read_windows_with_speech
from serctl.models.windows.sliding import SlidingInference, can_slide
from serctl.results.schema import Result
from serctl.threads import map_in_pool, n_cores
from serctl.timing import FEATURES, NETWORK, Timer

DEFAULT_BATCH_SIZE = 64
WINDOWS_AHEAD = 64  # of one long recording, that wait for a thread; more only costs memory


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
    windowing : Windowing
        Whether speech is looked for, and the windows of long recordings.

    Attributes
    ----------
    emotions : tuple of str
        In the order of the probabilities.
    voice_heads : VoiceHeads or None
        Of a model that can compare a voice's recordings, which is on a CPU.

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
        windowing: Windowing = Windowing(),  # noqa: B008 - frozen
    ) -> None:
        if batch_size < 1:
            raise UsageError(f"batch size {batch_size}: it must be at least 1.")
        loaded = model if isinstance(model, Model) else load_model(os.fspath(model))
        self._model, self.config = loaded, loaded.config
        known = self.config.emotions
        if not isinstance(emotions, str | None):
            emotions = ",".join(emotions)
        self.emotions = known if emotions is None else parse_emotions(emotions, known)
        self.device = choose_device(device)
        self.batch_size, self.windowing = batch_size, windowing
        # For one long recording; threads start when they are needed.
        self._threads = ThreadPoolExecutor(n_cores(), thread_name_prefix="serctl-windows")
        self._columns = [known.index(emotion) for emotion in self.emotions]
        self._inference = inference_of(loaded, self.device, batch_size)
        # `extract` leaves fewer windows than this. On a GPU, it leaves all statistics, which are small.
        all_left = self.device != "cpu" and self.config.inputs is CLIP_STATISTICS
        self._n_left_below = None if all_left else self._inference.batch_size
        has_voices = self.config.network == "whisper" and self.device == "cpu"
        self.voice_heads = VoiceHeads(loaded.tensors, self.config.fusion) if has_voices else None

    def extract(
        self, path: str | os.PathLike[str], on_window: Callable[[float], None] | None = None
    ) -> Extraction:
        """Decode a recording and compute the network's input; do not raise for a bad recording.

        Windows that need not wait for other recordings are classified here: all of them on a CPU,
        and full batches on a GPU.

        Parameters
        ----------
        path : str or path
            An audio file.
        on_window : callable, optional
            Called for each decoded window, with the share of the recording up to its end.
        """
        extraction = Extraction(os.fspath(path), channel=self.windowing.only_channel)
        return self.extract_into(extraction, None, on_window)

    def extract_into(
        self,
        extraction: Extraction,
        others: OtherChannels | None = None,
        on_window: Callable[[float], None] | None = None,
    ) -> Extraction:
        """Do what `extract` does, for a channel or for stretches that an extraction names.

        Raises ModelError as `probabilities` does.

        Parameters
        ----------
        extraction : Extraction
            With a path, and a channel or given stretches; it is completed.
        others : OtherChannels, optional
            As `serctl.audio.windows.SpeechGate` takes it.
        on_window : callable, optional
            As in `extract`.
        """
        try:
            windows = read_windows_with_speech(
                extraction, self.config, self.windowing, others, on_window
            )
            self._compute(extraction, windows)
        except ModelError:
            raise
        except Exception as error:
            extraction.fail(error)
        if extraction.status != "ok":
            extraction.clear()
        return extraction

    def _compute(self, extraction: Extraction, windows: Iterator[NDArray[np.float32]]) -> None:
        """Probabilities of windows, or their input; in all threads if the recording is long."""
        first = list(islice(windows, 1))  # says whether there is a lone stretch
        windows = chain(first, windows)
        if extraction.is_evenly_cut and can_slide(self.config, self.windowing):
            blocks = self._sliding.blocks((extraction.starts[-1], samples) for samples in windows)
            for logits in map_in_pool(self._threads, self._sliding.logits, blocks, n_cores()):
                extraction.probabilities.extend(self.chosen(logits))
        elif self.device == "cpu":
            in_threads = map_in_pool(self._threads, self._scored, windows, WINDOWS_AHEAD)
            for one in in_threads if extraction.is_long else map(self._scored, windows):
                extraction.add(*one)
        else:
            for samples in windows:
                extraction.windows.append(self.input_of(samples))
                if len(extraction.windows) == self._n_left_below:
                    extraction.probabilities.extend(self.probabilities(extraction.windows))
                    extraction.windows.clear()

    @cached_property
    def _sliding(self) -> SlidingInference:
        """The network for long recordings, built with the first of them."""
        return SlidingInference(self._model, self.windowing)

    def input_of(self, samples: NDArray[np.float32]) -> WindowInput:
        """Input of the network, of a window's samples, float32 [n_samples]."""
        with Timer(FEATURES):
            return input_of(self._model, samples)

    def _scored(
        self, samples: NDArray[np.float32]
    ) -> tuple[NDArray[np.float64], NDArray[np.float32] | None]:
        """Probabilities of a window, and its embedding if the model compares recordings by it."""
        window, inference = self.input_of(samples), self._inference
        if self.voice_heads is None or isinstance(inference, TorchInference):
            return self.probabilities([window])[0], None
        with Timer(NETWORK):
            logits, embedding = inference.logits_and_embedding(window)
        return self.chosen(logits)[0], embedding

    def probabilities(self, windows: Sequence[WindowInput]) -> NDArray[np.float64]:
        """Classify windows.

        Parameters
        ----------
        windows : sequence of WindowInput
            As of `Extraction.windows`.

        Returns
        -------
        float64 [n_windows, n_emotions]
            As `chosen`, which may raise.
        """
        with Timer(NETWORK):
            logits = self.window_logits(windows)
        return self.chosen(logits)

    def chosen(self, logits: NDArray[np.float64]) -> NDArray[np.float64]:
        """Probabilities of the chosen emotions, from logits [n, n_model_emotions] of all.

        Returns
        -------
        float64 [n, n_emotions]
            In [0, 1]; each row sums to 1.

        Raises
        ------
        ModelError
            If a probability is not finite, as after a failed training.
        """
        probabilities = softmax(logits[:, self._columns] / self.config.temperature)
        if not np.isfinite(probabilities).all():
            raise ModelError(
                f"{self.config.name}: its probabilities are not finite, so its weights are unusable. "
                "Train it again."
            )
        return probabilities

    def window_logits(self, windows: Sequence[WindowInput]) -> NDArray[np.float64]:
        """Logits [n_windows, n_model_emotions] of windows of any lengths."""
        return logits_of_windows(self._inference, windows, len(self.config.emotions))

    def result(self, extraction: Extraction, probabilities: NDArray[np.float64]) -> Result:
        """Result of one recording.

        Parameters
        ----------
        extraction : Extraction
            From `extract`.
        probabilities : float64 [n_windows, n_emotions]
            Of `Extraction.windows`. The result has the mean over all windows, weighted by length.
        """
        described = extraction.described()
        if extraction.status != "ok":
            return Result(extraction.path, extraction.status, extraction.reason, **described)
        of_windows = [*extraction.probabilities, *probabilities]
        mean = np.average(of_windows, axis=0, weights=extraction.lengths)
        described["windows"] = len(extraction.lengths)
        result = Result(extraction.path, "ok", extraction.reason, **described)
        return result.labelled(mean.tolist(), self.emotions)

    def classify(self, path: str | os.PathLike[str]) -> Result:
        """Classify one recording.

        Returns
        -------
        Result
            With a status and a reason if it cannot be classified.
        """
        extraction = self.extract(path)
        return self.result(extraction, self.probabilities(extraction.windows))

    def classify_many(
        self,
        paths: Sequence[str | os.PathLike[str]],
        voices: Voices | None = None,
        n_workers: int | None = None,
    ) -> Iterator[Result]:
        """Classify recordings, each beside the others of its voice if voices are given.

        Parameters
        ----------
        paths : sequence of str or path
            Audio files.
        voices : mapping, callable or sequence of str, optional
            From path to voice, or one for each path; None or empty for recordings to be alone.
        n_workers : int, optional
            Threads; the number of CPU cores by default.

        Returns
        -------
        iterator of Result
            One for each path, in their order; with voices, once all are decoded.

        Raises
        ------
        UsageError
            If there are voices and the model cannot compare recordings, or is not on a CPU.
        """
        return classify_many(self, paths, voices, n_workers or n_cores())
