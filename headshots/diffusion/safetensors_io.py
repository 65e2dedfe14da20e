"""Reads and writes safetensors files as numpy arrays, the same bytes every time.

The library's own writer keeps metadata in a hash map, so its bytes vary from run to run; adapters are named by their
digest, so ours may not. The format is an eight-byte length, a JSON header and the raw tensors.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import safetensors

from headshots.errors import InvalidAdapterError

Arrays = dict[str, npt.NDArray[np.float32]]

# Integers too: diffusers' converter to kohya's layout writes alpha as one.
_NUMPY_OF = {"F64": np.float64, "F32": np.float32, "F16": np.float16, "I64": np.int64, "I32": np.int32}
_NAME_OF = {np.dtype(dtype): name for name, dtype in _NUMPY_OF.items()}
_ALIGNMENT = 8


def read_arrays(data: bytes) -> tuple[Arrays, dict[str, str]]:
    """All tensors as float32, and the file's metadata.

    Raises:
        InvalidAdapterError: ADAPTER_CORRUPT, for anything that is not a whole safetensors file of numbers. Pickles
            (``.bin``, ``.ckpt``, ``.pt``) end here too: they can run code and are never opened.
    """
    try:
        tensors = safetensors.deserialize(data)  # type: ignore[no-untyped-call]
    except safetensors.SafetensorError as error:
        raise _corrupt(f"not a whole safetensors file ({error}); pickled weights are refused") from error
    arrays = {name: _decode(name, view) for name, view in tensors}
    header_size = int.from_bytes(data[:8], "little")
    metadata = json.loads(data[8 : 8 + header_size]).get("__metadata__") or {}
    return arrays, {str(key): str(value) for key, value in metadata.items()}


def write_arrays(arrays: Mapping[str, npt.NDArray[Any]], metadata: Mapping[str, str]) -> bytes:
    """The file's bytes: tensors and metadata in sorted order, so that equal content is equal bytes."""
    header: dict[str, Any] = {"__metadata__": dict(sorted(metadata.items()))}
    blobs, offset = [], 0
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        header[name] = {
            "dtype": _NAME_OF[array.dtype],
            "shape": list(array.shape),
            "data_offsets": [offset, offset + array.nbytes],
        }
        blobs.append(array.tobytes())
        offset += array.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % _ALIGNMENT)
    return len(text).to_bytes(8, "little") + text + b"".join(blobs)


def _decode(name: str, view: Mapping[str, Any]) -> npt.NDArray[np.float32]:
    """One tensor as float32. bfloat16 is the upper half of a float32's bits."""
    dtype, shape, raw = view["dtype"], view["shape"], view["data"]
    if dtype == "BF16":
        wide = np.frombuffer(raw, np.uint16).astype(np.uint32) << 16
        return wide.view(np.float32).reshape(shape)
    if dtype not in _NUMPY_OF:
        raise _corrupt(f"tensor {name} holds {dtype}; numbers of at least 16 bits are needed")
    return np.frombuffer(raw, _NUMPY_OF[dtype]).reshape(shape).astype(np.float32)


def _corrupt(why: str) -> InvalidAdapterError:
    return InvalidAdapterError("ADAPTER_CORRUPT", f"the adapter is {why}")
