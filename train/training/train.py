"""One training from corpora to weights folder.

`train_model` reads the clips, computes their features, trains on the training part of a split,
stops and calibrates on the validation part, scores the test part once, and writes the weights
folder (`serctl.train.training.weights_folder`). What lies there from before is touched only once
every clip has been read.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from serctl.errors import UsageError
from serctl.files.folders import lock_folder
from serctl.models.config import ModelConfig
from serctl.models.devices import choose_device
from serctl.models.encoder import ENCODER_FILE
from serctl.models.loading import Model, load_model
from serctl.models.networks import NETWORKS
from serctl.train.corpora.manifest import clip_table
from serctl.train.data.batches import ValidationDataset
from serctl.train.data.encoder import FrozenEncoder, cut_encoder, load_frozen_encoder
from serctl.train.data.preparation import (
    OnClips,
    PreparedClips,
    auxiliary_weights,
    prepare_clips,
)
from serctl.train.evaluation.history import History
from serctl.train.evaluation.scores import Scores
from serctl.train.recipes.loading import load_recipe
from serctl.train.recipes.schema import Recipe, SvmRecipe, TrainingRecipe
from serctl.train.training.fusion import fusion_with, is_trained, second_options
from serctl.train.training.heads import train_heads
from serctl.train.training.loop import Training, fit_temperature
from serctl.train.training.precision import precision_on
from serctl.train.training.svm import CostSearch, fit_svm
from serctl.train.training.testing import logits_of, score_logits, test_logits
from serctl.train.training.weights_folder import (
    NAMEABLE_FILES,
    TrainingOptions,
    checkpoint_files,
    prepare_output,
    refuse_loss,
    write_weights,
)

# Recipe keys whose names have changed since checkpoints hold them: older checkpoints still resume.
CHECKPOINT_KEYS = {
    "augmentation.n_copies": "augmentation.n_versions",
    "augmentation.copy_share": "augmentation.version_share",
    "mixing.crop_share": "disturbance.cut_share",
    "mixing.silence_share": "disturbance.silence_share",
    "mixing.background_share": "disturbance.bystanders_share",
    "member.mixing_factor": "member.disturbed",
}


@dataclass(frozen=True)
class Watcher:
    """Callbacks that show the progress of a training.

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
        What to train, and where to.
    watcher : Watcher
        Shows the progress.

    Returns
    -------
    Scores
        Of the test part.

    Raises
    ------
    UsageError
        If the model, split, fold or device is not available, or the folder contains a model.
    CorporaError
        If the corpora are not there, whole.
    RunError
        If a checkpoint or the folder cannot be read or written, or the weights are not finite.
    """
    recipe = _recipe(options)
    device = torch.device(choose_device(options.device))
    checkpoints = checkpoint_files(options.output, recipe.model.network)
    refuse_loss(options.output, checkpoints[0], options.resume, options.overwrite)
    second = second_options(options, recipe)
    if second is not None and not options.resume:
        refuse_loss(second.output, second.output / checkpoints[0].name, False, options.overwrite)
    with lock_folder(options.output, *NAMEABLE_FILES):
        return _train_into_folder(options, recipe, device, checkpoints, watcher)


def _train_into_folder(
    options: TrainingOptions,
    recipe: Recipe,
    device: torch.device,
    checkpoints: Sequence[Path],
    watcher: Watcher,
) -> Scores:
    table = clip_table(options.corpora)
    encoder = _encoder(options, recipe)
    clips = prepare_clips(
        table,
        options.split,
        options.fold,
        options.seed,
        recipe,
        watcher.clips,
        encoder,
    )
    recipe = replace(recipe, model=replace(recipe.model, emotions=clips.emotions))
    prepare_output(options.output, checkpoints, options.resume)
    network: nn.Module
    fitted: list[History] | CostSearch
    second: Model | None = None
    if recipe.svm is not None:
        network, fitted = _fit_svm(clips, recipe.svm)
    elif recipe.heads is not None:
        assert encoder is not None
        second = _second(options, recipe, watcher)
        network, fitted = train_heads(clips, recipe.heads, encoder, options.seed, watcher.epochs)
    else:
        assert recipe.training is not None
        network, fitted = _fit_network(clips, recipe, recipe.training, options, device, watcher)
    config = ModelConfig(
        **vars(recipe.model),
        features=recipe.features,
        normalization=clips.normalization,
        temperature=1.0,
        encoder_sha256=encoder.sha256 if encoder is not None and recipe.heads is not None else "",
        fusion=None if second is None else fusion_with(second, clips),
    )
    validation = clips.split.validation
    model = replace(Model.from_network(config, network), second=second)
    logits = logits_of(model, network, clips, validation)
    temperature = fit_temperature(torch.from_numpy(logits), clips.targets(validation))
    model = replace(model, config=replace(config, temperature=temperature))
    held_out = test_logits(model, network, clips)
    scores = score_logits(held_out)
    if encoder is not None and options.encoder is not None:
        (options.output / ENCODER_FILE).write_bytes(cut_encoder(options.encoder))
    write_weights(options, recipe, model, fitted, clips.split, held_out, scores)
    return scores


def _recipe(options: TrainingOptions) -> Recipe:
    """Recipe of the model, with the number of epochs of the options."""
    recipe = load_recipe(options.model)
    if options.n_epochs is None:
        return recipe
    if recipe.training is None:
        raise UsageError(f"{options.model}: has no epochs. Leave out --epochs.")
    return replace(recipe, training=replace(recipe.training, n_epochs=options.n_epochs))


def _encoder(options: TrainingOptions, recipe: Recipe) -> FrozenEncoder | None:
    """Encoder to start from, for a recipe of heads; or to learn from."""
    if recipe.heads is not None:
        return load_frozen_encoder(options.encoder)
    if options.encoder is not None:
        raise UsageError(f"{options.model}: starts from no encoder. Leave out --encoder.")
    return load_frozen_encoder() if recipe.distillation is not None else None


def _second(options: TrainingOptions, recipe: Recipe, watcher: Watcher) -> Model | None:
    """The model that it is fused with, trained unless it is there from before an interruption."""
    second = second_options(options, recipe)
    if second is None:
        return None
    if not (second.resume and is_trained(second, _recipe(second))):
        train_model(second, watcher)
    return load_model(second.output)


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
    # On a GPU, some operations have no deterministic form and would raise. Unlike
    # `use_deterministic_algorithms`, this does not import torch's compiler, which takes a second or two.
    torch.set_deterministic_debug_mode("error" if device.type == "cpu" else "default")
    # What is about to be written would be filled first, at every step.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.set_num_threads(training_recipe.n_threads)
    rows = clips.split.validation
    validation = ValidationDataset(clips.inputs(rows), clips.targets(rows), device)
    network, n_emotions = NETWORKS[recipe.model.network], len(clips.emotions)
    n_members = network.n_members
    members: list[nn.Module] = []
    histories: list[History] = []

    def on_epoch(history: History) -> None:
        watcher.epochs([*histories, history], training_recipe.n_epochs, n_members)

    for i, checkpoint in enumerate(checkpoint_files(options.output, network.name)):
        member_recipe = recipe.members[i] if recipe.members else None
        training = Training(
            lambda: network.torch_member(n_emotions),
            training_recipe,
            options.seed * n_members + i,
            device,
            clips.training_dataset(recipe, training_recipe, member_recipe),
            validation,
            auxiliary_weights(recipe, member_recipe),
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
    if network.member_class:
        whole = network.torch_module(n_emotions).eval()
        whole.members.load_state_dict(nn.ModuleList(members).state_dict())
    return whole, histories


def _identity(
    options: TrainingOptions, recipe: Recipe, member: int, device: torch.device, n_clips: int
) -> dict[str, Any]:
    """Settings that a checkpoint must share with the training that resumes from it."""
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
            CHECKPOINT_KEYS.get(f"{table}.{key}", f"{table}.{key}"): str(value)
            for table, values in tables.items()
            for key, value in (values or {}).items()
        },
        "number of the member": member,
        "clips": n_clips,
        "device": device.type,
        "torch": str(torch.__version__),
    }
