"""What macOS and Windows lack, taken away: for scripts that run before the rest of serctl is loaded."""

import sys

# In every process of a run. The names of modules that are None cannot be imported.
MACOS = """
import os, subprocess, sys
import serctl.system as system
system.CAN_FORK = False
system.OWN_CGROUP = system.OWN_MEMORY = "/nowhere"
del os.sched_getaffinity
"""
WINDOWS = (
    MACOS
    + """
import types
system.CAN_REMOVE_OPEN_FILES = system.CAN_SHARE_DESCRIPTORS = False
system.NO_WAIT = system.NO_FOLLOW = system.BINARY = 0
system.READ = os.O_RDONLY
msvcrt = types.ModuleType("msvcrt")
msvcrt.LK_NBLCK = 2
msvcrt.locking = lambda descriptor, how, n_bytes: None
sys.modules.update(fcntl=None, resource=None, msvcrt=msvcrt)
"""
)
SYSTEMS = {"macos": MACOS, "windows": WINDOWS}


def command(system: str, *arguments: str) -> list[str]:
    """`serctl` as a command of a simulated system; its workers are of that system too."""
    lacking = SYSTEMS[system]
    worker = f"{lacking}\nfrom serctl.engine.workers.worker import main\nmain()"
    parent = (
        f"{lacking}\nfrom serctl.engine.workers import child\n"
        f"child.COMMAND = (sys.executable, '-P', '-c', {worker!r})\n"
        "from serctl.cli import main\nmain()"
    )
    return [sys.executable, "-P", "-c", parent, *arguments]
