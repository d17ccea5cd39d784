"""Fitting last layers on a user's recordings: for every fold without its own, then on all."""

import numpy as np
from numpy.typing import NDArray

from serctl.emotions import in_order
from serctl.train.custom.corpora import CorpusClips
from serctl.train.custom.folds import Folds
from serctl.train.custom.head import Head, fit_head
from serctl.train.custom.recordings import OwnRecordings
from serctl.train.custom.start import Start, known_share
from serctl.train.evaluation.scores import Calibration, Scores, calibration, score

PENALTY = 100.0


class Fitting:
    """Inputs, references and layers of one training.

    Parameters
    ----------
    start : Start
        Model to start from.
    own : OwnRecordings
        The user's.
    embeddings : float32 [n, n_embedding]
        Of each of them.
    clips : CorpusClips
        Learned too, in every fold.

    Attributes
    ----------
    labels : tuple of str
        Of the new model.
    references : int64 [n]
        Index of each recording's label.
    share : float
        Of what the start knows that stays (`serctl.train.custom.start.known_share`).
    """

    def __init__(
        self,
        start: Start,
        own: OwnRecordings,
        embeddings: NDArray[np.float32],
        clips: CorpusClips,
    ) -> None:
        self.labels = in_order([*own.labels, *clips.labels])
        index = {label: i for i, label in enumerate(self.labels)}
        self.references = np.array([index[one.name] for one in own.recordings], np.int64)
        self.share = known_share(len(own.recordings) / len(own.labels))
        self._own, self._start = own, start
        self._inputs = start.inputs(embeddings)
        self._before = start.logits(embeddings, self.labels)
        self._others = np.zeros((0, self._inputs.shape[1]))
        self._others_before = self._before[:0]
        if clips.n:
            self._others = start.inputs(clips.embeddings)
            self._others_before = start.logits(clips.embeddings, self.labels)
        self._other_references = np.array([index[one] for one in clips.references], np.int64)

    def head(self, rows: NDArray[np.bool_] | None = None) -> Head:
        """Layer that learned some of the recordings, or all."""
        rows = np.ones(len(self.references), bool) if rows is None else rows
        inputs = np.concatenate([self._inputs[rows], self._others])
        before = np.concatenate([self._before[rows], self._others_before])
        labels = np.concatenate([self.references[rows], self._other_references])
        return fit_head(inputs, self.share * before, labels, PENALTY)

    def held_out_logits(self, folds: Folds) -> NDArray[np.float64]:
        """Logits [n, n_labels] of each recording by a layer that did not learn its fold."""
        logits = np.empty((len(self.references), len(self.labels)))
        for fold in range(folds.n_folds):
            tested = folds.fold_of == fold
            fitted = self.head(~tested).logits(self._inputs[tested])
            logits[tested] = fitted + self.share * self._before[tested]
        return logits

    def scores(self, logits: NDArray[np.float64]) -> Scores:
        """Scores of the most probable labels."""
        recordings = self._own.recordings
        predictions = [self.labels[i] for i in logits.argmax(axis=1)]
        return score(
            [one.name for one in recordings],
            predictions,
            [one.corpus for one in recordings],
            self.labels,
            [one.speaker for one in recordings],
        )

    def calibration(self, logits: NDArray[np.float64]) -> Calibration:
        """Calibration of logits that are divided by the temperature."""
        shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
        probabilities = shifted / shifted.sum(axis=1, keepdims=True)
        return calibration(probabilities, [one.name for one in self._own.recordings], self.labels)

    def scores_before(self) -> Scores | None:
        """Scores of the model to start from, if it knows all labels."""
        if not set(self.labels) <= set(self._start.labels):
            return None
        return self.scores(self._before)
