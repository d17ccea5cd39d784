"""Encoders in training: cutting one out of a Whisper model, and what one makes of corpus clips.

Reads Hugging Face's ``model.safetensors`` of a Whisper model, or its encoder alone, and keeps the
convolutions, the first positions and the first blocks, in float16, as `serctl.models.encoder` reads
them.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy
from numpy.typing import NDArray

from serctl.audio import decoding
from serctl.audio.highpass import HIGH_PASS_HZ, HighPass
from serctl.errors import ModelError, PathError
from serctl.features.speech import speech_bounds
from serctl.features.whisper import WHISPER_SPEC, whisper_log_mel
from serctl.models.encoder import PREFIX, bundled_encoder, read_encoder
from serctl.models.inference import graph_session
from serctl.models.networks import whisper_encoder_graph as sizes
from serctl.models.networks.builder import INPUT, GraphBuilder
from serctl.train.data.feature_cache import load_array, save_array, sha256_of_clip

ACTIVATION_STEP_S = 0.08
ENCODER_STEP_S = 0.02
MAX_CLIP_S = 30.0
ENCODERS = ("model.encoder.", "encoder.")  # how its tensors begin, in whole models and by itself


@dataclass(frozen=True)
class FrozenEncoder:
    """Encoder that embeds clips: its tensors, and the SHA-256 of its file."""

    tensors: Mapping[str, NDArray[Any]]
    sha256: str


def cut_encoder(path: Path) -> bytes:
    """Convolutions, positions and blocks that the network ``whisper`` uses.

    Parameters
    ----------
    path : Path
        Safetensors of a Whisper model in Hugging Face's form.

    Returns
    -------
    bytes
        Safetensors, float16.

    Raises
    ------
    PathError
        If there is no such file.
    ModelError
        If it is no safetensors file, or its encoder has other sizes.
    """
    try:
        with safetensors.safe_open(path, "numpy") as file:
            found = set(file.keys())
            prefix = next((p for p in ENCODERS if f"{p}conv1.weight" in found), None)
            if prefix is None:
                raise ModelError(
                    f"{path}: no tensor {ENCODERS[0]}conv1.weight; a Whisper encoder in Hugging "
                    "Face's form is needed (model.safetensors of openai/whisper-base)."
                )
            tensors = {}
            for name, shape in needed_shapes().items():
                if f"{prefix}{name}" not in found:
                    raise ModelError(f"{path}: no tensor {prefix}{name}, {shape} is needed.")
                tensors[PREFIX + name] = _checked(file.get_tensor(prefix + name), name, shape, path)
    except FileNotFoundError as error:
        raise PathError(f"{path}: no such file. Check the path of --encoder.") from error
    except (safetensors.SafetensorError, OSError) as error:
        raise ModelError(f"{path}: not a safetensors file ({error}).") from error
    content: bytes = safetensors.numpy.save(tensors)
    return content


def load_frozen_encoder(path: Path | None = None) -> FrozenEncoder:
    """Encoder to train heads on.

    Parameters
    ----------
    path : Path, optional
        As `cut_encoder` takes it; by default the bundled encoder.
    """
    content = bundled_encoder().read_bytes() if path is None else cut_encoder(path)
    return FrozenEncoder(read_encoder(content), sha256_of(content))


def sha256_of(content: bytes) -> str:
    """SHA-256 in hexadecimal, as ``config.json`` names an encoder."""
    return hashlib.sha256(content).hexdigest()


def needed_shapes() -> dict[str, tuple[int, ...]]:
    """Name and shape of every tensor that is kept."""
    width, hidden = sizes.WIDTH, sizes.HIDDEN
    shapes: dict[str, tuple[int, ...]] = {
        "conv1.weight": (width, sizes.N_MELS, 3),
        "conv1.bias": (width,),
        "conv2.weight": (width, width, 3),
        "conv2.bias": (width,),
        "embed_positions.weight": (sizes.MAX_STEPS, width),
    }
    block = {
        **{f"self_attn.{name}_proj.weight": (width, width) for name in ("q", "k", "v", "out")},
        **{f"self_attn.{name}_proj.bias": (width,) for name in ("q", "v", "out")},
        **{
            f"{norm}.{name}": (width,)
            for norm in ("self_attn_layer_norm", "final_layer_norm")
            for name in ("weight", "bias")
        },
        "fc1.weight": (hidden, width),
        "fc1.bias": (hidden,),
        "fc2.weight": (width, hidden),
        "fc2.bias": (width,),
    }
    for i in range(sizes.N_BLOCKS):
        shapes |= {f"layers.{i}.{name}": shape for name, shape in block.items()}
    return shapes


class ClipActivations:
    """Activations of an encoder's last block on corpus clips, from the cache or computed.

    A call is safe in any thread.

    Parameters
    ----------
    encoder : FrozenEncoder
        Which one.
    cache : Path
        As `serctl.train.data.feature_cache.ClipFeatures` has it.
    """

    def __init__(self, encoder: FrozenEncoder, cache: Path) -> None:
        builder = GraphBuilder(encoder.tensors)
        self._session = graph_session(builder.model(sizes.encode(builder, INPUT)[-1]))
        self._folder = cache / "features" / f"activations-{encoder.sha256[:16]}"

    def __call__(self, path: str) -> NDArray[np.floating]:
        """Activations of a clip, float16 [n_steps, 512].

        Each row is a mean over `ACTIVATION_STEP_S`, from the first sample on; NaN in silence.

        Raises
        ------
        AudioError
            If it cannot be decoded.
        """
        digest = sha256_of_clip(path)
        cached = self._folder / digest[:2] / f"{digest}.npy"
        activations = load_array(cached)
        if activations is None or activations.shape[1:] != (sizes.WIDTH,):
            activations = self._compute(path)
            save_array(cached, activations)
        return activations

    def _compute(self, path: str) -> NDArray[np.float16]:
        spec = WHISPER_SPEC
        _, windows = decoding.read_windows(path, spec.rate_hz, MAX_CLIP_S)
        samples = np.concatenate(list(windows))
        filtered = HighPass(spec.rate_hz, HIGH_PASS_HZ)(samples)
        start, _ = speech_bounds(filtered, spec.n_fft, spec.hop_samples)
        frames = whisper_log_mel(samples, spec)[: 2 * sizes.MAX_STEPS - 1]
        (activations,) = self._session.run(None, {INPUT: np.ascontiguousarray(frames.T)[None]})
        times_s = start / spec.rate_hz + ENCODER_STEP_S * np.arange(activations.shape[1])
        step_of = (times_s / ACTIVATION_STEP_S).astype(np.int64)
        n_steps = int(np.ceil(len(samples) / spec.rate_hz / ACTIVATION_STEP_S))
        n_steps = max(n_steps, int(step_of[-1]) + 1)
        sums = np.zeros((n_steps, sizes.WIDTH))
        np.add.at(sums, step_of, activations[0])
        counts = np.bincount(step_of, minlength=n_steps)[:, None]
        means = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
        return means.astype(np.float16)


def _checked(
    tensor: NDArray[Any], name: str, shape: tuple[int, ...], path: Path
) -> NDArray[np.float16]:
    """Tensor in float16, of the positions the first."""
    if name == "embed_positions.weight":
        tensor = tensor[: shape[0]]
    if tensor.shape != shape:
        raise ModelError(
            f"{path}: tensor {name} is {tensor.shape}, {shape} is needed. Only encoders of the "
            "size of Whisper base fit."
        )
    return np.ascontiguousarray(tensor, np.float16)
