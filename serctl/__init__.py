"""serctl hears emotion in speech.

The command line is in `serctl.cli`, its Python face in `serctl.classifier`. `serctl.train` (the
folder `train/` of the checkout) makes the weights that `serctl.weights` (`weights/`) holds.

Nothing is sent anywhere. This module runs before any other of the package, in every process, so it
is where ONNX Runtime is told so: it reads the variable once, when it is loaded.
"""

import os

# From 1.32 on it is on by default on Linux: it keeps a number of this device in the user's cache,
# and names what it runs to a server of Microsoft's (Privacy.md in its package).
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

__version__ = "0.1.0"
