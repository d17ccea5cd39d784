"""Finding recordings once, for commands that label them."""

from collections.abc import Sequence

from serctl.cli.options import SelectionOptions
from serctl.errors import RunError


class Finder:
    """Finds recordings, for the functions that label them, and keeps the folders not listed.

    Parameters
    ----------
    paths : tuple of str
        Arguments of the command.
    selection : SelectionOptions
        Of the command.
    listed : list of str
        Paths of ``--files-from``.
    """

    def __init__(
        self, paths: tuple[str, ...], selection: SelectionOptions, listed: list[str]
    ) -> None:
        self.named = (*paths, *listed)  # a listed path is no glob, and need not exist
        self._paths, self._selection, self._listed = paths, selection.selection, listed
        self.unlisted: list[RunError] = []

    def __call__(self, paths: Sequence[str]) -> list[str]:
        """Recordings of the command; ``paths`` are `named`, as a `Finder` of labels gets them."""
        from serctl.audio.scan import scan

        return scan(self._paths, self._selection, self.unlisted.append, self._listed)
