"""Moves large weights beside the graph: a protobuf file holds 2 GiB at most, an SD 1.5 UNet in fp32 is 3.4 GB.

torch writes a file a tensor where it must; here they become one file in the graph's order, copied tensor by tensor, so
that the whole is never in memory.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

import onnx
from onnx import TensorProto
from onnx.external_data_helper import ExternalDataInfo, set_external_data

from headshots.diffusion.package import Port, Signature

_INLINE_BYTES = 1024
"""Smaller tensors stay in the graph: shape inference wants to read some of them."""
_ALIGNMENT = 4096
"""So that a run time may map the file."""


def externalize(path: Path, *, limit: int) -> None:
    """Put the weights of the graph ``path`` into ``{path}.data``, if they take more than ``limit`` bytes."""
    model = onnx.load(str(path), load_external_data=False)
    tensors = list(model.graph.initializer)
    scattered = {_location(path, tensor) for tensor in tensors if _is_external(tensor)}
    inline = sum(len(tensor.raw_data) for tensor in tensors)
    data = path.with_name(path.name + ".data")
    if scattered == {data} or (not scattered and inline <= limit):
        return
    with data.open("wb") as file:
        for tensor in tensors:
            if _is_external(tensor) or len(tensor.raw_data) >= _INLINE_BYTES:
                _append(file, tensor, path)
    onnx.save_model(model, str(path))
    for each in scattered:
        each.unlink()


def pin_outputs(path: Path, shapes: Mapping[str, Sequence[int]], dynamic: Mapping[str, Mapping[int, str]]) -> None:
    """Write the outputs' fixed lengths into the graph ``path``: the tracer invents names for all it cannot infer."""
    model = onnx.load(str(path), load_external_data=False)
    for value in model.graph.output:
        for axis, (dim, length) in enumerate(zip(value.type.tensor_type.shape.dim, shapes[value.name], strict=True)):
            if axis not in dynamic.get(value.name, {}):
                dim.dim_value = length
    onnx.save_model(model, str(path))


def signature(path: Path) -> Signature:
    """What the graph ``path`` takes and gives."""
    graph = onnx.load(str(path), load_external_data=False).graph
    weights = {tensor.name for tensor in graph.initializer}
    return Signature(
        tuple(_port(value) for value in graph.input if value.name not in weights),
        tuple(_port(value) for value in graph.output),
    )


def _append(file: BinaryIO, tensor: TensorProto, graph: Path) -> None:
    file.write(b"\0" * (-file.tell() % _ALIGNMENT))
    offset = file.tell()
    if _is_external(tensor):
        info = ExternalDataInfo(tensor)
        with _location(graph, tensor).open("rb") as source:
            source.seek(info.offset or 0)
            shutil.copyfileobj(source, file, 1 << 22)
    else:
        file.write(tensor.raw_data)
    # The helper insists on data that is there to be moved out.
    tensor.raw_data = b"\0"
    set_external_data(tensor, graph.name + ".data", offset=offset, length=file.tell() - offset)
    tensor.ClearField("raw_data")


def _is_external(tensor: TensorProto) -> bool:
    return bool(tensor.data_location == TensorProto.EXTERNAL)


def _location(graph: Path, tensor: TensorProto) -> Path:
    return graph.with_name(ExternalDataInfo(tensor).location)


def _port(value: onnx.ValueInfoProto) -> Port:
    tensor = value.type.tensor_type
    shape = tuple(dim.dim_param or int(dim.dim_value) for dim in tensor.shape.dim)
    return Port(value.name, str(onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type)), shape)
