"""Features as nodes of a graph: what `serctl.models.inputs` computes with NumPy and kernels.

All operators are common ones (Conv, MatMul, Pad, reductions), so that any runtime has them: spectra
are a convolution with a windowed DFT, and the high-pass filter is one with its impulse response.
Everything is float32; serctl sums over frames in float64. The tests state how far the probabilities
differ. Samples are not checked: NaN gives NaN.
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto

from serctl.audio.highpass import HIGH_PASS_HZ, HighPass
from serctl.features import speech, whisper
from serctl.features.mel import POWER_FLOOR, MelSpec, dct_filters, hann_window, mel_filters
from serctl.models.config import ModelConfig
from serctl.models.inputs import (
    CLIP_STATISTICS,
    FRAMES,
    FRAMES_MULTIPLE,
    LOG_MEL,
    WHISPER_LOG_MEL,
)
from serctl.models.networks.builder import GraphBuilder, integers

# Periods of its corner after which the response of the high-pass filter ends: e^-22 of it are left.
RESPONSE_PERIODS = 5


def input_nodes(builder: GraphBuilder, samples: str, config: ModelConfig) -> str:
    """Add the nodes of a network's input.

    Parameters
    ----------
    builder : GraphBuilder
        The graph.
    samples : str
        Name of float32 [n_samples], mono, full scale at 1.0, at ``config.features.rate_hz``.
    config : ModelConfig
        Of the model.

    Returns
    -------
    str
        Name of float32 [1, ...], of the shape that the network takes.
    """
    columns = _COLUMNS[config.inputs.name](builder, samples, config.features)
    normalized = builder.node("Sub", columns, _floats(config.normalization.mean))
    normalized = builder.node("Div", normalized, _floats(config.normalization.std))
    if config.inputs in (LOG_MEL, WHISPER_LOG_MEL):
        normalized = builder.node("Transpose", normalized, perm=(1, 0))
    return builder.node("Unsqueeze", normalized, integers(0))


def mel_power(builder: GraphBuilder, samples: str, spec: MelSpec) -> str:
    """Mel power spectrogram [n_frames, n_mels], as `serctl.features.mel.mel_spectrogram`."""
    node, n_fft = builder.node, spec.n_fft
    padded = node("Pad", samples, integers(n_fft // 2, n_fft - n_fft // 2))
    parts = node(
        "Conv",
        node("Unsqueeze", padded, integers(0, 1)),
        _fourier_kernels(n_fft)[:, None],
        strides=(spec.hop_samples,),
    )  # [1, 2 n_bins, n_frames]
    parts = node("Reshape", node("Mul", parts, parts), integers(2, 1 + n_fft // 2, -1))
    power = node("ReduceSum", parts, integers(0), keepdims=0)
    return node("Transpose", node("MatMul", mel_filters(spec), power), perm=(1, 0))


def _clip_statistics(builder: GraphBuilder, samples: str, spec: MelSpec) -> str:
    """Means of mel bands in dB, and of MFCC, [n_mels + n_mfcc]."""
    node, mel = builder.node, mel_power(builder, samples, spec)
    mean_db = node("ReduceMean", _floored(builder, mel, spec.top_db), axes=(0,), keepdims=0)
    mfcc = node("MatMul", _dct(spec), mean_db)
    mel_mean = node("ReduceMean", mel, axes=(0,), keepdims=0)
    return node("Concat", _floored(builder, mel_mean, spec.top_db), mfcc, axis=0)


def _mel_and_mfcc(builder: GraphBuilder, samples: str, spec: MelSpec) -> str:
    """Mel bands in dB, and MFCC, [n_frames, n_mels + n_mfcc]."""
    mel_db = _floored(builder, mel_power(builder, samples, spec), spec.top_db)
    mfcc = builder.node("MatMul", mel_db, np.ascontiguousarray(_dct(spec).T))
    return builder.node("Concat", mel_db, mfcc, axis=1)


def _log_mel(builder: GraphBuilder, samples: str, spec: MelSpec) -> str:
    """Mel bands relative to their mean, [n_frames, n_mels], with frames of the floor at the end."""
    node, mel = builder.node, mel_power(builder, _speech(builder, samples, spec), spec)
    mean_db = _decibels(builder, node("ReduceMean", mel, keepdims=1))
    relative = node("Sub", _decibels(builder, mel), mean_db)
    floor = _floats(-spec.top_db)
    relative = node("Max", relative, floor)
    n_frames = node("Gather", node("Shape", relative), integers(0))
    n_more = node("Mod", node("Neg", n_frames), integers(FRAMES_MULTIPLE))
    return node("Pad", relative, node("Concat", integers(0, 0), n_more, integers(0), axis=0), floor)


def _whisper_log_mel(builder: GraphBuilder, samples: str, spec: MelSpec) -> str:
    """Whisper's log-mel spectrogram [n_frames, n_mels], as `serctl.features.whisper`."""
    node, trimmed = builder.node, _speech(builder, samples, spec)
    rms = node("Sqrt", node("ReduceMean", node("Mul", trimmed, trimmed), keepdims=1))
    gain = node("Div", _floats(whisper.LEVEL_RMS), node("Max", rms, _floats(whisper.LEAST_RMS)))
    mel = mel_power(builder, node("Mul", trimmed, gain), spec)
    decades = node("Mul", _floored(builder, mel, spec.top_db), _floats(0.1))
    return node("Div", node("Add", decades, _floats(4.0)), _floats(4.0))


