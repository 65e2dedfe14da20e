"""What TensorRT's parser takes: every exported graph of every family passes, and each restriction is really checked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import onnx
import pytest
import torch
from diffusers import UNet2DConditionModel
from onnx import TensorProto, helper

from headshots.diffusion.banked.unet import BankedUNet, to_half
from headshots.diffusion.export.ensure import ensure_package
from headshots.diffusion.export.graphs import trace
from headshots.diffusion.export.options import ExportOptions
from headshots.diffusion.export.traceable import unet_item
from headshots.diffusion.foundations.foundation import Foundation
from headshots.diffusion.package import EnginePackage
from headshots.diffusion.tensorrt.check import Finding, check_graph, check_package
from headshots.diffusion.tensorrt.graph import Graph
from headshots.diffusion.tensorrt.rules import RULES
from headshots.diffusion.tensorrt.support import Support
from headshots.settings import default_foundation
from tests.support.foundations.engines import (
    OPTIONS,
    engines,
    tiny_foundation,
    tiny_package,
    tiny_sdxl,
    tiny_sdxl_package,
)

FLOAT, HALF, DOUBLE = TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE
INT, LONG, BYTE = TensorProto.INT32, TensorProto.INT64, TensorProto.UINT8


def half_package() -> EnginePackage:
    return in_half(tiny_foundation())


def half_sdxl_package() -> EnginePackage:
    return in_half(tiny_sdxl())


def in_half(foundation: Path) -> EnginePackage:
    return EnginePackage.read(ensure_package(foundation, engines(), replace(OPTIONS, precision="fp16")))


@pytest.mark.parametrize("package", [tiny_package, half_package, tiny_sdxl_package, half_sdxl_package])
def test_every_graph_of_a_package_runs_on_tensorrt(package: Any) -> None:
    assert check_package(package()) == []


def sd15_shape() -> dict[str, Any]:
    """Stable Diffusion 1.5's blocks, with a twentieth of its channels."""
    return {
        "sample_size": 64,
        "block_out_channels": (16, 32, 64, 64),
        "down_block_types": ("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",),
        "up_block_types": ("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3,
        "layers_per_block": 2,
        "attention_head_dim": 8,
        "cross_attention_dim": 32,
        "norm_num_groups": 8,
    }


def bundled_shape() -> dict[str, Any]:
    """The bundled foundation's blocks, with a quarter of its channels."""
    config = json.loads((default_foundation() / "unet" / "config.json").read_text())
    given = {name: value for name, value in config.items() if not name.startswith("_")}
    return given | {
        "block_out_channels": [channels // 4 for channels in config["block_out_channels"]],
        "cross_attention_dim": config["cross_attention_dim"] // 4,
        "norm_num_groups": 8,
    }


@pytest.mark.parametrize("precision", [pytest.param("fp32", marks=pytest.mark.slow), "fp16"])
@pytest.mark.parametrize("shape", [sd15_shape, bundled_shape])
def test_the_unets_of_both_other_shapes_run_on_tensorrt(tmp_path: Path, shape: Any, precision: str) -> None:
    """Random weights; the trace is held against torch on the way."""
    torch.manual_seed(0)
    unet = UNet2DConditionModel(**shape()).eval().requires_grad_(False)
    banked = BankedUNet(unet, 2).eval()
    if precision == "fp16":
        to_half(unet)
    options = ExportOptions(max_rank=2, slots=3, precision=precision)
    path = trace(unet_item(banked, Foundation.read(tiny_foundation()), options, 16), tmp_path)
    assert list(check_graph(Graph.read(path), Support.published())) == []


def test_the_table_tells_of_a_tensorrt_10_and_each_of_its_rules_is_known() -> None:
    support = Support.published()
    assert support.version.startswith("10.")
    assert "onnx-tensorrt" in support.source
    assert support.opsets == (9, 24)
    assert len(support.operators) == 200
    assert support.operators["Unique"] is None
    rules = {rule["rule"] for operator in support.operators.values() if operator for rule in operator.rules}
    assert rules == set(RULES)


def model_of(
    node: onnx.NodeProto, inputs: dict[str, tuple[int, Sequence[int | str]]], constants: dict[str, Any], **more: Any
) -> onnx.ModelProto:
    graph = helper.make_graph(
        [node],
        "g",
        [helper.make_tensor_value_info(name, kind, shape) for name, (kind, shape) in inputs.items()],
        [helper.make_empty_tensor_value_info(name) for name in node.output],
        [helper.make_tensor(name, LONG, [len(values)], values) for name, values in constants.items()],
    )
    opsets = {"": more.get("opset", 18), **({node.domain: 1} if node.domain else {})}
    return helper.make_model(graph, opset_imports=[helper.make_opsetid(*each) for each in opsets.items()])


def findings(
    operator: str,
    inputs: dict[str, tuple[int, Sequence[int | str]]],
    *,
    names: Sequence[str] | None = None,
    constants: dict[str, Any] | None = None,
    outputs: Sequence[str] = ("y",),
    domain: str = "",
    opset: int = 18,
    **attributes: Any,
) -> list[Finding]:
    given = names or [*inputs, *(constants or {})]
    node = helper.make_node(operator, given, outputs, name="n", domain=domain, **attributes)
    graph = Graph.of(model_of(node, inputs, constants or {}, opset=opset), "g.onnx")
    return list(check_graph(graph, Support.published()))


X = {"x": (FLOAT, ("rows", 4, 8, 8))}


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"operator": "Relu", "inputs": X}, None),
        ({"operator": "Relu", "inputs": {"x": (HALF, ("rows", 4))}}, None),
        ({"operator": "Relu", "inputs": {"x": (DOUBLE, ("rows", 4))}}, "x is DOUBLE"),
        ({"operator": "Sin", "inputs": {"x": (FLOAT, (2,))}, "opset": 7}, "opset 7"),
        ({"operator": "Unique", "inputs": {"x": (FLOAT, (9,))}}, "not supported"),
        ({"operator": "Fancy", "inputs": X, "domain": "com.microsoft"}, "domain com.microsoft"),
        # Indices may be of any type that ONNX allows.
        ({"operator": "Gather", "inputs": X | {"i": (INT, (2,))}}, None),
        ({"operator": "Gather", "inputs": X | {"i": (LONG, (2,))}}, None),
        ({"operator": "Gather", "inputs": {"x": (BYTE, (4,)), "i": (LONG, (2,))}}, "x is UINT8"),
        ({"operator": "Equal", "inputs": {"x": (LONG, (2,)), "z": (LONG, (2,))}}, None),
        ({"operator": "Cast", "inputs": {"x": (BYTE, (2,))}, "to": FLOAT}, None),
        ({"operator": "Cast", "inputs": X, "to": DOUBLE}, "y is DOUBLE"),
        ({"operator": "Transpose", "inputs": {"x": (BYTE, (2, 3))}}, "UINT8"),
        ({"operator": "ReduceMean", "inputs": X, "constants": {"axes": [1]}}, None),
        ({"operator": "ReduceMean", "inputs": X | {"axes": (LONG, (1,))}}, "axes must be a constant"),
        ({"operator": "Unsqueeze", "inputs": X | {"axes": (LONG, (1,))}}, "axes must be a constant"),
        ({"operator": "LayerNormalization", "inputs": X | {"s": (FLOAT, (8,))}}, None),
        (
            {"operator": "LayerNormalization", "inputs": X | {"s": (FLOAT, (8,))}, "outputs": ("y", "mean")},
            "2 of its outputs",
        ),
        ({"operator": "MaxPool", "inputs": X, "kernel_shape": [2, 2]}, None),
        ({"operator": "MaxPool", "inputs": X, "kernel_shape": [2, 2], "dilations": [2, 2]}, "dilations are [2, 2]"),
        ({"operator": "MaxPool", "inputs": {"x": (FLOAT, (1, 4, 8))}, "kernel_shape": [2]}, "3 axes"),
        ({"operator": "ScatterND", "inputs": X | {"i": (LONG, (1, 1)), "u": (FLOAT, (1, 4, 8, 8))}}, None),
        (
            {
                "operator": "ScatterND",
                "inputs": X | {"i": (LONG, (1, 1)), "u": (FLOAT, (1, 4, 8, 8))},
                "reduction": "add",
            },
            "reduction is 'add'",
        ),
        ({"operator": "EyeLike", "inputs": {"x": (FLOAT, ("rows", 2))}}, "fixed lengths"),
        ({"operator": "Constant", "inputs": {}, "value_string": "text"}, "value_string is not taken"),
        ({"operator": "TopK", "inputs": X, "constants": {"k": [3]}, "outputs": ("y", "i")}, "below 3840"),
    ],
)
def test_a_node_is_held_against_the_table(arguments: dict[str, Any], reason: str | None) -> None:
    found = findings(**arguments)
    if reason is None:
        assert found == []
    else:
        assert any(reason in each.reason for each in found), found
        assert {each.operator for each in found} <= {arguments["operator"], "graph"}
        assert all(each.graph == "g.onnx" for each in found)


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        ({"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}, None),
        ({"mode": "cubic"}, "mode is 'cubic'"),
        ({"coordinate_transformation_mode": "tf_crop_and_resize"}, "coordinate_transformation_mode"),
        ({"antialias": 1, "mode": "linear"}, "antialias is 1"),
        ({"axes": [2, 3]}, "axes are [2, 3]"),
        ({"axes": [0, 1, 2, 3]}, None),
    ],
)
def test_resizing_is_held_against_the_table(attributes: dict[str, Any], reason: str | None) -> None:
    found = findings("Resize", {**X, "scales": (FLOAT, (4,))}, names=["x", "", "scales"], **attributes)
    assert [reason] * len(found) == [reason] if reason else found == []
    if reason:
        assert reason in found[0].reason


