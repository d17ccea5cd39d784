"""Classifying recordings beside the other recordings of the same voice.

>>> classifier = VoiceClassifier("whisper")                                     # doctest: +SKIP
>>> for result in classifier.classify_many([("a1.wav", "anna"), ("a2.wav", "anna")]): ...

A row then depends on all recordings of its voice that are given together. Embeddings go to a
temporary file, 8 KB for each recording, so that memory grows with the number of voices alone.
"""

import os
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from serctl.errors import UsageError
from serctl.models.classifier import Classifier, Extraction
from serctl.models.embedding import Embedder
from serctl.models.loading import Model, load_model
from serctl.models.networks.whisper_graph import N_EMBEDDING
from serctl.models.voices import VoiceHeads
from serctl.results.schema import Result
from serctl.threads import map_in_order, n_cores

EMBEDDING_BYTES = 4 * N_EMBEDDING


class VoiceClassifier(Classifier):
    """A model with an encoder, on the CPU.

    Parameters
    ----------
    model : str, path or Model
        ``whisper``, or a weights folder of its kind.
    emotions : str or sequence of str, optional
        As for `Classifier`.

    Raises
    ------
    UsageError
        If the model has no encoder, or as for `Classifier`.
    """

    _windows_in_threads = False  # `window_logits` keeps embeddings by thread

    def __init__(
        self,
        model: str | os.PathLike[str] | Model = "whisper",
        emotions: str | Sequence[str] | None = None,
    ) -> None:
        loaded = model if isinstance(model, Model) else load_model(os.fspath(model))
        if loaded.config.network != "whisper":
            raise UsageError(
                f"{loaded.config.name}: cannot use a voice's other recordings. Choose the model "
                "whisper, or one that was trained like it."
            )
        super().__init__(loaded, emotions, device="cpu")
        self._embedder = Embedder(loaded.tensors)
        self._heads = VoiceHeads(loaded.tensors)
        self._local = threading.local()

    def window_logits(self, windows: Sequence[NDArray[np.float32]]) -> NDArray[np.float64]:
        """Logits [n_windows, n_model_emotions] of windows; their embeddings are kept for `extract`."""
        embeddings = [self._embedder(window) for window in windows]
        self._local.embeddings = [*getattr(self._local, "embeddings", ()), *embeddings]
        alone = [(str(i), one) for i, one in enumerate(embeddings)]
        scores = list(self._heads.log_probabilities(lambda: alone))
        return np.array(scores).reshape(len(windows), len(self.config.emotions))

    def classify_many(
        self, recordings: Sequence[tuple[str, str]], n_workers: int | None = None
    ) -> Iterator[Result]:
        """Classify recordings, each beside the others of its voice.

        Parameters
        ----------
        recordings : sequence of (str, str)
            Path and voice of each.
        n_workers : int, optional
            Threads; the number of CPU cores by default.

        Yields
        ------
        Result
            One for each recording, in their order, once all are decoded.
        """
        with tempfile.TemporaryFile() as file:
            extractions = []
            paths = [path for path, _ in recordings]
            for extraction, embedding in map_in_order(self._embed, paths, n_workers or n_cores()):
                extractions.append(extraction)
                if embedding is not None:
                    file.write(embedding.tobytes())
            voices = [
                voice
                for (_, voice), extraction in zip(recordings, extractions, strict=True)
                if extraction.status == "ok"
            ]

            def embeddings() -> Iterator[tuple[str, NDArray[np.float32]]]:
                file.seek(0)
                for voice in voices:
                    yield voice, np.frombuffer(file.read(EMBEDDING_BYTES), np.float32)

            yield from self._results(extractions, embeddings)

    def _embed(self, path: str) -> tuple[Extraction, NDArray[np.float32] | None]:
        """A recording and the mean of its windows' embeddings, weighted by their length."""
        self._local.embeddings = []
        extraction = self.extract(path)
        if extraction.status != "ok":
            return extraction, None
        mean = np.average(self._local.embeddings, axis=0, weights=extraction.lengths)
        return extraction, mean.astype(np.float32)

    def _results(
        self,
        extractions: Sequence[Extraction],
        embeddings: Callable[[], Iterator[tuple[str, NDArray[np.float32]]]],
    ) -> Iterator[Result]:
        scores = self._heads.log_probabilities(embeddings)
        for extraction in extractions:
            if extraction.status == "ok":
                logits = next(scores)[self._columns] / self.config.temperature
                probabilities = np.exp(logits - logits.max())
                # One mean of all windows stands for each of them.
                n_windows = len(extraction.probabilities)
                extraction.probabilities = [probabilities / probabilities.sum()] * n_windows
            yield self.result(extraction, np.empty((0, len(self.emotions))))
