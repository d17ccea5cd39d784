"""A voice's other recordings: emotion against the voice's habit.

A voice has a habitual pitch, loudness and timbre, and a room and a microphone. The mean embedding of
its recordings holds them, and also the emotions that they happen to have: of recordings of one
emotion alone, the mean is that emotion. So the mean is corrected by what the classes' shares among
the recordings do to it (`class_offsets`, from training speakers), where one class prevails:

    z = x - n / (n + 4) (mean(x) - c p M),    c = clip((max(p) - 0.3) / 0.2, 0, 1)

with x the normalized embedding, n the voice's number of recordings, M the class offsets and p the
mean probabilities of its recordings: first of each alone, then, in a second pass, of the first.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from serctl.models.networks.whisper_graph import COUNT_SCALE, HEADS, MAX_RECORDINGS

SHRINKAGE = 4.0  # a mean of n recordings counts n / (n + 4)
LOW_SHARE, HIGH_SHARE = 0.3, 0.5  # of the most probable class: below not corrected, above wholly
N_PASSES = 2

Embeddings = Iterable[tuple[str, NDArray[np.float32]]]


class VoiceHeads:
    """Heads of a model, given a voice's other recordings.

    Parameters
    ----------
    tensors : mapping of str to array
        Of the model, as `serctl.models.loading.Model` holds them.
    """

    def __init__(self, tensors: Mapping[str, NDArray[Any]]) -> None:
        self._mean, self._std = tensors["embedding.mean"], tensors["embedding.std"]
        self._offsets = tensors["class_offsets"].astype(np.float64)
        self._heads = [
            tuple(
                tensors[f"heads.{i}.{layer}.{name}"].astype(np.float64)
                for layer in ("hidden", "output")
                for name in ("weight", "bias")
            )
            for i in range(len(HEADS))
        ]

    def log_probabilities(
        self, embeddings: Callable[[], Embeddings]
    ) -> Iterator[NDArray[np.float64]]:
        """Log-probabilities of recordings, each beside the others of its voice.

        Parameters
        ----------
        embeddings : callable
            Gives voice and embedding, float32 [n_embedding], of every recording; called once for
            each pass, so that they need not be in memory.

        Yields
        ------
        float64 [n_emotions]
            Of each recording, in their order.
        """
        sums: dict[str, NDArray[np.float64]] = {}
        counts: dict[str, int] = {}
        shares: dict[str, NDArray[np.float64]] = {}
        for voice, embedding in embeddings():
            x = self._normalized(embedding)
            counts[voice] = counts.get(voice, 0) + 1
            sums[voice] = sums.get(voice, 0.0) + x
            shares[voice] = shares.get(voice, 0.0) + np.exp(self._scores(x, 1))
        for last in range(N_PASSES):
            common = {
                voice: self._common(sums[voice] / n, shares[voice] / n, n)
                for voice, n in counts.items()
            }
            shares = dict.fromkeys(counts, np.zeros(len(self._offsets)))
            for voice, embedding in embeddings():
                n = counts[voice]
                scores = self._scores(self._normalized(embedding) - common[voice], n)
                if last == N_PASSES - 1:
                    yield scores
                else:
                    shares[voice] = shares[voice] + np.exp(scores)

    def _common(
        self, mean: NDArray[np.float64], shares: NDArray[np.float64], n: int
    ) -> NDArray[np.float64]:
        """What is taken off the embeddings of a voice, float64 [n_embedding]."""
        if n == 1:
            return np.zeros_like(mean)
        excess = (shares.max() - LOW_SHARE) / (HIGH_SHARE - LOW_SHARE)
        corrected = mean - np.clip(excess, 0, 1) * (shares @ self._offsets)
        return n / (n + SHRINKAGE) * corrected

    def _normalized(self, embedding: NDArray[np.float32]) -> NDArray[np.float64]:
        return (embedding.astype(np.float64) - self._mean) / self._std

    def _scores(self, x: NDArray[np.float64], n: int) -> NDArray[np.float64]:
        """Log-probabilities float64 [n_emotions] of one recording, of ``n`` of its voice."""
        total = np.zeros(len(self._offsets))
        for sizes, (weights, bias, out_weights, out_bias) in zip(HEADS, self._heads, strict=True):
            used = sizes.n_alone if n == 1 else sizes.n_inputs
            count = np.log(min(n, MAX_RECORDINGS)) / COUNT_SCALE
            hidden = weights[:, :used] @ x[:used] + weights[:, -1] * count + bias
            total += _log_softmax(out_weights @ _gelu(hidden) + out_bias)
        return _log_softmax(total / len(HEADS))


def _gelu(x: NDArray[np.float64]) -> NDArray[np.float64]:
    from math import erf

    return x * 0.5 * (1 + np.array([erf(value) for value in x / np.sqrt(2)]))


def _log_softmax(x: NDArray[np.float64]) -> NDArray[np.float64]:
    x = x - x.max()
    result: NDArray[np.float64] = x - np.log(np.exp(x).sum())
    return result