def test_attention_is_held_against_the_table() -> None:
    """None of ours is one yet; the rules about inputs that must be missing are all its own."""
    four = dict.fromkeys(("q", "k", "v"), (FLOAT, (1, 2, 8, 4)))
    assert findings("Attention", four, opset=23) == []
    cached = {**four, "past_key": (FLOAT, (1, 2, 8, 4)), "past_value": (FLOAT, (1, 2, 8, 4))}
    found = findings("Attention", cached, names=["q", "k", "v", "", "past_key", "past_value"], opset=23)
    assert {"its input past_key is not taken", "its input past_value is not taken"} <= {each.reason for each in found}


def test_uint8_is_taken_at_a_graphs_edges_only() -> None:
    """A cast to bytes whose result is used within the graph, as in a transpose after it."""
    nodes = [
        helper.make_node("Cast", ["x"], ["bytes"], to=BYTE, name="cast"),
        helper.make_node("Identity", ["bytes"], ["y"], name="use"),
    ]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", FLOAT, (2,))],
        [helper.make_tensor_value_info("y", BYTE, (2,))],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    found = {each.node: each.reason for each in check_graph(Graph.of(model, "g.onnx"), Support.published())}
    assert "UINT8 within the graph" in found["cast"]
    assert "UINT8, not" in found["use"]


def test_a_finding_names_what_and_why() -> None:
    finding = Finding("unet.onnx", "/mid/Unique", "Unique", "not supported (TensorRT 10.15)")
    assert str(finding) == "unet.onnx: Unique /mid/Unique: not supported (TensorRT 10.15)"
    assert finding.to_json()["operator"] == "Unique"
