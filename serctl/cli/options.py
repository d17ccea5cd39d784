"""Options that several commands share.

A group of options is one decorator and one frozen dataclass: the command gets the values of the
group as one argument. Nothing heavy is imported at module level, so that ``--help`` stays fast.
"""

import dataclasses
import functools
import os
from collections.abc import Callable, Container
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

import click
from click.core import ParameterSource

import serctl
from serctl.cli.completion import complete_models
from serctl.errors import RunError, UsageError

if TYPE_CHECKING:
    from serctl.audio.finding.skipped import Skipped
    from serctl.audio.patterns import Selection

Command = TypeVar("Command", bound=Callable[..., Any])
Option = Callable[[Command], Command]

DEVICES = click.Choice(["auto", "cpu", "cuda", "mps"])
SEEDS = click.IntRange(0, 2**32 - 1)
# The splits of serctl.train.corpora.splits, which a help text must not import.
CORPORA = ("crema-d", "ravdess", "savee", "tess")
SPLITS = (
    *("report", "new-speakers"),
    *(f"emobox-{corpus}" for corpus in CORPORA),
    *(f"cross-corpus-{corpus}" for corpus in CORPORA),
)

_ROOT = os.path.dirname(os.path.dirname(os.path.abspath(serctl.__file__)))
# Some options are for developers, and hidden from the help of an installed serctl.
IN_CHECKOUT = os.path.isfile(os.path.join(_ROOT, "train", "__init__.py"))

DEVICE = click.option(
    "--device",
    type=DEVICES,
    default="auto",
    show_default=True,
    help="Device that runs the network; auto prefers a GPU.",
)
WORKERS = click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=None,
    help="Number of worker processes.  [default: number of CPU cores]",
)
TIMEOUT = click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=None,
    metavar="SECONDS",
    help="Give up a recording after this time.  [default: no limit]",
)


def option_group(name: str, group: type, *options: Option[Any]) -> Option[Command]:
    """Decorate a command with a group of options.

    Parameters
    ----------
    name : str
        Argument of the command's function that gets the group.
    group : type
        A dataclass; its fields are named like the parameters of ``options``.
    *options : decorators
        Of `click.option`, in the order of the help text.
    """
    fields = [field.name for field in dataclasses.fields(group) if field.init]

    def decorate(function: Command) -> Command:
        @functools.wraps(function)
        def command(*args: Any, **values: Any) -> Any:
            values[name] = group(**{field: values.pop(field) for field in fields})
            return function(*args, **values)

        for option in reversed(options):
            command = option(command)
        return command  # type: ignore[return-value]

    return decorate


@dataclasses.dataclass(frozen=True)
class SelectionOptions:
    """Which recordings a command reads.

    Attributes
    ----------
    files_from : binary file or None
        A list of paths.
    zero : bool
        Whether zero bytes, and not line feeds, separate the paths of the list.
    include, exclude : tuple of str
        Patterns, as of `serctl.audio.patterns.Selection`.
    follow_symlinks : bool
        Whether to follow links to folders.
    all_files : bool
        Whether to take hidden files, and files that are not audio by name and content.
    sizes : dict of str to int
        Bytes of the recordings of a manifest, once `find` has read it.
    """

    files_from: BinaryIO | None
    zero: bool
    include: tuple[str, ...]
    exclude: tuple[str, ...]
    follow_symlinks: bool
    all_files: bool
    sizes: dict[str, int] = dataclasses.field(default_factory=dict, init=False)

    def require(self, paths: tuple[str, ...]) -> None:
        """Raise UsageError if there are neither paths nor a list of them."""
        if not paths and self.files_from is None:
            raise UsageError("no PATHS: give recordings or folders, or a list with --files-from.")

    def listed(self) -> list[str]:
        """Paths of ``--files-from``; it can be read once."""
        from serctl.audio.patterns import read_list
        from serctl.files.manifest import is_manifest, read_manifest

        if self.files_from is None:
            return []
        content = self.files_from.read()
        if is_manifest(content):
            self.sizes.update((one.path, one.size_bytes) for one in read_manifest(content))
            return list(self.sizes)
        return read_list(content, b"\0" if self.zero else b"\n")

    @property
    def selection(self) -> "Selection":
        """The patterns."""
        from serctl.audio.patterns import Selection

        return Selection(self.include, self.exclude, self.follow_symlinks, self.all_files)

    def find(
        self, paths: tuple[str, ...], skipped: "Skipped | None" = None
    ) -> tuple[list[str], list[RunError]]:
        """Find recordings.

        Parameters
        ----------
        paths : tuple of str
            Arguments of the command.
        skipped : Skipped, optional
            Filled with what the folders hold and is not taken.

        Returns
        -------
        list of str, list of RunError
            Their paths, in the order of `serctl.audio.scan.scan`; and an error for each folder that
            cannot be listed, for `warn_unlisted`.
        """
        from serctl.audio.scan import scan

        unlisted: list[RunError] = []
        found = scan(paths, self.selection, unlisted.append, self.listed(), skipped)
        return found, unlisted


