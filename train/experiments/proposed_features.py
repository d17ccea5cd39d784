"""Whether the features that the report proposes next help its SVM and its CNN.

    python -m serctl.train.experiments.proposed_features CORPORA

Run in a checkout. Zero-crossing rate, spectral centroid and spectral rolloff, the mean and the
standard deviation of each (`serctl.features.descriptors`), join the clip statistics: as six more
columns of the SVM, and as six more inputs of the CNN's first dense layer. Everything else is as in the
recipes. What is measured is accuracy on validation clips, which also chose the SVM's C and the
CNN's epoch, both with and without them; nothing is tested. Writes
``train/results/proposed-features.json``.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from serctl.errors import AudioError, CheckpointError, SerctlError
from serctl.features.descriptors import CURVES, MOMENTS, describe
from serctl.features.mel import MelSpec
from serctl.models.networks.paper_cnn_graph import N_MELS, N_MFCC
from serctl.models.networks.paper_cnn_torch import PaperCNN
from serctl.threads import map_in_order, n_cores
from serctl.train.corpora.manifest import clip_table
from serctl.train.corpora.splits import N_FOLDS, NEW_SPEAKERS, REPORT, REPORT_SEEDS
from serctl.train.corpora.votes import votes_of
from serctl.train.data.batches import StatisticsDataset, ValidationDataset, soft_targets
from serctl.train.data.preparation import OnClips, PreparedClips, prepare_clips
from serctl.train.recipes.loading import load_recipe, tables_of
from serctl.train.training.loop import Training
from serctl.train.training.svm import best_svm

PROPOSED = tuple(f"{curve}_{moment}" for curve in CURVES for moment in MOMENTS)
RESULTS = Path("train", "results", "proposed-features.json")


class PaperCNNAndMore(nn.Module):
    """The report's CNN, with more inputs of its dense layers.

    Parameters
    ----------
    n_emotions : int
        Of the output.
    n_more : int
        Inputs after the clip statistics; 0 is the CNN as it is.
    """

    N_STATISTICS = N_MELS + N_MFCC

    def __init__(self, n_emotions: int, n_more: int) -> None:
        super().__init__()
        self.network = PaperCNN(n_emotions)
        first = self.network.dense[0]
        assert isinstance(first, nn.Linear)
        if n_more:
            self.network.dense[0] = nn.Linear(first.in_features + n_more, first.out_features)

    def forward(self, inputs: Tensor) -> Tensor:
        """Logits float [batch, n_emotions] of normalized inputs float [batch, 148 + n_more]."""
        statistics, more = inputs[:, None, : self.N_STATISTICS], inputs[:, self.N_STATISTICS :]
        mel = self.network.mel_branch(statistics[..., :N_MELS])  # [batch, 10, 10]
        mfcc = self.network.mfcc_branch(statistics[..., N_MELS:])  # [batch, 10, 10]
        joined = torch.cat([mel, mfcc], dim=1).flatten(1)  # [batch, 200]
        logits: Tensor = self.network.dense(torch.cat([joined, more], dim=1))
        return logits


def measure(corpora: str, on_clips: OnClips, work: Path) -> dict[str, Any]:
    """Validation accuracies with and without the proposed features.

    Parameters
    ----------
    corpora : str
        Folder of the four corpora.
    on_clips : callable
        As `serctl.train.data.preparation.prepare_clips` takes it.
    work : Path
        Folder for checkpoints, which are left there.

    Returns
    -------
    dict
        ``features``: their names. ``recipes``: as `recipes` gives them. ``paper-svm`` and
        ``paper-cnn``: for each split, ``without`` and ``with``: an accuracy in [0, 1] for each seed
        of ``report`` or fold of ``new-speakers``. The CNN is trained on the first of each alone.

    Raises
    ------
    CorporaError
        If the corpora are not there, whole.
    AudioError
        If a clip cannot be read.
    """
    table = clip_table(corpora)
    recipe = load_recipe("paper-cnn")
    five = table[table["emotion"].isin(recipe.model.emotions)]
    proposed = dict(zip(five["path"], _proposed(five["path"].tolist(), on_clips), strict=True))
    results: dict[str, Any] = {
        "command": "python -m serctl.train.experiments.proposed_features CORPORA",
        "measured": "accuracy on validation clips",
        "features": PROPOSED,
        "recipes": recipes(),
        "paper-svm": {},
        "paper-cnn": {},
    }
    work.mkdir(parents=True, exist_ok=True)
    draws = {
        REPORT: [(0, seed) for seed in REPORT_SEEDS],
        NEW_SPEAKERS: [(fold, 0) for fold in range(N_FOLDS)],
    }
    for split, numbers in draws.items():
        for i, (fold, seed) in enumerate(numbers):
            clips = prepare_clips(table, split, fold, seed, recipe, on_clips)
            more = _normalize(np.stack([proposed[path] for path in clips.clips["path"]]), clips)
            for key, columns in (("without", more[:, :0]), ("with", more)):
                accuracies = results["paper-svm"].setdefault(split, {}).setdefault(key, [])
                accuracies.append(_svm_accuracy(clips, columns))
                if i == 0:
                    accuracy = _cnn_accuracy(clips, columns, seed, work / f"{split}-{key}.pt")
                    results["paper-cnn"].setdefault(split, {})[key] = [accuracy]
    return results


def recipes() -> dict[str, Any]:
    """Recipes of what is measured, as JSON gives them back, by model."""
    return {model: tables_of(load_recipe(model)) for model in ("paper-svm", "paper-cnn")}


def _proposed(paths: list[str], on_clips: OnClips) -> list[NDArray[np.floating]]:
    """Proposed features of each clip, float32 [6]."""

    def values(path: str) -> NDArray[np.floating]:
        description = describe(path, MelSpec())
        if not len(description.values):
            raise AudioError(description.reason, path)
        return description.values[-len(PROPOSED) :]

    return list(on_clips(map_in_order(values, paths, n_cores()), len(paths)))


def _normalize(proposed: NDArray[np.floating], clips: PreparedClips) -> NDArray[np.float32]:
    """Features [n_clips, 6], standardised by the training clips."""
    train = proposed[clips.split.train].astype(np.float64)
    standardised = (proposed - train.mean(axis=0)) / train.std(axis=0)
    return np.asarray(standardised, np.float32)


def _with_more(
    clips: PreparedClips, rows: NDArray[np.int64], more: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Normalized inputs of some clips, [n, 148 + n_more]."""
    return np.concatenate([np.stack(clips.inputs(rows)), more[rows]], axis=1)


