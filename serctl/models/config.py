"""``config.json`` of a weights folder: what it says, read and checked.

Every value is checked before it is used. A folder that holds a pickle is refused: opening one can
run anything.
"""

import json
import reprlib
import stat
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from serctl.emotions import EMOTIONS
from serctl.errors import ModelError
from serctl.features.mel import MelSpec
from serctl.models.inputs import InputKind, Normalization
from serctl.models.networks import NETWORKS

WEIGHTS_FILE = "model.safetensors"
CONFIG_FILE = "config.json"
MAX_CONFIG_BYTES = 1 << 20  # a hundred times what serctl train writes
MAX_NAME_CHARACTERS = 64
PICKLE_EXTENSIONS = frozenset((".pt", ".pth", ".pkl", ".pickle", ".bin", ".ckpt", ".joblib"))
# ``config.json`` calls some attributes of `ModelConfig` otherwise; older folders must still load.
JSON_KEYS = {"normalization": "scaling"}

MEL_BOUNDS = {  # lowest and highest, so that no configuration asks for all memory or all time
    "rate_hz": (1000, 48_000),
    "n_fft": (16, 1 << 14),
    "hop_samples": (1, 1 << 12),
    "n_mels": (1, 512),
    "n_mfcc": (1, 512),
}


@dataclass(frozen=True)
class ModelConfig:
    """What ``config.json`` says.

    Attributes
    ----------
    name : str
        Of the model.
    network : str
        One of `serctl.models.networks.NETWORKS`.
    emotions : tuple of str
        In the order of the logits.
    features : MelSpec
        Of the features that the network takes.
    normalization : Normalization
        Of their columns, from training clips.
    temperature : float
        Logits are divided by it before the softmax; fitted on validation clips.
    window_s : float
        Longer recordings are classified in windows of this length, in seconds.
    min_duration_s : float
        Shorter recordings are not classified.
    sha256 : str
        Of ``model.safetensors``, in hexadecimal.
    """

    name: str
    network: str
    emotions: tuple[str, ...]
    features: MelSpec
    normalization: Normalization
    temperature: float
    window_s: float
    min_duration_s: float
    sha256: str = ""

    @property
    def inputs(self) -> InputKind:
        """What the network is given."""
        return NETWORKS[self.network].inputs

    def to_json(self) -> str:
        """Text of ``config.json``."""
        values = {JSON_KEYS.get(name, name): value for name, value in asdict(self).items()}
        values["scaling"] = {"mean": self.normalization.mean, "deviation": self.normalization.std}
        return json.dumps(values, indent=2) + "\n"


def read_config(folder: Path) -> ModelConfig:
    """Read and check ``config.json``.

    Raises
    ------
    ModelError
        If the folder holds a pickle, or a value is missing, unknown or out of range.
    """
    try:
        suffixes = {path.name: path.suffix.lower() for path in sorted(folder.iterdir())}
    except OSError as error:
        raise _unreadable(folder, error) from error
    pickles = [name for name, suffix in suffixes.items() if suffix in PICKLE_EXTENSIONS]
    if pickles:
        raise ModelError(
            f"{folder}: holds {', '.join(pickles)}, which may be a pickle; opening one can run "
            f"anything. Only {WEIGHTS_FILE} is loaded: convert it, and remove the pickle."
        )
    path = folder / CONFIG_FILE
    try:
        return _checked(json.loads(_read(path, MAX_CONFIG_BYTES)))
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        reason = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise ModelError(
            f"{path}: {reason}. A folder written by serctl train is needed; train it again."
        ) from error


def _read(path: Path, max_bytes: int) -> bytes:
    """Content of a file, unless it is larger than it may be; nothing blocks or fills the memory."""
    try:
        known = path.stat()
        if not stat.S_ISREG(known.st_mode):
            raise ModelError(f"{path}: no file; one is needed. Is this a weights folder?")
        if known.st_size > max_bytes:
            raise ModelError(
                f"{path}: {known.st_size} bytes; no more than {max_bytes} belong there. "
                "Train it again."
            )
        return path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> ModelError:
    return ModelError(
        f"{path}: {error.strerror}. A weights folder has {CONFIG_FILE} and {WEIGHTS_FILE}; "
        "name a bundled model, or a folder that serctl train wrote."
    )


