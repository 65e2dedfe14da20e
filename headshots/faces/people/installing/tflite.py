"""Converts a small network of TensorFlow Lite to ONNX: the operators that MediaPipe's face mesh has, and no others.

TensorFlow Lite has channels last, ONNX channels first: weights are turned once, here. Shapes: N pictures, H, W sides,
C channels. The numbers are those of tensorflow/lite/schema/schema.fbs.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from flatbuffers import number_types
from onnx import TensorProto, helper, numpy_helper

from headshots.faces.people.installing.flat import Fields, FlatError

INPUT = "pixels"
_OPSET = 17
_FLOAT32, _INT32 = 0, 2
_SAME, _NO_ACTIVATION, _RELU = 0, 0, 1

Array = npt.NDArray[Any]


class _Network:
    """One subgraph while it is converted; tensors go by their numbers."""

    def __init__(self, model: Fields) -> None:
        self.codes = [
            max(code.byte(0), code.number(3))  # the older field ends at 127
            for code in model.tables(1)
        ]
        self.buffers = model.tables(4)
        (self.graph,) = model.tables(2)
        self.tensors = self.graph.tables(0)
        self.nodes: list[Any] = []
        self.weights: list[Any] = []
        self.names: dict[int, str] = {}
        self._counter = count()

    def shape(self, tensor: int) -> list[int]:
        """As the file has it: channels last."""
        return self.tensors[tensor].numbers(0)

    def constant(self, tensor: int) -> Array:
        """The values of a weight."""
        kind = {_FLOAT32: "<f4", _INT32: "<i4"}.get(self.tensors[tensor].byte(1))
        content = self.buffers[self.tensors[tensor].number(2, number_types.Uint32Flags)].content(0)
        shape = self.shape(tensor)
        if kind is None or content.size != 4 * int(np.prod(shape)):
            raise FlatError(f"tensor {tensor} is no weight of 32 bits")
        return content.view(kind).reshape(shape)

    def weight(self, values: Array) -> str:
        """Stores it, and tells its name."""
        name = f"weight_{next(self._counter)}"
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def node(self, kind: str, inputs: list[str], **attributes: object) -> str:
        """Adds an operator, and tells the name of its output."""
        output = f"value_{next(self._counter)}"
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def activated(self, name: str, activation: int) -> str:
        """What an operator's own activation makes of its output."""
        if activation not in (_NO_ACTIVATION, _RELU):
            raise FlatError(f"activation {activation} is not converted")
        return self.node("Relu", [name]) if activation == _RELU else name


Converter = Callable[[_Network, list[int], Fields], str]


def convert(data: bytes) -> Any:
    """The ONNX model of a file: one input `INPUT` [1, C, H, W], outputs `output_0` … of [1, numbers].

    Raises:
        FlatError: when it is no such file, or has an operator that is not converted.
    """
    network = _Network(Fields.of_model(data))
    (entry,) = network.graph.numbers(1)
    _, height, width, channels = network.shape(entry)
    network.names[entry] = INPUT
    for operator in network.graph.tables(3):
        kind = network.codes[operator.number(0, number_types.Uint32Flags)]
        if kind not in _CONVERTERS:
            raise FlatError(f"operator {kind} is not converted")
        (result,) = operator.numbers(2)
        network.names[result] = _CONVERTERS[kind](network, operator.numbers(1), operator)
    outputs = []
    for number, tensor in enumerate(network.graph.numbers(2)):
        size = int(np.prod(network.shape(tensor)))
        network.nodes.append(helper.make_node("Flatten", [network.names[tensor]], [f"output_{number}"]))
        outputs.append(helper.make_tensor_value_info(f"output_{number}", TensorProto.FLOAT, [1, size]))
    inputs = [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, [1, channels, height, width])]
    graph = helper.make_graph(network.nodes, "network", inputs, outputs, network.weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=10)
    onnx.checker.check_model(model, full_check=True)
    return model


def _conv(network: _Network, inputs: list[int], operator: Fields) -> str:
    options = operator.table(4)
    weight_OHWI = network.constant(inputs[1])
    return _convolved(network, inputs, weight_OHWI.transpose(0, 3, 1, 2), options, 1, 3)


def _depthwise(network: _Network, inputs: list[int], operator: Fields) -> str:
    options = operator.table(4)
    weight_1HWC = network.constant(inputs[1])
    if options.number(3) != 1:
        raise FlatError("a depthwise convolution of several outputs a channel is not converted")
    return _convolved(network, inputs, weight_1HWC.transpose(3, 0, 1, 2), options, weight_1HWC.shape[3], 4)


def _convolved(
    network: _Network, inputs: list[int], weight_OIHW: Array, options: Fields, groups: int, activation: int
) -> str:
    strides = [options.number(2), options.number(1)]  # the file has the width's first
    if any(options.number(activation + field, default=1) != 1 for field in (1, 2)):
        raise FlatError("a dilated convolution is not converted")
    name = network.node(
        "Conv",
        [network.names[inputs[0]], network.weight(weight_OIHW), network.weight(network.constant(inputs[2]))],
        kernel_shape=list(weight_OIHW.shape[2:]),
        strides=strides,
        pads=_pads(network.shape(inputs[0]), weight_OIHW.shape[2:], strides, options.byte(0)),
        group=groups,
    )
    return network.activated(name, options.byte(activation))


def _max_pool(network: _Network, inputs: list[int], operator: Fields) -> str:
    options = operator.table(4)
    strides, kernel = [options.number(2), options.number(1)], (options.number(4), options.number(3))
    pads = _pads(network.shape(inputs[0]), kernel, strides, options.byte(0))
    name = network.node("MaxPool", [network.names[inputs[0]]], kernel_shape=list(kernel), strides=strides, pads=pads)
    return network.activated(name, options.byte(5))


def _pads(shape_NHWC: list[int], kernel: tuple[int, ...], strides: list[int], padding: int) -> list[int]:
    """Top, left, bottom, right. SAME: as many outputs as strides fit, the odd pixel at the end."""
    if padding != _SAME:
        return [0, 0, 0, 0]
    needed = [
        max((-(-side // stride) - 1) * stride + span - side, 0)
        for side, span, stride in zip(shape_NHWC[1:3], kernel, strides, strict=True)
    ]
    return [*(each // 2 for each in needed), *(each - each // 2 for each in needed)]


def _prelu(network: _Network, inputs: list[int], operator: Fields) -> str:
    slopes = network.constant(inputs[1]).reshape(-1, 1, 1)
    return network.node("PRelu", [network.names[inputs[0]], network.weight(slopes)])


def _add(network: _Network, inputs: list[int], operator: Fields) -> str:
    name = network.node("Add", [network.names[tensor] for tensor in inputs])
    return network.activated(name, operator.table(4).byte(0))


def _pad(network: _Network, inputs: list[int], operator: Fields) -> str:
    around_42 = network.constant(inputs[1])[[0, 3, 1, 2]]
    return network.node("Pad", [network.names[inputs[0]], network.weight(around_42.T.ravel().astype(np.int64))])


_CONVERTERS: dict[int, Converter] = {0: _add, 3: _conv, 4: _depthwise, 17: _max_pool, 34: _pad, 54: _prelu}
