"""Inference: a batch of windows in, logits out, on a CPU or on a GPU.

A probability depends on its window alone, so that results are the same bytes for any number of
threads and after any resume. On a CPU the network's graph (`serctl.graphs`) hears one window at a
time, as long as it is, in the thread that has extracted it, by ONNX Runtime: so nothing waits and
all cores work; this takes a quarter of the time that torch takes for `cnn` (benchmarks/README.md).
On a GPU torch hears windows of one length in batches that are filled up to one size.
"""

import copy

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from serctl.errors import ModelError
from serctl.graphs.builder import INPUT
from serctl.inputs import CLIP_STATISTICS
from serctl.models import Model

ONLY_ERRORS = 3  # of ONNX Runtime's levels

# `serctl` has switched it off already, unless ONNX Runtime was loaded before.
onnxruntime.disable_telemetry_events()


class GraphInference:
    """A model's graph on the CPU, in float32, on the thread that calls it.

    Parameters
    ----------
    model : Model
        Whose graph it is.

    Attributes
    ----------
    n_together : int
        Windows in a batch: one.

    Raises
    ------
    ModelError
        If its tensors are not the network's.
    """

    n_together = 1

    def __init__(self, model: Model) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.enable_mem_pattern = False  # windows are of any length
        options.log_severity_level = ONLY_ERRORS
        try:
            graph = model.graph
        except ModelError as error:
            raise ModelError(f"{model.config.name}: {error}. Train it again.") from error
        self._session = onnxruntime.InferenceSession(
            graph, options, providers=["CPUExecutionProvider"]
        )

    def logits(self, batch: NDArray[np.float32]) -> NDArray[np.float64]:
        """Logits [1, n_emotions] of one window's input [1, ...]."""
        (logits,) = self._session.run(None, {INPUT: batch})
        return logits.astype(np.float64)


class TorchInference:
    """A model's network in torch, on a GPU.

    Statistics go through it in float64: how a product of matrices rounds depends on a window's
    place in its batch, and in float32 that reaches the sixth decimal now and then.

    Parameters
    ----------
    model : Model
        Whose network it is.
    device : str
        ``cuda`` or ``mps``. With ``cuda``, convolutions of the whole process are set to be
        deterministic and in full float32.
    n_together : int
        Windows in a batch.
    """

    def __init__(self, model: Model, device: str, n_together: int) -> None:
        import torch

        if device == "cuda":  # else they round to ten bits, and results may vary
            torch.backends.cudnn.allow_tf32 = False
            torch.backends.cudnn.deterministic = True
        self.n_together = n_together
        # MPS has no float64.
        in_float64 = model.config.inputs is CLIP_STATISTICS and device != "mps"
        self._dtype = torch.float64 if in_float64 else torch.float32
        self._device = device
        # A copy, since the network of a loaded model is its owner's.
        network = copy.deepcopy(model.network).eval().to(device, self._dtype)
        self._network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def logits(self, batch: NDArray[np.float32]) -> NDArray[np.float64]:
        """Logits [n_together, n_emotions] of windows' inputs [n_together, ...]."""
        import torch

        with torch.inference_mode():
            logits = self._network(torch.from_numpy(batch).to(self._device, self._dtype))
            # In this order, since MPS has no float64.
            found: NDArray[np.float64] = logits.cpu().double().numpy()
            return found
