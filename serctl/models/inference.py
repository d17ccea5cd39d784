"""Inference: a batch of windows in, logits out, on a CPU or GPU.

A probability depends only on its window, so that results are the same bytes for any number of
threads and after any resume. On a CPU, ONNX Runtime runs the network's graph
(`serctl.models.networks`) on one window at a time, of any length, in the thread that computed its
features. All cores are busy, and `cnn` takes a quarter of the time of torch (benchmarks/README.md).
On a GPU, torch runs batches of windows of the same length, padded to a fixed batch size.
"""

import copy
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from serctl.errors import ModelError
from serctl.models.inputs import CLIP_STATISTICS
from serctl.models.loading import Model
from serctl.models.networks.builder import EMBEDDING, INPUT, OUTPUT, Graph

FUSED_SHARE = 0.5  # of the second model's log-probabilities
ONLY_ERRORS = 3  # log level of ONNX Runtime

# For programs that import ONNX Runtime before `serctl`, which switches telemetry off as well.
onnxruntime.disable_telemetry_events()


class FusedInput(NamedTuple):
    """Input of a window for two models that are fused."""

    first: NDArray[np.float32]
    second: NDArray[np.float32]

    @property
    def shape(self) -> tuple[int, ...]:
        """Of both, as windows of one batch share it."""
        return (*self.first.shape, *self.second.shape)


WindowInput = NDArray[np.float32] | FusedInput


def input_of(model: Model, samples: NDArray[np.float32]) -> WindowInput:
    """Input of a model, of a window's samples, float32 [n_samples]."""
    first = model.config.input_of(samples)
    if model.second is None:
        return first
    return FusedInput(first, model.second.config.input_of(samples))


class GraphSession(onnxruntime.InferenceSession):  # type: ignore[misc]
    """Session of ONNX Runtime that holds the weights of its graph, since it does not copy them."""

    weights: list[onnxruntime.OrtValue]


def graph_session(graph: Graph) -> GraphSession:
    """Session of ONNX Runtime for a graph, on the CPU, in the thread that calls it."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_mem_pattern = False  # since windows differ in length
    options.log_severity_level = ONLY_ERRORS
    weights = [onnxruntime.OrtValue.ortvalue_from_numpy(one) for one in graph.weights.values()]
    options.add_external_initializers(list(graph.weights), weights)
    session = GraphSession(graph.content, options, providers=["CPUExecutionProvider"])
    session.weights = weights
    return session


class GraphInference:
    """The graph of a model on the CPU, in float32, in the calling thread.

    Parameters
    ----------
    model : Model
        The model.

    Attributes
    ----------
    batch_size : int
        Windows per batch: 1.

    Raises
    ------
    ModelError
        If its tensors do not fit the network.
    """

    batch_size = 1

    def __init__(self, model: Model) -> None:
        try:
            graph = model.graph
        except ModelError as error:
            raise ModelError(f"{model.config.name}: {error}. Train it again.") from error
        self._session = graph_session(graph)

    def logits(self, batch: NDArray[np.float32]) -> NDArray[np.float64]:
        """Logits [1, n_emotions] of one window's input [1, ...]."""
        logits: NDArray[np.float64] = self._session.run([OUTPUT], {INPUT: batch})[0].astype(
            np.float64
        )
        return logits

    def logits_and_embedding(
        self, window: WindowInput
    ) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        """Logits [1, n_emotions] and embedding [n_embedding] of a window, of a model that has one."""
        assert not isinstance(window, FusedInput)
        logits, embeddings = self._session.run([OUTPUT, EMBEDDING], {INPUT: window[None]})
        return logits.astype(np.float64), embeddings[0]


class TorchInference:
    """The network of a model in torch, on a GPU.

    Clip statistics are float64: how a matrix product rounds depends on the position of a window in
    its batch, which in float32 sometimes changes the sixth decimal.

    Parameters
    ----------
    model : Model
        The model.
    device : str
        ``cuda`` or ``mps``. With ``cuda``, convolutions in the whole process become deterministic
        and full float32.
    batch_size : int
        Windows per batch.
    """

    def __init__(self, model: Model, device: str, batch_size: int) -> None:
        import torch

        if device == "cuda":  # else they have a 10-bit mantissa, and results may vary
            torch.backends.cudnn.allow_tf32 = False
            torch.backends.cudnn.deterministic = True
        self.batch_size = batch_size
        # MPS has no float64.
        in_float64 = model.config.inputs is CLIP_STATISTICS and device != "mps"
        self._dtype = torch.float64 if in_float64 else torch.float32
        self._device = device
        # A copy, since the caller may use the network of the model.
        network = copy.deepcopy(model.network).eval().to(device, self._dtype)
        self._network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def logits(self, batch: NDArray[np.float32]) -> NDArray[np.float64]:
        """Logits [batch_size, n_emotions] of windows' inputs [batch_size, ...]."""
        import torch

        with torch.inference_mode():
            logits = self._network(torch.from_numpy(batch).to(self._device, self._dtype))
            # In this order, since MPS has no float64.
            found: NDArray[np.float64] = logits.cpu().double().numpy()
            return found


