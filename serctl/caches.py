"""Where what is computed once is kept: serctl's own folder in the user's cache, and nowhere else.

Libraries that keep something, and have a folder of their own for it, are pointed there before they
are loaded. Where that folder cannot be made or written, a private one goes with the process.
"""

import atexit
import functools
import os
import shutil
import tempfile

import platformdirs


def cache_folder() -> str:
    """Folder of serctl in the user's cache, which may not be there yet."""
    return platformdirs.user_cache_dir("serctl")


@functools.cache
def writable_folder() -> str:
    """`cache_folder`, made; or, if it cannot be written, a private folder until the process ends."""
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


def keep_fonts_here() -> None:
    """Have matplotlib, which is not loaded yet, keep its list of fonts in `writable_folder`.

    A user's own settings of matplotlib are left out by that, so that figures are the same for all.
    ``MPLCONFIGDIR`` has its way where it is set.
    """
    if not os.environ.get("MPLCONFIGDIR"):
        os.environ["MPLCONFIGDIR"] = os.path.join(writable_folder(), "matplotlib")
