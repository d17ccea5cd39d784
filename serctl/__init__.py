"""Classify the emotion of speech recordings.

The names below can be imported from here; they are loaded when they are first used, so that
``import serctl`` is fast.

    classify         classify files or arrays: ``classify(["talk.mp3"]).to_frame()``
    Classifier       a model on a device: ``Classifier("cnn").classify("talk.mp3")``
    Results          what `classify` returns: a list of results, with data frames
    read_results     read a results file, row by row
    SerctlError      base class of all errors that serctl raises

A map of the rest, in the order of a recording's way:

    serctl.errors, serctl.emotions       errors, and the emotions and their order
    serctl.audio.scan                    find recordings in folders
    serctl.audio.decoding                decode and resample recordings
    serctl.features.mel                  mel spectrograms, MFCC and their means
    serctl.features.table                a table of features, as CSV, Parquet or NPZ
    serctl.models.loading                find, load and save models
    serctl.models.classifier             classify one recording
    serctl.api                           classify many recordings from Python
    serctl.engine.pipeline               classify many recordings, in threads
    serctl.engine.run                    the same in a worker process, with a journal to resume from
    serctl.results                       the results schema; read, write and summarize results files
    serctl.figures                       plots of recordings
    serctl.cli                           the command ``serctl``
    serctl.train                         training and evaluation (the folder ``train/``)
    serctl.weights                       the bundled models (the folder ``weights/``)

No library sends telemetry. This module runs before all others of the package, in every process, so
it switches off ONNX Runtime's, which is read once, when ONNX Runtime is loaded.
"""

import importlib
import os

# Nothing that Python has not loaded by now is imported here: with ``python -m serctl``, it may be a
# file of the current folder (see `serctl.__main__`).
TYPE_CHECKING = False
if TYPE_CHECKING:
    from serctl.api import Results, classify
    from serctl.errors import SerctlError
    from serctl.models.classifier import Classifier
    from serctl.results.reader import read_results

# ONNX Runtime 1.32 and later: on Linux its telemetry is on by default. It keeps an ID of the device
# in the user's cache, and sends which models run to Microsoft (Privacy.md in its package).
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

# A Python that starts in the checkout imports this folder, installed or not. What is installed
# inside the package stands beside it there.
_CHECKOUT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
if os.path.isfile(os.path.join(_CHECKOUT, "weights", "models.json")):
    __path__.append(_CHECKOUT)

__version__ = "0.2.0"
__all__ = [
    "Classifier",
    "Results",
    "SerctlError",
    "__version__",
    "classify",
    "read_results",
]

_MODULES = {
    "Classifier": "serctl.models.classifier",
    "Results": "serctl.api",
    "SerctlError": "serctl.errors",
    "classify": "serctl.api",
    "read_results": "serctl.results.reader",
}


def __getattr__(name: str) -> object:
    """Import a public name when it is first used."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_MODULES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Names of the module, with those that are not loaded yet."""
    return sorted({*globals(), *__all__})
