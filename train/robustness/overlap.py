"""Whether a model was trained on what it is scored on.

A weights folder has the split of its training, and the manifest the clips of the four corpora in that
split; files are identified by their names.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from serctl.errors import UsageError
from serctl.models.config import ModelConfig
from serctl.train.corpora.manifest import manifest, parse_clip_name
from serctl.train.corpora.splits import clips_of, split_clips


@dataclass(frozen=True)
class TrainedModel:
    """A model and where it is.

    Attributes
    ----------
    name : str
        For messages and tables.
    folder : Path
        Its weights folder.
    config : ModelConfig
        Of the model.
    """

    name: str
    folder: Path
    config: ModelConfig


def training_warning(paths: Sequence[str], model: TrainedModel) -> str:
    """Warning with the number of recordings, and of speakers' recordings, in a model's training data.

    Parameters
    ----------
    paths : sequence of str
        Of recordings; those named like clips of the four corpora are looked at.
    model : TrainedModel
        Whose weights folder may have the split of its training.

    Returns
    -------
    str
        Empty if there are none, or if the folder does not say how it was trained.
    """
    try:
        metrics = json.loads((model.folder / "metrics.json").read_text(encoding="utf-8"))
        split, fold, seed = metrics["split"], metrics["fold"], metrics["seed"]
        # As a training on the corpora has them, but for the paths.
        table = clips_of(manifest().sort_values(["corpus", "clip"]), model.config.emotions)
        parts = split_clips(table, split, fold or 0, seed)
    except (OSError, ValueError, KeyError, TypeError, UsageError):
        return ""
    trained_on = table.iloc[np.concatenate([parts.train, parts.validation])]
    clips = set(zip(trained_on["corpus"], trained_on["clip"], strict=True))
    voices = set(trained_on["speaker"])
    names = [parse_clip_name(os.path.abspath(path)) for path in paths]
    n_clips = sum(name is not None and (name.corpus, name.clip) in clips for name in names)
    n_of_voices = sum(name is not None and name.speaker in voices for name in names)
    if not n_of_voices:
        return ""
    how = f"{split}, {f'seed {seed}' if fold is None else f'fold {fold}'}"
    return (
        f"{model.name} was trained ({how}) on {n_clips} of these {len(paths)} clips, and on the "
        f"voices of {n_of_voices}: the scores do not hold for other recordings."
    )
