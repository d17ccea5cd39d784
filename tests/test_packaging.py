"""What is in the checkout's packages is named in pyproject.toml, and so is in a wheel."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
SETUP = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
ROOMS = {"serctl": "serctl", "train": "serctl.train", "weights": "serctl.weights"}


def test_every_package_is_named() -> None:
    found = {
        ".".join([package, *init.relative_to(ROOT / room).parts[:-1]])
        for room, package in ROOMS.items()
        for init in (ROOT / room).rglob("__init__.py")
    }
    assert set(SETUP["packages"]) == found


def test_all_data_is_named() -> None:
    for room, package in ROOMS.items():
        named = {
            path
            for pattern in SETUP["package-data"][package]
            for path in (ROOT / room).glob(pattern)
        }
        left_out = {"results"}  # what was measured stands in the checkout alone
        found = {
            path
            for path in (ROOT / room).rglob("*")
            if path.is_file()
            and path.suffix not in (".py", ".pyc", ".nbi", ".nbc")
            and path.relative_to(ROOT / room).parts[0] not in left_out
        }
        assert found == named