def _checked(values: Any) -> ModelConfig:
    """Build a configuration of parsed JSON; ValueError, TypeError or KeyError say what is wrong."""
    if not isinstance(values, dict):
        raise TypeError(f"holds a {type(values).__name__}, a JSON object is needed")
    names = [JSON_KEYS.get(f.name, f.name) for f in fields(ModelConfig)]
    values = {name: values[name] for name in names}
    for name in ("name", "network", "sha256"):
        if not isinstance(values[name], str):
            raise TypeError(f"{name} is {reprlib.repr(values[name])}, text is needed")
    if not 0 < len(name := values["name"]) <= MAX_NAME_CHARACTERS or not name.isprintable():
        raise ValueError(
            f"name is {reprlib.repr(name)}, 1 to {MAX_NAME_CHARACTERS} printable characters are "
            "needed"
        )
    network, emotions, window_s = values["network"], values["emotions"], values["window_s"]
    if network not in NETWORKS:
        raise ValueError(f"network {network!r} is not one of {', '.join(NETWORKS)}")
    known = [name for name in EMOTIONS if isinstance(emotions, list) and name in emotions]
    if emotions != known or len(known) < 2:
        raise ValueError(
            f"emotions are {reprlib.repr(emotions)}, a list of two or more of "
            f"{', '.join(EMOTIONS)} is needed, in this order"
        )
    kind, spec = NETWORKS[network].inputs, _checked_features(values["features"], network)
    _require_number("temperature", values["temperature"], 1e-3, 1e3)
    _require_number("window_s", window_s, 0.1, 3600.0)
    n_frames = 1 + round(window_s * spec.rate_hz) // spec.hop_samples
    if n_frames > kind.max_frames:
        raise ValueError(
            f"window_s is {window_s:g}, of {n_frames} frames; the network {network} takes no more "
            f"than {kind.max_frames}"
        )
    _require_number("min_duration_s", values["min_duration_s"], 0.0, window_s)
    normalization = _checked_normalization(values["scaling"], kind.n_columns(spec))
    del values["scaling"]
    checked = {"emotions": tuple(known), "features": spec, "normalization": normalization}
    return ModelConfig(**values | checked)


def _checked_features(values: Any, network: str) -> MelSpec:
    names = [f.name for f in fields(MelSpec)]
    if not isinstance(values, dict) or set(values) != set(names):
        raise ValueError(f"features are {reprlib.repr(values)}, {', '.join(names)} are needed")
    for name, (low, high) in MEL_BOUNDS.items():
        value = values[name]
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            found = reprlib.repr(value)
            raise ValueError(
                f"features have {name} {found}, a whole number from {low} to {high} is needed"
            )
        needed = getattr(NETWORKS[network], name, None)
        if needed is not None and value != needed:
            raise ValueError(f"features have {name} {value}, the network {network} takes {needed}")
    _require_number("top_db of features", values["top_db"], 1.0, 200.0)
    return MelSpec(**values)


def _checked_normalization(values: Any, n_columns: int) -> Normalization:
    if not isinstance(values, dict) or set(values) != {"mean", "deviation"}:
        raise ValueError(f"scaling is {reprlib.repr(values)}, a mean and a deviation are needed")
    for name, low in (("mean", -1e6), ("deviation", 1e-6)):
        numbers = values[name]
        if not isinstance(numbers, list) or len(numbers) != n_columns:
            found = reprlib.repr(numbers)
            raise ValueError(f"scaling has as {name} {found}, a list of {n_columns} is needed")
        for number in numbers:
            _require_number(f"a {name} of scaling", number, low, 1e6)
    return Normalization(tuple(values["mean"]), tuple(values["deviation"]))


def _require_number(name: str, value: Any, low: float, high: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not low < value < high:
        found = reprlib.repr(value)
        raise ValueError(f"{name} is {found}, a number above {low:g} and below {high:g} is needed")