SELECTION = option_group(
    "selection",
    SelectionOptions,
    click.option(
        "--files-from",
        type=click.File("rb"),
        metavar="FILE|-",
        help="Read more paths from a list, one per line, or a manifest of serctl scan; - is stdin.",
    ),
    click.option(
        "-0", "zero", is_flag=True, help="Separate listed paths with zero bytes, like find -print0."
    ),
    click.option(
        "--include",
        multiple=True,
        metavar="PATTERN",
        help="Only recordings whose name or path matches; repeatable.",
    ),
    click.option(
        "--exclude",
        multiple=True,
        metavar="PATTERN",
        help="Skip recordings and folders that match; repeatable.",
    ),
    click.option("--follow-symlinks", is_flag=True, help="Follow symbolic links to folders."),
    click.option(
        "--all-files", is_flag=True, help="Try every file, also hidden ones and other types."
    ),
)


@dataclasses.dataclass(frozen=True)
class ModelOptions:
    """Which model runs, where, and between which emotions it chooses.

    Attributes
    ----------
    model : str or None
        Name of a bundled model, or a weights folder; None is the default model.
    emotions : str or None
        A subset, separated by commas; None is all emotions of the model.
    device : str
        As `serctl.models.devices.choose_device` takes it.
    """

    model: str | None
    emotions: str | None
    device: str


MODEL_OPTION = click.option(
    "--model",
    default=None,
    envvar="SERCTL_MODEL",
    metavar="NAME|FOLDER",
    shell_complete=complete_models,
    help="Model or weights folder; or set SERCTL_MODEL.  [default: cnn]",
)
EMOTIONS = click.option(
    "--emotions",
    default=None,
    metavar="A,B,...",
    help="Choose between these emotions only.  [default: all of the model]",
)
MODEL = option_group("model", ModelOptions, MODEL_OPTION, EMOTIONS, DEVICE)


@dataclasses.dataclass(frozen=True)
class SplitOptions:
    """A split of the four corpora.

    Attributes
    ----------
    corpora : str
        Folder with the corpora.
    split : str or None
        One of `SPLITS`.
    fold, seed : int
        Which part is the test part, and the seed of a random split.
    """

    corpora: str
    split: str | None
    fold: int
    seed: int


def corpora_option(text: str) -> Option[Any]:
    """Option ``--corpora``, with a help text."""
    return click.option(
        "--corpora",
        envvar="SERCTL_CORPORA",
        default="./corpora",
        show_default=True,
        metavar="DIR",
        help=text,
    )


def seed_option(text: str) -> Option[Any]:
    """Option ``--seed``, with a help text."""
    return click.option("--seed", type=SEEDS, default=0, show_default=True, help=text)


def warn_unlisted(unlisted: list[RunError]) -> None:
    """Print a warning for each folder that cannot be listed; the exit status must be 1 then."""
    from serctl.text import printable

    for error in unlisted:
        click.echo(f"Warning: {printable(str(error))}", err=True)


def given(names: Container[str]) -> list[str]:
    """Options of the running command, out of some parameters, that stand on the command line."""
    context = click.get_current_context()
    return [
        parameter.opts[-1]
        for parameter in context.command.params
        if parameter.name in names
        and context.get_parameter_source(parameter.name) == ParameterSource.COMMANDLINE
    ]


def refuse_unused(*names: str, because: str) -> None:
    """Raise click.UsageError if the command line has options that would have no effect."""
    if unused := given(names):
        it = "it" if len(unused) == 1 else "them"
        raise click.UsageError(f"{', '.join(unused)}: {because}. Remove {it}.")
