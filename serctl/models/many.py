"""Many recordings by the Python API, each alone or beside the others of its voice.

Beside others, a result depends on all recordings of its voice that are given together. Embeddings go
to a temporary file, 8 KB for each recording, so that they are never all in memory. A recording that
cannot be classified does not count among those of its voice.
"""

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from serctl.errors import UsageError
from serctl.models.voices import probabilities_by_voice
from serctl.results.schema import Result
from serctl.threads import map_in_order

if TYPE_CHECKING:
    from serctl.models.classifier import Classifier

Voices = Mapping[str, str] | Callable[[str], str | None] | Sequence[str | None]


def classify_many(
    classifier: "Classifier",
    paths: Sequence[str | os.PathLike[str]],
    voices: Voices | None,
    n_workers: int,
) -> Iterator[Result]:
    """Do what `Classifier.classify_many` does.

    Parameters
    ----------
    classifier : Classifier
        Model and device.
    paths, voices, n_workers
        As `Classifier.classify_many` takes them.

    Raises
    ------
    UsageError
        If there are voices and the model cannot compare recordings, or as many voices as paths are
        needed.
    """
    recordings = [os.fspath(path) for path in paths]
    if voices is None:
        return map_in_order(classifier.classify, recordings, n_workers)
    if classifier.voice_heads is None:
        raise UsageError(no_voices(classifier.config.name))
    return _beside_others(classifier, recordings, _voices_of(recordings, voices), n_workers)


def no_voices(model: str) -> str:
    """Why a model cannot classify recordings beside others, and what to do."""
    return (
        f"the model {model} cannot classify a recording beside the others of its voice, or not on "
        "this device. Use --model whisper, on the CPU, or a model that was trained like it."
    )


def _voices_of(recordings: Sequence[str], voices: Voices) -> list[str]:
    """Voice of each recording, empty for those alone."""
    if isinstance(voices, Mapping):
        return [voices.get(path) or "" for path in recordings]
    if callable(voices):
        return [voices(path) or "" for path in recordings]
    if isinstance(voices, str) or len(voices) != len(recordings):
        raise UsageError(
            f"{len(voices)} voices for {len(recordings)} recordings: one for each is needed."
        )
    return [voice or "" for voice in voices]


def _beside_others(
    classifier: "Classifier", recordings: Sequence[str], voices: Sequence[str], n_workers: int
) -> Iterator[Result]:
    def embed(path: str) -> tuple[Result, NDArray[np.float32] | None]:
        extraction = classifier.extract(path)
        left = classifier.probabilities(extraction.windows)
        return classifier.result(extraction, left), extraction.embedding

    heads = classifier.voice_heads
    assert heads is not None
    results: list[Result] = []
    with tempfile.TemporaryFile() as file:
        offsets: list[int] = []
        for result, embedding in map_in_order(embed, recordings, n_workers):
            offsets.append(file.tell())
            results.append(result)
            if embedding is not None:
                file.write(embedding.tobytes())

        def read(place: int) -> NDArray[np.float32]:
            file.seek(offsets[place])
            return np.frombuffer(file.read(heads.embedding_bytes), np.float32)

        of_voices: dict[str, list[int]] = {}
        for place, (voice, result) in enumerate(zip(voices, results, strict=True)):
            if voice and result.status == "ok":
                of_voices.setdefault(voice, []).append(place)
        together = (places for places in of_voices.values() if len(places) > 1)
        for place, probabilities in probabilities_by_voice(classifier, together, read):
            results[place] = results[place].labelled(probabilities, classifier.emotions)
    for result, voice in zip(results, voices, strict=True):
        n = len(of_voices[voice]) if voice and result.status == "ok" else None
        yield replace(result, voice=voice, voice_n=n)
