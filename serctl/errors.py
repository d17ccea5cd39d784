"""The errors that serctl raises.

    SerctlError
    ├── UsageError          invalid argument or option                      exit status 2
    │   └── PathError       a path that does not exist
    └── RunError            a valid request that fails                      exit status 3
        ├── NothingFoundError   no recordings where some were expected
        ├── AudioError          one recording cannot be used; a run writes a row and continues
        │   └── DownloadError   one that lies in an object store cannot be downloaded
        ├── ModelError          a weights folder that cannot be loaded
        ├── ResultsError        a results file that cannot be written or read
        ├── CorporaError        corpora that are missing, incomplete or not as expected
        ├── CheckpointError     a checkpoint of another training, or an unreadable one
        └── LabelsError         labels that cannot be used for scoring

The library raises and never prints or exits; `serctl.cli` maps these errors to exit statuses. A
message has the path, what was found, what is needed and what to do.
"""


class SerctlError(Exception):
    """Base class of all errors of serctl, with a message for the user."""


class UsageError(SerctlError):
    """Invalid argument or option: an unknown emotion, model, split or file extension."""


class PathError(UsageError):
    """A path that does not exist."""


class RunError(SerctlError):
    """A valid request that fails."""


class NothingFoundError(RunError):
    """No recordings found."""


class AudioError(RunError):
    """One recording cannot be decoded or used.

    Parameters
    ----------
    reason : str
        What was found and what to do, without the path.
    path : str
        Path of the recording, if known.
    """

    def __init__(self, reason: str, path: str = "") -> None:
        super().__init__(f"{path}: {reason}" if path else reason)
        self.reason = reason


class DownloadError(AudioError):
    """A recording in an object store cannot be downloaded.

    Parameters
    ----------
    reason, path : str
        As of `AudioError`.
    is_transient, is_missing : bool
        Whether it may be there a moment later, and whether there is no such object.
    """

    def __init__(
        self, reason: str, path: str = "", is_transient: bool = False, is_missing: bool = False
    ) -> None:
        super().__init__(reason, path)
        self.is_transient, self.is_missing = is_transient, is_missing


class ModelError(RunError):
    """A weights folder that cannot be loaded."""


class CheckpointError(RunError):
    """A checkpoint of another training, or an unreadable one."""


class ResultsError(RunError):
    """A results file that cannot be written or read."""


class CorporaError(RunError):
    """Corpora that are missing, incomplete or not as expected."""


class PrintError(RunError):
    """Standard output that takes no more, once the files of a command are complete."""


class LabelsError(RunError):
    """Labels that cannot be used for scoring: missing files, unknown or conflicting labels."""


class MissingPackageError(RunError):
    """A package that the lean install (docs/install.md) leaves out, and that a command needs."""


# Packages of the whole install alone.
LEFT_OUT = frozenset(("librosa", "matplotlib", "pandas", "scipy", "sklearn", "torch", "tqdm"))


def missing_package(error: Exception) -> MissingPackageError | None:
    """Error that says what to install, if that is what is wrong."""
    if not isinstance(error, ModuleNotFoundError):
        return None
    name = (error.name or "").partition(".")[0]
    if name not in LEFT_OUT:
        return None
    return MissingPackageError(
        f"this needs {name}, which is not installed: the lean install only classifies and reports. "
        "Install serctl with all of its packages, in its folder: pip install -c constraints.txt ."
    )
