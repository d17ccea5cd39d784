"""Worker processes that are forked from a process that has loaded the libraries.

A worker takes a second to start, most of it to import libraries and to load compiled kernels, and the
tests start hundreds. A worker that is forked here has all of that loaded, as well as the environment,
the folder and the pipes that it was to have; then it runs the command's code as a new process would.
The process that forks does so twice, so that the worker becomes a child of this process, which waits for
it and kills it as for any other. Linux alone can do that.
"""

import atexit
import ctypes
import fcntl
import gc
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace

from serctl.engine.workers import child

PR_SET_CHILD_SUBREAPER = 36  # of Linux's prctl: orphans below this process become its children
LONGEST_BYTES = 1 << 17
TESTS = str(Path(__file__).parents[1])
RECORDING = f"{TESTS}/recordings/podcast/opening.wav"
START = (sys.executable, "-P", "-c")
SERVE = (
    "import sys, serctl; sys.path.append(sys.argv[1]); from support import warm_workers; "
    "warm_workers.serve(int(sys.argv[2]))"
)


def install(patch):
    """Have the runs of this process fork their workers; returns what to close at the end."""
    nursery = Nursery()
    names = {name: getattr(subprocess, name) for name in ("PIPE", "TimeoutExpired")}
    patch.setattr(child, "subprocess", SimpleNamespace(Popen=nursery.popen, **names))
    return nursery


class Nursery:
    """A process that has loaded the libraries, and that forks workers for this one.

    It starts with the first worker, in the environment that there was when this object was made.
    """

    def __init__(self):
        self._process = None
        self._environment = dict(os.environ)

    def popen(self, command, **options):
        """Start a worker as `subprocess.Popen` does, with pipes."""
        if command[:-1] != START:
            return subprocess.Popen(command, **options)
        return WarmProcess(command, self._connection, options["pass_fds"])

    def close(self):
        """End it, once its workers have ended."""
        if self._process is not None:
            self._connection.close()
            self._process.wait()

    @cached_property
    def _connection(self):
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._process = subprocess.Popen(
            [*START, SERVE, TESTS, str(theirs.fileno())],
            stdin=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            cwd=TESTS,
            env=self._environment,
        )
        theirs.close()
        return ours


class WarmProcess:
    """A forked worker, as an object of `subprocess.Popen` with three pipes."""

    def __init__(self, command, connection, pass_fds):
        (theirs_in, ours_in), (ours_out, theirs_out), (ours_err, theirs_err) = (
            os.pipe() for _ in range(3)
        )
        theirs = [theirs_in, theirs_out, theirs_err]
        start = {
            "code": command[-1],
            "parent": os.getpid(),
            "folder": os.getcwd(),
            "environment": dict(os.environ),
            "descriptors": [0, 1, 2, *pass_fds],
        }
        socket.send_fds(connection, [json.dumps(start).encode()], [*theirs, *pass_fds])
        self.pid = int(connection.recv(LONGEST_BYTES))
        for descriptor in theirs:
            os.close(descriptor)
        self.stdin, self.stdout, self.stderr = (
            open(ours_in, "wb"),
            open(ours_out, "rb"),
            open(ours_err, "rb"),
        )
        self.args, self.returncode = command, None
        self._ended = os.pidfd_open(self.pid)
        self._lock = threading.Lock()

    def wait(self, timeout=None):
        """Exit status, once it has ended; TimeoutExpired if it has not within ``timeout`` seconds."""
        if self.returncode is None and not select.select([self._ended], [], [], timeout)[0]:
            raise subprocess.TimeoutExpired(self.args, timeout)
        with self._lock:
            if self.returncode is None:
                self.returncode = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
                os.close(self._ended)
        return self.returncode

    def poll(self):
        """Exit status, None while it runs."""
        try:
            return self.wait(0)
        except subprocess.TimeoutExpired:
            return None

    def kill(self):
        """Kill it, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)


def serve(descriptor):
    """Load what workers load, and fork one for each message until the other end is closed."""
    os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1")  # as a worker does
    import av  # noqa: F401 - with the first file that needs it

    # Nothing that imports what `support.faulty_worker` replaces.
    import serctl.engine.workers.worker
    import serctl.features.descriptors  # noqa: F401
    from serctl.models.classifier import Classifier
    from serctl.timing import reset_seconds

    for model in ("paper-cnn", "cnn", "whisper"):  # kernels of each
        Classifier(model, device="cpu").classify(RECORDING)
    reset_seconds()
    gc.collect()
    gc.freeze()  # else its pages are copied in every worker
    connection = socket.socket(fileno=descriptor)
    while True:
        message, descriptors, *_ = socket.recv_fds(connection, LONGEST_BYTES, 8)
        if not message:
            return
        between = os.fork()
        if not between:
            if not os.fork():
                _work(connection, descriptors, **json.loads(message))
            os._exit(0)
        os.waitpid(between, 0)
        for one in descriptors:
            os.close(one)


def _work(connection, given, code, parent, folder, environment, descriptors):
    """Become the worker, in a process whose parent has ended."""
    while os.getppid() != parent:
        time.sleep(0.001)
    connection.send(str(os.getpid()).encode())
    connection.close()
    above = max(descriptors) + 1
    for source, target in zip([_moved(one, above) for one in given], descriptors, strict=True):
        os.dup2(source, target)
        os.close(source)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    atexit._clear()  # what is the other process's
    status = 0
    try:
        exec(code, {"__name__": "__main__"})
    except Exception:
        traceback.print_exc()
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _moved(descriptor, above):
    """Descriptor of the same file whose number is ``above`` or more; the given one is closed."""
    moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, above)
    os.close(descriptor)
    return moved
