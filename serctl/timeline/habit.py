"""Emotion against a speaker's habit: what all windows of one speaker have in common is taken off.

A channel by itself is one speaker's, and given segments may name theirs. A model with heads for a
voice's other recordings (`serctl.models.voices`) gets a speaker's windows as such. For the others:

A voice that is always somewhat loud or flat, or a telephone, moves all of its probabilities the same
way. Half of the mean logit of a speaker's windows is therefore taken off each. But the mean holds
the speaker's emotions too: of somebody who is neutral all along, it is "neutral". So nothing is taken
off where one emotion prevails, as in `serctl.models.voices`:

    z = x - n / (n + 4) c mean(x) / 2,    c = 1 - clip((max(p) - 0.3) / 0.2, 0, 1)

with x the logits of a window, p the mean probabilities of all windows of the speaker, and n the
number of windows that do not overlap. Chosen on calls of validation speakers
(docs/long-recordings.md).
"""

from collections.abc import Iterable, Iterator
from functools import partial

import numpy as np
from numpy.typing import NDArray

from serctl.models.classifier import Classifier
from serctl.models.extraction import Extraction

AMOUNT = 0.5
LOW_SHARE, HIGH_SHARE = 0.3, 0.5  # of the most probable emotion: below wholly, above not at all
SHRINKAGE = 4.0
MIN_PROBABILITY = 1e-6  # so that one window cannot outweigh all others


def method_of(classifier: Classifier) -> str:
    """How a model takes a speaker's habit off, as the record of a run names it."""
    return "half mean logit" if classifier.voice_heads is None else "voice heads"


def against_habit(
    classifier: Classifier, extraction: Extraction, probabilities: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Probabilities of a recording's windows, those of each known speaker against their habit.

    Parameters
    ----------
    classifier : Classifier
        What classified them.
    extraction : Extraction
        Of the recording.
    probabilities : float64 [n_windows, n_emotions]
        Of its windows, in [0, 1]; each row adds up to 1.

    Returns
    -------
    float64 [n_windows, n_emotions]
        In [0, 1]; each row adds up to 1.
    """
    speakers = _speakers(extraction)
    rate_hz = classifier.config.features.rate_hz
    starts_s = np.array(extraction.starts, np.float64) / rate_hz
    ends_s = starts_s + np.array(extraction.lengths, np.float64) / rate_hz
    found = probabilities.copy()
    heads, embeddings = classifier.voice_heads, extraction.embeddings
    for speaker in sorted(set(speakers) - {""}):
        own = np.array([one == speaker for one in speakers])
        if heads is None or embeddings is None:
            found[own] = without_habit(probabilities[own], starts_s[own], ends_s[own])
            continue
        chosen = partial(_chosen, embeddings, own)
        found[own] = classifier.chosen(np.array(list(heads.log_probabilities(chosen))))
    return found


def _chosen(
    embeddings: Iterable[NDArray[np.float32]], own: NDArray[np.bool_]
) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """The embeddings of one speaker, as `serctl.models.voices.VoiceHeads` takes them."""
    return (("", one) for one, is_own in zip(embeddings, own, strict=True) if is_own)


def _speakers(extraction: Extraction) -> list[str]:
    """Who speaks in each window; empty where that is not known."""
    if extraction.given is not None:
        return [extraction.given_speakers[place] for place in extraction.given_places]
    n_channels = 0 if extraction.recording is None else extraction.recording.n_channels
    is_one = extraction.channel is not None and n_channels > 1
    return ["the channel's" if is_one else ""] * len(extraction.starts)


def without_habit(
    probabilities: NDArray[np.float64], starts_s: NDArray[np.float64], ends_s: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Probabilities of one speaker's windows without what they have in common.

    Parameters
    ----------
    probabilities : float64 [n_windows, n_emotions]
        In [0, 1]; each row adds up to 1.
    starts_s, ends_s : float64 [n_windows]
        Of the windows, in seconds; they may overlap, and stand in any order.

    Returns
    -------
    float64 [n_windows, n_emotions]
        In [0, 1]; each row adds up to 1.
    """
    if not len(probabilities):
        return probabilities
    weights = ends_s - starts_s
    largest = np.average(probabilities, axis=0, weights=weights).max()
    evenness = 1 - np.clip((largest - LOW_SHARE) / (HIGH_SHARE - LOW_SHARE), 0, 1)
    logits = np.log(np.maximum(probabilities, MIN_PROBABILITY))
    n_apart = _covered_s(starts_s, ends_s) / weights.mean()
    amount = AMOUNT * evenness * n_apart / (n_apart + SHRINKAGE)
    logits -= amount * np.average(logits, axis=0, weights=weights)
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    found: NDArray[np.float64] = shares / shares.sum(axis=1, keepdims=True)
    return found


def _covered_s(starts_s: NDArray[np.float64], ends_s: NDArray[np.float64]) -> float:
    """Seconds that windows cover; what several cover counts once."""
    order = np.argsort(starts_s, kind="stable")
    starts_s, ends_s = starts_s[order], np.maximum.accumulate(ends_s[order])
    before_s = np.concatenate([starts_s[:1], ends_s[:-1]])
    return float(np.maximum(ends_s - np.maximum(starts_s, before_s), 0).sum())
