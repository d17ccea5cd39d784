"""Cache folders: serctl's own folder in the user's cache, for all that is computed once and kept.

matplotlib's cache and, if the package is not writable, numba's are moved there before these
libraries are imported. If the folder cannot be created or written, a private temporary folder takes
its place until the process ends.
"""

import atexit
import functools
import os
import shutil
import tempfile

import platformdirs


def cache_folder() -> str:
    """Folder of serctl in the user's cache. It need not exist."""
    return platformdirs.user_cache_dir("serctl")


@functools.cache
def writable_folder() -> str:
    """`cache_folder`, created; if it is not writable, a private one until the process ends."""
    folder = cache_folder()
    try:
        os.makedirs(folder, exist_ok=True)
        writable = os.access(folder, os.W_OK)
    except OSError:
        writable = False
    if not writable:
        folder = tempfile.mkdtemp(prefix="serctl-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def move_matplotlib_cache() -> None:
    """Move matplotlib's font cache to `writable_folder`. Call it before matplotlib is imported.

    matplotlib then ignores the user's settings (matplotlibrc), so that figures are the same for
    everyone. If ``MPLCONFIGDIR`` is set, nothing changes.
    """
    if not os.environ.get("MPLCONFIGDIR"):
        os.environ["MPLCONFIGDIR"] = os.path.join(writable_folder(), "matplotlib")


def choose_numba_folder(package: str) -> None:
    """Choose the cache folder of compiled kernels; to be called before numba is imported.

    Numba refuses to compile a cached kernel without a writable cache folder (numba issue 4908).

    Parameters
    ----------
    package : str
        Folder of the package with the kernels, which is used if it is writable.
    """
    if not os.environ.get("NUMBA_CACHE_DIR") and not os.access(package, os.W_OK):
        os.environ["NUMBA_CACHE_DIR"] = writable_folder()
