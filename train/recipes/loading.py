"""Files of recipes: ``recipes/<model>.toml`` has a table for each part of a `Recipe`.

A key or a table that is not known, is missing or would do nothing is an error, and so is a value of
another type: no number has a default hidden in the code.
"""

import json
import tomllib
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from serctl.errors import UsageError
from serctl.features.mel import MelSpec
from serctl.models.inputs import CLIP_STATISTICS, LOG_MEL
from serctl.models.networks import NETWORKS
from serctl.train.recipes.heads import HeadsRecipe
from serctl.train.recipes.schema import (
    AugmentationRecipe,
    AuxiliaryRecipe,
    DistillationRecipe,
    MemberRecipe,
    MixingRecipe,
    ModelRecipe,
    MuonRecipe,
    Recipe,
    SvmRecipe,
    TrainingRecipe,
)

RECIPES = Path(__file__).parent

PARTS: dict[str, type] = {
    "model": ModelRecipe,
    "features": MelSpec,
    "training": TrainingRecipe,
    "augmentation": AugmentationRecipe,
    "mixing": MixingRecipe,
    "muon": MuonRecipe,
    "auxiliary": AuxiliaryRecipe,
    "distillation": DistillationRecipe,
    "svm": SvmRecipe,
    "heads": HeadsRecipe,
}


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
    members = tuple(_build(MemberRecipe, table) for table in tables.pop("members", ()))
    unknown = sorted(set(tables) - set(PARTS))
    if unknown:
        raise ValueError(f"{name}.toml: unknown tables {', '.join(unknown)}")
    parts = {part: _build(PARTS[part], table) for part, table in tables.items()}
    recipe = Recipe(**parts, members=members)
    _check_tables(name, recipe)
    return recipe


def tables_of(recipe: Recipe) -> dict[str, Any]:
    """Tables of a recipe that are not empty, as JSON gives them back."""
    tables: dict[str, Any] = json.loads(json.dumps(asdict(recipe)))
    return {name: table for name, table in tables.items() if table}


def is_made_by(tables: dict[str, Any], recipe: Recipe) -> bool:
    """Whether `tables_of` a training's recipe are those of this one; emotions are also the split's."""
    now = tables_of(recipe)
    now["model"]["emotions"] = tables["model"]["emotions"]
    return now == tables


def _check_tables(name: str, recipe: Recipe) -> None:
    """Raise ValueError for a table that would do nothing, or one that is missing."""
    network = recipe.model.network
    if network not in NETWORKS:
        raise ValueError(f"{name}.toml: network {network}, there are {', '.join(NETWORKS)}")
    ways = {"training": recipe.training, "svm": recipe.svm, "heads": recipe.heads}
    if sum(way is not None for way in ways.values()) != 1:
        raise ValueError(f"{name}.toml: one table of {', '.join(ways)} is needed")
    if NETWORKS[network].has_encoder != (recipe.heads is not None):
        raise ValueError(f"{name}.toml: a table heads is for networks with an encoder")
    n_members = NETWORKS[network].n_members if NETWORKS[network].member_class else 0
    if len(recipe.members) != n_members:
        raise ValueError(
            f"{name}.toml: {len(recipe.members)} tables members, {n_members} are needed"
        )
    kind = NETWORKS[network].inputs
    understood = {
        "augmentation": recipe.training is not None and kind is not CLIP_STATISTICS,
        "mixing": recipe.training is not None and kind is LOG_MEL,
        "auxiliary": recipe.training is not None and kind is not CLIP_STATISTICS,
        "distillation": recipe.training is not None and kind is LOG_MEL,
        "muon": recipe.training is not None,
    }
    for table, is_understood in understood.items():
        if getattr(recipe, table) is not None and not is_understood:
            raise ValueError(f"{name}.toml: a table {table}, which does nothing for {network}")


def _build(cls: Any, table: dict[str, Any]) -> Any:
    """Dataclass of a TOML table that has each of its fields, of their types, and no others."""
    types = get_type_hints(cls)
    if set(table) != set(types):
        raise ValueError(f"{cls.__name__}: keys {sorted(table)}, needed are {sorted(types)}")
    for name, kind in types.items():
        value, needed = table[name], getattr(kind, "__name__", "")
        if get_origin(kind) is Literal:
            is_right, needed = value in get_args(kind), f"one of {', '.join(get_args(kind))}"
        elif get_origin(kind) is tuple:
            inner = get_args(kind)[0]
            is_right = isinstance(value, list) and all(_is_a(inner, one) for one in value)
            needed = f"a list of {inner.__name__}"
        else:
            is_right = _is_a(kind, value)
        if not is_right:
            raise ValueError(f"{cls.__name__}: {name} is {value!r}, needed is {needed}")
    return cls(**{key: tuple(v) if isinstance(v, list) else v for key, v in table.items()})


def _is_a(kind: type, value: object) -> bool:
    """Whether a value of TOML is of a type; a whole number is a float too, and a bool no number."""
    if isinstance(value, bool):
        return kind is bool
    return isinstance(value, (int, float) if kind is float else kind)
