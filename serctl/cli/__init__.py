"""The command line: options, progress and exit statuses.

Each command has its own module, which imports heavy packages (torch, numba, pandas, rich) inside
its function, so that ``serctl --help`` and shell completion are fast. `main` is the one place where
errors become messages and exit statuses:

    0    every recording was read                        1    finished, some could not be read
    2    wrong usage, or a path that does not exist      3    it could not run
    4    what it prints cannot be written; its files are complete
    130  interrupted (SIGINT)                            143  terminated (SIGTERM)
    141  the reader of its output closed the pipe (`| head`), as after SIGPIPE; no message
"""

import atexit
import io
import os
import signal
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from types import FrameType

import click

from serctl import __version__
from serctl.cli.cite import cite
from serctl.cli.classify import classify
from serctl.cli.clips import clips
from serctl.cli.completion import completion
from serctl.cli.corpora import corpora
from serctl.cli.doctor import doctor
from serctl.cli.evaluate import evaluate
from serctl.cli.export import export
from serctl.cli.features import features
from serctl.cli.merge import merge
from serctl.cli.models import models
from serctl.cli.plot import plot
from serctl.cli.report import report
from serctl.cli.scan import scan
from serctl.cli.train import train
from serctl.errors import PrintError, SerctlError, UsageError, missing_package
from serctl.text import printable_lines

STOPPED = (130, 143)  # exit statuses after SIGINT and SIGTERM

EXAMPLES = """\b
Examples:
  serctl classify ./recordings        classify all recordings in a folder
  serctl report                       summarize the results
  serctl train --corpora ./corpora    train a model
"""


class Commands(click.Group):
    """Commands, none of which takes an option twice that has one value: the last would win."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, and refuse options that are repeated in vain."""
        name, command, rest = super().resolve_command(ctx, args)
        if command is not None and not ctx.resilient_parsing:
            _refuse_repeated(click.Context(command, ctx, info_name=name), rest)
        return name, command, rest


def _refuse_repeated(context: click.Context, arguments: list[str]) -> None:
    """Raise click.UsageError if options with one value each have several."""
    parser = context.command.make_parser(context)
    order = parser.parse_args(list(arguments))[2]
    if any(parameter.is_eager for parameter in order):  # --help
        return
    repeated = [
        parameter.opts[-1]
        for parameter, n in Counter(order).items()
        if isinstance(parameter, click.Option)
        and n > 1
        and not (parameter.is_flag or parameter.multiple or parameter.count)
    ]
    if repeated:
        raise click.UsageError(
            f"{', '.join(repeated)}: given more than once, and takes one value. Keep one.", context
        )


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=EXAMPLES,
)
@click.version_option(__version__, prog_name="serctl")
def cli() -> None:
    """Classify the emotion of speech recordings.

    Reads folders of recordings and writes a table with the emotion of each. Runs on this machine,
    with or without a GPU, and needs no network connection.
    """


COMMANDS = (
    *(classify, report, clips, scan, merge),
    *(features, plot, evaluate, train, corpora),
    *(models, export, doctor, completion, cite),
)
for command in COMMANDS:
    cli.add_command(command)


class Terminated(BaseException):
    """SIGTERM was received. Like KeyboardInterrupt, so that cleanup runs."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its status."""
    _complete_streams()
    signal.signal(signal.SIGTERM, _raise_terminated)
    status = run(arguments)
    if status in STOPPED:
        # Leave at once: the regular end of Python takes a second on a busy machine.
        atexit._run_exitfuncs()
        _drop_streams()
        os._exit(status)
    sys.exit(status)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line, print errors on standard error, and return the exit status."""
    try:
        status = cli.main(arguments, prog_name="serctl", standalone_mode=False)
        sys.stdout.flush()
        return int(status or 0)
    except click.ClickException as error:
        error.message = printable_lines(str(error.message))  # type: ignore[misc]
        _print_safely(error.show)
        return error.exit_code
    except PrintError as error:
        _drop_streams()
        _print_error(f"Error: {error}", error)
        return 4
    except SerctlError as error:
        _print_error(f"Error: {error}", error)
        return 2 if isinstance(error, UsageError) else 3
    except (KeyboardInterrupt, click.Abort) as error:
        _print_error("Interrupted.", error.__cause__ or error)
        return STOPPED[0]
    except Terminated as error:
        _print_error("Terminated.", error)
        return STOPPED[1]
    except (BrokenPipeError, SystemExit) as error:
        if isinstance(error, SystemExit) and not error.code:
            return 0  # after shell completion
        # The reader closed the pipe (`| head`), which makes Click and Rich exit with 1.
        _drop_streams()
        return 141
    except OSError as error:
        _drop_streams()
        _print_error(f"Error: {error}", error)
        return 3
    except Exception as error:
        if missing := missing_package(error):
            _print_error(f"Error: {missing}", error)
            return 3
        if sys.flags.dev_mode:
            raise
        what = f"{type(error).__name__}: {error}".rstrip(": .")
        message = (
            f"Error: {what}. This is a bug in serctl or a problem of this machine. For a traceback, "
            "run the same command with python -I -X dev -m serctl."
        )
        _print_error(message, error)
        return 3


def _print_error(message: str, error: BaseException) -> None:
    """Print a message and its notes: what is kept, and how to continue."""
    for line in (message, *getattr(error, "__notes__", ())):
        _print_safely(partial(click.echo, printable_lines(line), err=True))


def _print_safely(show: Callable[[], object]) -> None:
    """Print on standard error, if that is possible; the exit status says it too."""
    try:
        show()
    except OSError:
        _drop_streams()


def _drop_streams() -> None:
    """Discard output that cannot be written, since flushing it at exit would fail again."""
    with open(os.devnull, "wb") as nowhere:
        for stream in (sys.stdout, sys.stderr):
            with suppress(ValueError):  # no file descriptor, as when a test captures it
                try:
                    stream.flush()
                except OSError:
                    os.dup2(nowhere.fileno(), stream.fileno())


def _complete_streams() -> None:
    """Open closed standard streams on the null device, so that no other file gets their number.

    And let standard output print any file name in any locale.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest free number
    if sys.stdin is None:
        sys.stdin = open(os.devnull, encoding="utf-8")
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _raise_terminated(signum: int, frame: FrameType | None) -> None:
    raise Terminated
