"""Read and check ``config.json`` of a weights folder.

Every value is checked before it is used. A folder with a pickle is refused, since opening a pickle
can run any code.
"""

import json
import reprlib
import stat
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from serctl.emotions import EMOTIONS, MAX_LABELS, in_order, is_label
from serctl.errors import ModelError
from serctl.features.mel import MelSpec
from serctl.models.inputs import InputKind, Normalization
from serctl.models.networks import NETWORKS

WEIGHTS_FILE = "model.safetensors"
CONFIG_FILE = "config.json"
MAX_CONFIG_BYTES = 1 << 20  # a hundred times the size that serctl train writes
MAX_NAME_CHARACTERS = 64
PICKLE_EXTENSIONS = frozenset((".pt", ".pth", ".pkl", ".pickle", ".bin", ".ckpt", ".joblib"))
# Keys of ``config.json`` that differ from the attributes; older folders must still load.
JSON_KEYS = {"normalization": "scaling"}
OPTIONAL_KEYS = {"encoder_sha256": "", "fusion": None}  # left out where they are empty

MEL_BOUNDS = {  # minimum and maximum, which bound memory and time
    "rate_hz": (1000, 48_000),
    "n_fft": (16, 1 << 14),
    "hop_samples": (1, 1 << 12),
    "n_mels": (1, 512),
    "n_mfcc": (1, 512),
}


@dataclass(frozen=True)
class Fusion:
    """Late fusion: a second model, whose log-probabilities are averaged with the first one's.

    Attributes
    ----------
    sha256 : str
        Of the ``model.safetensors`` of the second model, in hexadecimal.
    class_offsets : tuple of tuple of float
        What each emotion (a row) does to its log-probabilities (columns), from validation clips;
        `serctl.models.voices` uses them.
    """

    sha256: str
    class_offsets: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class ModelConfig:
    """Contents of ``config.json``.

    Attributes
    ----------
    name : str
        Name of the model.
    network : str
        One of `serctl.models.networks.NETWORKS`.
    emotions : tuple of str
        In the order of the logits: emotions, and labels of a user's own.
    features : MelSpec
        Parameters of the features.
    normalization : Normalization
        Normalization of the features, from the training clips.
    temperature : float
        Divides the logits before the softmax; fitted on validation clips.
    window_s : float
        Length of windows in seconds; longer recordings have several.
    min_duration_s : float
        Minimum duration in seconds; shorter recordings are not classified.
    sha256 : str
        Of ``model.safetensors``, in hexadecimal.
    encoder_sha256 : str
        Of the encoder that it starts from (`serctl.models.encoder`); empty if there is none.
    fusion : Fusion or None
        With which second model, if there is one.
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
    encoder_sha256: str = ""
    fusion: Fusion | None = None

    @property
    def inputs(self) -> InputKind:
        """Kind of input of the network."""
        return NETWORKS[self.network].inputs

    def input_of(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Input of the network, float32 [...], of a window's samples, float32 [n_samples]."""
        return self.inputs.of_window(samples, self.normalization, self.features)

    def to_json(self) -> str:
        """Text of ``config.json``."""
        values = {JSON_KEYS.get(name, name): value for name, value in asdict(self).items()}
        values["scaling"] = {"mean": self.normalization.mean, "deviation": self.normalization.std}
        kept = {name: v for name, v in values.items() if v or name not in OPTIONAL_KEYS}
        return json.dumps(kept, indent=2) + "\n"


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
            f"{folder}: holds {', '.join(pickles)}, which may be a pickle; opening it can run any "
            f"code. Only {WEIGHTS_FILE} is loaded: convert the file, then remove it."
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
    """Content of a file, if it is a regular file and not too large."""
    try:
        known = path.stat()
        if not stat.S_ISREG(known.st_mode):
            raise ModelError(f"{path}: not a regular file. Is this a weights folder?")
        if known.st_size > max_bytes:
            raise ModelError(
                f"{path}: {known.st_size} bytes; the maximum is {max_bytes}. Train it again."
            )
        return path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> ModelError:
    return ModelError(
        f"{path}: {error.strerror}. A weights folder has {CONFIG_FILE} and {WEIGHTS_FILE}; "
        "use a bundled model, or a folder written by serctl train."
    )


def _checked(values: Any) -> ModelConfig:
    """Configuration from parsed JSON; raises ValueError, TypeError or KeyError."""
    if not isinstance(values, dict):
        raise TypeError(f"holds a {type(values).__name__}, a JSON object is needed")
    names = [JSON_KEYS.get(f.name, f.name) for f in fields(ModelConfig)]
    values = {name: (OPTIONAL_KEYS | values)[name] for name in names}
    for name in ("name", "network", "sha256", "encoder_sha256"):
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
    if NETWORKS[network].has_encoder != bool(values["encoder_sha256"]):
        needed = "the SHA-256 of an encoder" if NETWORKS[network].has_encoder else "none"
        raise ValueError(
            f"encoder_sha256 is {reprlib.repr(values['encoder_sha256'])}, {needed} is needed for "
            f"the network {network}"
        )
    _require_labels(emotions)
    fusion = _checked_fusion(values["fusion"], network, len(emotions))
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
    checked = {"emotions": tuple(emotions), "features": spec, "normalization": normalization}
    return ModelConfig(**values | checked | {"fusion": fusion})


def _checked_fusion(values: Any, network: str, n_emotions: int) -> Fusion | None:
    if values is None:
        return None
    if not NETWORKS[network].fuses_with:
        raise ValueError(f"fusion is given, and the network {network} is not fused with others")
    names = [f.name for f in fields(Fusion)]
    if not isinstance(values, dict) or set(values) != set(names):
        raise ValueError(f"fusion is {reprlib.repr(values)}, {', '.join(names)} are needed")
    rows = values["class_offsets"]
    if not isinstance(values["sha256"], str):
        raise TypeError(f"sha256 of fusion is {reprlib.repr(values['sha256'])}, text is needed")
    if (
        not isinstance(rows, list)
        or len(rows) != n_emotions
        or not all(isinstance(row, list) and len(row) == n_emotions for row in rows)
    ):
        raise ValueError(
            f"class_offsets of fusion are {reprlib.repr(rows)}, {n_emotions} lists of {n_emotions} "
            "numbers are needed"
        )
    for row in rows:
        for number in row:
            _require_number("a number of class_offsets", number, -1e6, 1e6)
    return Fusion(values["sha256"], tuple(map(tuple, rows)))


def _require_labels(emotions: Any) -> None:
    """Raise ValueError unless these are emotions in their order, then labels of a user's own."""
    is_list = isinstance(emotions, list) and 2 <= len(emotions) <= MAX_LABELS
    if (
        not is_list
        or not all(isinstance(one, str) and is_label(one) for one in emotions)
        or tuple(emotions) != in_order(emotions)
    ):
        raise ValueError(
            f"emotions are {reprlib.repr(emotions)}, a list of two or more of "
            f"{', '.join(EMOTIONS)} is needed, in this order, and then other labels in alphabetical "
            f"order, no more than {MAX_LABELS} in all"
        )


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
