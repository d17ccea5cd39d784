"""The command line: options, progress and exit statuses, and nothing else.

Each command has a module of its own here, which imports what is heavy (torch, numba, pandas, rich)
inside its function, so that ``serctl --help`` and shell completion stay quick. `main` is the one
place where errors become messages and exit statuses:

    0    every recording was read                        1    finished, some could not be read
    2    wrong usage, or a path that does not exist      3    it could not run
    130  interrupted (SIGINT)                            143  terminated (SIGTERM)
"""

import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
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
    # A closed stream (`2>&-`) is none, and its descriptor would be the next file's.
    sys.stdout = sys.stdout or open(os.devnull, "w")
    sys.stderr = sys.stderr or open(os.devnull, "w")
    signal.signal(signal.SIGTERM, _raise_terminated)
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status, with every error said on standard error."""
    try:
        status = cli.main(arguments, prog_name="serctl", standalone_mode=False)
        sys.stdout.flush()
        return int(status or 0)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except SerctlError as error:
        click.echo(f"Error: {error}", err=True)
        return 2 if isinstance(error, UsageError) else 3
    except (KeyboardInterrupt, click.Abort):
        click.echo("Interrupted.", err=True)
        return 130
    except Terminated:
        click.echo("Terminated.", err=True)
        return 143
    except (BrokenPipeError, SystemExit) as error:
        if isinstance(error, SystemExit) and not error.code:
            return 0  # shell completion is done
        # The reader of a pipe has gone (`| head`), which makes Click and Rich exit with 1.
        _drop_standard_output()
        return 3
    except OSError as error:
        click.echo(f"Error: {error}", err=True)
        return 3
    except Exception as error:
        if sys.flags.dev_mode:
            raise
        what = f"{type(error).__name__}: {error}".rstrip(": .")
        click.echo(
            f"Error: {what}. This is a fault of serctl or of this machine. To see where it arose, "
            "run the same with python -X dev -m serctl.",
            err=True,
        )
        return 3


def _drop_standard_output() -> None:
    """Let what is still buffered go nowhere, since flushing it at the end would fail again."""
    with suppress(ValueError):  # not a file, as when a test captures it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _raise_terminated(signum: int, frame: FrameType | None) -> None:
    raise Terminated