def _speech(builder: GraphBuilder, samples: str, spec: MelSpec) -> str:
    """Samples filtered and trimmed, [n_trimmed], as `serctl.features.speech.speech_of`."""
    return _trimmed(builder, _high_passed(builder, samples, spec.rate_hz), spec)


def _high_passed(builder: GraphBuilder, samples: str, rate_hz: int) -> str:
    """Samples through `serctl.audio.highpass.HighPass`, [n_samples]."""
    node = builder.node
    n_taps = math.ceil(RESPONSE_PERIODS * rate_hz / HIGH_PASS_HZ)
    impulse = np.zeros(1 + n_taps, np.float32)
    impulse[1] = 1
    response = HighPass(rate_hz, HIGH_PASS_HZ)(impulse)[1:]
    # The filter begins as if the first sample had always been there; of a constant it leaves nothing.
    first = node("Slice", samples, integers(0), integers(1), integers(0))
    varying = node("Unsqueeze", node("Sub", samples, first), integers(0, 1))
    kernel = np.ascontiguousarray(response[::-1])[None, None]
    return node("Squeeze", node("Conv", varying, kernel, pads=(n_taps - 1, 0)), integers(0, 1))


def _trimmed(builder: GraphBuilder, samples: str, spec: MelSpec) -> str:
    """Samples without silence at both ends, as `serctl.features.speech.speech_bounds`."""
    node, n_fft = builder.node, spec.n_fft
    squares = node("Mul", samples, samples)
    n_missing = node("Max", node("Sub", integers(n_fft), node("Shape", squares)), integers(0))
    squares = node("Pad", squares, node("Concat", integers(0), n_missing, axis=0))
    energy = node(
        "Conv",
        node("Unsqueeze", squares, integers(0, 1)),
        np.ones((1, 1, n_fft), np.float32),
        strides=(spec.hop_samples,),
    )
    energy = node("Squeeze", energy, integers(0, 1))
    threshold = node(
        "Mul", node("ReduceMax", energy, keepdims=1), _floats(10 ** (-speech.TRIM_DB / 10))
    )
    loud = node("Cast", node("GreaterOrEqual", energy, threshold), to=TensorProto.INT32)
    hop = integers(spec.hop_samples)
    start = node("Mul", node("ArgMax", loud, axis=0), hop)
    last = node("Mul", node("ArgMax", loud, axis=0, select_last_index=1), hop)
    end = node("Add", last, integers(n_fft))
    return node("Slice", samples, start, end, integers(0))


def _decibels(builder: GraphBuilder, power: str) -> str:
    """10 log10 of power, which is raised to the floor first."""
    logarithm = builder.node("Log", builder.node("Max", power, _floats(POWER_FLOOR)))
    return builder.node("Mul", logarithm, _floats(10 / math.log(10)))


def _floored(builder: GraphBuilder, power: str, top_db: float) -> str:
    """Power in decibels, floored relative to the largest; `serctl.features.mel.power_to_db`."""
    decibels = _decibels(builder, power)
    floor = builder.node("Sub", builder.node("ReduceMax", decibels, keepdims=1), _floats(top_db))
    return builder.node("Max", decibels, floor)


def _fourier_kernels(n_fft: int) -> NDArray[np.float32]:
    """Hann window times cosines, then sines, float32 [2 n_bins, n_fft]."""
    # The product is taken modulo a period first, for the accuracy of cosines of large angles.
    turns = np.outer(np.arange(1 + n_fft // 2), np.arange(n_fft)) % n_fft / n_fft
    angles = 2 * np.pi * turns
    waves = np.concatenate([np.cos(angles), np.sin(angles)])
    return np.asarray(waves * hann_window(n_fft, np.float64), np.float32)


def _dct(spec: MelSpec) -> NDArray[np.float32]:
    return dct_filters(spec.n_mfcc, spec.n_mels).astype(np.float32)


def _floats(values: float | tuple[float, ...]) -> NDArray[np.float32]:
    return np.array(values, np.float32)


_COLUMNS: dict[str, Callable[[GraphBuilder, str, MelSpec], str]] = {
    CLIP_STATISTICS.name: _clip_statistics,
    FRAMES.name: _mel_and_mfcc,
    LOG_MEL.name: _log_mel,
    WHISPER_LOG_MEL.name: _whisper_log_mel,
}
