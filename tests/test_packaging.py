"""What is in the checkout's packages is named in pyproject.toml, and so is in a wheel."""

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SETUP = PROJECT["tool"]["setuptools"]
ROOMS = {"serctl": "serctl", "train": "serctl.train", "weights": "serctl.weights"}


def test_every_package_is_named() -> None:
    found = {
        ".".join([package, *init.relative_to(ROOT / room).parts[:-1]])
        for room, package in ROOMS.items()
        for init in (ROOT / room).rglob("__init__.py")
    }
    assert set(SETUP["packages"]) == found


def owned_by(room: str) -> dict[Path, list[str]]:
    """Folders of a room's packages that have data, and the patterns of the data's names."""
    owned = {}
    for package, patterns in SETUP["package-data"].items():
        above = [name for name in ROOMS if f"{package}.".startswith(f"{ROOMS[name]}.")]
        if max(above, key=lambda name: len(ROOMS[name])) == room:
            below = package.removeprefix(ROOMS[room]).split(".")
            owned[ROOT.joinpath(room, *below)] = patterns
    return owned


def test_all_data_is_named() -> None:
    for room in ROOMS:
        named = {
            path
            for folder, patterns in owned_by(room).items()
            for pattern in patterns
            for path in folder.glob(pattern)
            if "__pycache__" not in path.parts
        }
        left_out = {"results"}  # what was measured stands in the checkout alone
        found = {
            path
            for path in (ROOT / room).rglob("*")
            if path.is_file()
            and "__pycache__" not in path.parts
            and path.suffix != ".py"
            and path.relative_to(ROOT / room).parts[0] not in left_out
        }
        assert found == named


def test_a_python_that_starts_in_the_checkout_finds_all_packages() -> None:
    """Without an editable install, whose finder knows train/ and weights/."""
    code = (
        "import sys; sys.meta_path[:] = [f for f in sys.meta_path if 'Editable' not in str(f)];"
        "import serctl.weights, serctl.train.recipes; print(serctl.weights.__file__)"
    )
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert found.stdout.strip() == str(ROOT / "weights" / "__init__.py"), found.stderr


def test_the_oldest_versions_that_are_allowed_are_those_that_ci_tries() -> None:
    project = PROJECT["project"]
    allowed = [*project["dependencies"], *project["optional-dependencies"]["parquet"]]
    lines = (ROOT / "constraints-lowest.txt").read_text(encoding="utf-8").splitlines()
    tried = {line for line in lines if not line.startswith("#")}
    # 2.13 is 2.13.0.
    assert {version_of(line) for line in tried} == {version_of(line) for line in allowed}


def version_of(requirement: str) -> tuple[str, ...]:
    name, _, version = requirement.replace(">=", "==").partition("==")
    return name, *[*version.split("."), "0"][:3]
