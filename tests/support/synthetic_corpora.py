"""A stand-in for the four corpora: a few of their clips, made of tones, under their names.

Each emotion has a spectrum of its own, so that a network can learn it, and each speaker a pitch.
The manifest is cut down to these clips, so that they pass for complete corpora. Run as a script,
this is the command line with that manifest, for tests that kill it; ``--write FOLDER`` writes the
clips.
"""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from serctl.emotions import EMOTIONS
from serctl.models.networks import cnn_graph
from serctl.models.networks.cnn_torch import CnnMember
from serctl.train.corpora import manifest as corpora
from serctl.train.corpora.manifest import (
    IDENTICAL_CLIPS,
    LEFT_OUT_OF_TRAINING,
    SILENT_CLIP,
    manifest,
)
from serctl.train.recipes.loading import load_recipe
from serctl.train.recipes.schema import Recipe
from serctl.train.training import train, weights_folder

RATE_HZ = 16000
DURATION_S = 0.4
FIGURES = ("learning_curve", "confusion_matrix")  # functions that draw into a weights folder
WIDTHS = (16, 16, 32, 48)  # channels of the narrow network


def small_manifest() -> pd.DataFrame:
    """Clips of every corpus, emotion and fold of either kind, and all of the known quirks."""
    table = manifest()
    keys = list(zip(table["corpus"], table["clip"], strict=True))
    quirks = LEFT_OUT_OF_TRAINING.union(*IDENTICAL_CLIPS)
    chosen = pd.Series([key in quirks for key in keys], index=table.index)
    # Tested ones first. TESS has two speakers, so it takes more of each to split it three ways.
    ordered = table.sort_values("test", ascending=False, kind="stable")
    groups = ordered.groupby(["corpus", "emotion", "fold"])
    number, n_wanted = groups.cumcount(), ordered["corpus"].map({"tess": 4}).fillna(2)
    chosen |= number < n_wanted
    # EmoBox's folds, and so many speakers of CREMA-D that a tenth of them has clips to train with.
    chosen |= table.groupby(["corpus", "emotion", "emobox"]).cumcount() == 0
    chosen |= table["path"].str.contains(r"/10[0-2][0-9]_IEO_ANG_HI")
    return table[chosen].reset_index(drop=True)


def small_recipe(name: str) -> Recipe:
    """Recipe that few clips and epochs learn by, with whatever other numbers it has."""
    recipe = load_recipe(name)
    if recipe.training is None:
        return recipe
    numbers = {"n_epochs": 12, "n_passes": 1, "patience": 100, "batch_size": 16}
    rate = 2e-3 if recipe.muon is None else 1e-2
    training = replace(recipe.training, **numbers, learning_rate=rate, ema_decay=0.9)
    training = replace(training, precision="float32")  # as fast on every processor
    augmentation = recipe.augmentation
    if augmentation is not None and augmentation.n_copies:
        augmentation = replace(augmentation, n_copies=1)
    return replace(recipe, training=training, augmentation=augmentation)


def install(patch: pytest.MonkeyPatch, draws_figures: bool = False) -> None:
    """Have the corpora consist of the small manifest, and small models be made by the small recipe.

    Figures are empty files unless ``draws_figures``: drawing takes longer than such a training.
    """
    table = small_manifest()
    keys = dict.fromkeys(zip(table["corpus"], table["clip"], strict=True))
    patch.setattr(corpora, "_read_manifest", lambda: table)
    patch.setattr(corpora, "_manifest_keys", lambda: keys)
    patch.setattr(train, "load_recipe", small_recipe)
    if not draws_figures:
        for name in FIGURES:
            patch.setattr(weights_folder, name, leave_empty)
    narrow(patch)


def leave_empty(*arguments: object) -> None:
    """Stand in for a function that draws a figure to the path that is its last argument."""
    path = arguments[-1]
    assert isinstance(path, Path)
    path.touch()


def narrow(patch: pytest.MonkeyPatch) -> None:
    """Build the default network with a quarter of its channels, which is much faster."""
    for name, value in (("WIDTHS", WIDTHS), ("ATTENTION_WIDTH", 8)):
        patch.setattr(cnn_graph, name, value)
    patch.setattr(CnnMember, "N_EMBEDDING", 2 * WIDTHS[-1])


def write_clips(root: Path) -> Path:
    """Write every clip of the small manifest below a folder, and return the folder."""
    table = small_manifest()
    for i, row in enumerate(table.itertuples()):
        path = root / row.path
        path.parent.mkdir(parents=True, exist_ok=True)
        silent = (row.corpus, row.clip) == SILENT_CLIP
        samples = np.zeros(RATE_HZ) if silent else speech(row.emotion, row.speaker, i)
        soundfile.write(path, samples, RATE_HZ)
    paths = dict(zip(zip(table["corpus"], table["clip"], strict=True), table["path"], strict=True))
    for first, *others in IDENTICAL_CLIPS:
        for other in others:
            (root / paths[other]).write_bytes((root / paths[first]).read_bytes())
    return root


def speech(emotion: str, speaker: str, seed: int) -> np.ndarray:
    """Harmonics with a resonance that the emotion moves, and some noise."""
    noise = np.random.default_rng(seed)
    time_s = np.arange(int(RATE_HZ * DURATION_S)) / RATE_HZ
    pitch_hz = 100 + 7 * (sum(speaker.encode()) % 17) + noise.normal(0, 3)
    resonance_hz = 400 + 450 * EMOTIONS.index(emotion) + noise.normal(0, 60)
    harmonics_hz = np.arange(pitch_hz, 5000, pitch_hz)
    levels = 1 / (1 + ((harmonics_hz - resonance_hz) / 150) ** 2)
    tones = np.sin(2 * np.pi * harmonics_hz[:, None] * time_s)
    voiced = levels @ tones
    return 0.3 * voiced / np.abs(voiced).max() + noise.normal(0, 0.01, len(time_s))


if __name__ == "__main__":
    from serctl.cli import main

    if sys.argv[1] == "--write":
        write_clips(Path(sys.argv[2]))
        sys.exit()
    install(pytest.MonkeyPatch(), draws_figures=True)
    main(sys.argv[1:])
