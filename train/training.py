"""One training from corpora to weights folder.

`train_model` reads the clips, computes their features, trains on the training part of a split,
stops and calibrates on the validation part, scores the test part once, and writes the weights
folder (`serctl.train.weights_folder`). What lies there from before is touched only once every clip
has been read.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from serctl.classifier import Classifier, choose_device
from serctl.models import Model, ModelConfig, Scaling, statistics_in_db
from serctl.networks import NETWORKS
from serctl.threads import map_in_order, n_cores
from serctl.train.corpora import SILENT_CLIP, clip_table
from serctl.train.dataset import ClipFeatures, cache_folder, label_indices
from serctl.train.loop import History, LabelledClips, Training, fit_temperature
from serctl.train.recipe import Recipe, load_recipe
from serctl.train.scores import Scores, score
from serctl.train.splits import split_clips
from serctl.train.weights_folder import (
    CHECKPOINT_FILE,
    TrainingOptions,
    prepare_output,
    refuse_loss,
    write_weights,
)


@dataclass(frozen=True)
class Watcher:
    """How a training tells what it does; the command shows it, the tests do not.

    Attributes
    ----------
    clips : callable
        Wraps the iterator over clips' features, given how many there will be.
    epochs : callable
        Called with the history and the most epochs there can be.
    """

    clips: Callable[[Iterable[NDArray[np.float32]], int], Iterator[NDArray[np.float32]]]
    epochs: Callable[[History, int], None]


def train_model(options: TrainingOptions, watcher: Watcher) -> Scores:
    """Train a model and write its weights folder.

    Parameters
    ----------
    options : TrainingOptions
        What to do.
    watcher : Watcher
        Who is told.

    Returns
    -------
    Scores
        Of the test part.

    Raises
    ------
    UsageError
        If the model, split, fold or device is not to be had, or there is a model already.
    CorporaError
        If the corpora are not there, whole.
    RunError
        If a checkpoint or the folder cannot be read or written.
    """
    recipe = load_recipe(options.model)
    if options.n_epochs is not None:
        recipe = replace(recipe, training=replace(recipe.training, n_epochs=options.n_epochs))
    device = choose_device(options.device)
    checkpoint = options.output / CHECKPOINT_FILE
    refuse_loss(options.output, checkpoint, options.resume, options.overwrite)
    clips = clip_table(options.corpora)
    clips = clips[clips["emotion"].isin(recipe.model.emotions)].reset_index(drop=True)
    split = split_clips(clips, options.split, options.fold, options.seed)
    statistics = _clip_statistics(clips, recipe, watcher)
    scaling = _fit_scaling(statistics[split.train], recipe)
    labels = label_indices(clips["emotion"].tolist(), recipe.model.emotions)
    inputs = np.stack([scaling(row, recipe.features) for row in statistics])

    def part(rows: NDArray[np.int64]) -> LabelledClips:
        return LabelledClips(torch.from_numpy(inputs[rows]), torch.from_numpy(labels[rows]))

    prepare_output(options.output, checkpoint, options.resume)
    # On a GPU, some operations have no deterministic form and would raise.
    torch.use_deterministic_algorithms(device.type == "cpu")
    torch.set_num_threads(recipe.training.n_threads)
    training = Training(
        lambda: NETWORKS[recipe.model.network](len(recipe.model.emotions)),
        recipe.training,
        options.seed,
        device,
        part(split.train),
        part(split.validation),
    )
    network = training.fit(
        checkpoint,
        _identity(options, recipe, device, clips),
        options.resume,
        lambda history: watcher.epochs(history, recipe.training.n_epochs),
    )
    config = ModelConfig(
        **vars(recipe.model), features=recipe.features, scaling=scaling, temperature=1.0
    )
    classifier = Classifier(Model(config, network), device="cpu")
    validation = part(split.validation)
    temperature = fit_temperature(classifier.logits(validation.inputs), validation.labels)
    config = replace(config, temperature=temperature)
    scores = _score(Classifier(Model(config, network), device="cpu"), clips, inputs, split.test)
    write_weights(options, recipe, config, network, training.history, split, scores)
    return scores


def _clip_statistics(clips: pd.DataFrame, recipe: Recipe, watcher: Watcher) -> NDArray[np.float32]:
    """Clip statistics [n_clips, n_mels + n_mfcc] of all clips, from the cache or computed."""
    extract = ClipFeatures(recipe.features, cache_folder(), recipe.model.window_s)
    rows = map_in_order(extract, clips["path"], n_cores())
    return np.stack(list(watcher.clips(rows, len(clips))))


def _fit_scaling(statistics: NDArray[np.float32], recipe: Recipe) -> Scaling:
    """Means and deviations of the training clips' columns.

    The mel bands share one deviation, so that a spectrum keeps its shape for the convolution.
    """
    columns = np.stack([statistics_in_db(row, recipe.features) for row in statistics])
    deviation = columns.std(axis=0)
    deviation[: recipe.features.n_mels] = deviation[: recipe.features.n_mels].mean()
    return Scaling(tuple(columns.mean(axis=0).tolist()), tuple(deviation.tolist()))


def _identity(
    options: TrainingOptions, recipe: Recipe, device: torch.device, clips: pd.DataFrame
) -> dict[str, Any]:
    """Say what a checkpoint must have in common with the training that goes on from it."""
    return {
        "model": options.model,
        "split": options.split,
        "fold": options.fold,
        "seed": options.seed,
        **{
            f"{table}.{key}": str(value)
            for table, values in asdict(recipe).items()
            for key, value in values.items()
        },
        "clips": len(clips),
        "device": device.type,
        "torch": str(torch.__version__),
    }


def _score(
    classifier: Classifier,
    clips: pd.DataFrame,
    inputs: NDArray[np.float32],
    rows: NDArray[np.int64],
) -> Scores:
    """Score clips by the classifier that users get."""
    answers: list[str] = []
    for batch in np.array_split(rows, -(-len(rows) // classifier.batch_size)):
        best = classifier.probabilities(list(inputs[batch])).argmax(axis=1)
        answers.extend(classifier.emotions[i] for i in best)
    chosen = clips.iloc[rows]
    for i, clip in enumerate(zip(chosen["corpus"], chosen["clip"], strict=True)):
        if clip == SILENT_CLIP:
            answers[i] = ""  # as `Classifier.extract` finds it silent
    acted, corpora, speakers = (list(chosen[name]) for name in ("emotion", "corpus", "speaker"))
    return score(acted, answers, corpora, classifier.emotions, speakers)
