"""Clips of the four corpora that train beside a user's own recordings.

Fold 0 of `new-speakers` is left out, as in the training of the bundled models, so that it tests the
result too.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from serctl.emotions import EMOTIONS, in_order
from serctl.train.corpora.manifest import clip_table
from serctl.train.corpora.splits import NEW_SPEAKERS, clips_of, split_clips
from serctl.train.custom.embeddings import OnRecordings, embed_recordings
from serctl.train.custom.recordings import sha256_of
from serctl.train.custom.start import Start
from serctl.train.evaluation.labels import Labelled


@dataclass(frozen=True)
class CorpusClips:
    """Clips with their emotions.

    Attributes
    ----------
    references : list of str [n]
        Emotion of each.
    embeddings : float32 [n, n_embedding]
    """

    references: list[str]
    embeddings: NDArray[np.float32]

    @property
    def n(self) -> int:
        """Number of clips."""
        return len(self.references)

    @property
    def labels(self) -> tuple[str, ...]:
        """Emotions that there are."""
        return in_order(self.references)


def no_clips() -> CorpusClips:
    """No clips at all."""
    return CorpusClips([], np.zeros((0, 0), np.float32))


def read_clips(
    corpora: str, labels: tuple[str, ...], start: Start, on_recordings: OnRecordings
) -> CorpusClips:
    """Embed the clips of the corpora outside fold 0.

    Parameters
    ----------
    corpora : str
        Folder of the four corpora.
    labels : tuple of str
        Of the user's recordings; emotions among them are taken, beside those that ``start`` knows.
    start : Start
        Embeds them.
    on_recordings : callable
        As of `serctl.train.custom.embeddings.embed_recordings`.

    Raises
    ------
    CorporaError
        If they are not there, whole.
    """
    known = [label for label in in_order([*labels, *start.labels]) if label in EMOTIONS]
    table = clips_of(clip_table(corpora), known)
    parts = split_clips(table, NEW_SPEAKERS)
    rows = table.iloc[np.concatenate([parts.train, parts.validation])]
    recordings = [
        Labelled(path, emotion, sha256_of(path))
        for path, emotion in zip(rows["path"], rows["emotion"], strict=True)
    ]
    embedded = embed_recordings(recordings, start, "off", on_recordings)
    kept = [
        (one.name, found.embedding)
        for one, found in zip(recordings, embedded, strict=True)
        if found.embedding is not None
    ]
    return CorpusClips([name for name, _ in kept], np.stack([one for _, one in kept]))
