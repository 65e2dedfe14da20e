"""Parses a graph and builds its engine: the only module that loads TensorRT for RTX's builder, run by a child process.

Strongly typed: every value keeps the type that the graph gives it, and fp32 is not rounded to TF32.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tensorrt_rtx_bindings as trt

from headshots.diffusion.tensorrt.graph import Graph
from headshots.diffusion.tensorrt.profiles import Shapes
from headshots.diffusion.tensorrt.rules import type_name
from headshots.errors import InvalidArgumentError, ResourceExhaustedError, UnavailableError

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_TYPES = {"FLOAT": "FP32", "HALF": "FP16"}
"""The builder's names of types, where they differ from those of the published table."""
_FLOATS = {"FP32", "FP16", "BF16"}


@dataclass(frozen=True)
class Job:
    """An engine to build: of which graph, into which file, for which GPUs (``sm89`` …), for inputs of which shapes."""

    graph: Path
    engine: Path
    targets: tuple[str, ...]
    shapes: dict[str, Shapes]


class _Log(trt.ILogger):  # type: ignore[misc]
    """Keeps the errors, which name layers."""

    def __init__(self) -> None:
        trt.ILogger.__init__(self)
        self.errors: list[str] = []

    def log(self, severity: Any, message: str) -> None:
        """Called by the library, from any thread."""
        if severity in (trt.ILogger.ERROR, trt.ILogger.INTERNAL_ERROR):
            self.errors.append(message)


def build(job: Job) -> int:
    """Write the engine; the number of its layers before they are fused.

    Raises:
        InvalidArgumentError: ENGINE_NODE_UNSUPPORTED, naming the node; ENGINE_PRECISION, naming the values.
        UnavailableError: ENGINE_BUILD_FAILED, with what the builder said.
        ResourceExhaustedError: ENGINE_NO_ROOM.
    """
    log = _Log()
    builder = trt.Builder(log)
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    parser = trt.OnnxParser(network, log)
    if not parser.parse_from_file(str(job.graph)):
        raise _unsupported(job.graph, parser, log)
    graph = Graph.read(job.graph)
    changed = [*_changed_types(graph, parser), *_conversions(graph, network)]
    if changed:
        raise InvalidArgumentError(
            "ENGINE_PRECISION",
            f"{job.graph.name}: TensorRT for RTX {trt.__version__} gives {len(changed)} values another type than the "
            f"graph, first {changed[0]}; export without --tensorrt-rtx, and report it: it is a defect of the export",
        )
    engine = builder.build_serialized_network(network, configured(builder, job))
    if engine is None:
        raise UnavailableError(
            "ENGINE_BUILD_FAILED",
            f"{job.graph.name} could not be built for {', '.join(job.targets)}: {' '.join(log.errors[-2:])}; "
            "if memory is short give it more with --build-memory-gb, otherwise export without --tensorrt-rtx",
        )
    write_engine(job.engine, memoryview(engine))
    return int(network.num_layers)


def write_engine(path: Path, engine: memoryview) -> None:
    """Write a built engine.

    Raises:
        ResourceExhaustedError: ENGINE_NO_ROOM.
    """
    try:
        with path.open("wb") as file:
            file.write(engine)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        raise ResourceExhaustedError(
            "ENGINE_NO_ROOM",
            f"{path.name} takes {engine.nbytes / 1e6:.0f} MB and there is no room for it in {path.parent.parent}: "
            f"{error.strerror}; free some, or name another folder with --out or --engines",
        ) from error


def configured(builder: Any, job: Job) -> Any:
    """The builder's settings for a job: its targets, its profile, and fp32 that is not rounded."""
    config = builder.create_builder_config()
    config.clear_flag(trt.BuilderFlag.TF32)
    config.num_compute_capabilities = len(job.targets)
    for number, target in enumerate(job.targets):
        # Never CURRENT: that one asks the GPU.
        config.set_compute_capability(getattr(trt.ComputeCapability, target.upper()), number)
    profile = builder.create_optimization_profile()
    for name, shapes in job.shapes.items():
        profile.set_shape(name, shapes.low, shapes.usual, shapes.high)
    config.add_optimization_profile(profile)
    return config


def _unsupported(graph: Path, parser: Any, log: _Log) -> InvalidArgumentError:
    """What the parser does not take, by name."""
    found = [parser.get_error(number) for number in range(parser.num_errors)]
    nodes = [f"{each.node_operator()} {each.node_name()} ({each.desc()})" for each in found if each.node_operator()]
    what = ", ".join(nodes) or " ".join([*(each.desc() for each in found), *log.errors][:2])
    return InvalidArgumentError(
        "ENGINE_NODE_UNSUPPORTED",
        f"{graph.name}: the parser of TensorRT for RTX {trt.__version__} does not take {what}; "
        "export without --tensorrt-rtx and serve the package on another provider, as cuda",
    )


def _changed_types(graph: Graph, parser: Any) -> Iterator[str]:
    """Values that have another type in the builder's network than in the graph, or that the network lacks.

    Constants are no layers of the network, and a value whose type ONNX cannot infer is told by those it comes from.
    """
    for node in graph.nodes:
        if node.op_type == "Constant":
            continue
        for number, name in enumerate(node.output):
            if name not in graph.types:
                continue
            tensor = parser.get_layer_output_tensor(node.name, number)
            given, built = type_name(graph.types[name]), "nothing" if tensor is None else _type_of(tensor)
            if given != built:
                yield f"{node.op_type} {node.name}: {given} became {built}"


def _conversions(graph: Graph, network: Any) -> Iterator[str]:
    """Conversions between kinds of floats that no node of the graph asks for.

    The parser adds them around operators that it has in one precision only; the values before and after keep their
    types.
    """
    asked = {name for node in graph.nodes if node.op_type == "Cast" for name in node.output}
    layers = [network.get_layer(number) for number in range(network.num_layers)]
    # What is constant is converted when the engine is built.
    constants = {layer.get_output(0).name for layer in layers if layer.type == trt.LayerType.CONSTANT}
    for layer in (layer for layer in layers if layer.type == trt.LayerType.CAST):
        source, made = layer.get_input(0), layer.get_output(0)
        given, built = _type_of(source), _type_of(made)
        if given != built and {given, built} <= _FLOATS and made.name not in asked and source.name not in constants:
            yield f"{source.name}: {given} became {built} on the way to {made.name}"


def _type_of(tensor: Any) -> str:
    name: str = tensor.dtype.name
    return _TYPES.get(name, name)
