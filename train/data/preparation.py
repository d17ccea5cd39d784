"""Clips prepared for one training: selected, split, labelled, and their features extracted."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from serctl.features.mel import MelSpec
from serctl.models.embedding import Embedder
from serctl.models.inputs import CLIP_STATISTICS, InputKind, Normalization
from serctl.models.networks import NETWORKS
from serctl.threads import map_in_order, n_cores
from serctl.train.corpora.clip_names import sentences_of
from serctl.train.corpora.splits import Split, clips_of, emotions_of, split_clips, split_corpus
from serctl.train.corpora.votes import votes_of
from serctl.train.data.batches import FrameDataset, StatisticsDataset, TrainingDataset, soft_targets
from serctl.train.data.distillation import CLIP, STEPS, Distillation, distill
from serctl.train.data.encoder import FrozenEncoder
from serctl.train.data.feature_cache import ClipFeatures, cache_folder
from serctl.train.data.talkers import Talkers
from serctl.train.recipes.schema import MemberRecipe, MixingRecipe, Recipe, TrainingRecipe

Features = NDArray[np.floating]
# Wraps the iterator over clips' features, given how many there will be.
OnClips = Callable[[Iterable[Features], int], Iterator[Features]]


@dataclass(frozen=True)
class Embeddings:
    """Embeddings of training or validation recordings.

    Attributes
    ----------
    copies : float32 [1 + n_copies, n, n_embedding]
        Of the clips, then of their augmented copies.
    labels : int64 [n]
        Index of each clip's emotion.
    speakers : int64 [n]
        Index of its speaker, from 0 on.
    corpora : str [n]
        Its corpus.
    neutral : int
        Index of the neutral emotion; -1 if there is none.
    """

    copies: NDArray[np.float32]
    labels: NDArray[np.int64]
    speakers: NDArray[np.int64]
    corpora: NDArray[np.str_]
    neutral: int


@dataclass(frozen=True)
class PreparedClips:
    """Clips of one training.

    Attributes
    ----------
    clips : DataFrame
        Of the emotions in use.
    split : Split
        Rows of ``clips``.
    emotions : tuple of str
        In the order of the labels.
    labels : int64 [n_clips]
        Index of each clip's emotion.
    features : list of float32 [...]
        Of each clip, not normalized.
    copies : list of lists of float16 [...]
        Features of the training clips' augmented copies, a list for each copy number.
    kind, spec, normalization : InputKind, MelSpec, Normalization
        Which features they are, and how a network is given them.
    distillation : Distillation or None
        What is learned from a frozen encoder.
    """

    clips: pd.DataFrame
    split: Split
    emotions: tuple[str, ...]
    labels: NDArray[np.int64]
    features: list[Features]
    copies: list[list[Features]]
    kind: InputKind
    spec: MelSpec
    normalization: Normalization
    distillation: Distillation | None = None

    def inputs(self, rows: NDArray[np.int64]) -> list[NDArray[np.float32]]:
        """What the classifier gives the network for some clips, float32 [...] each."""
        return [
            self.kind.normalize(self.features[row], self.normalization, self.spec) for row in rows
        ]

    def targets(self, rows: NDArray[np.int64]) -> Tensor:
        """Labels int64 [n] of some clips."""
        return torch.from_numpy(self.labels[rows])

    def training_dataset(
        self, recipe: Recipe, training: TrainingRecipe, member: MemberRecipe | None = None
    ) -> TrainingDataset:
        """Training part of one member, as `serctl.train.training.loop.Training` takes it."""
        rows, n_emotions = self.split.train, len(self.emotions)
        for_neutral = member is not None and member.votes_for_neutral
        votes = votes_of(self.clips.iloc[rows], self.emotions, for_neutral)
        targets = soft_targets(self.labels[rows], votes, n_emotions, training)
        if self.distillation is not None and self.distillation.probabilities is not None:
            assert recipe.distillation is not None
            of_teacher = torch.from_numpy(self.distillation.probabilities)
            targets = torch.lerp(targets, of_teacher, recipe.distillation.labels)
        if recipe.augmentation is None:
            return StatisticsDataset(torch.from_numpy(np.stack(self.inputs(rows))), targets)
        copies = [[self.features[row] for row in rows], *self.copies]
        mixing = recipe.mixing
        if member is not None and mixing is not None:
            shares = {name: member.mixing_factor * share for name, share in vars(mixing).items()}
            mixing = MixingRecipe(**shares)
        return FrameDataset(
            copies,
            targets,
            self.kind,
            self.normalization,
            self.spec,
            recipe.augmentation,
            mixing,
            self._auxiliary_targets(auxiliary_weights(recipe, member)),
            self.distillation,
        )

    def embeddings(self, rows: NDArray[np.int64], copies: bool) -> Embeddings:
        """Embeddings of some clips; of the training part with its augmented copies."""
        part = self.clips.iloc[rows]
        clips = np.stack([self.features[row] for row in rows])
        all_copies = [clips, *(np.stack(one) for one in self.copies)] if copies else [clips]
        return Embeddings(
            np.stack([one.astype(np.float32) for one in all_copies]),
            self.labels[rows],
            part["speaker"].factorize(sort=True)[0].astype(np.int64),
            part["corpus"].to_numpy(str),
            self.emotions.index("neutral") if "neutral" in self.emotions else -1,
        )

    def _auxiliary_targets(self, names: Iterable[str]) -> dict[str, Tensor]:
        """Indices of the training clips' speakers or sentences, unless none is known."""
        clips = self.clips.iloc[self.split.train]
        targets = {}
        for name in names:
            if name in (STEPS, CLIP):
                continue
            values = clips["speaker"] if name == "speaker" else sentences_of(clips)
            if values.notna().any():
                targets[name] = torch.from_numpy(values.factorize(sort=True)[0].astype(np.int64))
        return targets


