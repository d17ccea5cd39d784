"""Embeddings of recordings: what the layers before the last make of them, once and then cached.

A recording is decoded and cut into windows as `serctl classify` does it, and its embedding is the mean
of its windows', weighted by their length. Windows of long recordings do not overlap, since training
needs no timeline. What cannot be used has a reason instead.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from serctl.audio.windows import WINDOW_S, Windowing
from serctl.errors import AudioError
from serctl.models.extraction import Extraction
from serctl.models.windows.reading import read_windows_with_speech
from serctl.threads import map_in_order, n_cores
from serctl.train.custom.start import Start
from serctl.train.data.feature_cache import cache_folder, load_array, save_array
from serctl.train.evaluation.labels import Labelled

CACHE_VERSION = 1  # raise it when the same file gives another embedding
OnRecordings = Callable[[Iterable["Embedded"], int], Iterator["Embedded"]]


@dataclass(frozen=True)
class Embedded:
    """One recording.

    Attributes
    ----------
    embedding : float32 [n_embedding] or None
        None if it cannot be used.
    reason : str
        Why, in words.
    """

    embedding: NDArray[np.float32] | None
    reason: str = ""


class RecordingEmbedder:
    """Embeds recordings; a call is safe in any thread.

    Parameters
    ----------
    start : Start
        Whose layers before the last are used.
    speech : str
        As `serctl.audio.windows.Windowing` takes it.
    """

    def __init__(self, start: Start, speech: str) -> None:
        config = self._config = start.model.config
        self._windowing = Windowing(speech, hop_s=WINDOW_S)
        self._embed = start.embedder()
        weights = config.encoder_sha256 or config.sha256
        inputs = f"{config.features} {config.normalization} {config.window_s} {self._windowing}"
        key = f"recordings {CACHE_VERSION} {weights} {inputs}"
        self._folder = cache_folder() / "features" / hashlib.sha256(key.encode()).hexdigest()[:16]

    def __call__(self, recording: Labelled) -> Embedded:
        """Embed one recording.

        Parameters
        ----------
        recording : Labelled
            Its ``key`` is the SHA-256 of its content.
        """
        cached = self._folder / recording.key[:2] / f"{recording.key}.npy"
        known = load_array(cached)
        if known is not None and known.ndim == 1 and known.dtype == np.float32:
            return Embedded(known)
        extraction = Extraction(recording.path)
        try:
            embeddings = [
                self._embed(self._config.input_of(samples))
                for samples in read_windows_with_speech(extraction, self._config, self._windowing)
            ]
        except AudioError as error:
            return Embedded(None, error.reason)
        except OSError as error:
            return Embedded(None, f"{error.strerror or error} while it was read.")
        if extraction.status != "ok":
            return Embedded(None, extraction.reason)
        mean = np.average(embeddings, axis=0, weights=extraction.lengths).astype(np.float32)
        save_array(cached, mean)
        return Embedded(mean)


def embed_recordings(
    recordings: Sequence[Labelled], start: Start, speech: str, on_recordings: OnRecordings
) -> list[Embedded]:
    """Embed recordings in all threads.

    Parameters
    ----------
    recordings : sequence of Labelled
        ``key`` is the SHA-256 of the content.
    start, speech
        As for `RecordingEmbedder`.
    on_recordings : callable
        Wraps the iterator, given how many there are, as a progress bar does.

    Returns
    -------
    list of Embedded
        In the order of the recordings.
    """
    embedder = RecordingEmbedder(start, speech)
    embedded = map_in_order(embedder, recordings, n_cores())
    return list(on_recordings(embedded, len(recordings)))
