"""A GPU that is this machine's memory: the CUDA driver library's functions, and engines that ONNX Runtime runs.

What is real: addresses, copies, shapes and types that the backend hands over, and the networks' results.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import shutil
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort

from headshots.diffusion.package import EnginePackage, RtxEngine, RtxEngines
from headshots.diffusion.tensorrt.rtx.building import engine_file, source_of
from headshots.diffusion.tensorrt.rtx.targets import installed_version

OUT_OF_MEMORY = 2


class FakeDriver:
    """libcuda, with one GPU, an L40S."""

    def __init__(self, capability: tuple[int, int] = (8, 9), memory_bytes: int = 1 << 40) -> None:
        self.capability = capability
        self.memory_bytes = memory_bytes
        self.allocated: dict[int, Any] = {}
        self.uploads: list[tuple[int, int]] = []

    def cuInit(self, flags: int) -> int:
        return 0

    def cuDeviceGet(self, handle: Any, ordinal: int) -> int:
        return 0

    def cuDeviceGetName(self, name: Any, size: int, handle: Any) -> int:
        name.value = b"NVIDIA L40S"
        return 0

    def cuDeviceGetAttribute(self, value: Any, number: int, handle: Any) -> int:
        value._obj.value = self.capability[number - 75]
        return 0

    def cuDevicePrimaryCtxRetain(self, context: Any, handle: Any) -> int:
        context._obj.value = 1
        return 0

    def cuCtxSetCurrent(self, context: Any) -> int:
        return 0

    def cuCtxSynchronize(self) -> int:
        return 0

    def cuMemAlloc_v2(self, address: Any, size: Any) -> int:
        if size.value > self.memory_bytes:
            return OUT_OF_MEMORY
        self.memory_bytes -= size.value
        # Not zeros, as on a GPU.
        memory = ctypes.create_string_buffer(b"\x7e" * size.value, size.value)
        address._obj.value = ctypes.addressof(memory)
        self.allocated[address._obj.value] = memory
        return 0

    def cuMemsetD8_v2(self, address: Any, value: Any, size: Any) -> int:
        ctypes.memset(address.value, value.value, size.value)
        return 0

    def cuStreamCreate(self, stream: Any, flags: int) -> int:
        stream._obj.value = 7
        return 0

    def cuStreamSynchronize(self, stream: Any) -> int:
        return 0

    def cuMemcpyHtoDAsync_v2(self, address: Any, source: Any, size: Any, stream: Any) -> int:
        self.uploads.append((address.value, size.value))
        ctypes.memmove(address.value, source.value, size.value)
        return 0

    def cuMemcpyDtoHAsync_v2(self, target: Any, address: Any, size: Any, stream: Any) -> int:
        ctypes.memmove(target.value, address.value, size.value)
        return 0


class FakeLoader:
    """Loads engines of :func:`with_fake_engines`: their bytes name the graph, which ONNX Runtime runs."""

    def load(self, name: str, data: bytes) -> FakeEngine:
        return FakeEngine(Path(data.decode()))


class FakeEngine:
    """As much of an ``ICudaEngine`` and its ``IExecutionContext`` as is used, and it refuses what the real one does."""

    def __init__(self, graph: Path) -> None:
        self.session = ort.InferenceSession(str(graph), providers=["CPUExecutionProvider"])
        self.types = {
            port.name: _dtype(port.type) for port in (*self.session.get_inputs(), *self.session.get_outputs())
        }
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.addresses: dict[str, int] = {}

    def create_execution_context(self) -> FakeEngine:
        return self

    def set_input_shape(self, name: str, shape: tuple[int, ...]) -> bool:
        self.shapes[name] = tuple(shape)
        return True

    def set_tensor_address(self, name: str, address: int) -> bool:
        self.addresses[name] = address
        return name in self.types

    def get_tensor_shape(self, name: str) -> tuple[int, ...]:
        if name in self.shapes:
            return self.shapes[name]
        lengths: dict[Any, int] = {}
        for port in self.session.get_inputs():
            lengths |= dict(zip(port.shape, self.shapes[port.name], strict=True))
        factor = 8
        for cells, pixels in (("cells_high", "height"), ("cells_wide", "width")):
            if cells in lengths:
                lengths[pixels] = lengths[cells] * factor
            elif pixels in lengths:
                lengths[cells] = lengths[pixels] // factor
        (port,) = (each for each in self.session.get_outputs() if each.name == name)
        return tuple(lengths.get(side, side) for side in port.shape)

    def execute_async_v3(self, stream: int) -> bool:
        inputs = {port.name: self._at(port.name) for port in self.session.get_inputs()}
        for port, array in zip(self.session.get_outputs(), self.session.run(None, inputs), strict=True):
            ctypes.memmove(self.addresses[port.name], np.ascontiguousarray(array).ctypes.data, array.nbytes)
        return True

    def _at(self, name: str) -> Any:
        """What lies at an input's address now, not before."""
        array = np.empty(self.shapes[name], self.types[name])
        ctypes.memmove(array.ctypes.data, self.addresses[name], array.nbytes)
        return array


def with_fake_engines(package: EnginePackage, folder: Path, targets: tuple[str, ...] = ("sm89",)) -> EnginePackage:
    """A copy of ``package`` in ``folder`` with engines that :class:`FakeLoader` loads, as an export describes them."""
    shutil.copytree(package.folder, folder)
    copy = EnginePackage.read(folder)
    engines, digests = [], dict(copy.files)
    for graph in copy.graphs:
        data = str(folder / graph).encode()
        engines.append(RtxEngine(engine_file(graph, targets), graph, source_of(copy, graph)))
        (folder / engines[-1].file).write_bytes(data)
        digests[engines[-1].file] = hashlib.sha256(data).hexdigest()
    made = replace(copy, tensorrt_rtx=RtxEngines(installed_version(), targets, tuple(engines)), files=digests)
    made.write()
    return EnginePackage.read(folder)


def edit_engines(package: EnginePackage, **changes: Any) -> EnginePackage:
    """The package read again after its ``engine.json`` says something else of its engines."""
    assert package.tensorrt_rtx is not None
    replace(package, tensorrt_rtx=replace(package.tensorrt_rtx, **changes)).write()
    found = EnginePackage.read(package.folder)
    assert json.loads(json.dumps(asdict(found)["tensorrt_rtx"])) is not None
    return found


def _dtype(kind: str) -> Any:
    """``tensor(float)`` to numpy's."""
    name = kind.removeprefix("tensor(").removesuffix(")")
    return np.dtype({"float": "float32", "double": "float64"}.get(name, name))