def auxiliary_weights(recipe: Recipe, member: MemberRecipe | None) -> dict[str, float]:
    """Weight in the loss of each target other than the emotion, which has 1."""
    weights = {"speaker": recipe.auxiliary.speaker} if recipe.auxiliary is not None else {}
    if member is not None and member.sentence > 0:
        weights["sentence"] = member.sentence
    if recipe.distillation is not None:
        weights |= {STEPS: recipe.distillation.steps, CLIP: recipe.distillation.clip}
    return weights


def prepare_clips(
    clips: pd.DataFrame,
    split: str,
    fold: int,
    seed: int,
    recipe: Recipe,
    on_clips: OnClips,
    encoder: FrozenEncoder | None = None,
) -> PreparedClips:
    """Split clips and extract their features, and those of the training clips' augmented copies.

    Parameters
    ----------
    clips : DataFrame
        As `serctl.train.corpora.manifest.clip_table` returns them.
    split, fold, seed
        As `serctl.train.corpora.splits.split_clips` takes them.
    recipe : Recipe
        Of the model.
    on_clips : callable
        Wraps the iterator over features, as a progress bar does.
    encoder : FrozenEncoder, optional
        Of a recipe of heads: features are its embeddings. Of a recipe with distillation: the teacher.

    Raises
    ------
    UsageError
        If there is no such split or fold.
    AudioError
        If a clip cannot be read.
    """
    emotions = emotions_of(split, clips, recipe.model.emotions)
    corpus, all_clips = split_corpus(split), clips
    clips = clips_of(clips if corpus is None else clips[clips["corpus"] == corpus], emotions)
    parts = split_clips(clips, split, fold, seed)
    kind, spec = NETWORKS[recipe.model.network].inputs, recipe.features
    embeds = encoder if recipe.heads is not None else None
    embed, sha256 = (Embedder(embeds.tensors), embeds.sha256) if embeds else (None, "")
    extract = [
        ClipFeatures(
            kind, spec, cache_folder(), recipe.model.window_s, number, talkers, embed, sha256
        )
        for number, talkers in copies_of(recipe, all_clips)
    ]
    n_copies = len(extract) - 1
    labels = label_indices(clips["emotion"].tolist(), emotions)
    paths, n_clips, n_train = clips["path"].tolist(), len(clips), len(parts.train)
    jobs = [(0, path) for path in paths]
    jobs += [(1 + i, paths[row]) for i in range(n_copies) for row in parts.train]
    rows = map_in_order(lambda job: extract[job[0]](job[1]), jobs, n_cores())
    features = list(on_clips(rows, len(jobs)))
    copies = [features[i : i + n_train] for i in range(n_clips, len(jobs), n_train)]
    of_train = [features[row] for row in parts.train]
    distillation = None
    if recipe.distillation is not None:
        assert encoder is not None
        train = clips.iloc[parts.train].assign(label=labels[parts.train])
        of_copies = list(zip(extract, [of_train, *copies], strict=True))
        distillation = distill(train, of_copies, encoder, recipe.distillation, on_clips)
    return PreparedClips(
        clips,
        parts,
        emotions,
        labels,
        features[:n_clips],
        copies,
        kind,
        spec,
        # An encoder's embeddings have a normalization of their own, in its network.
        no_normalization(kind, spec) if embeds else fit_normalization(of_train, kind, spec),
        distillation,
    )


