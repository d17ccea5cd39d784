"""One training from corpora to weights folder.

`train_model` reads the clips, computes their features, trains on the training part of a split,
stops and calibrates on the validation part, scores the test part once, and writes the weights
folder (`serctl.train.weights_folder`). What lies there from before is touched only once every clip
has been read.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import nn

from serctl.classifier import Classifier
from serctl.devices import choose_device
from serctl.errors import RunError, UsageError
from serctl.models import Model, ModelConfig
from serctl.networks import MEMBERS, NETWORKS
from serctl.train.batches import ValidationClips
from serctl.train.corpora import SILENT_CLIP, clip_table
from serctl.train.loop import History, Training, fit_temperature
from serctl.train.precision import precision_on
from serctl.train.preparation import OnClips, PreparedClips, prepare_clips, telling
from serctl.train.recipe import Recipe, SvmRecipe, TrainingRecipe
from serctl.train.recipe_files import load_recipe
from serctl.train.scores import Scores, score
from serctl.train.svm import CostSearch, fit_svm
from serctl.train.weights_folder import (
    TestedClips,
    TrainingOptions,
    checkpoint_files,
    n_members,
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
        Called with the histories of the networks that were trained so far, of which the last is in
        training, with the most epochs each can have, and with the number of networks in all.
    """

    clips: OnClips
    epochs: Callable[[Sequence[History], int, int], None]


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
        If a checkpoint or the folder cannot be read or written, or training came to nothing.
    """
    recipe = _recipe(options)
    device = torch.device(choose_device(options.device))
    checkpoints = checkpoint_files(options.output, recipe.model.network)
    refuse_loss(options.output, checkpoints[0], options.resume, options.overwrite)
    table = clip_table(options.corpora)
    clips = prepare_clips(table, options.split, options.fold, options.seed, recipe, watcher.clips)
    recipe = replace(recipe, model=replace(recipe.model, emotions=clips.emotions))
    prepare_output(options.output, checkpoints, options.resume)
    network: nn.Module
    learnt: list[History] | CostSearch
    if recipe.svm is not None:
        network, learnt = _fit_svm(clips, recipe.svm)
    else:
        assert recipe.training is not None
        network, learnt = _fit_network(clips, recipe, recipe.training, options, device, watcher)
    config = ModelConfig(
        **vars(recipe.model), features=recipe.features, scaling=clips.scaling, temperature=1.0
    )
    validation = clips.split.validation
    model = Model.of(config, network)
    logits = Classifier(model, device="cpu").window_logits(clips.inputs(validation))
    temperature = fit_temperature(torch.from_numpy(logits), clips.targets(validation))
    model = replace(model, config=replace(config, temperature=temperature))
    tested = _tested(model, clips)
    scores = _score(tested)
    write_weights(options, recipe, model, learnt, clips.split, tested, scores)
    return scores


def _recipe(options: TrainingOptions) -> Recipe:
    """Recipe of the model, with the number of epochs of the options."""
    recipe = load_recipe(options.model)
    if options.n_epochs is None:
        return recipe
    if recipe.training is None:
        raise UsageError(f"{options.model}: is not trained in epochs. Leave --epochs out.")
    return replace(recipe, training=replace(recipe.training, n_epochs=options.n_epochs))


def _fit_svm(clips: PreparedClips, recipe: SvmRecipe) -> tuple[nn.Module, CostSearch]:
    train, validation = (
        (np.stack(clips.inputs(rows)), clips.labels[rows])
        for rows in (clips.split.train, clips.split.validation)
    )
    return fit_svm(*train, *validation, recipe.costs)


def _fit_network(
    clips: PreparedClips,
    recipe: Recipe,
    training_recipe: TrainingRecipe,
    options: TrainingOptions,
    device: torch.device,
    watcher: Watcher,
) -> tuple[nn.Module, list[History]]:
    # On a GPU, some operations have no deterministic form and would raise.
    torch.use_deterministic_algorithms(device.type == "cpu")
    # What is about to be written would be filled first, at every step.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.set_num_threads(training_recipe.n_threads)
    rows = clips.split.validation
    validation = ValidationClips(clips.inputs(rows), clips.targets(rows), device)
    network, n_emotions = recipe.model.network, len(clips.emotions)
    n_apart = n_members(network)
    members: list[nn.Module] = []
    histories: list[History] = []

    def on_epoch(history: History) -> None:
        watcher.epochs([*histories, history], training_recipe.n_epochs, n_apart)

    for i, checkpoint in enumerate(checkpoint_files(options.output, network)):
        member_recipe = recipe.members[i] if recipe.members else None
        training = Training(
            lambda: MEMBERS.get(network, NETWORKS[network])(n_emotions),
            training_recipe,
            options.seed * n_apart + i,
            device,
            clips.training_clips(recipe, training_recipe, member_recipe),
            validation,
            telling(recipe, member_recipe),
            recipe.muon,
        )
        member = training.fit(
            checkpoint,
            _identity(options, recipe, i, device, len(clips.clips)),
            options.resume,
            on_epoch,
        )
        members.append(member)
        histories.append(training.history)
    whole: Any = members[0]
    if network in MEMBERS:
        whole = NETWORKS[network](n_emotions).eval()
        whole.members.load_state_dict(nn.ModuleList(members).state_dict())
    return whole, histories


def _identity(
    options: TrainingOptions, recipe: Recipe, member: int, device: torch.device, n_clips: int
) -> dict[str, Any]:
    """Say what a checkpoint must have in common with the training that goes on from it."""
    tables = asdict(recipe)
    assert recipe.training is not None
    tables["training"]["precision"] = precision_on(device, recipe.training.precision)
    members = tables.pop("members")
    tables["member"] = members[member] if members else {}
    return {
        "model": options.model,
        "split": options.split,
        "fold": options.fold,
        "seed": options.seed,
        **{
            f"{table}.{key}": str(value)
            for table, values in tables.items()
            for key, value in (values or {}).items()
        },
        "number of the member": member,
        "clips": n_clips,
        "device": device.type,
        "torch": str(torch.__version__),
    }


def _tested(model: Model, clips: PreparedClips) -> TestedClips:
    """Have the classifier that users get hear the test part."""
    rows = clips.split.test
    classifier = Classifier(model, device="cpu")
    logits = classifier.window_logits(clips.inputs(rows))
    if not np.isfinite(logits).all():
        raise RunError(
            f"{model.config.name}: training came to weights that give no numbers. Train it with a "
            "lower learning rate."
        )
    table = clips.clips.iloc[rows]
    names = list(zip(table["corpus"], table["clip"], strict=True))
    return TestedClips(
        clips=names,
        speakers=table["speaker"].tolist(),
        emotions=clips.emotions,
        acted=clips.labels[rows],
        # `Classifier.extract` finds it silent.
        answered=np.array([name != SILENT_CLIP for name in names]),
        logits=logits.astype(np.float32),
    )


def _score(tested: TestedClips) -> Scores:
    """Score the most probable emotions."""
    best = tested.logits.argmax(axis=1)
    answers = [
        tested.emotions[i] if answered else ""
        for i, answered in zip(best, tested.answered, strict=True)
    ]
    acted = [tested.emotions[i] for i in tested.acted]
    corpora = [corpus for corpus, _ in tested.clips]
    return score(acted, answers, corpora, tested.emotions, tested.speakers)
