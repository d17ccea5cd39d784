"""Logits of the clips of a test part, kept so that results can be pooled over folds."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

LOGITS_FILE = "test_logits.npz"


@dataclass(frozen=True)
class HeldOutLogits:
    """Logits of a model for the clips of a test part, with their references.

    Attributes
    ----------
    clips : list of (str, str) [n]
        Corpus and name of each.
    speakers : list of str [n]
        Of each.
    emotions : tuple of str
        In the order of the logits.
    references : int64 [n]
        Index of each clip's emotion.
    has_prediction : bool [n]
        Whether users get a prediction; a silent clip has none, and counts as wrong.
    logits : float32 [n, n_emotions]
        Before the temperature.
    """

    clips: list[tuple[str, str]]
    speakers: list[str]
    emotions: tuple[str, ...]
    references: NDArray[np.int64]
    has_prediction: NDArray[np.bool_]
    logits: NDArray[np.float32]

    def save(self, path: Path) -> None:
        """Write ``test_logits.npz``: a key for each attribute, and ``corpora`` for ``clips``' first."""
        np.savez_compressed(
            path,
            corpora=np.array([corpus for corpus, _ in self.clips]),
            clips=np.array([clip for _, clip in self.clips]),
            speakers=np.array(self.speakers),
            emotions=np.array(self.emotions),
            references=self.references,
            has_prediction=self.has_prediction,
            logits=self.logits,
        )
