"""Recipes: every number that makes a model, read from one TOML file.

``recipes/<model>.toml`` has a table for each part of a `Recipe`. A key that is not known, or is
missing, is an error: no number has a default hidden in the code.
"""

import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from serctl.errors import UsageError
from serctl.features import MelSpec

RECIPES = Path(__file__).with_name("recipes")


@dataclass(frozen=True)
class ModelRecipe:
    """What is built.

    Attributes
    ----------
    name, network : str
        Of the model, and of its network in `serctl.networks.NETWORKS`.
    emotions : tuple of str
        In the order of the logits.
    window_s, min_duration_s : float
        As in `serctl.models.ModelConfig`.
    """

    name: str
    network: str
    emotions: tuple[str, ...]
    window_s: float
    min_duration_s: float


@dataclass(frozen=True)
class TrainingRecipe:
    """How it is trained.

    Attributes
    ----------
    n_epochs : int
        At most.
    patience : int
        Training stops after so many epochs without a better validation accuracy.
    batch_size : int
        Clips in a step.
    learning_rate, weight_decay : float
        Of AdamW.
    noise : float
        Deviation of the normal noise that is added to the scaled inputs of training clips.
    ema_decay : float
        Of the running mean of the weights over steps, which is what validates and is kept.
    """

    n_epochs: int
    patience: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    noise: float
    ema_decay: float


@dataclass(frozen=True)
class Recipe:
    """Everything that makes a model but the corpora, the split and the seed."""

    model: ModelRecipe
    features: MelSpec
    training: TrainingRecipe


def recipe_names() -> list[str]:
    """Models that there are recipes of."""
    return sorted(path.stem for path in RECIPES.glob("*.toml"))


def load_recipe(name: str) -> Recipe:
    """Recipe of a model.

    Parameters
    ----------
    name : str
        One of `recipe_names`.

    Raises
    ------
    UsageError
        If there is none such.
    """
    if name not in recipe_names():
        raise UsageError(f"{name}: no recipe; there are recipes of {', '.join(recipe_names())}.")
    tables = tomllib.loads((RECIPES / f"{name}.toml").read_text(encoding="utf-8"))
    parts = {f.name: _build(f.type, tables.pop(f.name)) for f in fields(Recipe)}
    if tables:
        raise ValueError(f"{name}.toml: unknown tables {', '.join(tables)}")
    return Recipe(**parts)


def _build(cls: Any, table: dict[str, Any]) -> Any:
    """Dataclass of a TOML table that has each of its fields and no others."""
    names = {f.name for f in fields(cls)}
    if set(table) != names:
        raise ValueError(f"{cls.__name__}: keys {sorted(table)}, needed are {sorted(names)}")
    return cls(**{key: tuple(v) if isinstance(v, list) else v for key, v in table.items()})