class FusedInference:
    """Two models whose log-probabilities are averaged (late fusion); windows are `FusedInput`.

    Parameters
    ----------
    first : GraphInference or TorchInference
        Of the model.
    second : GraphInference or TorchInference
        Of the model that it is fused with, with as large batches.
    temperature : float
        Of the second model.

    Attributes
    ----------
    batch_size : int
        Windows per batch.
    """

    def __init__(
        self,
        first: "GraphInference | TorchInference",
        second: "GraphInference | TorchInference",
        temperature: float,
    ) -> None:
        self.batch_size = first.batch_size
        self._first, self._second, self._temperature = first, second, temperature

    def window_logits(self, windows: Sequence[FusedInput], n_emotions: int) -> NDArray[np.float64]:
        """Logits [n_windows, n_emotions] of windows of any lengths."""
        first = logits_of_windows(self._first, [one.first for one in windows], n_emotions)
        second = logits_of_windows(self._second, [one.second for one in windows], n_emotions)
        return fuse(first, log_softmax(second / self._temperature))

    def logits_and_embedding(
        self, window: WindowInput
    ) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        """Logits [1, n_emotions], and the embedding with the second model's log-probabilities.

        The embedding is float32 [n_embedding + n_emotions].
        """
        assert isinstance(self._first, GraphInference)
        assert isinstance(window, FusedInput)
        logits, embedding = self._first.logits_and_embedding(window.first)
        second = log_softmax(self._second.logits(window.second[None]) / self._temperature)
        return fuse(logits, second), np.concatenate([embedding, second[0].astype(np.float32)])


def fuse(logits: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """Fused logits [n, n_emotions] of one model's logits and the other's log-probabilities."""
    fused: NDArray[np.float64] = (1 - FUSED_SHARE) * logits + FUSED_SHARE * second
    return fused


def inference_of(
    model: Model, device: str, batch_size: int
) -> GraphInference | TorchInference | FusedInference:
    """Inference of a model on a device, as `GraphInference` and `TorchInference` take them."""
    one = GraphInference(model) if device == "cpu" else TorchInference(model, device, batch_size)
    if model.second is None:
        return one
    second = inference_of(model.second, device, batch_size)
    assert not isinstance(second, FusedInference)
    return FusedInference(one, second, model.second.config.temperature)


def logits_of_windows(
    inference: GraphInference | TorchInference | FusedInference,
    windows: Sequence[Any],
    n_emotions: int,
) -> NDArray[np.float64]:
    """Logits [n_windows, n_emotions] of windows of any lengths, in batches of one shape."""
    if isinstance(inference, FusedInference):
        return inference.window_logits(windows, n_emotions)
    logits = np.empty((len(windows), n_emotions))
    of_shape: dict[tuple[int, ...], list[int]] = {}
    for i, window in enumerate(windows):
        of_shape.setdefault(window.shape, []).append(i)
    batch_size = inference.batch_size
    for shape, indexes in of_shape.items():
        for first in range(0, len(indexes), batch_size):
            chosen = indexes[first : first + batch_size]
            batch = np.zeros((batch_size, *shape), np.float32)
            batch[: len(chosen)] = [windows[i] for i in chosen]
            logits[chosen] = inference.logits(batch)[: len(chosen)]
    return logits


def log_softmax(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Logarithm of the softmax of each row."""
    with np.errstate(invalid="ignore"):  # infinite logits; the caller checks
        x = x - x.max(axis=1, keepdims=True)
        result: NDArray[np.float64] = x - np.log(np.exp(x).sum(axis=1, keepdims=True))
    return result


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Softmax of each row; SciPy takes longer to import than the network to load."""
    with np.errstate(invalid="ignore"):  # infinite logits; the caller checks
        # The largest exponent is 0, to avoid overflow.
        exponentials = np.exp(logits - logits.max(axis=1, keepdims=True, initial=-np.inf))
    probabilities: NDArray[np.float64] = exponentials / exponentials.sum(axis=1, keepdims=True)
    return probabilities
