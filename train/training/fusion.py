"""Late fusion in training: the second model is trained on the same split, or was so before.

It lies in a folder of its own below the one that is trained, under its name.
"""

import json
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from serctl.errors import CheckpointError
from serctl.models.config import CONFIG_FILE, Fusion
from serctl.models.loading import Model
from serctl.models.networks import NETWORKS
from serctl.train.data.preparation import PreparedClips
from serctl.train.recipes.loading import is_made_by
from serctl.train.recipes.schema import Recipe
from serctl.train.training.testing import log_probabilities_of
from serctl.train.training.weights_folder import (
    METRICS_FILE,
    TrainingOptions,
    command_line,
)


def second_options(options: TrainingOptions, recipe: Recipe) -> TrainingOptions | None:
    """How the second model is trained; None if the network is not fused with one."""
    name = NETWORKS[recipe.model.network].fuses_with
    if not name:
        return None
    return replace(options, model=name, output=options.output / name, encoder=None)


def is_trained(options: TrainingOptions, recipe: Recipe) -> bool:
    """Whether a model was trained by these options and this recipe before.

    Raises
    ------
    CheckpointError
        If one was trained by other options, or another recipe.
    """
    if not (options.output / CONFIG_FILE).exists():
        return False
    metrics = json.loads((options.output / METRICS_FILE).read_text(encoding="utf-8"))
    if not is_made_by(metrics["recipe"], recipe) or metrics["command"] != command_line(options):
        raise CheckpointError(
            f"{options.output}: was trained by another recipe or command. Give another folder, or "
            "--overwrite."
        )
    return True


def fusion_with(second: Model, clips: PreparedClips) -> Fusion:
    """Fusion with a trained model: which one, and what emotions do to its log-probabilities.

    Parameters
    ----------
    second : Model
        Saved.
    clips : PreparedClips
        Whose validation part is measured: on training clips, the model is too certain.
    """
    rows = clips.split.validation
    scores = log_probabilities_of(second, clips.clips["path"].iloc[rows])
    speakers = clips.clips["speaker"].iloc[rows].to_numpy(str)
    offsets = class_offsets(scores, clips.labels[rows], speakers)
    return Fusion(second.config.sha256, tuple(tuple(row) for row in offsets.round(6).tolist()))


def class_offsets(
    scores: NDArray[np.float64], labels: NDArray[np.int64], speakers: NDArray[np.str_]
) -> NDArray[np.float64]:
    """Mean difference of each emotion's scores from their speaker's, float64 [n_emotions, n_emotions].

    Parameters
    ----------
    scores : float64 [n, n_emotions]
        Of clips.
    labels, speakers : [n]
        Index of each clip's emotion, and its speaker. A speaker's place is the mean over the emotions
        that there are; all count alike.
    """
    n_emotions = scores.shape[1]
    sums, counts = np.zeros((n_emotions, n_emotions)), np.zeros(n_emotions)
    for speaker in sorted(set(speakers)):
        own = speakers == speaker
        present = sorted(set(labels[own]))
        means = np.array([scores[own & (labels == emotion)].mean(axis=0) for emotion in present])
        sums[present] += means - means.mean(axis=0)
        counts[present] += 1
    found: NDArray[np.float64] = sums / np.maximum(counts, 1)[:, None]
    return found
