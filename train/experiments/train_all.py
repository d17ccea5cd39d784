"""Every bundled model, every number in ``train/results`` and every figure, from the corpora alone.

`train_everything` runs in a checkout, unattended, and resumes where it was interrupted: trainings
from their checkpoints (`serctl.train.experiments.protocols`), and what is measured of finished
models when it is missing or belongs to other weights or recipes. Tables and figures are rewritten each
time.
"""

import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from serctl.errors import UsageError
from serctl.figures import EXTENSIONS, save_figure
from serctl.models.config import read_config
from serctl.train.corpora.figure import draw_corpora
from serctl.train.corpora.manifest import clip_table
from serctl.train.documents.figures import write_figures
from serctl.train.documents.measurements import RESULTS
from serctl.train.documents.rewrite import rewrite_documents
from serctl.train.experiments import proposed_features
from serctl.train.experiments.protocols import WEIGHTS, run_protocols
from serctl.train.recipes.loading import RECIPES, recipe_names
from serctl.train.robustness import robustness
from serctl.train.training.train import Watcher

PROPOSED_WORK = Path("serctl-weights", "proposed-features")


def train_everything(corpora: str, watcher: Watcher, log: Callable[[str], None]) -> None:
    """Train every bundled model and measure it anew, in the checkout that is the working folder.

    Parameters
    ----------
    corpora : str
        Folder of the four corpora.
    watcher : Watcher
        Shows the progress of each training.
    log : callable
        Called with a line for each next step.

    Raises
    ------
    UsageError
        If the working folder is not the checkout that this code is of.
    CorporaError
        If the corpora are not there, whole.
    RunError
        If a checkpoint or a weights folder cannot be read or written.
    """
    recipes = Path("train", "recipes")
    if not recipes.is_dir() or not recipes.samefile(RECIPES):
        raise UsageError(
            f"{Path.cwd()}: not the checkout of serctl that is installed. --all writes into "
            "train/results and weights there; change to it, and install it by pip install -e ."
        )
    clips = clip_table(corpora)
    for model in recipe_names():
        log(f"{model}: all protocols")
        run_protocols(corpora, model, watcher)
    log("The proposed features")
    _measure_proposed_features(corpora, watcher)
    for model in recipe_names():
        log(f"{model}: robustness")
        _measure_robustness(corpora, model)
    log("Figures and tables")
    for extension in EXTENSIONS:
        save_figure(draw_corpora(clips), str(RESULTS / f"corpora-counts{extension}"))
    write_figures(Path())
    rewrite_documents(Path())


def _measure_proposed_features(corpora: str, watcher: Watcher) -> None:
    path = proposed_features.RESULTS
    found = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    if found.get("recipes") != proposed_features.recipes():
        measured = proposed_features.measure(corpora, watcher.clips, PROPOSED_WORK)
        proposed_features.write(measured)


def _measure_robustness(corpora: str, model: str) -> None:
    """Measure a bundled model on the test clips of fold 0, which it was not trained on."""
    path = RESULTS / f"robustness-{model}.json"
    sha256 = read_config(WEIGHTS / model).sha256
    if path.exists() and json.loads(path.read_text(encoding="utf-8")).get("sha256") == sha256:
        return
    with tempfile.TemporaryDirectory(prefix="serctl-fold0-") as folder:
        link_fold(corpora, 0, Path(folder))
        measured = robustness.measure(model, folder)
    path.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")


def link_fold(corpora: str, fold: int, folder: Path) -> None:
    """Make links to the test clips of a speaker fold, under names that say which clip each is."""
    clips = clip_table(corpora)
    tested = clips[(clips["fold"] == fold) & clips["test"]]
    for path, clip in zip(tested["path"], tested["clip"], strict=True):
        (folder / (clip + Path(path).suffix)).symlink_to(os.path.abspath(path))
