"""Options of ``serctl classify``: what it says while it works, on the terminal and in a log file.

The log has paths, statuses and reasons of recordings, and never their emotions: a log is kept longer
and read by more people than results are.
"""

import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from serctl import __version__
from serctl.cli import options
from serctl.errors import ResultsError, SerctlError, UsageError
from serctl.progress import OnShare, progress, progress_in_json
from serctl.text import count, printable

if TYPE_CHECKING:
    import logging

    from serctl.engine.workers.supervisor import Done

LEVELS = ("error", "warning", "info", "debug")
LINE, TIME = "%(asctime)s %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%S%z"


@dataclass(frozen=True)
class WatchOptions:
    """What a run says while it works.

    Attributes
    ----------
    quiet : bool
        Whether to print warnings and errors alone.
    progress : str
        ``text``, or ``json`` for an object a line.
    log_file : str or None
        Path of the log, to which lines are added.
    log_level : str
        One of `LEVELS`.
    profile : bool
        Whether to print the time spent in each stage.
    """

    quiet: bool
    progress: str
    log_file: str | None
    log_level: str
    profile: bool

    @contextmanager
    def start(self, *outputs: str | None) -> Iterator["Watch"]:
        """Open the log file; the error that ends the run goes there too.

        Parameters
        ----------
        *outputs : str or None
            Files that the run writes.

        Raises
        ------
        UsageError
            If the log is one of these files.
        ResultsError
            If it cannot be written.
        """
        if self.log_file is None:
            options.refuse_unused("log_level", because="has no effect without --log-file")
            yield Watch(self, None)
            return
        real = os.path.realpath(self.log_file)
        if any(real == os.path.realpath(output) for output in outputs if output is not None):
            raise UsageError(f"--log-file {self.log_file}: is an output too. Choose another file.")
        import logging

        logger = logging.Logger("serctl", getattr(logging, self.log_level.upper()))
        handler = _open_handler(self.log_file)
        handler.setFormatter(logging.Formatter(LINE, TIME))
        logger.addHandler(handler)
        try:
            yield Watch(self, logger)
        except BaseException as error:
            for line in (_message(error), *getattr(error, "__notes__", ())):
                logger.error("%s", printable(line))
            raise
        finally:
            handler.close()


class Watch:
    """What a run says, on the terminal and in its log.

    Parameters
    ----------
    options : WatchOptions
        As on the command line.
    logger : logging.Logger or None
        What writes the log, if there is one.
    """

    def __init__(self, options: WatchOptions, logger: "logging.Logger | None") -> None:
        self.quiet, self.profile = options.quiet, options.profile
        self._in_json = options.progress == "json"
        self._logger = logger

    def info(self, text: str) -> None:
        """Log what goes on."""
        if self._logger is not None:
            self._logger.info("%s", printable(text))

    def warn(self, text: str) -> None:
        """Print and log what is wrong, and does not end the run."""
        click.echo(f"Warning: {printable(text)}", err=True)
        if self._logger is not None:
            self._logger.warning("%s", printable(text))

    def begin(self, model: str, n_recordings: int, output: str) -> None:
        """Log what the run does."""
        self.info(
            f"serctl {__version__}: {count(n_recordings, 'recording')}, model {model}, to {output}."
        )

    def end(self, n_classified: int, n_by_status: dict[str, int]) -> None:
        """Log what became of the recordings."""
        counts = ", ".join(f"{n} {status}" for status, n in n_by_status.items())
        self.info(f"{n_classified} classified in this run; in the results: {counts}.")

    def recordings(
        self, done: "Iterable[Done]", n_left: int, on_share: Callable[[OnShare], None]
    ) -> "Iterable[Done]":
        """Show and log progress.

        Parameters
        ----------
        done : iterable of Done
            What is being classified; it is yielded.
        n_left : int
            How many there are.
        on_share : callable
            As ``watch`` of `serctl.progress.progress`.
        """
        if self._logger is not None:
            done = self._logged(self._logger, done)
        if self._in_json:
            return progress_in_json(done, n_left, _path_and_failure, on_share)
        return done if self.quiet else progress(done, n_left, "Classifying", "recording", on_share)

    def _logged(self, logger: "logging.Logger", done: "Iterable[Done]") -> "Iterator[Done]":
        for one in done:
            row = json.loads(one.row)
            text = f"{row['path']}: {row['status']}. {row['reason'] or ''}".rstrip()
            (logger.warning if _failed(row) else logger.debug)("%s", printable(text))
            yield one


def _message(error: BaseException) -> str:
    """One line about what ends a run, for its log."""
    if isinstance(error, click.ClickException):
        return error.message
    if isinstance(error, SerctlError):
        return str(error)
    if isinstance(error, KeyboardInterrupt):
        return "Interrupted."
    return f"{type(error).__name__}: {error}".rstrip(": ")


def _open_handler(path: str) -> "logging.FileHandler":
    import logging

    from serctl.files.locks import check_regular

    try:
        check_regular(path)
        return logging.FileHandler(path, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise ResultsError(
            f"--log-file {path}: cannot be written ({error.strerror}). Choose another file."
        ) from error


def _failed(row: dict[str, Any]) -> bool:
    return row["status"] in ("unreadable", "failed")


def _path_and_failure(one: "Done") -> tuple[str, bool]:
    row = json.loads(one.row)
    return row["path"], _failed(row)


WATCH = options.option_group(
    "watching",
    WatchOptions,
    click.option("-q", "--quiet", is_flag=True, help="Print only warnings and errors."),
    click.option(
        "--progress",
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
        help="Progress on stderr; json is for programs, an object a line.",
    ),
    click.option("--log-file", metavar="FILE", help="Add lines with time stamps to a log."),
    click.option(
        "--log-level",
        type=click.Choice(LEVELS),
        default="info",
        show_default=True,
        help="What goes into the log; warning: recordings that were not read.",
    ),
    click.option(
        "--profile",
        is_flag=True,
        hidden=not options.IN_CHECKOUT,
        help="Print the time spent in each stage.",
    ),
)
