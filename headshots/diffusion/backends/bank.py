"""Keeps the bank on its device, and writes one row of it without touching the others.

ONNX Runtime can only overwrite whole values (``update_inplace``). So each row gets a value of its own that lies on the
bank's memory: DLPack, the exchange format that ONNX Runtime reads, says where a tensor lies, and no more is needed. The
same code runs on the CPU and on a GPU; there the host keeps no copy, and a slot costs one transfer of its own size.

Shapes: S slots, P floats of an adapter row.
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

_CPU, _CUDA = 1, 2  # DLDeviceType
_FLOAT = 2  # DLDataTypeCode


class _Device(ctypes.Structure):
    _fields_ = (("type", ctypes.c_int32), ("id", ctypes.c_int32))


class _DataType(ctypes.Structure):
    _fields_ = (("code", ctypes.c_uint8), ("bits", ctypes.c_uint8), ("lanes", ctypes.c_uint16))


class _Tensor(ctypes.Structure):
    """DLTensor of dlpack.h."""

    _fields_ = (
        ("data", ctypes.c_void_p),
        ("device", _Device),
        ("ndim", ctypes.c_int32),
        ("dtype", _DataType),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.POINTER(ctypes.c_int64)),
        ("byte_offset", ctypes.c_uint64),
    )


class _Managed(ctypes.Structure):
    """DLManagedTensor of dlpack.h; no deleter, because the bank owns the memory."""

    _fields_ = (("tensor", _Tensor), ("context", ctypes.c_void_p), ("deleter", ctypes.c_void_p))


class Bank:
    """One ``[slots, row]`` value on a device, all zeros at first."""

    def __init__(self, slots: int, row_size: int, dtype: npt.DTypeLike, *, device: str = "cpu", device_id: int = 0):
        """``device``: ``cpu`` or ``cuda``, as ONNX Runtime names them."""
        self._dtype = np.dtype(dtype)
        self._nothing_P = np.zeros(row_size, self._dtype)
        self.value_SP = ort.OrtValue.ortvalue_from_shape_and_type(
            [slots, row_size], self._dtype.type, device, device_id
        )
        self._views = [_View(self.value_SP, slot, device, device_id, self._dtype) for slot in range(slots)]
        for slot in range(slots):
            self.write(slot, None)

    @property
    def nbytes(self) -> int:
        """Bytes on the device."""
        return int(self.value_SP.tensor_size_in_bytes())

    def write(self, slot: int, row_P: npt.NDArray[Any] | None) -> None:
        """Copy a row into ``slot``; None clears it."""
        row_P = self._nothing_P if row_P is None else np.ascontiguousarray(row_P, self._dtype)
        assert row_P.shape == self._nothing_P.shape
        self._views[slot].value_P.update_inplace(row_P)


class _View:
    """A value that is one row of another's memory; valid while that one lives."""

    def __init__(self, bank_SP: Any, slot: int, device: str, device_id: int, dtype: np.dtype[Any]) -> None:
        row_size = bank_SP.shape()[1]
        self._shape = (ctypes.c_int64 * 1)(row_size)
        self._managed = _Managed()
        tensor = self._managed.tensor
        tensor.data = bank_SP.data_ptr() + slot * row_size * dtype.itemsize
        tensor.device = _Device(_CUDA if device == "cuda" else _CPU, device_id)
        tensor.ndim = 1
        tensor.dtype = _DataType(_FLOAT, 8 * dtype.itemsize, 1)
        tensor.shape = self._shape
        make_capsule = ctypes.pythonapi.PyCapsule_New
        make_capsule.restype = ctypes.py_object
        make_capsule.argtypes = (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)
        self.value_P = ort.OrtValue.from_dlpack(make_capsule(ctypes.addressof(self._managed), b"dltensor", None))
