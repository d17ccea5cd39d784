"""A model's card in short: on whom it is how good, and what it must not be used for.

The card and the figures are those that stand beside the weights of a bundled model (``card.md`` and
``metrics.json``). A card belongs to a run only if the weights are the same, by their SHA-256; a run
with other weights has none.
"""

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import serctl.weights

USE, LIMITS, TERMS = "Do not use it", "Limits", "Terms"
DEFAULT_CARD = "cnn"  # what no model must be used for is the same for all

# A paragraph, or the items of a list.
Block = str | list[str]


def must_not_use() -> list[Block]:
    """What no model of serctl must be used for: paragraphs and lists, from the bundled cards."""
    return _blocks(_section(_card(DEFAULT_CARD), USE))


def card_in_short(name: str, sha256: str) -> dict[str, Any] | None:
    """Card of a bundled model.

    Parameters
    ----------
    name : str
        Of the model, as in the record of a run.
    sha256 : str
        Of its tensors, as there.

    Returns
    -------
    dict or None
        ``name``, ``about``, ``terms``, ``limits`` (`Block`), and of its test clips ``n_clips``,
        ``ua``, ``ua_interval``, ``chance``, ``by_corpus``, ``by_emotion``, with shares in [0, 1].
        None if these are no weights of serctl.
    """
    folder = _root() / name
    if not re.fullmatch(r"[\w.-]+", name) or not (folder / "config.json").is_file():
        return None
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    if config["sha256"] != sha256:
        return None
    test = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))["test"]
    card = _card(name)
    about, *_ = _blocks(card.partition("\n\n")[2])
    return {
        "name": name,
        "about": str(about).partition(" The command that trains it")[0],
        "terms": _blocks(_section(card, TERMS))[:1],
        "limits": _blocks(_section(card, LIMITS)),
        "n_clips": test["n_clips"],
        "ua": round(test["ua"], 4),
        "ua_interval": [round(bound, 4) for bound in test["intervals"]["ua"]],
        "chance": round(1 / len(test["emotions"]), 4),
        "by_corpus": _figures(
            {name.upper(): group for name, group in test["by_corpus"].items()}, ("n_clips", "ua")
        ),
        "by_emotion": _figures(test["by_emotion"], ("n_clips", "recall", "precision")),
    }


def _figures(groups: Mapping[str, Mapping[str, Any]], keys: tuple[str, ...]) -> list[list[Any]]:
    """Name and figures of each group; None where one is not defined."""
    return [[name, *(_rounded(group.get(key)) for key in keys)] for name, group in groups.items()]


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, 4)


def _root() -> Path:
    return Path(serctl.weights.__file__).parent


@cache
def _card(name: str) -> str:
    return (_root() / name / "card.md").read_text(encoding="utf-8")


def _section(card: str, heading: str) -> str:
    """Text below a heading, up to the next one."""
    return card.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def _blocks(text: str) -> list[Block]:
    """Paragraphs and lists of plain Markdown; tables and commands are left out."""
    blocks: list[Block] = []
    for part in re.split(r"\n\s*\n", text.strip("\n")):
        if part.startswith("- "):
            blocks.append([_line(item) for item in re.split(r"\n?^- ", part, flags=re.M)[1:]])
        elif part and not part.startswith(("|", "    ", "!", "#")):
            blocks.append(_line(part))
    return blocks


def _line(text: str) -> str:
    return " ".join(text.replace("`", "").replace("**", "").split())
