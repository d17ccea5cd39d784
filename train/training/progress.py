"""Progress of a training on standard error: a bar on a terminal, plain lines otherwise."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from serctl.train.evaluation.history import History
    from serctl.train.training.train import Watcher


class TrainingProgress:
    """Progress of trainings on standard error: clips read, then epochs.

    A context manager, which gives the `serctl.train.training.train.Watcher` that `train_model` calls. On
    a terminal, it draws one bar over the epochs of all members of a network, and starts a new one for
    the next training; otherwise it prints a line after each epoch. The bar closes on exit, also after
    an error.
    """

    def __init__(self) -> None:
        self._bar: Any = None

    def __enter__(self) -> "Watcher":
        from serctl.train.training.train import Watcher

        return Watcher(self._clips, self._epochs)

    def __exit__(self, *error: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def _clips(self, rows: Iterable[Any], n_clips: int) -> Iterator[Any]:
        from serctl.progress import progress

        return progress(rows, n_clips, "Features", "clip")

    def _epochs(self, histories: "Sequence[History]", n_epochs: int, n_networks: int) -> None:
        import sys

        history = histories[-1]
        n_done = len(history.epochs)
        network = f"network {len(histories)} of {n_networks}, " if n_networks > 1 else ""
        losses = ""
        if n_done:
            epoch = history.epochs[-1]
            losses = (
                f"loss {epoch.train_loss:.3f}, validation {epoch.validation_accuracy:.1%}, "
                f"kept {history.best_accuracy:.1%}"
            )
        if not sys.stderr.isatty():
            if n_done:
                click.echo(f"{network}epoch {n_done} of at most {n_epochs}: {losses}", err=True)
            return
        n_done += (len(histories) - 1) * n_epochs
        if self._bar is not None and n_done < self._bar.n:  # another training
            self._bar.close()
            self._bar = None
        if self._bar is None:
            from tqdm import tqdm

            # Of a bar of 80 columns, the figures take most.
            layout = "{desc}: {n_fmt}/{total_fmt} |{bar}| {remaining} left{postfix}"
            self._bar = tqdm(
                desc="Training",
                total=n_networks * n_epochs,
                initial=n_done,
                bar_format=layout,
                dynamic_ncols=True,
            )
        self._bar.set_postfix_str(losses, refresh=False)
        self._bar.update(n_done - self._bar.n)
