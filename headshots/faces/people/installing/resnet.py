"""Converts dlib's face recognition network from its `.dat` to ONNX. Imports numpy and onnx.

The layers are those of `anet_type` in dlib's examples/dnn_face_recognition_ex.cpp: a residual network of 29
convolutions, each with an affine layer, which is folded into it here. Of the file only the tensors are read, in the
order of the layers; each has to have the size that its layer needs, so a file of another network is refused.

Shapes: N faces, [N, 3, 150, 150] float32, RGB, 0..255, to [N, 128].
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from headshots.faces.people.installing.dat import DatError, DatReader

Array = npt.NDArray[Any]

CHIP, EMBEDDING = 150, 128
# The means that dlib's input_rgb_image_sized<150> subtracts; it divides by 256.
_MEANS, _SCALE = (122.782, 117.001, 104.298), 1 / 256
OPSET, IR_VERSION = 18, 10


@dataclass(frozen=True, slots=True)
class Stage:
    """Residual blocks of one width: the first halves the picture where `down`, the rest keep it."""

    channels: int
    blocks: int
    down: bool


# From the picture to the embedding; the first stage follows a convolution of 7 x 7 and a pooling.
STAGES = (Stage(32, 3, False), Stage(64, 4, True), Stage(128, 3, True), Stage(256, 3, True), Stage(256, 1, True))


@dataclass(slots=True)
class _Graph:
    """Nodes and constants as they are added."""

    nodes: list[Any] = field(default_factory=list)
    constants: list[Any] = field(default_factory=list)

    def add(self, kind: str, inputs: list[str], **attributes: Any) -> str:
        """A node; the name of its output."""
        name = f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], name=name, **attributes))
        return name

    def constant(self, value: Array) -> str:
        """A constant; its name."""
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name


def convert(data: bytes, stages: tuple[Stage, ...] = STAGES, side: int = CHIP, width: int = EMBEDDING) -> Any:
    """The network in `data` as an `onnx.ModelProto` with the input `faces` and the output `embeddings`.

    Args:
        data: a file that dlib wrote.
        stages: of the network; tests have smaller ones.
        side: of the input, in pixels.
        width: of the embedding.

    Raises:
        DatError: when it holds another network.
    """
    reader, graph = DatReader(data), _Graph()
    first = stages[0].channels
    mean = graph.constant(np.array(_MEANS, np.float32).reshape(1, 3, 1, 1))
    centred = graph.add("Sub", ["faces", mean])
    values = graph.add("Mul", [centred, graph.constant(np.array([_SCALE], np.float32))])
    values = graph.add("Relu", [_convolution(reader, graph, values, 3, first, 7, 2)])
    values = graph.add("MaxPool", [values], kernel_shape=[3, 3], strides=[2, 2])
    size, channels = ((side - 7) // 2 + 1 - 3) // 2 + 1, first
    for stage in stages:
        for block in range(stage.blocks):
            if stage.down and block == 0:
                values, size = _halving_block(reader, graph, values, channels, stage.channels, size)
            else:
                values = _block(reader, graph, values, stage.channels)
            channels = stage.channels
    values = graph.add("Flatten", [graph.add("GlobalAveragePool", [values])])
    weights = reader.tensor(channels, width).reshape(channels, width)
    if reader.rest > 4 * channels * width:
        raise DatError(f"{reader.rest} bytes are left after the last layer")
    graph.nodes.append(helper.make_node("MatMul", [values, graph.constant(weights)], ["embeddings"]))
    return _model(graph, side, width)


def _convolution(reader: DatReader, graph: _Graph, x: str, fan_in: int, fan_out: int, side: int, stride: int) -> str:
    """A convolution and the affine layer after it, as one. dlib pads only where the stride is 1."""
    count = fan_out * fan_in * side * side
    filters = reader.tensor(count + fan_out)
    affine = reader.tensor(2 * fan_out)
    scale, shift = affine[:fan_out], affine[fan_out:]
    weights = filters[:count].reshape(fan_out, fan_in, side, side) * scale[:, None, None, None]
    bias = filters[count:] * scale + shift
    pad = side // 2 if stride == 1 else 0
    inputs = [x, graph.constant(weights), graph.constant(bias)]
    return graph.add("Conv", inputs, kernel_shape=[side, side], strides=[stride, stride], pads=[pad] * 4)


def _block(reader: DatReader, graph: _Graph, x: str, channels: int) -> str:
    inner = graph.add("Relu", [_convolution(reader, graph, x, channels, channels, 3, 1)])
    return graph.add("Relu", [graph.add("Add", [_convolution(reader, graph, inner, channels, channels, 3, 1), x])])


def _halving_block(reader: DatReader, graph: _Graph, x: str, fan_in: int, fan_out: int, size: int) -> tuple[str, int]:
    """A block of half the size. dlib's `add_prev` fills the smaller of both sides up with zeros, at the end."""
    inner = graph.add("Relu", [_convolution(reader, graph, x, fan_in, fan_out, 3, 2)])
    inner = _convolution(reader, graph, inner, fan_out, fan_out, 3, 1)
    past = graph.add("AveragePool", [x], kernel_shape=[2, 2], strides=[2, 2])
    inner_size, past_size = (size - 3) // 2 + 1, (size - 2) // 2 + 1
    out = max(inner_size, past_size)
    inner = _filled(graph, inner, 0, out - inner_size)
    past = _filled(graph, past, fan_out - fan_in, out - past_size)
    return graph.add("Relu", [graph.add("Add", [inner, past])]), out


def _filled(graph: _Graph, x: str, channels: int, pixels: int) -> str:
    if not channels and not pixels:
        return x
    return graph.add("Pad", [x, graph.constant(np.array([0, 0, 0, 0, 0, channels, pixels, pixels], np.int64))])


def _model(graph: _Graph, side: int, width: int) -> Any:
    faces = helper.make_tensor_value_info("faces", TensorProto.FLOAT, ["N", 3, side, side])
    embeddings = helper.make_tensor_value_info("embeddings", TensorProto.FLOAT, ["N", width])
    made = helper.make_graph(graph.nodes, "face_recognition_resnet", [faces], [embeddings], graph.constants)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    onnx.checker.check_model(model, full_check=True)
    return model
