"""Corpora whose true UA is known: speakers and clips are drawn, and models err on them by chance.

A speaker's recall of an emotion is logistic of the emotion's mean, an effect of the speaker and one
of the speaker for this emotion, both normal. The truth is the mean over all speakers that could be
drawn, by Gauss-Hermite quadrature.
"""

from dataclasses import dataclass

import numpy as np
import scipy.special
from numpy.typing import NDArray

EMOTIONS = ("angry", "disgust", "fear", "happy", "sad")
QUADRATURE = np.polynomial.hermite_e.hermegauss(60)


@dataclass(frozen=True)
class Population:
    """Speakers that corpora are drawn from; effects are in logits.

    Attributes
    ----------
    logits : tuple of float
        Mean of each emotion.
    by_speaker, by_cell : float
        Standard deviation of a speaker's effect, and of that for one emotion.
    n_speakers, n_clips : int
        Of a corpus; clips are of each speaker and emotion, on average.
    spread : float
        Standard deviation of the logarithm of a speaker's number of clips.
    """

    logits: tuple[float, ...] = (1.5, 0.8, 0.4, 1.0, 0.0)
    by_speaker: float = 0.6
    by_cell: float = 0.4
    n_speakers: int = 10
    n_clips: int = 10
    spread: float = 0.0

    @property
    def recalls(self) -> NDArray[np.float64]:
        """True recall of each emotion; their mean is the true UA."""
        nodes, weights = QUADRATURE
        effects = np.hypot(self.by_speaker, self.by_cell) * nodes
        right = scipy.special.expit(np.array(self.logits)[:, None] + effects)
        return (right * weights).sum(axis=1) / weights.sum()


@dataclass(frozen=True)
class Corpus:
    """Clips of one corpus, and what two models predict."""

    references: list[str]
    speakers: list[str]
    first: list[str]
    second: list[str]


def draw_corpus(population: Population, rng: np.random.Generator, gain: float = 0.0) -> Corpus:
    """Draw a corpus.

    Parameters
    ----------
    population : Population
        Of the first model's recalls.
    rng : Generator
        Draws it.
    gain : float
        Added to the second model's logits. Both models share the speaker's effect, not that of
        speaker and emotion.
    """
    n, n_emotions = population.n_speakers, len(EMOTIONS)
    spread = population.spread
    sizes = population.n_clips * np.exp(rng.normal(0, spread, n) - spread**2 / 2)
    n_clips = np.maximum(np.round(sizes).astype(int), 1)
    speaker = np.repeat(np.arange(n), n_clips * n_emotions)
    emotion = np.tile(np.arange(n_emotions), n_clips.sum())
    shared = np.array(population.logits) + rng.normal(0, population.by_speaker, n)[:, None]
    predictions = []
    for shift in (0.0, gain):
        logits = shared + shift + rng.normal(0, population.by_cell, (n, n_emotions))
        right = rng.random(len(speaker)) < scipy.special.expit(logits[speaker, emotion])
        other = (emotion + rng.integers(1, n_emotions, len(emotion))) % n_emotions
        predictions.append([EMOTIONS[i] for i in np.where(right, emotion, other)])
    return Corpus(
        [EMOTIONS[i] for i in emotion], [f"s{i}" for i in speaker], predictions[0], predictions[1]
    )
