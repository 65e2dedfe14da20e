"""Shapes that a graph works out at every call become constants, and only those."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

from headshots.diffusion.export.told_shapes import tell_shapes


def graph(path: Path) -> Path:
    """[B, 4, 6] to [B, 2, 12], by a shape that is put together, and cut; then zeros are added, as many as rows."""
    integers = {"zero": [0], "end": [1], "rest": [2, 12], "lengths": [3]}
    nodes = [
        helper.make_node("Shape", ["x"], ["shape"]),
        helper.make_node("Slice", ["shape", "zero", "end"], ["rows"]),
        helper.make_node("Concat", ["rows", "rest"], ["wanted"], axis=0),
        helper.make_node("Reshape", ["x", "wanted"], ["halves"]),
        helper.make_node("Sub", ["lengths", "end"], ["two"]),
        helper.make_node("Slice", ["halves", "zero", "two", "two"], ["first"]),
        helper.make_node("Concat", ["rows", "two", "end"], ["ones"], axis=0),
        helper.make_node("ConstantOfShape", ["ones"], ["nothing"]),
        helper.make_node("Add", ["first", "nothing"], ["y"]),
    ]
    made = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", 4, 6])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["rows", 2, 2])],
        [numpy_helper.from_array(np.asarray(value, np.int64), name) for name, value in integers.items()],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 18)])
    model.ir_version = 9
    onnx.save_model(model, str(path))
    return path


def run(path: Path, rows: int) -> Any:
    x = np.arange(rows * 24, dtype=np.float32).reshape(rows, 4, 6)
    return ort.InferenceSession(str(path), providers=["CPUExecutionProvider"]).run(None, {"x": x})[0]


def test_what_rows_alone_change_is_told(tmp_path: Path) -> None:
    path = graph(tmp_path / "g.onnx")
    expected = [run(path, rows) for rows in (1, 2, 7)]
    calls = [{"x": np.zeros((rows, 4, 6), np.float32)} for rows in (2, 3)]
    tell_shapes(path, calls)
    for rows, before in zip((1, 2, 7), expected, strict=True):
        assert np.array_equal(run(path, rows), before)
    nodes = onnx.load(str(path)).graph.node
    # The reshape's own shape and the slice's ends are constants; how many zeros there are depends on the rows.
    assert [node.op_type for node in nodes].count("Sub") == 1, "it still counts the zeros"
    reshape = next(node for node in nodes if node.op_type == "Reshape")
    assert reshape.input[1].endswith("_told")
    assert next(node for node in nodes if node.output[0] == "first").input[2].endswith("_told")
    assert next(node for node in nodes if node.op_type == "ConstantOfShape").input[0] == "ones"
    assert "wanted" not in {name for node in nodes for name in node.output}, "nobody reads it any more"
