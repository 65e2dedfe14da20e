"""Runs an engine: inputs up, one call, outputs down, in memory that was taken when it was loaded."""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping
from typing import Any

import numpy as np

from headshots.diffusion.package import Port, Signature
from headshots.diffusion.tensorrt.profiles import Shape, Shapes
from headshots.diffusion.tensorrt.rtx.device import Array, Device
from headshots.errors import InternalError, InvalidArgumentError, ResourceExhaustedError

_NOTHING: Mapping[str, int] = {}


class EngineGraph:
    """One graph of the package as an engine. Thread-safe: one call after the other."""

    def __init__(
        self, name: str, engine: Any, device: Device, signature: Signature, shapes: Mapping[str, Shapes]
    ) -> None:
        """Take memory for the largest inputs and outputs.

        Args:
            name: for messages.
            engine: ``tensorrt_rtx_bindings.ICudaEngine``.
            device: where it was loaded.
            signature: of the graph that it was built from.
            shapes: of every input; one that is given as resident to :meth:`run` gets no memory here.

        Raises:
            ResourceExhaustedError: GPU_MEMORY_FULL.
        """
        self._name, self._engine, self._device, self._signature = name, engine, device, signature
        self._ranges = shapes
        self._context = engine.create_execution_context()
        if self._context is None:
            raise ResourceExhaustedError(
                "GPU_MEMORY_FULL",
                f"the GPU has no room for the work of {name}; export with fewer --max-rows or a smaller --size",
            )
        self._stream = device.stream()
        self._lock = threading.Lock()
        self._addresses: dict[str, int] = {}
        for port in signature.inputs:
            self._context.set_input_shape(port.name, shapes[port.name].high)
        self._outputs = {port.name: self._reserve(port, self._shape(port)) for port in signature.outputs}

    def run(self, inputs: Mapping[str, Array], resident: Mapping[str, int] = _NOTHING) -> list[Array]:
        """Outputs in order. ``inputs`` are copied to the device; ``resident`` are addresses of inputs that are there.

        Raises:
            InvalidArgumentError: ENGINE_SHAPE, where an input has a shape that the engine was not built for.
            InternalError: ENGINE_FAILED, GPU_FAILED.
        """
        with self._lock:
            self._device.activate()
            # Named, so that they live until the copies are done.
            arrays = [self._put(port, inputs[port.name]) for port in self._signature.inputs if port.name in inputs]
            for name, address in resident.items():
                self._bind(name, address)
            outputs = []
            for port in self._signature.outputs:
                outputs.append(np.empty(self._shape(port), port.dtype))
                self._bind(port.name, self._outputs[port.name])
            if not self._context.execute_async_v3(self._stream):
                raise InternalError("ENGINE_FAILED", f"the engine of {self._name} did not run; the log says why")
            for port, array in zip(self._signature.outputs, outputs, strict=True):
                self._device.download(self._outputs[port.name], array, self._stream)
            self._device.wait(self._stream)
            del arrays
            return outputs

    def _put(self, port: Port, given: Array) -> Array:
        array = np.ascontiguousarray(given, port.dtype)
        span = self._ranges[port.name]
        fits = len(span.low) == array.ndim and all(
            low <= side <= high for low, side, high in zip(span.low, array.shape, span.high, strict=True)
        )
        if not fits:
            raise InvalidArgumentError(
                "ENGINE_SHAPE",
                f"{self._name}: {port.name} is {list(array.shape)}, the engine is for {list(span.low)} to "
                f"{list(span.high)}; export with that --size or --max-rows",
            )
        if port.name not in self._addresses:
            self._addresses[port.name] = self._reserve(port, span.high)
        self._context.set_input_shape(port.name, array.shape)
        self._device.upload(array, self._addresses[port.name], self._stream)
        self._bind(port.name, self._addresses[port.name])
        return array

    def _bind(self, name: str, address: int) -> None:
        if not self._context.set_tensor_address(name, address):
            raise InternalError("ENGINE_FAILED", f"the engine of {self._name} has no {name}; export again")

    def _shape(self, port: Port) -> Shape:
        return tuple(self._context.get_tensor_shape(port.name))

    def _reserve(self, port: Port, shape: Shape) -> int:
        return self._device.allocate(math.prod(shape) * np.dtype(port.dtype).itemsize)
