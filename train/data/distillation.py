"""Distillation: what a network learns from a frozen encoder, beside the labels.

The teacher is the bundled encoder (`serctl.models.encoder`). The activations of its last block on the
clip itself, without noise, are targets for each moment of whatever the student sees of the clip: an
augmented copy, a part, other voices in the background. The clip's embedding is another. Both are
given as principal components of the training clips, each with variance 1, and need no labels. A
linear classifier on the embeddings softens the labels.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor

from serctl.features.whisper import WHISPER_SPEC
from serctl.models.embedding import Embedder
from serctl.models.inputs import WHISPER_LOG_MEL
from serctl.models.networks.cnn_graph import STEP_FRAMES
from serctl.threads import map_in_order, n_cores
from serctl.train.data.encoder import ACTIVATION_STEP_S, ClipActivations, FrozenEncoder
from serctl.train.data.feature_cache import ClipFeatures, cache_folder
from serctl.train.recipes.schema import DistillationRecipe

CLIP, STEPS = "clip", "steps"  # targets, and heads
TARGETS_PER_STEP = 2  # of the student's steps
SAMPLED_STEPS = 8  # every so many of a clip's steps tell the principal components
LEAST_VARIANCE = 1e-6
N_FOLDS, COST = 6, 0.003  # of the linear classifier

OnClips = Callable[[Iterable[NDArray[np.floating]], int], Iterator[NDArray[np.floating]]]


@dataclass(frozen=True)
class Distillation:
    """Targets of the training clips.

    Attributes
    ----------
    steps : list of float16 [n_steps, n_components]
        Of each clip, of steps of `ACTIVATION_STEP_S` from its first sample on; NaN where it is silent.
    clips : float32 [n_clips, n_clip_components]
        Of its embedding.
    times : sequence of sequences of float32 [n_frames]
        Of each copy of each clip, which moment of the clip its frames show, in seconds.
    probabilities : float32 [n_clips, n_emotions] or None
        As of `held_out_probabilities`.
    """

    steps: list[NDArray[np.float16]]
    clips: Tensor
    times: Sequence[Sequence[NDArray[np.float32]]]
    probabilities: NDArray[np.float32] | None = None

    @property
    def n_values(self) -> dict[str, int]:
        """Number of values of each target."""
        return {CLIP: self.clips.shape[1], STEPS: TARGETS_PER_STEP * self.steps[0].shape[1]}

    def targets(
        self, rows: Tensor, times: Sequence[Tensor], places: Tensor, n_frames: Tensor
    ) -> dict[str, Tensor]:
        """Targets of a batch, as `serctl.train.data.batches.Batch.distilled`.

        Parameters
        ----------
        rows : int64 [batch]
            Its clips.
        times : sequence of float32 [n_old]
            Of each clip, which moment its frames show, in seconds; NaN in silence.
        places : float32 [batch, longest]
            Place of each frame that the network sees, among these.
        n_frames : int64 [batch]
            Frames that each clip has, a multiple of `STEP_FRAMES`.
        """
        n_each = STEP_FRAMES // TARGETS_PER_STEP
        longest = int(n_frames.max())
        found = torch.full((len(rows), longest // n_each, self.steps[0].shape[1]), torch.nan)
        middles = torch.arange(n_each // 2, longest, n_each)
        for i, row in enumerate(rows.tolist()):
            at = (places[i, middles[middles < places.shape[1]]] - 0.5).round().long()
            of_clip = (at >= 0) & (at < len(times[i]))
            moments = torch.where(of_clip, times[i][at.clamp(0, len(times[i]) - 1)], torch.nan)
            found[i, : len(at)] = self._at(row, moments)
        steps = found.view(len(rows), longest // STEP_FRAMES, -1).mT
        return {CLIP: self.clips[rows], STEPS: steps}

    def _at(self, row: int, times_s: Tensor) -> Tensor:
        """Targets of a clip at some times, linear between steps.

        Parameters
        ----------
        row : int
            Of the clip.
        times_s : float32 [n]
            In the clip, in seconds; NaN for what is not of it.

        Returns
        -------
        float32 [n, n_components]
            NaN where nothing is known.
        """
        steps = torch.from_numpy(self.steps[row])
        places = times_s / ACTIVATION_STEP_S - 0.5
        inside = (places > -0.5) & (places < len(steps) - 0.5)  # False for NaN
        places = torch.where(inside, places, 0.0).clamp(0, len(steps) - 1)
        before = places.long()
        after = (before + 1).clamp(max=len(steps) - 1)
        share = (places - before)[:, None]
        values = torch.lerp(steps[before].float(), steps[after].float(), share)
        return torch.where(inside[:, None], values, torch.nan)


def distill(
    clips: pd.DataFrame,
    copies: Sequence[tuple[ClipFeatures, Sequence[NDArray[np.floating]]]],
    encoder: FrozenEncoder,
    recipe: DistillationRecipe,
    on_clips: OnClips,
) -> Distillation:
    """Targets of the training clips.

    Parameters
    ----------
    clips : DataFrame
        With path, speaker, and label, the index of the emotion.
    copies : sequence of tuple of ClipFeatures and sequence of float [n_frames, n_columns]
        Of the clips and of each of their augmented copies, how features are made, and those of all
        clips.
    encoder : FrozenEncoder
        The teacher.
    recipe : DistillationRecipe
        With the numbers of components.
    on_clips : callable
        Wraps the iterator over activations and embeddings, given how many there will be.

    Raises
    ------
    AudioError
        If a clip cannot be read.
    """
    cache = cache_folder()
    teacher = ClipActivations(encoder, cache)
    embed = ClipFeatures(
        WHISPER_LOG_MEL,
        WHISPER_SPEC,
        cache,
        encoder=Embedder(encoder.tensors),
        encoder_sha256=encoder.sha256,
    )
    paths = clips["path"].tolist()
    jobs = [(one, path) for one in (teacher, embed) for path in paths]
    found = list(on_clips(map_in_order(lambda job: job[0](job[1]), jobs, n_cores()), len(jobs)))
    activations, embeddings = found[: len(paths)], np.stack(found[len(paths) :])
    sampled = np.concatenate([_known(clip)[::SAMPLED_STEPS] for clip in activations])
    of_steps = principal_components(sampled, recipe.n_components)
    of_clips = principal_components(embeddings, recipe.n_clip_components)
    return Distillation(
        [_transformed(of_steps, clip) for clip in activations],
        torch.from_numpy(of_clips.transform(embeddings).astype(np.float32)),
        [list(map(extract.clip_times, paths, map(len, features))) for extract, features in copies],
        held_out_probabilities(
            embeddings, clips["label"].to_numpy(), clips["speaker"].to_numpy(str)
        ),
    )


def held_out_probabilities(
    embeddings: NDArray[np.float32], labels: NDArray[np.int64], speakers: NDArray[np.str_]
) -> NDArray[np.float32] | None:
    """What a linear classifier on embeddings says of clips of speakers that it has not learned from.

    It is given a clip's difference from its speaker's mean, since a speaker's other clips are known
    in training.

    Parameters
    ----------
    embeddings : float32 [n, n_embedding]
        Of the clips.
    labels : int64 [n]
        Index of each one's emotion.
    speakers : str [n]
        Its speaker.

    Returns
    -------
    float32 [n, n_emotions] or None
        Probabilities; None if there is one speaker.
    """
    n_folds = min(N_FOLDS, len(np.unique(speakers)))
    if n_folds < 2:
        return None
    differences = embeddings.copy()
    for speaker in np.unique(speakers):
        of_speaker = speakers == speaker
        differences[of_speaker] -= differences[of_speaker].mean(axis=0)
    differences /= differences.std(axis=0) + np.float32(LEAST_VARIANCE)
    probabilities = cross_val_predict(
        LogisticRegression(C=COST, max_iter=200, tol=1e-2),
        differences,
        labels,
        groups=speakers,
        cv=GroupKFold(n_folds),
        method="predict_proba",
    )
    return np.asarray(probabilities, np.float32)


def principal_components(rows: NDArray[np.float32], n_components: int) -> Pipeline:
    """Fit standardization and principal components, each of variance 1 on the rows.

    Parameters
    ----------
    rows : float32 [n, n_columns]
        To fit on.
    n_components : int
        How many to keep, the largest first; no more than there are.

    Returns
    -------
    Pipeline
        Whose ``transform`` takes float [n, n_columns] to float [n, n_components].
    """
    n_kept = min(n_components, len(rows) - 1, rows.shape[1])  # n rows vary in n - 1 ways
    return make_pipeline(StandardScaler(), PCA(n_kept, whiten=True, random_state=0)).fit(rows)


def _transformed(fitted: Pipeline, activations: NDArray[np.floating]) -> NDArray[np.float16]:
    """Components of each step, float16 [n_steps, n_components]; NaN in silence."""
    known = np.isfinite(activations[:, 0])
    values = fitted.transform(activations[known].astype(np.float32))
    components: NDArray[np.float16] = np.full((len(known), values.shape[1]), np.nan, np.float16)
    components[known] = values
    return components


def _known(activations: NDArray[np.floating]) -> NDArray[np.float32]:
    """Steps that are not silent, float32 [n, 512]."""
    known: NDArray[np.float32] = activations[np.isfinite(activations[:, 0])].astype(np.float32)
    return known
