"""Reads and writes safetensors files as numpy arrays, the same bytes every time.

The library's own writer keeps metadata in a hash map, so its bytes vary from run to run; adapters are named by their
digest, so ours may not. The format is an eight-byte length, a JSON header and the raw tensors.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import safetensors

from headshots.errors import InvalidAdapterError

Arrays = dict[str, npt.NDArray[np.float32]]

# Integers too: diffusers' converter to kohya's layout writes alpha as one.
NUMPY_OF: Mapping[str, type[np.generic]] = {
    "F64": np.float64,
    "F32": np.float32,
    "F16": np.float16,
    "I64": np.int64,
    "I32": np.int32,
}
"""The types of numbers that are read, beside BF16, which numpy lacks."""
_NAME_OF = {np.dtype(dtype): name for name, dtype in NUMPY_OF.items()}
_ALIGNMENT = 8
_NAME_SHOWN = 120
# Kohya's tools write the words of all captions into the metadata, some hundred KB.
_MOST_HEADER_BYTES = 16 << 20


def read_arrays(data: bytes, *, most_tensors: int | None = None) -> tuple[Arrays, dict[str, str]]:
    """All tensors as float32, and the file's metadata. ``most_tensors``: how many a stranger's file may have.

    Raises:
        InvalidAdapterError: ADAPTER_CORRUPT, for anything that is not a whole safetensors file of numbers. Pickles
            (``.bin``, ``.ckpt``, ``.pt``) end here too: they can run code and are never opened.
            ADAPTER_TOO_MANY_TENSORS; ADAPTER_SHAPE_MISMATCH, for shapes that no array has.
    """
    header = _header(data)
    count = len(header) - ("__metadata__" in header)
    if most_tensors is not None and count > most_tensors:
        raise InvalidAdapterError(
            "ADAPTER_TOO_MANY_TENSORS",
            f"the file has {count} tensors, more than the {most_tensors} that any adapter has; keep the LoRA's alone",
        )
    try:
        tensors = safetensors.deserialize(data)  # type: ignore[no-untyped-call]
    except safetensors.SafetensorError as error:
        raise _corrupt(f"not a whole safetensors file ({error}); pickled weights are refused") from error
    arrays = {name: _decode(name, view) for name, view in tensors}
    metadata = header.get("__metadata__") or {}
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


def _header(data: bytes) -> dict[str, Any]:
    """The file's JSON, tensors by name and the metadata; the library checks what it says."""
    size = int.from_bytes(data[:8], "little")
    if size > _MOST_HEADER_BYTES:
        raise _corrupt(f"not a safetensors file with at most {_MOST_HEADER_BYTES >> 20} MiB of header")
    try:
        header = json.loads(data[8 : 8 + size])
    except (ValueError, RecursionError) as error:
        raise _corrupt("not a whole safetensors file (its header is no JSON); pickled weights are refused") from error
    if not isinstance(header, dict):
        raise _corrupt("not a safetensors file: its header is no JSON object")
    return header


def as_float32(dtype: str, shape: Sequence[int], raw: bytes) -> npt.NDArray[np.float32]:
    """A tensor's bytes as float32. bfloat16 is the upper half of a float32's bits.

    Raises:
        KeyError: ``dtype`` is none of :data:`NUMPY_OF` or BF16.
        ValueError: numpy has no such shape.
    """
    # What float32 does not hold becomes infinite, and is refused later by its layer's name.
    with np.errstate(over="ignore"):
        if dtype == "BF16":
            wide = np.frombuffer(raw, np.uint16).astype(np.uint32) << 16
            return wide.view(np.float32).reshape(shape)
        return np.frombuffer(raw, NUMPY_OF[dtype]).reshape(shape).astype(np.float32)


def _decode(name: str, view: Mapping[str, Any]) -> npt.NDArray[np.float32]:
    dtype = view["dtype"]
    if dtype != "BF16" and dtype not in NUMPY_OF:
        raise _corrupt(f"tensor {name[:_NAME_SHOWN]} holds {dtype}; numbers of at least 16 bits are needed")
    try:
        return as_float32(dtype, view["shape"], view["data"])
    except ValueError as error:
        # The library lets shapes pass that numpy does not: of 70 dimensions, or of nothing times 2**62.
        raise InvalidAdapterError(
            "ADAPTER_SHAPE_MISMATCH", f"tensor {name[:_NAME_SHOWN]} has a shape that no layer has: {error}"
        ) from error


def _corrupt(why: str) -> InvalidAdapterError:
    return InvalidAdapterError("ADAPTER_CORRUPT", f"the adapter is {why}")
