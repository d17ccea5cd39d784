"""A voice's other recordings: emotion against the voice's habit.

A voice has a habitual pitch, loudness and timbre, and a room and a microphone. The mean embedding of
its recordings holds them, and also the emotions that they happen to have: of recordings of one
emotion alone, the mean is that emotion. So the mean is corrected by what the emotions' shares among
the recordings do to it (`class_offsets`, from training speakers), where one emotion prevails:

    z = x - n / (n + 4) (mean(x) - c p M),    c = clip((max(p) - 0.35) / 0.25, 0, 1)

with x the normalized embedding, n the voice's number of recordings, M the class offsets and p the
estimated shares of emotions: first from each recording alone, then, in a second pass, from the first.
Log-probabilities of a second model (late fusion) are further columns of x, with offsets of their own.
Mean probabilities are too even where one emotion prevails; one step of the EM algorithm of Saerens et
al., "Adjusting the Outputs of a Classifier to New a Priori Probabilities" (2002), makes them p. What
prevails would then be found too often among the others. So 0.3 n / (n + 4) log(p) is taken off the
log-probabilities. train/results/experiments-whisper.md says how these numbers were chosen.

Sums are float64 and in the order of the recordings, so that results depend on nothing else.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from math import erf
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from serctl.models.inference import FUSED_SHARE, log_softmax
from serctl.models.networks.whisper_graph import COUNT_SCALE, HEADS, MAX_RECORDINGS, N_EMBEDDING

if TYPE_CHECKING:
    from serctl.models.classifier import Classifier
    from serctl.models.config import Fusion

SHRINKAGE = 4.0  # a mean of n recordings counts n / (n + 4)
LOW_SHARE, HIGH_SHARE = 0.35, 0.6  # of the prevailing emotion: below not corrected, above wholly
FUSED_VOICE_SHARE = 0.35  # of the second model's log-probabilities, beside other recordings
BALANCE = 0.3  # how far an emotion that prevails is made less probable
LEAST_SHARE = 0.02  # an emotion is taken to have at least
N_PASSES = 2
BLOCK = 64  # recordings that go through the heads at a time
MAX_HELD = 1024  # embeddings of a voice that stay in memory between passes, 8 MB

Embeddings = Iterable[tuple[str, NDArray[np.float32]]]


class VoiceHeads:
    """Heads of a model, given a voice's other recordings.

    Parameters
    ----------
    tensors : mapping of str to array
        Of the model, as `serctl.models.loading.Model` holds them.
    fusion : Fusion, optional
        Of the model. Embeddings then end with the second model's log-probabilities.

    Attributes
    ----------
    embedding_bytes : int
        Size of one recording's embedding, float32 [n_embedding], or with a second model
        [n_embedding + n_emotions].
    """

    def __init__(self, tensors: Mapping[str, NDArray[Any]], fusion: "Fusion | None" = None) -> None:
        self._mean, self._std = tensors["embedding.mean"], tensors["embedding.std"]
        self._offsets = tensors["class_offsets"].astype(np.float64)
        if fusion is not None:
            self._offsets = np.hstack([self._offsets, fusion.class_offsets])
        self.embedding_bytes = 4 * self._offsets.shape[1]
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
        found = []
        for voices, x in self._blocks(embeddings()):
            found.append((voices, np.exp(self._scores(x, np.ones(len(x))))))
            for voice, one in zip(voices, x, strict=True):
                counts[voice] = counts.get(voice, 0) + 1
                sums[voice] = sums.get(voice, 0.0) + one
        for last in range(N_PASSES):
            shares = _shares(found, counts)
            common = {
                voice: self._common(sums[voice] / n, shares[voice], n)
                for voice, n in counts.items()
            }
            found = []
            for voices, x in self._blocks(embeddings()):
                n = np.array([counts[voice] for voice in voices], np.float64)
                scores = self._scores(x - [common[voice] for voice in voices], n)
                if last == N_PASSES - 1:
                    yield from _balanced(scores, np.array([shares[voice] for voice in voices]), n)
                else:
                    found.append((voices, np.exp(scores)))

    def _common(
        self, mean: NDArray[np.float64], shares: NDArray[np.float64], n: int
    ) -> NDArray[np.float64]:
        """What is taken off the embeddings of a voice, float64 [n_embedding]."""
        if n == 1:
            return np.zeros_like(mean)
        excess = (shares.max() - LOW_SHARE) / (HIGH_SHARE - LOW_SHARE)
        corrected = mean - np.clip(excess, 0, 1) * (shares @ self._offsets)
        shrunk: NDArray[np.float64] = n / (n + SHRINKAGE) * corrected
        return shrunk

    def _blocks(self, embeddings: Embeddings) -> Iterator[tuple[list[str], NDArray[np.float64]]]:
        """Voices and embeddings of `BLOCK` recordings each, float64 [n, n_embedding].

        They are normalized, but for a second model's log-probabilities.
        """
        remaining = iter(embeddings)
        while block := list(islice(remaining, BLOCK)):
            x = np.array([embedding for _, embedding in block], np.float64)
            x[:, :N_EMBEDDING] = (x[:, :N_EMBEDDING] - self._mean) / self._std
            yield [voice for voice, _ in block], x

    def _scores(self, x: NDArray[np.float64], n: NDArray[np.float64]) -> NDArray[np.float64]:
        """Log-probabilities float64 [n_rows, n_emotions] of recordings, of ``n`` of their voices."""
        counts = np.log(np.minimum(n, MAX_RECORDINGS))[:, None] / COUNT_SCALE
        total = np.zeros((len(x), len(self._offsets)))
        for sizes, (weights, bias, out_weights, out_bias) in zip(HEADS, self._heads, strict=True):
            inputs = x[:, : sizes.n_inputs].copy()
            inputs[:, sizes.n_alone :] *= n[:, None] > 1
            hidden = inputs @ weights[:, :-1].T + counts * weights[:, -1] + bias
            total += log_softmax(_gelu(hidden) @ out_weights.T + out_bias)
        found, second = log_softmax(total / len(HEADS)), x[:, N_EMBEDDING:]
        if not second.size:
            return found
        share = np.where(n > 1, FUSED_VOICE_SHARE, FUSED_SHARE)[:, None]
        return log_softmax((1 - share) * found + share * log_softmax(second))


def probabilities_by_voice(
    classifier: "Classifier",
    voices: Iterable[Sequence[int]],
    read: Callable[[int], NDArray[np.float32]],
) -> Iterator[tuple[int, list[float]]]:
    """Probabilities of recordings, each beside the others of its voice, voice by voice.

    Parameters
    ----------
    classifier : Classifier
        One that has ``voice_heads``.
    voices : iterable of sequence of int
        Places of the recordings of each voice.
    read : callable
        Gives the embedding, float32 [n_embedding], of a place; of a voice with more than `MAX_HELD`
        recordings it is called three times for each.

    Yields
    ------
    tuple of int and list of float
        Place, and probabilities in the order of the classifier's emotions.
    """
    heads = classifier.voice_heads
    assert heads is not None
    for places in voices:
        held = [read(place) for place in places] if len(places) <= MAX_HELD else None

        def embeddings(
            places: Sequence[int] = places, held: Sequence[NDArray[np.float32]] | None = held
        ) -> Embeddings:
            return (("", one) for one in (map(read, places) if held is None else held))

        for place, scores in zip(places, heads.log_probabilities(embeddings), strict=True):
            yield place, classifier.chosen(scores[None])[0].tolist()


def _shares(
    found: Sequence[tuple[Sequence[str], NDArray[np.float64]]], counts: Mapping[str, int]
) -> dict[str, NDArray[np.float64]]:
    """Estimated shares of emotions among a voice's recordings, from their probabilities.

    Their mean, and one step of the EM algorithm from there.
    """
    n_emotions = found[0][1].shape[1] if found else 0
    shares = dict.fromkeys(counts, np.ones(n_emotions))
    for _ in range(2):
        sums = dict.fromkeys(counts, np.zeros(n_emotions))
        for voices, probabilities in found:
            weighted = probabilities * [shares[voice] for voice in voices]
            weighted /= weighted.sum(axis=1, keepdims=True)
            for voice, one in zip(voices, weighted, strict=True):
                sums[voice] = sums[voice] + one
        shares = {voice: sums[voice] / n for voice, n in counts.items()}
    return shares


def _balanced(
    scores: NDArray[np.float64], shares: NDArray[np.float64], n: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Log-probabilities with what prevails among ``n`` recordings of the voice less probable."""
    weight = np.where(n > 1, BALANCE * n / (n + SHRINKAGE), 0.0)[:, None]
    return log_softmax(scores - weight * np.log(np.maximum(shares, LEAST_SHARE)))


def _gelu(x: NDArray[np.float64]) -> NDArray[np.float64]:
    shares = np.fromiter(map(erf, (x / np.sqrt(2)).ravel().tolist()), np.float64, x.size)
    return x * 0.5 * (1 + shares.reshape(x.shape))
