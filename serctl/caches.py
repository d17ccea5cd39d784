"""Cache folders and settings of libraries: nothing of the current folder is obeyed.

What numba and matplotlib compute once is kept in folders that belong to this user and that nobody
else can write to, since compiled kernels are executed: the package's own folder, else serctl's in
the user's cache, else a private temporary folder that goes when the process ends. Both libraries
look for settings in the current folder, which may be anyone's: ``.numba_config.yaml`` and
``matplotlibrc`` there are not read. Call `import_numba` and `import_matplotlib` before anything else
imports these libraries.
"""

import atexit
import functools
import os
import shutil
import stat
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import platformdirs

from serctl.errors import RunError
from serctl.system import is_private

PACKAGE = os.path.dirname(os.path.abspath(__file__))


def cache_folder() -> str:
    """Folder of serctl in the user's cache, or ``SERCTL_CACHE_DIR``. It need not exist."""
    return os.environ.get("SERCTL_CACHE_DIR") or platformdirs.user_cache_dir("serctl")


@functools.cache
def writable_folder() -> str:
    """`cache_folder`, created; if it is not private, a temporary one until the process ends.

    Raises
    ------
    RunError
        If there is no folder that can be written to, as in a read-only container.
    """
    folder = cache_folder()
    if not _is_private(folder, create=True):
        try:
            folder = tempfile.mkdtemp(prefix="serctl-")
        except OSError as error:
            raise RunError(
                f"No folder for caches and temporary files: {folder} is not writable for this user "
                f"alone, and there is no temporary folder ({error.strerror}). Set TMPDIR to a folder "
                "that can be written to; in a container, give it one: docker run --tmpfs /tmp"
            ) from error
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def import_numba() -> None:
    """Import numba, with a private cache folder and without settings of the current folder.

    If ``NUMBA_CACHE_DIR`` is set, it stays.
    """
    if not os.environ.get("NUMBA_CACHE_DIR"):
        beside = os.path.join(PACKAGE, "__pycache__")
        private = _is_private(PACKAGE) and _is_private(beside, create=True)
        os.environ["NUMBA_CACHE_DIR"] = beside if private else writable_folder()
    # Without yaml, numba cannot read its file; it says so, and then does without.
    with _hidden("yaml"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import numba.core.config
    # It looks again whenever it compiles.
    numba.core.config._config_fname = os.devnull


def import_numba_without_scipy() -> None:
    """Import numba without SciPy, which is faster, in a process that runs only serctl's kernels.

    numba imports `scipy.linalg` if it is installed, to compile `np.dot` and the like. serctl's kernels
    do not call these.
    """
    import_numba()
    with _hidden("scipy.linalg"), suppress(ImportError):
        import numba.np.arraymath  # noqa: F401


@contextmanager
def _hidden(module: str) -> Iterator[None]:
    """Hide a module, as if it were not installed."""
    found = sys.modules.get(module)
    sys.modules[module] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        if found is None:
            del sys.modules[module]
        else:
            sys.modules[module] = found


def import_matplotlib() -> None:
    """Import matplotlib, with its font cache in `writable_folder`.

    matplotlib then ignores the user's settings (matplotlibrc), so that figures are the same for
    everyone. If ``MPLCONFIGDIR`` is set, it stays.
    """
    if not os.environ.get("MPLCONFIGDIR"):
        os.environ["MPLCONFIGDIR"] = os.path.join(writable_folder(), "matplotlib")
    # The current folder is the first place where matplotlib looks for its settings.
    exists, here = os.path.exists, {"matplotlibrc"}
    with suppress(FileNotFoundError):  # a folder that was removed
        here.add(os.path.join(os.getcwd(), "matplotlibrc"))
    os.path.exists = lambda path: path not in here and exists(path)
    try:
        import matplotlib  # noqa: F401
    finally:
        os.path.exists = exists


def _is_private(folder: str, create: bool = False) -> bool:
    """Whether a folder is this user's, writable, and not writable by others."""
    try:
        if create:
            os.makedirs(folder, 0o700, exist_ok=True)
        status = os.stat(folder)
    except OSError:
        return False
    if not os.access(folder, os.W_OK | os.X_OK):
        return False
    return stat.S_ISDIR(status.st_mode) and is_private(status)
