"""The weights that serctl brings along: one folder per bundled model, and where each is.

This folder stands at the top level of the checkout and is installed as ``serctl.weights``. serctl's
code is MIT; the weights are for research, non-commercial use, as each model's ``card.md`` says.
"""

import os
from pathlib import Path

from serctl.errors import UsageError


def bundled_models() -> dict[str, Path]:
    """Names and folders of the bundled models, in alphabetical order."""
    root = Path(__file__).parent
    return {path.parent.name: path.parent for path in sorted(root.glob("*/config.json"))}


def find_model(name: str | os.PathLike[str]) -> Path:
    """Find the folder of a model.

    Parameters
    ----------
    name : str or path
        Name of a bundled model, or path of a weights folder.

    Raises
    ------
    UsageError
        If it is neither.
    """
    name, bundled = os.fspath(name), bundled_models()
    if name in bundled:
        return bundled[name]
    if Path(name).is_dir():
        return Path(name)
    raise UsageError(
        f"{name}: not available, and not a folder. Bundled models: {', '.join(bundled)}. "
        "Use one of these, or a folder written by serctl train."
    )
