"""The command line: options, progress and exit statuses, and nothing else.

Each command has a module of its own here, which imports what is heavy (torch, numba, pandas, rich)
inside its function, so that ``serctl --help`` and shell completion stay quick. `main` is the one
place where errors become messages and exit statuses:

    0    every recording was read                        1    finished, some could not be read
    2    wrong usage, or a path that does not exist      3    it could not run
    130  interrupted (SIGINT)                            143  terminated (SIGTERM)
    141  the reader of its output has gone (`| head`), as for a command that SIGPIPE ends; quietly
"""

import atexit
import io
import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from types import FrameType

import click

from serctl import __version__
from serctl.cli.classify import classify
from serctl.cli.corpora import corpora
from serctl.cli.evaluate import evaluate
from serctl.cli.features import features
from serctl.cli.plot import plot
from serctl.cli.report import report
from serctl.cli.train import train
from serctl.errors import SerctlError, UsageError

STOPPED = (130, 143)  # exit statuses after SIGINT and SIGTERM

EXAMPLES = """\b
Examples:
  serctl classify ./recordings        label every recording of a folder
  serctl report                       summarise what was found
  serctl train --corpora ./corpora    rebuild the weights
"""


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=EXAMPLES,
)
@click.version_option(__version__, prog_name="serctl")
def cli() -> None:
    """Hear emotion in speech.

    Point it at a folder of recordings and get a labelled table. Everything happens on this machine:
    nothing is sent anywhere.
    """


for command in (classify, report, features, plot, evaluate, train, corpora):
    cli.add_command(command)


class Terminated(BaseException):
    """SIGTERM arrived; unwinds like KeyboardInterrupt, so that files are left whole."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its status."""
    _complete_streams()
    signal.signal(signal.SIGTERM, _raise_terminated)
    status = run(arguments)
    if status in STOPPED:
        # Whoever stops it waits, and taking Python apart takes a second on a machine that is busy.
        atexit._run_exitfuncs()
        _drop_streams()
        os._exit(status)
    sys.exit(status)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status, with every error said on standard error."""
    try:
        status = cli.main(arguments, prog_name="serctl", standalone_mode=False)
        sys.stdout.flush()
        return int(status or 0)
    except click.ClickException as error:
        _tell(error.show)
        return error.exit_code
    except SerctlError as error:
        _say(f"Error: {error}", error)
        return 2 if isinstance(error, UsageError) else 3
    except (KeyboardInterrupt, click.Abort) as error:
        _say("Interrupted.", error.__cause__ or error)
        return STOPPED[0]
    except Terminated as error:
        _say("Terminated.", error)
        return STOPPED[1]
    except (BrokenPipeError, SystemExit) as error:
        if isinstance(error, SystemExit) and not error.code:
            return 0  # shell completion is done
        # The reader of a pipe has gone (`| head`), which makes Click and Rich exit with 1.
        _drop_streams()
        return 141
    except OSError as error:
        _drop_streams()
        _say(f"Error: {error}", error)
        return 3
    except Exception as error:
        if sys.flags.dev_mode:
            raise
        what = f"{type(error).__name__}: {error}".rstrip(": .")
        message = (
            f"Error: {what}. This is a fault of serctl or of this machine. To see where it arose, "
            "run the same with python -X dev -m serctl."
        )
        _say(message, error)
        return 3


def _say(message: str, error: BaseException) -> None:
    """Say a message, and below it what was noted on the way: what is kept, and how to go on."""
    for line in (message, *getattr(error, "__notes__", ())):
        _tell(partial(click.echo, line, err=True))


def _tell(say: Callable[[], object]) -> None:
    """Say something on standard error, if it takes it: the exit status tells it too."""
    try:
        say()
    except OSError:
        _drop_streams()


def _drop_streams() -> None:
    """Let what cannot be written go nowhere, since flushing it at the end would fail again."""
    with open(os.devnull, "wb") as nowhere:
        for stream in (sys.stdout, sys.stderr):
            with suppress(ValueError):  # not a file, as when a test captures it
                try:
                    stream.flush()
                except OSError:
                    os.dup2(nowhere.fileno(), stream.fileno())


def _complete_streams() -> None:
    """Open to nowhere the standard streams that are closed, lest a file take their place.

    And let standard output show any file name, whatever the locale can say.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest that is free
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
