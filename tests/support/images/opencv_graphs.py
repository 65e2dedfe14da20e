"""Stand-ins for YuNet and SFace: graphs with their inputs and outputs, whose answers can be told beforehand.

The detector finds squares of pure red that fill a cell of 32 pixels. OpenCV decodes its outputs as it does YuNet's
(opencv/modules/objdetect/src/face_detect.cpp), and aligns and embeds with the recognizer as with SFace.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

_SIDE, _STRIDES = 640, (8, 16, 32)
# Outputs of a cell and how many values each has; the landmarks as shares of the cell.
_CHANNELS = {"cls": 1, "obj": 1, "bbox": 4, "kps": 10}
LANDMARKS = (0.3, 0.4, 0.7, 0.4, 0.5, 0.6, 0.35, 0.8, 0.65, 0.8)


def write_detector(path: Path) -> None:
    """As YuNet's file of March 2023: input ``input`` [1, 3, 640, 640] in BGR, outputs ``cls_8`` … ``kps_32``."""
    nodes, constants, outputs = [], [], []
    for kind, channels in _CHANNELS.items():
        constants.append(numpy_helper.from_array(np.array([1, -1, channels], np.int64), f"{kind}_shape"))
        for stride in _STRIDES:
            name = f"{kind}_{stride}"
            weights = np.zeros((channels, 3, stride, stride), np.float32)
            if kind in ("cls", "obj") and stride == 32:
                weights[:, 2], weights[:, :2] = 0.1 / stride**2, -0.1 / stride**2
            constants.append(numpy_helper.from_array(weights, f"{name}_weights"))
            constants.append(numpy_helper.from_array(_bias(kind), f"{name}_bias"))
            cells = f"{name}_cells"
            inputs = ["input", f"{name}_weights", f"{name}_bias"]
            nodes.append(helper.make_node("Conv", inputs, [cells], kernel_shape=[stride] * 2, strides=[stride] * 2))
            if kind in ("cls", "obj"):
                nodes.append(helper.make_node("Sigmoid", [cells], [cells := f"{name}_shares"]))
            nodes.append(helper.make_node("Transpose", [cells], [f"{name}_last"], perm=[0, 2, 3, 1]))
            nodes.append(helper.make_node("Reshape", [f"{name}_last", f"{kind}_shape"], [name]))
            outputs.append((name, [1, (_SIDE // stride) ** 2, channels]))
    _save(path, nodes, constants, ("input", [1, 3, _SIDE, _SIDE]), outputs)


def _bias(kind: str) -> np.ndarray:
    """The middle of the cell and a size of one cell; scores near 0 without red."""
    biases = {"cls": [-10.0], "obj": [-10.0], "bbox": [0.5, 0.5, 0.0, 0.0], "kps": LANDMARKS}
    return np.array(biases[kind], np.float32)


def write_recognizer(path: Path) -> None:
    """As SFace's file of December 2021: input ``data`` [1, 3, 112, 112], output ``fc1`` [1, 128]."""
    rng = np.random.default_rng(0)
    constants = [
        numpy_helper.from_array(rng.normal(0, 0.002, (128, 3, 14, 14)).astype(np.float32), "weights"),
        numpy_helper.from_array(np.array([1, -1], np.int64), "flat"),
        numpy_helper.from_array(rng.normal(size=(128 * 64, 128)).astype(np.float32), "matrix"),
    ]
    nodes = [
        helper.make_node("Conv", ["data", "weights"], ["cells"], kernel_shape=[14, 14], strides=[14, 14]),
        helper.make_node("Reshape", ["cells", "flat"], ["row"]),
        helper.make_node("MatMul", ["row", "matrix"], ["fc1"]),
    ]
    _save(path, nodes, constants, ("data", [1, 3, 112, 112]), [("fc1", [1, 128])])


def _save(
    path: Path,
    nodes: list[onnx.NodeProto],
    constants: list[onnx.TensorProto],
    given: tuple[str, list[int]],
    outputs: list[tuple[str, list[int]]],
) -> None:
    inputs, *answers = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in (given, *outputs)
    )
    graph = helper.make_graph(nodes, path.stem, [inputs], answers, constants)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=7), path)
