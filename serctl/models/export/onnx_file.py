"""A model with its features as one ONNX file, from samples to probabilities.

The file says in its metadata what a program must know: sample rate, emotions, lengths, terms. It
classifies one window: serctl's detection of speech, its windows of long recordings and comparison of
voices are not in it.
"""

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper

import serctl
from serctl.models.export.features import input_nodes
from serctl.models.inference import FUSED_SHARE
from serctl.models.loading import LICENSE, Model
from serctl.models.networks import NETWORKS
from serctl.models.networks.builder import GraphBuilder, integers

EXTENSION = ".onnx"
SAMPLES, PROBABILITIES = "samples", "probabilities"


def export_onnx(model: Model) -> bytes:
    """Write a model, with its features, as ONNX.

    Parameters
    ----------
    model : Model
        A loaded model.

    Returns
    -------
    bytes
        An ONNX model. Its input `SAMPLES` is float32 [n_samples], mono, full scale at 1.0, at the
        model's rate, not longer than its window; its output `PROBABILITIES` is float32 [n_emotions].
    """
    config, second = model.config, model.second
    builder = GraphBuilder({**model.tensors, **({} if second is None else second.tensors)})
    logits = _logits(builder, model)
    if second is not None:
        scaled = builder.node("Div", _logits(builder, second), _number(second.config.temperature))
        parts = (
            (1 - FUSED_SHARE, logits),
            (FUSED_SHARE, builder.node("LogSoftmax", scaled, axis=1)),
        )
        logits = builder.node("Add", *(builder.node("Mul", one, _number(n)) for n, one in parts))
    scaled = builder.node("Div", logits, _number(config.temperature))
    probabilities = builder.node("Squeeze", builder.node("Softmax", scaled, axis=1), integers(0))
    complete = builder.complete(
        {SAMPLES: ["n_samples"]},
        {PROBABILITIES: probabilities},
        {PROBABILITIES: [len(config.emotions)]},
    )
    complete.producer_name, complete.producer_version = "serctl", serctl.__version__
    complete.doc_string = _description(model)
    helper.set_model_props(complete, metadata(model))
    onnx.checker.check_model(complete)
    content: bytes = complete.SerializeToString()
    return content


def _logits(builder: GraphBuilder, model: Model) -> str:
    """Logits [1, n_emotions] of a model alone, from the samples."""
    config = model.config
    features = input_nodes(builder, SAMPLES, config)
    return NETWORKS[config.network].graph(builder, features, len(config.emotions))


def _number(number: float) -> NDArray[np.float32]:
    return np.array(number, np.float32)


def metadata(model: Model) -> dict[str, str]:
    """What the file says of itself: names and texts, which programs can rely on."""
    config = model.config
    return {
        "model": config.name,
        "emotions": ",".join(config.emotions),
        "sample_rate_hz": str(config.features.rate_hz),
        "min_duration_s": f"{config.min_duration_s:g}",
        "max_duration_s": f"{config.window_s:g}",
        "license": LICENSE,
        "serctl_version": serctl.__version__,
        "model_sha256": config.sha256,
    }


def _description(model: Model) -> str:
    config = model.config
    return (
        f"{SAMPLES}: float32 [n_samples], mono, full scale at 1.0, at {config.features.rate_hz} Hz, "
        f"from {config.min_duration_s:g} to {config.window_s:g} s. "
        f"{PROBABILITIES}: float32 [{len(config.emotions)}], of {', '.join(config.emotions)}."
    )
