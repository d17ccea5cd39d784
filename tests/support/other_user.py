"""Run this Python as another user, who may not be allowed to reach its folder.

The interpreter often lies in root's home, where no other user may look. A process of the other user
holds its folder open: through ``/proc/<process>/fd`` that user's processes reach it, without a look
at the folders above. A virtual environment around it has the packages of this one, and the user's cache
has what numba compiled here, which takes half a minute.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from contextlib import contextmanager
from pathlib import Path

from serctl import caches

NOBODY = 65534


class OtherUser:
    """A user, with a home and with a Python that runs as this one.

    Parameters
    ----------
    user : int
        Number of the user, and of the group.
    home : Path
        Folder that is the user's.
    base : str
        Where the user reaches the interpreter's folder.
    """

    def __init__(self, user, home, base):
        self.home = home
        self._python = home / "environment" / "bin" / "python"
        self._options = {
            "user": user,
            "group": user,
            "extra_groups": [],
            "env": {
                **{"HOME": str(home), "TMPDIR": str(home), "PATH": os.defpath},
                "LD_LIBRARY_PATH": f"{base}/lib",
            },
        }
        packages = Path(sysconfig.get_path("purelib"))
        inside = self._python.parents[1] / packages.relative_to(sys.prefix)
        inside.mkdir(parents=True)
        # Not a link: numba knows what it has compiled by its path.
        (inside / "packages.pth").write_text(f"import site; site.addsitedir({str(packages)!r})\n")
        self._python.parent.mkdir()
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        self._python.symlink_to(f"{base}/bin/python{version}")
        (self._python.parents[1] / "pyvenv.cfg").write_text(f"home = {base}/bin\n")
        self._copy_compiled(user)

    def run(self, *arguments, **options):
        """Run this Python with arguments; the finished process, with what it printed."""
        command = [self._python, "-P", *map(str, arguments)]
        options = {"capture_output": True, "text": True, "cwd": self.home} | options
        return subprocess.run(command, **self._options, **options)

    def _copy_compiled(self, user):
        cache = self.home / ".cache" / "serctl"
        cache.mkdir(parents=True)
        for compiled in Path(caches.PACKAGE, "__pycache__").glob("*/*.nb[ic]"):
            (cache / compiled.parent.name).mkdir(exist_ok=True)
            shutil.copy(compiled, cache / compiled.parent.name)
        for path in (cache.parent, *cache.parent.rglob("*")):
            os.chown(path, user, user)


@contextmanager
def other_user(user=NOBODY):
    """Yield an `OtherUser`; only root can.

    Raises
    ------
    OSError, subprocess.CalledProcessError
        If that user cannot run this Python, as where the checkout lies in a private folder.
    """
    with tempfile.TemporaryDirectory(prefix="serctl-user-") as folder:
        os.chown(folder, user, user)
        os.chmod(folder, 0o755)
        base = os.open(sys.base_prefix, os.O_RDONLY | os.O_DIRECTORY)
        holder = subprocess.Popen(
            ["/bin/sleep", "3600"], pass_fds=[base], user=user, group=user, extra_groups=[]
        )
        try:
            other = OtherUser(user, Path(folder), f"/proc/{holder.pid}/fd/{base}")
            other.run("-c", "import serctl.train.corpora, soundfile, pytest", check=True)
            yield other
        finally:
            os.close(base)
            holder.kill()
            holder.wait()
