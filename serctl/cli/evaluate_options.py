"""Options of ``serctl evaluate``: labels, split, models, and which files to write."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from serctl.cli import options
from serctl.cli.completion import complete_models
from serctl.errors import ResultsError, UsageError

if TYPE_CHECKING:
    from serctl.train.robustness.overlap import TrainedModel


@dataclass(frozen=True)
class LabelOptions:
    """Where labels come from.

    Attributes
    ----------
    labels : str
        ``corpora``, ``folders`` or the path of a CSV file.
    pairs : tuple of str
        ``NAME=EMOTION``, or ``NAME=-``.
    """

    labels: str
    pairs: tuple[str, ...]


@dataclass(frozen=True)
class ModelsOptions:
    """Which models run, where, and between which emotions they choose.

    Attributes
    ----------
    models : tuple of str
        Names of bundled models, or weights folders; none is the default model.
    emotions, device
        As in `serctl.cli.options.ModelOptions`.
    """

    models: tuple[str, ...]
    emotions: str | None
    device: str

    def load(self) -> list["TrainedModel"]:
        """Check and name the models.

        Raises
        ------
        UsageError
            If there is no such model, or one is there twice.
        ModelError
            If one cannot be loaded.
        """
        from serctl.models.loading import DEFAULT_MODEL, load_model
        from serctl.train.robustness.overlap import TrainedModel
        from serctl.weights import find_model

        typed = list(self.models) or [DEFAULT_MODEL]
        folders = [find_model(one) for one in typed]
        configs = [load_model(one).config for one in typed]
        for i, folder in enumerate(folders):
            if any(folder.samefile(other) for other in folders[:i]):
                raise UsageError(f"--model {typed[i]}: given twice. Name each model once.")
        # Two weights folders of one recipe have the same name.
        called = ([config.name for config in configs], [folder.name for folder in folders])
        names = next((some for some in called if len(set(some)) == len(some)), typed)
        return [TrainedModel(*one) for one in zip(names, folders, configs, strict=True)]


@dataclass(frozen=True)
class ScoreOutputs:
    """Files to write.

    Attributes
    ----------
    outputs : tuple of str
        JSON and CSV files.
    figures : str or None
        Folder of figures.
    overwrite : bool
        Whether existing files may be replaced.
    """

    outputs: tuple[str, ...]
    figures: str | None
    overwrite: bool

    def paths(self, n_models: int) -> list[str]:
        """Every file that will be written."""
        return [*self.outputs, *map(str, self.figure_paths(n_models))]

    def figure_paths(self, n_models: int) -> list[Path]:
        """Every figure that will be written, of one model or of a comparison."""
        from serctl.train.evaluation.figures import score_figures
        from serctl.train.evaluation.statistics.figure import comparison_figures

        if self.figures is None:
            return []
        return (comparison_figures if n_models > 1 else score_figures)(Path(self.figures))

    def check(self, n_models: int) -> None:
        """Refuse files that cannot be written, before any work; create the folder of figures.

        Raises
        ------
        UsageError, ResultsError
            As `serctl.files.outputs.check_output`, or if two have the same path.
        """
        from serctl.files.outputs import check_output, extension_of

        for output in self.outputs:
            extension_of(output, OUTPUT_EXTENSIONS)
            check_output(output, OUTPUT_EXTENSIONS, self.overwrite)
        if len(set(map(os.path.realpath, self.outputs))) < len(self.outputs):
            raise UsageError(f"-o {' -o '.join(self.outputs)}: the same file twice. Remove one.")
        if self.figures is None:
            return
        from serctl.figures import check_figure

        try:
            os.makedirs(self.figures, exist_ok=True)
        except OSError as error:
            raise ResultsError(
                f"{self.figures}: cannot be created as a folder ({error.strerror}). Choose another."
            ) from error
        for figure in self.figure_paths(n_models):
            check_figure(figure, self.overwrite)


class _WholeName(click.types.StringParamType):
    """A name that may hold spaces, also in the environment."""

    def split_envvar_value(self, rv: str) -> list[str]:
        """One name: `SERCTL_MODEL` is one model."""
        return [rv]


OUTPUT_EXTENSIONS = (".json", ".csv")

MODELS = options.option_group(
    "chosen",
    ModelsOptions,
    click.option(
        "--model",
        "models",
        multiple=True,
        type=_WholeName(),
        envvar="SERCTL_MODEL",
        metavar="NAME|FOLDER",
        shell_complete=complete_models,
        help="Model or weights folder; repeatable, to compare.  [default: cnn]",
    ),
    options.EMOTIONS,
    options.DEVICE,
)
LABELS = options.option_group(
    "labelling",
    LabelOptions,
    click.option(
        "--labels",
        default="corpora",
        show_default=True,
        metavar="corpora|folders|FILE.csv",
        help="Labels from file names, folder names or a table.",
    ),
    click.option(
        "--map",
        "pairs",
        multiple=True,
        metavar="NAME=EMOTION",
        help="Map a label to an emotion; NAME=- skips it; repeatable.",
    ),
)
SPLIT = options.option_group(
    "split",
    options.SplitOptions,
    click.option(
        "--split",
        type=click.Choice(options.SPLITS),
        default=None,
        metavar="SPLIT",
        help="Test on this split of the corpora, not PATHS: report, new-speakers or "
        "emobox-<corpus>.",
    ),
    options.corpora_option("With --split: folder of the four corpora."),
    click.option(
        "--fold",
        type=click.IntRange(0, 5),
        default=0,
        show_default=True,
        help="With --split: number of the test fold.",
    ),
    options.seed_option("With --split: random seed of the split report."),
)
OUTPUTS = options.option_group(
    "written",
    ScoreOutputs,
    click.option(
        "-o",
        "--output",
        "outputs",
        multiple=True,
        metavar="FILE",
        help="Write scores and predictions (.json), or predictions (.csv); repeatable.",
    ),
    click.option("--figures", metavar="DIR", help="Save figures to this folder (PNG and SVG)."),
    click.option("--overwrite", is_flag=True, help="Replace existing files."),
)
