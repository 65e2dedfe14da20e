"""The real builder on small graphs: in which precision they run, what it is told, and which layer stops it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnx
import pytest
import tensorrt_rtx_bindings as trt
from onnx import NodeProto, TensorProto, helper, numpy_helper

from headshots.diffusion.tensorrt.profiles import Shapes, dynamic_shapes
from headshots.diffusion.tensorrt.rtx import builder
from headshots.errors import InvalidArgumentError, UnavailableError
from tests.support.foundations.engines import tiny_package

TARGETS = ("sm89", "sm120")


def job(folder: Path, nodes: list[NodeProto], weights: dict[str, Any] | None = None, kind: str = "FLOAT16") -> Any:
    """To build ``nodes``, which make y of x in half precision, with y of type ``kind``."""
    ports = [
        helper.make_tensor_value_info(name, TensorProto.DataType.Value(each), [2, 16])
        for name, each in (("x", "FLOAT16"), ("y", kind))
    ]
    tensors = [numpy_helper.from_array(value, name) for name, value in (weights or {}).items()]
    graph = helper.make_graph(nodes, "g", ports[:1], ports[1:], tensors)
    path = folder / "graph.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 23)]), path)
    return builder.Job(path, folder / "engine", TARGETS, {})


@pytest.mark.parametrize(
    ("operator", "weights"), [("Shrink", {}), ("RMSNormalization", {"scale": np.ones(16, np.float16)})]
)
def test_an_operator_that_would_run_in_another_precision_is_an_error(
    tmp_path: Path, operator: str, weights: dict[str, Any]
) -> None:
    """The parser has these in fp32 only, and converts before and after: no value of the graph changes its type."""
    asked = job(tmp_path, [helper.make_node(operator, ["x", *weights], ["y"], name="/mid")], weights)
    with pytest.raises(InvalidArgumentError, match="x: FP16 became FP32 on the way") as caught:
        builder.build(asked)
    assert caught.value.reason == "ENGINE_PRECISION"
    assert not asked.engine.exists()


def test_conversions_of_the_graph_and_of_constants_are_none(tmp_path: Path) -> None:
    """``Mod`` brings a constant in fp32, which is converted when the engine is built."""
    nodes = [
        helper.make_node("Mod", ["x", "x"], ["rest"], name="/mod", fmod=1),
        helper.make_node("Cast", ["rest"], ["y"], name="/cast", to=TensorProto.FLOAT),
    ]
    asked = job(tmp_path, nodes, kind="FLOAT")
    assert builder.build(asked) > len(nodes)
    assert asked.engine.stat().st_size > 0


def test_a_value_that_the_network_lacks_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its type could not be told, and unsaid would count as right."""
    real = builder.trt.OnnxParser

    def forgetful(network: Any, log: Any) -> Any:
        parser = real(network, log)
        return SimpleNamespace(
            parse_from_file=parser.parse_from_file, get_layer_output_tensor=lambda name, number: None
        )

    monkeypatch.setattr(builder.trt, "OnnxParser", forgetful)
    with pytest.raises(InvalidArgumentError, match="Relu /mid: FP16 became nothing") as caught:
        builder.build(job(tmp_path, [helper.make_node("Relu", ["x"], ["y"], name="/mid")]))
    assert caught.value.reason == "ENGINE_PRECISION"


def test_a_layer_that_cannot_be_built_is_named(tmp_path: Path) -> None:
    """For a GPU that cannot run it: no product of fp32 matrices on sm75, which is why it is not offered."""
    package = tiny_package()
    shapes = dict(dynamic_shapes(package, "text_encoder.onnx"))
    asked = builder.Job(package.folder / "text_encoder.onnx", tmp_path / "engine", ("sm75",), shapes)
    with pytest.raises(UnavailableError, match=r"for sm75: .*/self_attn/\w+/MatMul.*FP32 GEMM") as caught:
        builder.build(asked)
    assert caught.value.reason == "ENGINE_BUILD_FAILED"


def test_the_builder_is_told_the_gpus_the_shapes_and_that_fp32_is_not_rounded(tmp_path: Path) -> None:
    made: list[Any] = []
    real = trt.Builder(trt.Logger(trt.Logger.ERROR))

    def profile() -> Any:
        made.append(real.create_optimization_profile())
        return made[-1]

    spied = SimpleNamespace(create_builder_config=real.create_builder_config, create_optimization_profile=profile)
    shapes = {"x": Shapes((1, 4), (2, 8), (8, 16))}
    config = builder.configured(spied, builder.Job(tmp_path, tmp_path, TARGETS, shapes))
    told = [config.get_compute_capability(number) for number in range(config.num_compute_capabilities)]
    assert told == [trt.ComputeCapability.SM89, trt.ComputeCapability.SM120]
    assert not config.get_flag(trt.BuilderFlag.TF32)
    assert config.num_optimization_profiles == 1
    assert [tuple(shape) for shape in made[0].get_shape("x")] == [(1, 4), (2, 8), (8, 16)]
