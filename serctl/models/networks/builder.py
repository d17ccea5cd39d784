"""Build ONNX graphs from the tensors of a weights folder.

A `GraphBuilder` adds nodes one by one and checks the shape and dtype of every tensor. Batch
normalization is folded into the convolution before it. If a tensor does not fit, ModelError is
raised.
"""

from collections.abc import Container, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from serctl.errors import ModelError

OPSET = 17
IR_VERSION = 8  # of this opset
NORM_EPSILON = 1e-5  # torch's default
INPUT, OUTPUT, EMBEDDING = "input", "logits", "embedding"
SPEECH, STEPS = "speech", "steps"  # further inputs of a graph that slides over a recording
LEAST_WEIGHTS_BYTES = 1 << 12  # smaller constants are parts of the graph


class Graph(NamedTuple):
    """A graph, and its larger constants, which are stored outside it so that no copy is made.

    Attributes
    ----------
    content : bytes
        Serialized ONNX.
    weights : dict of str to array
        Its external initializers.
    """

    content: bytes
    weights: dict[str, NDArray[Any]]


class GraphBuilder:
    """A graph with one input, float32, for any batch size and length.

    Parameters
    ----------
    tensors : mapping of str to array
        Tensors of the network, by the names that torch gives them.

    Attributes
    ----------
    embedding : str
        Name of the node that is the output `EMBEDDING`, if there is one.
    """

    def __init__(self, tensors: Mapping[str, NDArray[Any]]) -> None:
        self._tensors = tensors
        self._taken: set[str] = set()
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[str, NDArray[Any]] = {}
        self.embedding = ""

    def tensor(self, key: str, *shape: int, dtype: str = "float32") -> NDArray[Any]:
        """Tensor of the network; ModelError if it is missing or has another shape or dtype."""
        found, needed = self._tensors.get(key), _described(shape, dtype)
        self._taken.add(key)
        if found is None or _described(found.shape, found.dtype.name) != needed:
            is_there = "missing" if found is None else _described(found.shape, found.dtype.name)
            raise ModelError(f"tensor {key} is {is_there}, {needed} is needed")
        return found

    def node(self, operator: str, *inputs: str | NDArray[Any], **attributes: Any) -> str:
        """Add a node with inputs from other nodes and constants; return the name of its output."""
        names = [self._constant(one) if isinstance(one, np.ndarray) else one for one in inputs]
        output = f"{operator.lower()}-{len(self._nodes)}"
        # Named, since ONNX Runtime 1.20 gives nodes that it joins names made of theirs.
        self._nodes.append(helper.make_node(operator, names, [output], name=output, **attributes))
        return output

    def convolution(
        self,
        x: str,
        key: str,
        shape: tuple[int, ...],
        stride: tuple[int, ...],
        padding: tuple[int, ...],
        norm: str | None = None,
    ) -> str:
        """Convolution along one or two axes.

        Parameters
        ----------
        x : str
            Name of the input, float [batch, n_in, ...].
        key : str
            Of the layer, with the tensors ``key.weight`` and ``key.bias``.
        shape : tuple of int
            Shape of the kernels: n_out, n_in, and size along each axis.
        stride, padding : tuple of int
            Along each axis.
        norm : str, optional
            Key of the batch normalization that follows; the convolution has no bias then.
        """
        kernels = self.tensor(f"{key}.weight", *shape)
        if norm is None:
            bias = self.tensor(f"{key}.bias", shape[0])
        else:
            scale, bias = self.norm(norm, shape[0])
            kernels = kernels * scale.reshape(-1, *(1 for _ in shape[1:]))
        return self.node("Conv", x, kernels, bias, strides=stride, pads=padding * 2)

    def norm(self, key: str, n_channels: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Scale and bias, float32 [n_channels], of a batch normalization."""
        weight, bias, mean, variance = (
            self.tensor(f"{key}.{name}", n_channels)
            for name in ("weight", "bias", "running_mean", "running_var")
        )
        self.tensor(f"{key}.num_batches_tracked", dtype="int64")
        scale = (weight / np.sqrt(variance + NORM_EPSILON)).astype(np.float32)
        return scale, (bias - mean * scale).astype(np.float32)

    def dense(self, x: str, key: str, n_in: int, n_out: int) -> str:
        """Dense layer ``key`` on ``x``, float [batch, n_in]."""
        weights = self.tensor(f"{key}.weight", n_out, n_in)
        return self.node("Gemm", x, weights, self.tensor(f"{key}.bias", n_out), transB=1)

    def gelu(self, x: str) -> str:
        """``x`` times the share of a normal distribution below it, of float [...]."""
        error = self.node("Erf", self.node("Div", x, np.array(2**0.5, np.float32)))
        product = self.node("Mul", x, self.node("Add", error, np.array(1, np.float32)))
        return self.node("Mul", product, np.array(0.5, np.float32))

    def model(self, output: str, slides: bool = False) -> Graph:
        """Complete graph of the network, for ONNX Runtime.

        Parameters
        ----------
        output : str
            Name of the logits, float [batch, n_emotions].
        slides : bool
            Whether `SPEECH` and `STEPS` are further inputs.

        Raises
        ------
        ModelError
            If there are tensors that no node uses.
        """
        outputs = {OUTPUT: output} | ({EMBEDDING: self.embedding} if self.embedding else {})
        inputs = {INPUT: None} | ({SPEECH: None, STEPS: None} if slides else {})
        weights = {
            name: array
            for name, array in self._constants.items()
            if array.nbytes >= LEAST_WEIGHTS_BYTES
        }
        return Graph(self.complete(inputs, outputs, {}, weights).SerializeToString(), weights)

    def complete(
        self,
        inputs: Mapping[str, Sequence[int | str] | None],
        outputs: Mapping[str, str],
        shapes: Mapping[str, Sequence[int | str]],
        external: Container[str] = (),
    ) -> onnx.ModelProto:
        """Complete graph.

        Parameters
        ----------
        inputs : mapping of str to sequence or None
            Names and shapes of what the first nodes take, float32 but for `STEPS`; a text names a
            length that varies, and None is any shape.
        outputs : mapping of str to str
            Names of the outputs, float32, and the nodes that they come from.
        shapes : mapping of str to sequence
            Of outputs, as far as they are fixed.
        external : container of str
            Names of the constants that are stored outside the graph.

        Raises
        ------
        ModelError
            If there are tensors that no node uses.
        """
        for key in sorted(set(self._tensors) - self._taken):
            found = self._tensors[key]
            raise ModelError(
                f"tensor {key} is {_described(found.shape, found.dtype.name)}, nothing is needed"
            )
        for name, node in outputs.items():
            self._nodes.append(helper.make_node("Identity", [node], [name]))
        graph = helper.make_graph(
            self._nodes,
            "serctl",
            [_described_value(name, shape) for name, shape in inputs.items()],
            [_described_value(name, shapes.get(name)) for name in outputs],
            [
                _external(name, array) if name in external else numpy_helper.from_array(array, name)
                for name, array in self._constants.items()
            ],
        )
        return helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION
        )

    def _constant(self, array: NDArray[Any]) -> str:
        name = f"constant-{len(self._constants)}"
        self._constants[name] = np.asarray(array, order="C")
        return name


def _external(name: str, array: NDArray[Any]) -> onnx.TensorProto:
    """Placeholder of a constant outside the graph; ONNX requires a location."""
    kind = helper.np_dtype_to_tensor_dtype(array.dtype)
    tensor = TensorProto(name=name, data_type=kind, dims=array.shape)
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=name)
    return tensor


def _described_value(name: str, shape: Sequence[int | str] | None) -> onnx.ValueInfoProto:
    kind = TensorProto.INT64 if name == STEPS else TensorProto.FLOAT
    return helper.make_tensor_value_info(name, kind, shape)


def _described(shape: tuple[int, ...], dtype: str) -> str:
    return f"{tuple(shape)} of {dtype}"


def integers(*numbers: int) -> NDArray[np.int64]:
    """Constant for a node that takes axes or a shape."""
    return np.array(numbers, np.int64)
