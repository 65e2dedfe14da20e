"""Reads a graph for checking: without its weights, with the type and rank of every value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx
from onnx import AttributeProto, NodeProto, TensorProto, ValueInfoProto

_KEPT_BYTES = 1024
_DOMAINS = ("", "ai.onnx")


@dataclass(frozen=True)
class Graph:
    """What a check asks of a graph.

    Attributes:
        name: the file's.
        opset: of the standard operators.
        nodes: every node, those of sub-graphs too.
        types: ONNX's element type of each value.
        shapes: dimensions of each value whose rank is known; None is a dynamic one.
        edges: names of the graph's inputs and outputs.
        constants: names of values that are known when an engine is built.
    """

    name: str
    opset: int
    nodes: tuple[NodeProto, ...]
    types: Mapping[str, int]
    shapes: Mapping[str, tuple[int | None, ...]]
    edges: frozenset[str]
    constants: frozenset[str]

    @classmethod
    def read(cls, path: Path) -> Graph:
        """Read the graph ``path``; its weights stay on the disk."""
        return cls.of(onnx.load(str(path), load_external_data=False), path.name)

    @classmethod
    def of(cls, model: onnx.ModelProto, name: str) -> Graph:
        """Describe ``model``, whose large weights are dropped."""
        _drop_weights(model)
        model = onnx.shape_inference.infer_shapes(model, data_prop=True)
        graph = model.graph
        values = [*graph.input, *graph.output, *graph.value_info]
        types = {value.name: value.type.tensor_type.elem_type for value in values}
        types |= {tensor.name: tensor.data_type for tensor in graph.initializer}
        shapes = {value.name: _dims(value) for value in values if value.type.tensor_type.HasField("shape")}
        shapes |= {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
        nodes = tuple(_nodes(graph))
        return cls(
            name=name,
            opset=next(entry.version for entry in model.opset_import if entry.domain in _DOMAINS),
            nodes=nodes,
            types={name: kind for name, kind in types.items() if kind},
            shapes=shapes,
            edges=frozenset(value.name for value in (*graph.input, *graph.output)),
            constants=_constants(nodes, (tensor.name for tensor in graph.initializer)),
        )


def attribute(node: NodeProto, name: str) -> Any:
    """The value of an attribute, text as ``str``; None where it is not given."""
    for given in node.attribute:
        if given.name == name:
            value = onnx.helper.get_attribute_value(given)
            return value.decode() if isinstance(value, bytes) else value
    return None


def _drop_weights(model: onnx.ModelProto) -> None:
    """Shape inference copies the whole model, and needs the values of small tensors only."""
    for tensor in model.graph.initializer:
        if len(tensor.raw_data) > _KEPT_BYTES:
            tensor.ClearField("raw_data")
            tensor.data_location = TensorProto.EXTERNAL
            tensor.external_data.add(key="location", value="dropped")


def _dims(value: ValueInfoProto) -> tuple[int | None, ...]:
    return tuple(dim.dim_value if dim.HasField("dim_value") else None for dim in value.type.tensor_type.shape.dim)


def _nodes(graph: onnx.GraphProto) -> Iterator[NodeProto]:
    for node in graph.node:
        yield node
        for given in node.attribute:
            if given.type == AttributeProto.GRAPH:
                yield from _nodes(given.g)


def _constants(nodes: tuple[NodeProto, ...], initializers: Iterator[str]) -> frozenset[str]:
    """Initializers, Constant nodes and what is computed from nothing else: nodes come in the order they run in."""
    known = set(initializers)
    for node in nodes:
        if node.op_type == "Constant" or (node.input and all(name in known for name in node.input if name)):
            known.update(node.output)
    return frozenset(known)
