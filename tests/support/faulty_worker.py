"""Worker processes in which some recordings have a decoder's worst faults.

What happens to a recording is in its name: ``crash.wav`` ends the process by SIGSEGV, and so on.
The others are classified as ever.
"""

import ctypes
import itertools
import os
import signal
import sys
import time
from pathlib import Path

import numpy as np

from serctl.audio import decoding
from serctl.engine.workers import channel, worker
from serctl.models.classifier import Classifier

TESTS = str(Path(__file__).parents[1])
COMMAND = (
    sys.executable,
    "-P",
    "-c",
    # serctl first, since there is a folder of that name among the tests too.
    f"import sys, serctl; sys.path.append({TESTS!r}); from support.faulty_worker import main; main()",
)


def read_faultily(path, *arguments):
    name = os.path.basename(path)
    time.sleep(float(os.environ.get("SERCTL_TEST_SLOW_S", "0")))
    if name.startswith("crash"):
        signal.raise_signal(signal.SIGSEGV)  # to this thread, as a bad pointer does
    elif name.startswith("abort"):
        os.abort()
    elif name.startswith("exit"):
        os._exit(0)
    elif name.startswith("hang"):
        ctypes.PyDLL(None).sleep(3600)  # as native code that never gives the GIL back
    elif name.startswith("sleep"):
        time.sleep(3600)
    elif name.startswith("endless"):
        return decoding.Recording(path, 16000, 1), itertools.repeat(np.zeros(16000, np.float32))
    elif name.startswith("changed"):
        os.utime(path, (1, 1))
    elif name.startswith("memory"):
        np.empty(1 << 34, np.uint8)  # 16 GiB, as a header may promise
    elif name.startswith("once") and os.path.exists(path + ".not-yet"):
        os.unlink(path + ".not-yet")
        os.kill(os.getpid(), signal.SIGKILL)
    return read_windows(path, *arguments)


def classify_never(self, windows):
    os.kill(os.getpid(), signal.SIGILL)


def leave_all_windows(self, *arguments):
    begin(self, *arguments)
    self._n_left_below = None


read_windows = decoding.read_windows
begin = Classifier.__init__


def main():
    decoding.read_windows = read_faultily
    channel.PROGRESS_EVERY_S = float(os.environ.get("SERCTL_TEST_PROGRESS_S", "5"))
    if os.environ.get("SERCTL_TEST_NETWORK") == "crashes":
        Classifier.window_logits = classify_never
    elif os.environ.get("SERCTL_TEST_NETWORK"):  # after decoding, where a GPU's is heard
        Classifier.probabilities = classify_never
        Classifier.__init__ = leave_all_windows
    worker.main()
