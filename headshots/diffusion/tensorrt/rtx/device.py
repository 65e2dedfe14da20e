"""Holds memory on a GPU and copies to and from it, by the CUDA driver's own library: serving has no torch.

Eleven of its functions are used; their names are those of ``cuda.h``.
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
import numpy.typing as npt

from headshots.errors import InternalError, ResourceExhaustedError

_OUT_OF_MEMORY = 2  # CUDA_ERROR_OUT_OF_MEMORY
_NON_BLOCKING = 1  # CU_STREAM_NON_BLOCKING

Array = npt.NDArray[Any]


class Device:
    """The memory of one GPU. Its primary context, which the run time uses too, is kept until the process ends."""

    def __init__(self, driver: Any, number: int) -> None:
        """``driver``: see :func:`headshots.diffusion.tensorrt.gpu.load_driver`.

        Raises:
            InternalError: GPU_FAILED.
        """
        self._driver = driver
        handle, self._context = ctypes.c_int(), ctypes.c_void_p()
        self._ask("cuInit", 0)
        self._ask("cuDeviceGet", ctypes.byref(handle), number)
        self._ask("cuDevicePrimaryCtxRetain", ctypes.byref(self._context), handle)
        self.activate()

    def activate(self) -> None:
        """Make the calling thread work on this GPU."""
        self._ask("cuCtxSetCurrent", self._context)

    def allocate(self, nbytes: int) -> int:
        """Address of so much memory, all zeros, never given back.

        Raises:
            ResourceExhaustedError: GPU_MEMORY_FULL.
        """
        address = ctypes.c_uint64()
        size = ctypes.c_size_t(max(nbytes, 1))
        status = self._driver.cuMemAlloc_v2(ctypes.byref(address), size)
        if status == _OUT_OF_MEMORY:
            raise ResourceExhaustedError(
                "GPU_MEMORY_FULL",
                f"the GPU has no {nbytes / 1e6:.0f} MB left; export with fewer --slots, --max-rows or a smaller --size",
            )
        self._check(status, "cuMemAlloc_v2")
        self._ask("cuMemsetD8_v2", address, ctypes.c_ubyte(0), size)
        # Streams that wait for no other would not wait for this either.
        self._ask("cuCtxSynchronize")
        return address.value

    def stream(self) -> int:
        """A queue of work that waits for no other."""
        stream = ctypes.c_void_p()
        self._ask("cuStreamCreate", ctypes.byref(stream), _NON_BLOCKING)
        return stream.value or 0

    def upload(self, array: Array, address: int, stream: int) -> None:
        """Queue a copy of ``array``, which is contiguous and lives until the stream was waited for."""
        source, size = ctypes.c_void_p(array.ctypes.data), ctypes.c_size_t(array.nbytes)
        self._ask("cuMemcpyHtoDAsync_v2", ctypes.c_uint64(address), source, size, ctypes.c_void_p(stream))

    def download(self, address: int, array: Array, stream: int) -> None:
        """Queue a copy into ``array``."""
        target, size = ctypes.c_void_p(array.ctypes.data), ctypes.c_size_t(array.nbytes)
        self._ask("cuMemcpyDtoHAsync_v2", target, ctypes.c_uint64(address), size, ctypes.c_void_p(stream))

    def wait(self, stream: int) -> None:
        """Until all that was queued is done."""
        self._ask("cuStreamSynchronize", ctypes.c_void_p(stream))

    def _ask(self, name: str, *arguments: Any) -> None:
        self._check(getattr(self._driver, name)(*arguments), name)

    def _check(self, status: int, name: str) -> None:
        if status != 0:
            raise InternalError("GPU_FAILED", f"the CUDA driver answers {status} to {name}; restart the generator")


class DeviceBank:
    """The bank on a GPU, all zeros at first: ``[slots, row]`` at the address ``value_SP``.

    A slot is written by one copy of its row.
    """

    def __init__(self, device: Device, slots: int, row_size: int, dtype: npt.DTypeLike) -> None:
        self._device = device
        self._dtype = np.dtype(dtype)
        self._nothing_P = np.zeros(row_size, self._dtype)
        self.nbytes = slots * self._nothing_P.nbytes
        self.value_SP = device.allocate(self.nbytes)
        self._stream = device.stream()

    def write(self, slot: int, row_P: Array | None) -> None:
        """Copy a row into ``slot``; None clears it."""
        row_P = self._nothing_P if row_P is None else np.ascontiguousarray(row_P, self._dtype)
        assert row_P.shape == self._nothing_P.shape
        self._device.activate()
        self._device.upload(row_P, self.value_SP + slot * row_P.nbytes, self._stream)
        # The next call may read the row from another stream.
        self._device.wait(self._stream)
