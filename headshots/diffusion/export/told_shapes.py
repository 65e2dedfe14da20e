"""Writes into a graph what its tracer left to be worked out at every call: the shapes of tensors.

At one size only the count of rows changes. A shape that is the same for two counts is a constant; in one where a single
length differs, that length follows from the others. Some hundred nodes of a UNet's thousand work on nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime as ort
from onnx import numpy_helper

Array = npt.NDArray[Any]

_TAKES_SHAPES: Mapping[str, tuple[int, ...]] = {
    "Reshape": (1,),
    "Expand": (1,),
    "ConstantOfShape": (0,),
    "Resize": (3,),
    "Slice": (1, 2, 3, 4),
    "Tile": (1,),
}
"""Which inputs of a node say how large or where something is."""
_FOLLOWS = -1
"""In what Reshape takes: the length that the others leave."""


def tell_shapes(path: Path, calls: Sequence[Mapping[str, Array]]) -> None:
    """Change the graph ``path``. ``calls``: inputs of two calls that differ in their number of rows alone."""
    model = onnx.load(str(path))
    graph = model.graph
    known = {tensor.name for tensor in graph.initializer} | {value.name for value in graph.input}
    known |= {node.output[0] for node in graph.node if node.op_type == "Constant"}
    asked = [
        (node, place)
        for node in graph.node
        for place in _TAKES_SHAPES.get(node.op_type, ())
        if place < len(node.input) and node.input[place] and node.input[place] not in known
    ]
    # What Reshape takes may leave a length open; its result has them all.
    names = [node.output[0] if node.op_type == "Reshape" else node.input[place] for node, place in asked]
    first, second = _values(model, names, calls)
    for (node, place), name in zip(asked, names, strict=True):
        reshapes = node.op_type == "Reshape"
        one, other = (np.asarray(found[name].shape) if reshapes else found[name] for found in (first, second))
        told = _told(one, other, follows=reshapes)
        if told is not None:
            node.input[place] = f"{node.name or node.output[0]}_{place}_told"
            graph.initializer.append(numpy_helper.from_array(told.astype(np.int64), node.input[place]))
    _remove_unread(graph)
    onnx.save_model(model, str(path))


def _values(
    model: onnx.ModelProto, names: Sequence[str], calls: Sequence[Mapping[str, Array]]
) -> list[dict[str, Array]]:
    """What the tensors ``names`` hold in each call."""
    wanted = sorted(set(names))
    asked = onnx.ModelProto()
    asked.CopyFrom(model)
    del asked.graph.output[:]
    asked.graph.output.extend(onnx.ValueInfoProto(name=name) for name in wanted)
    options = ort.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = ort.InferenceSession(asked.SerializeToString(), options, providers=["CPUExecutionProvider"])
    taken = {port.name for port in session.get_inputs()}
    given = [{name: array for name, array in call.items() if name in taken} for call in calls]
    return [dict(zip(wanted, session.run(wanted, call), strict=True)) for call in given]


def _told(one: Array, other: Array, *, follows: bool) -> Array | None:
    """The constant that stands for both; None where there is none. ``follows``: one length may be left open."""
    if one.shape != other.shape:
        return None
    different = np.atleast_1d(one != other)
    if not different.any():
        return one
    if not follows or different.sum() > 1:
        return None
    return np.where(different, _FOLLOWS, one)


def _remove_unread(graph: onnx.GraphProto) -> None:
    """Nodes and weights that nothing reads any more."""
    read, kept = {value.name for value in graph.output}, []
    for node in reversed(graph.node):
        if any(name in read for name in node.output):
            kept.append(node)
            read.update(node.input)
    weights = [tensor for tensor in graph.initializer if tensor.name in read]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(reversed(kept))
    graph.initializer.extend(weights)
