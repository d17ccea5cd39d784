"""Where the results of a run go, with the files beside them."""

import os
from dataclasses import dataclass

from serctl.errors import UsageError
from serctl.files.outputs import STANDARD_OUTPUT
from serctl.results.segments import SEGMENTS, check_segments_output


@dataclass(frozen=True)
class Destination:
    """Where the results go, and what becomes of results that exist.

    Attributes
    ----------
    output : str
        A path with one of `serctl.results.schema.EXTENSIONS`, or ``-`` for standard output.
    overwrite : bool
        Whether results, and the journal of a run that did not finish, may be replaced.
    resume : bool
        Whether such a run is continued.
    retry_failed : bool
        Whether unreadable and failed recordings of that run, or, if it finished, of the previous
        run, are classified again.
    dialect : str
        How CSV is written: one of `serctl.results.dialects.DIALECTS`.
    segments : str or None
        Path of the segments file, with one of `serctl.results.segments.TABLE_EXTENSIONS`; ``-`` for
        none. By default it stands beside the output, if a recording has segments.
    windows : str or None
        Path of a file for the windows of long recordings, if they are wanted.
    formats : tuple of str
        Of `serctl.timeline.export_files.NAMES`, in which segments are exported too.
    exports : str or None
        Folder that the exports go to.
    keep_missing : bool
        Whether the rows of recordings that are gone are kept from the previous run.
    """

    output: str
    overwrite: bool = False
    resume: bool = False
    retry_failed: bool = False
    dialect: str = "standard"
    segments: str | None = None
    windows: str | None = None
    formats: tuple[str, ...] = ()
    exports: str | None = None
    keep_missing: bool = False

    @property
    def segments_path(self) -> str | None:
        """Where segments go, if they go anywhere."""
        if self.segments is not None:
            return None if self.segments == STANDARD_OUTPUT else self.segments
        return None if self.output == STANDARD_OUTPUT else self.output + SEGMENTS

    def check_tables(self, overwrite: bool) -> None:
        """Refuse files of segments and windows that could not be written.

        Raises
        ------
        UsageError, ResultsError
            As `check_output`; also if two outputs are the same file.
        """
        named = [path for path in (self.segments_path, self.windows) if path is not None]
        if len({os.path.abspath(path) for path in (self.output, *named)}) < 1 + len(named):
            raise UsageError(f"{', '.join(named)}: each output needs a file of its own.")
        if self.segments is not None and self.segments_path is not None:
            check_segments_output(self.segments_path, overwrite)
        if self.windows is not None:
            check_segments_output(self.windows, overwrite)