def copies_of(recipe: Recipe, clips: pd.DataFrame) -> list[tuple[int, Talkers | None]]:
    """Number of each copy of a clip, from 0, the clip itself; for noisy copies with their talkers."""
    augmented = recipe.augmentation or recipe.heads
    copies: list[tuple[int, Talkers | None]] = [(0, None)]
    if augmented is not None:
        copies += [(number, None) for number in range(1, 1 + augmented.n_copies)]
    if recipe.heads is not None and recipe.heads.n_noisy_copies:
        talkers = Talkers(clips)
        copies += [(number, talkers) for number in range(1, 1 + recipe.heads.n_noisy_copies)]
    return copies


def no_normalization(kind: InputKind, spec: MelSpec) -> Normalization:
    """Mean 0 and std 1 of every column."""
    n_columns = kind.n_columns(spec)
    return Normalization((0.0,) * n_columns, (1.0,) * n_columns)


def fit_normalization(
    features: Sequence[Features], kind: InputKind, spec: MelSpec
) -> Normalization:
    """Means and standard deviations of the training clips' columns.

    Parameters
    ----------
    features : sequence of float32 [...]
        Of the training clips, not normalized.
    kind : InputKind
        Which they are.
    spec : MelSpec
        Their parameters.

    Returns
    -------
    Normalization
        Of clip statistics, the mel bands share one standard deviation, so that a spectrum keeps its
        shape for the convolution. Of frames, each frame counts the same.
    """
    if kind is CLIP_STATISTICS:
        columns = np.stack([kind.columns(one, spec) for one in features])
        std = columns.std(axis=0)
        std[: spec.n_mels] = std[: spec.n_mels].mean()
        return Normalization(tuple(columns.mean(axis=0).tolist()), tuple(std.tolist()))
    n_frames = sum(map(len, features))
    sums = np.zeros((2, kind.n_columns(spec)))
    for one in features:
        sums[0] += kind.columns(one, spec).sum(axis=0, dtype=np.float64)
    mean = sums[0] / n_frames
    for one in features:
        sums[1] += np.square(kind.columns(one, spec) - mean).sum(axis=0)
    return Normalization(tuple(mean.tolist()), tuple(np.sqrt(sums[1] / n_frames).tolist()))


def label_indices(labels: Sequence[str], emotions: Sequence[str]) -> NDArray[np.int64]:
    """Index in ``emotions`` of each of ``labels``, int64 [n]."""
    index = {emotion: i for i, emotion in enumerate(emotions)}
    return np.array([index[label] for label in labels], np.int64)
