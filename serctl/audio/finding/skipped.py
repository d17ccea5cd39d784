"""What folders hold and a scan does not take."""

import os
from collections import Counter
from dataclasses import dataclass, field

from serctl.audio.formats import names
from serctl.errors import RunError

N_EXTENSIONS = 5  # in a message
MOST_NAMED = 10_000  # skipped files, in the record of a run


@dataclass(slots=True)
class Skipped:
    """What the folders hold and was not taken.

    Attributes
    ----------
    kinds : Counter of str
        Number of files and hidden folders by kind, as `serctl.audio.formats.names` calls them.
    extensions : Counter of str
        Number of files that are not audio, by extension.
    files : list of str
        Their paths, each with its kind; `MOST_NAMED` at most.
    n_folder_links, n_not_selected : int
        Links to folders that were not followed, and what the patterns left out.
    unlisted : list of RunError
        Folders that could not be listed.
    """

    kinds: Counter[str] = field(default_factory=Counter)
    extensions: Counter[str] = field(default_factory=Counter)
    files: list[tuple[str, str]] = field(default_factory=list)
    n_folder_links: int = 0
    n_not_selected: int = 0
    unlisted: list[RunError] = field(default_factory=list)

    def add(self, path: str, kind: str) -> None:
        """Count a file."""
        self.kinds[kind] += 1
        if kind == names.NOT_AUDIO:
            self.extensions[os.path.splitext(path)[1].lower()] += 1
        if len(self.files) < MOST_NAMED:
            self.files.append((path, kind))

    def __str__(self) -> str:
        """All of it in a line; empty if there is nothing."""
        counts = [
            f"{n} {kind}" for kind, n in sorted(self.kinds.items()) if kind != names.NOT_AUDIO
        ]
        if n_files := self.kinds[names.NOT_AUDIO]:
            counts.append(f"{n_files} not audio ({self.shown_extensions()})")
        if self.n_folder_links:
            n = self.n_folder_links
            counts.append(f"{n} link{'s' * (n > 1)} to {'a folder' if n == 1 else 'folders'}")
        return ", ".join(counts)

    def shown_extensions(self) -> str:
        """The most frequent extensions, with their counts."""
        most = self.extensions.most_common(N_EXTENSIONS)
        shown = [f"{extension or 'no extension'} {n}" for extension, n in most]
        return ", ".join([*shown, "..."] if len(self.extensions) > len(most) else shown)
