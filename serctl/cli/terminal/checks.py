"""Checks of ``serctl doctor``: each says what it found, or raises."""

import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable

PACKAGES = ("click", "numpy", "numba", "soundfile", "soxr", "onnxruntime", "av")
OPTIONAL_PACKAGES = ("torch", "librosa", "pandas", "matplotlib", "pyarrow")
RATE_HZ = 16_000
CLIP_S = 2


def _serctl() -> str:
    import serctl

    return f"{serctl.__version__}, in {os.path.dirname(os.path.abspath(serctl.__file__))}"


def _python() -> str:
    return f"{platform.python_version()} ({sys.executable}), {platform.platform()}"


def _versions(names: tuple[str, ...]) -> dict[str, str]:
    from importlib import metadata

    found = {}
    for name in names:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "missing"
    return found


def _packages() -> str:
    found = _versions(PACKAGES)
    missing = [name for name, version in found.items() if version == "missing"]
    if missing:
        raise ImportError(f"{', '.join(missing)} missing. Install serctl again with pip.")
    return ", ".join(f"{name} {version}" for name, version in found.items())


def _optional_packages() -> str:
    return ", ".join(f"{name} {version}" for name, version in _versions(OPTIONAL_PACKAGES).items())


def _device() -> str:
    from serctl.models.devices import choose_device

    return choose_device("auto")


def _threads() -> str:
    from serctl.threads import n_cores

    return f"{n_cores()} of {os.cpu_count()} CPU cores"


def _decoders() -> str:
    import av
    import soundfile

    libraries = ", ".join(
        f"{name} {'.'.join(map(str, version))}" for name, version in av.library_versions.items()
    )
    return f"libsndfile {soundfile.__libsndfile_version__}; FFmpeg: {libraries}"


def _speech_detector() -> str:
    import numpy as np

    from serctl.audio.speech import speech_probabilities

    highest = speech_probabilities(np.zeros(RATE_HZ, np.float32), RATE_HZ).max()
    return f"silero; probability of speech in silence {highest:.3f}"


def _models() -> str:
    from serctl.models.loading import load_model
    from serctl.weights import bundled_models

    for name in bundled_models():
        load_model(name)
    return ", ".join(bundled_models())


def _telemetry() -> str:
    if os.environ.get("ORT_DISABLE_TELEMETRY") != "1":
        raise RuntimeError("ONNX Runtime's telemetry is on. Import serctl before onnxruntime.")
    return "off; serctl opens no network connection"


def _cache() -> str:
    from serctl import caches

    caches.import_numba()
    return f"kernels in {os.environ['NUMBA_CACHE_DIR']}; features in {caches.cache_folder()}"


def _temporary() -> str:
    with tempfile.TemporaryFile():
        return tempfile.gettempdir()


def _one_clip() -> str:
    import numpy as np
    import soundfile

    from serctl.audio.windows import Windowing
    from serctl.models.classifier import Classifier

    began = time.perf_counter()
    noise = 0.1 * np.random.default_rng(0).standard_normal(CLIP_S * RATE_HZ)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "noise.wav")
        soundfile.write(path, noise, RATE_HZ)
        result = Classifier(device="cpu", windowing=Windowing(speech="off")).classify(path)
    if result.status != "ok":
        raise RuntimeError(f"status {result.status}: {result.reason}")
    return f"{CLIP_S} s of noise classified in {time.perf_counter() - began:.1f} s"


CHECKS: tuple[tuple[str, Callable[[], str]], ...] = (
    ("serctl", _serctl),
    ("Python", _python),
    ("packages", _packages),
    ("other packages", _optional_packages),
    ("device", _device),
    ("threads", _threads),
    ("decoders", _decoders),
    ("speech detector", _speech_detector),
    ("models", _models),
    ("cache folders", _cache),
    ("temporary files", _temporary),
    ("telemetry", _telemetry),
    ("one recording", _one_clip),
)
