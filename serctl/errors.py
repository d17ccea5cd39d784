"""The errors that serctl raises on purpose.

    SerctlError
    ├── UsageError          asked for something that there is not           exit status 2
    │   └── PathError       a path that does not exist
    └── RunError            asked rightly, and it cannot be done            exit status 3
        ├── NothingFoundError   no recordings where some were expected
        ├── AudioError          one recording cannot be used; a run turns it into a row and goes on
        ├── ModelError          a weights folder that must not or cannot be loaded
        ├── ResultsError        results that cannot be written, or read as results
        ├── CorporaError        corpora absent, incomplete or not as expected
        ├── CheckpointError     a checkpoint of another training, or that cannot be read
        └── LabelsError         labels that recordings cannot be scored by

The library raises, and never prints or exits; `serctl.cli` maps these to exit statuses. A message
names the path, what was found, what was needed and what to do.
"""


class SerctlError(Exception):
    """Anything that serctl refuses or fails to do, with a message for its user."""


class UsageError(SerctlError):
    """Asked for something that there is not: an unknown emotion, model, split or extension."""


class PathError(UsageError):
    """A path that does not exist."""


class RunError(SerctlError):
    """A right request that cannot be carried out."""


class NothingFoundError(RunError):
    """No recordings where some were expected."""


class AudioError(RunError):
    """One recording cannot be decoded or used.

    Parameters
    ----------
    reason : str
        What was found and what to do, without the path.
    path : str
        Of the recording, where it is known.
    """

    def __init__(self, reason: str, path: str = "") -> None:
        super().__init__(f"{path}: {reason}" if path else reason)
        self.reason = reason


class ModelError(RunError):
    """A weights folder that must not or cannot be loaded."""


class CheckpointError(RunError):
    """A checkpoint of another training, or one that cannot be read."""


class ResultsError(RunError):
    """Results that cannot be written, or a file that cannot be read as results."""


class CorporaError(RunError):
    """Corpora that are absent, incomplete or not as expected."""


class LabelsError(RunError):
    """Labels that recordings cannot be scored by: missing files, unknown names, contradictions."""
