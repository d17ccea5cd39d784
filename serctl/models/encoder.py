"""Encoders: pre-trained, frozen, and stored once, however many models start from them.

A model whose ``config.json`` names the SHA-256 of an encoder takes it from its own folder, or else
from the bundled one (``weights/whisper-base-encoder``). Encoders are stored in float16, as they
were published, and computed in float32.
"""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy
from numpy.typing import NDArray

import serctl.weights
from serctl.errors import ModelError

ENCODER_FILE = "encoder.safetensors"
PREFIX = "encoder."  # of an encoder's tensors among a model's
MAX_ENCODER_BYTES = 1 << 27


def bundled_encoder() -> Path:
    """Return the path of the encoder that comes with serctl."""
    return Path(serctl.weights.__file__).parent / "whisper-base-encoder" / ENCODER_FILE


def load_encoder(folder: Path, sha256: str) -> dict[str, NDArray[Any]]:
    """Read the encoder that a model names.

    Parameters
    ----------
    folder : Path
        Of the model. Its own encoder comes before the bundled one.
    sha256 : str
        Of the encoder's file, in hexadecimal.

    Returns
    -------
    dict of str to float32 array
        Tensors, under their names in the model.

    Raises
    ------
    ModelError
        If there is no such encoder, or it is damaged.
    """
    path = folder / ENCODER_FILE
    if not path.exists():
        path = bundled_encoder()
    try:
        if path.stat().st_size > MAX_ENCODER_BYTES:
            raise ModelError(f"{path}: more than {MAX_ENCODER_BYTES} bytes. Train the model again.")
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(
            f"{path}: {error.strerror}; the model needs this encoder. Install serctl again."
        ) from error
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise ModelError(
            f"{path}: its SHA-256 is {found}, and the model in {folder} needs the encoder {sha256}. "
            f"Copy that one to {folder / ENCODER_FILE}, or train the model again."
        )
    try:
        return read_encoder(content)
    except (safetensors.SafetensorError, KeyError) as error:
        raise ModelError(f"{path}: not a safetensors file ({error}).") from error


def read_encoder(content: bytes) -> dict[str, NDArray[Any]]:
    """Tensors of an encoder's file, in float32."""
    tensors = safetensors.numpy.load(content)
    return {key: tensor.astype(np.float32) for key, tensor in tensors.items()}
