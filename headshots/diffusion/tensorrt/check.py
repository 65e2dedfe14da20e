"""Finds the nodes of a package that TensorRT would leave to a slower provider, by its parser's published support.

One such node costs more than itself: its graph is cut into several engines with copies between them, and no engine
context can be kept for it, so that every pod builds again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass

import onnx
from onnx import NodeProto, TensorProto

from headshots.diffusion.package import EnginePackage
from headshots.diffusion.tensorrt.graph import Graph
from headshots.diffusion.tensorrt.rules import RULES, type_name
from headshots.diffusion.tensorrt.support import Operator, Support

_DOMAINS = ("", "ai.onnx")


@dataclass(frozen=True)
class Finding:
    """A node that would not run on TensorRT. ``node`` is its name, empty where the whole graph is meant."""

    graph: str
    node: str
    operator: str
    reason: str

    def __str__(self) -> str:
        return f"{self.graph}: {self.operator} {self.node}: {self.reason}"

    def to_json(self) -> dict[str, str]:
        """For scripts."""
        return asdict(self)


def check_package(package: EnginePackage, support: Support | None = None) -> list[Finding]:
    """Every node of every graph; empty: all of them run on TensorRT."""
    return [
        finding
        for name in sorted(package.graphs)
        for finding in check_graph(Graph.read(package.folder / name), support or Support.published())
    ]


def check_graph(graph: Graph, support: Support) -> Iterator[Finding]:
    """What ``support`` does not cover."""
    first, last = support.opsets
    if not first <= graph.opset <= last:
        yield Finding(
            graph.name, "", "graph", f"opset {graph.opset}; TensorRT {support.version} takes {first} to {last}"
        )
    for node in graph.nodes:
        for reason in _reasons(node, graph, support):
            yield Finding(graph.name, node.name or str(node.output[0]), node.op_type, reason)


def _reasons(node: NodeProto, graph: Graph, support: Support) -> Iterator[str]:
    if node.domain not in _DOMAINS:
        yield f"operators of the domain {node.domain} are not supported"
        return
    operator = support.operators.get(node.op_type)
    if operator is None:
        known = "not supported" if node.op_type in support.operators else "not in the table"
        yield f"{known} (TensorRT {support.version})"
        return
    yield from _wrong_types(node, graph, operator)
    yield from _inner_uint8(node, graph)
    for facts in operator.rules:
        wrong = RULES[facts["rule"]](node, graph, facts)
        if wrong is not None:
            yield wrong


def _wrong_types(node: NodeProto, graph: Graph, operator: Operator) -> Iterator[str]:
    for name in sorted(_data(node, graph.opset)):
        if name not in graph.types:
            yield f"the type of {name} is unknown"
        elif type_name(graph.types[name]) not in operator.types:
            yield f"{name} is {type_name(graph.types[name])}, not {', '.join(sorted(operator.types))}"


def _inner_uint8(node: NodeProto, graph: Graph) -> Iterator[str]:
    for name in node.output:
        if graph.types.get(name) == TensorProto.UINT8 and name not in graph.edges:
            yield f"{name} is UINT8 within the graph; only inputs and outputs of the graph may be"


def _data(node: NodeProto, opset: int) -> set[str]:
    """Names of the values that an operator's types are about: of its first input's and first output's kind.

    Indices, shapes and conditions are not: their types are ONNX's choice and not the model's.
    """
    schema = onnx.defs.get_schema(node.op_type, opset, "")
    free = {each.type_param_str for each in schema.type_constraints if len(each.allowed_type_strs) > 1}
    ports = [
        (name, formal[min(number, len(formal) - 1)].type_str)
        for names, formal in ((node.input, schema.inputs), (node.output, schema.outputs))
        for number, name in enumerate(names)
        if name
    ]
    leading = {
        formal[0].type_str for formal in (schema.inputs, schema.outputs) if formal and formal[0].type_str in free
    }
    return {name for name, kind in ports if kind in leading}