def _svm_accuracy(clips: PreparedClips, more: NDArray[np.float32]) -> float:
    recipe = load_recipe("paper-svm").svm
    assert recipe is not None
    train, validation = clips.split.train, clips.split.validation
    _, search = best_svm(
        _with_more(clips, train, more),
        clips.labels[train],
        _with_more(clips, validation, more),
        clips.labels[validation],
        recipe.costs,
    )
    return search.trials[search.best].validation_accuracy


def _cnn_accuracy(
    clips: PreparedClips, more: NDArray[np.float32], seed: int, checkpoint: Path
) -> float:
    recipe = load_recipe("paper-cnn").training
    assert recipe is not None
    torch.set_num_threads(recipe.n_threads)
    train, validation = clips.split.train, clips.split.validation
    n_emotions, cpu = len(clips.emotions), torch.device("cpu")
    votes = votes_of(clips.clips.iloc[train], clips.emotions)
    training = Training(
        lambda: PaperCNNAndMore(n_emotions, more.shape[1]),
        recipe,
        seed,
        cpu,
        StatisticsDataset(
            torch.from_numpy(_with_more(clips, train, more)),
            soft_targets(clips.labels[train], votes, n_emotions, recipe),
        ),
        ValidationDataset(
            list(_with_more(clips, validation, more)), clips.targets(validation), cpu
        ),
    )
    identity = {"more": more.shape[1], "seed": seed, "clips": len(train), "recipe": str(recipe)}
    try:
        training.fit(checkpoint, identity, checkpoint.exists(), lambda history: None)
    except CheckpointError:  # of a recipe that has changed since
        training.fit(checkpoint, identity, False, lambda history: None)
    return training.history.best_accuracy


def write(results: dict[str, Any]) -> None:
    """Write what `measure` gave to ``train/results``, in a checkout."""
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    """Run from the command line."""
    from serctl.train.training.progress import TrainingProgress

    if len(sys.argv) != 2:
        sys.exit(__doc__)
    try:
        with TrainingProgress() as watcher:
            work = Path("serctl-weights", "proposed-features")
            results = measure(sys.argv[1], watcher.clips, work)
    except SerctlError as error:
        sys.exit(f"Error: {error}")
    write(results)
    for model in ("paper-svm", "paper-cnn"):
        for split, accuracies in results[model].items():
            without, with_them = (np.mean(accuracies[key]) for key in ("without", "with"))
            print(f"{model}, {split}: {without:.1%} without, {with_them:.1%} with")


if __name__ == "__main__":
    main()
