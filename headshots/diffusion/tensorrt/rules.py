"""Checks a node against the restrictions of ``operators.json``: a function for each kind, which says what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from onnx import NodeProto, TensorProto

from headshots.diffusion.tensorrt.graph import Graph, attribute

Facts = Mapping[str, Any]
Rule = Callable[[NodeProto, Graph, Facts], str | None]

TYPE_NAMES = {
    TensorProto.FLOAT: "FP32",
    TensorProto.FLOAT16: "FP16",
    TensorProto.BFLOAT16: "BF16",
    TensorProto.INT32: "INT32",
    TensorProto.INT64: "INT64",
    TensorProto.INT8: "INT8",
    TensorProto.UINT8: "UINT8",
    TensorProto.BOOL: "BOOL",
    TensorProto.INT4: "INT4",
    TensorProto.FLOAT8E4M3FN: "FP8",
    TensorProto.FLOAT4E2M1: "FP4",
}


def type_name(kind: int) -> str:
    """An element type as TensorRT names it, or as ONNX does where TensorRT has none."""
    name: str = TYPE_NAMES.get(kind) or TensorProto.DataType.Name(kind)
    return name


def _given(node: NodeProto, number: int) -> str:
    """Name of an input, empty where it is left out."""
    return str(node.input[number]) if number < len(node.input) else ""


def _constant_input(node: NodeProto, graph: Graph, facts: Facts) -> str | None:
    name = _given(node, facts["input"])
    return f"its {facts['name']} must be a constant" if name and name not in graph.constants else None


def _input_rank(node: NodeProto, graph: Graph, facts: Facts) -> str | None:
    name = _given(node, facts["input"])
    if not name:
        return None
    if name not in graph.shapes:
        return f"the rank of its input {facts['input']} is unknown"
    rank = len(graph.shapes[name])
    return None if rank in facts["ranks"] else f"its input {facts['input']} has {rank} axes, not {facts['ranks']}"


def _static_input(node: NodeProto, graph: Graph, facts: Facts) -> str | None:
    shape = graph.shapes.get(_given(node, facts["input"]), (None,))
    return f"its input {facts['input']} must have fixed lengths" if None in shape else None


def _input_absent(node: NodeProto, graph: Graph, facts: Facts) -> str | None:
    return f"its input {facts['name']} is not taken" if _given(node, facts["input"]) else None


def _input_type(node: NodeProto, graph: Graph, facts: Facts) -> str | None:
    name = _given(node, facts["input"])
    found = type_name(graph.types.get(name, 0)) if name else None
    return None if found is None or found in facts["types"] else f"its input {facts['input']} is {found}"


def _outputs_at_most(node: NodeProto, graph: Graph, facts: Facts) -> str | None:
    count = len([name for name in node.output if name])
    return f"{count} of its outputs are used, not {facts['count']}" if count > facts["count"] else None


def _attribute_in(node: NodeProto, graph: Graph, facts: Facts) -> str | None:
    value = attribute(node, facts["attribute"])
    value = facts["default"] if value is None else value
    return None if value in facts["values"] else f"its {facts['attribute']} is {value!r}, not {facts['values']}"


def _attribute_all(node: NodeProto, graph: Graph, facts: Facts) -> str | None:
    values = attribute(node, facts["attribute"]) or []
    wrong = any(value != facts["value"] for value in values)
    return f"its {facts['attribute']} are {list(values)}, not all {facts['value']}" if wrong else None


def _attribute_absent(node: NodeProto, graph: Graph, facts: Facts) -> str | None:
    given = attribute(node, facts["attribute"]) is not None
    return f"its attribute {facts['attribute']} is not taken" if given else None


def _axes_all_in_order(node: NodeProto, graph: Graph, facts: Facts) -> str | None:
    axes = attribute(node, facts["attribute"])
    if axes is None or not _given(node, facts["when_input"]):
        return None
    rank = len(graph.shapes.get(node.input[0], ()))
    return None if list(axes) == list(range(rank)) else f"its axes are {list(axes)}, not all of them in order"


def _unverified(node: NodeProto, graph: Graph, facts: Facts) -> str | None:
    return f"not checked here: {facts['text']}"


RULES: Mapping[str, Rule] = {
    "constant_input": _constant_input,
    "input_rank": _input_rank,
    "static_input": _static_input,
    "input_absent": _input_absent,
    "input_type": _input_type,
    "outputs_at_most": _outputs_at_most,
    "attribute_in": _attribute_in,
    "attribute_all": _attribute_all,
    "attribute_absent": _attribute_absent,
    "axes_all_in_order": _axes_all_in_order,
    "unverified": _unverified,
}
