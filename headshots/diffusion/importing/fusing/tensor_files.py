"""Reads safetensors files one tensor at a time, and writes one tensor at a time what is made of them.

The library's own writer takes all tensors at once, 5 GB of a UNet; and its reader for numpy knows no bfloat16.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import safe_open

from headshots.diffusion.safetensors_io import NUMPY_OF, as_float32

FloatArray = npt.NDArray[np.float32]

_BYTES_OF = {**{name: np.dtype(dtype).itemsize for name, dtype in NUMPY_OF.items()}, "BF16": 2}
_ALIGNMENT = 8


@dataclass(frozen=True)
class Tensor:
    """Where a tensor lies: from byte ``start`` of the file on, ``size`` bytes of the type ``dtype``, as F16."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    start: int
    size: int


@dataclass(frozen=True)
class TensorFile:
    """A whole safetensors file. ``tensors``: in the order in which they lie."""

    path: Path
    tensors: tuple[Tensor, ...]
    metadata: Mapping[str, str]

    @classmethod
    def open(cls, path: Path) -> TensorFile:
        """Read the header.

        Raises:
            safetensors.SafetensorError: not a whole safetensors file.
        """
        # Looks at every offset, so that nothing here has to.
        with safe_open(path, framework="numpy") as checked:
            metadata = dict(checked.metadata() or {})
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            header: dict[str, Any] = json.loads(file.read(length))
        header.pop("__metadata__", None)
        begin = 8 + length
        tensors = [_tensor(name, entry, begin) for name, entry in header.items()]
        return cls(path, tuple(sorted(tensors, key=lambda tensor: (tensor.start, tensor.size))), metadata)

    def read(self, tensor: Tensor) -> FloatArray:
        """One tensor as float32.

        Raises:
            KeyError: its type has less than 16 bits.
            ValueError: numpy has no such shape.
        """
        with self.path.open("rb") as file:
            file.seek(tensor.start)
            return as_float32(tensor.dtype, tensor.shape, file.read(tensor.size))


def _tensor(name: str, entry: Mapping[str, Any], begin: int) -> Tensor:
    first, last = entry["data_offsets"]
    return Tensor(name, entry["dtype"], tuple(entry["shape"]), begin + first, last - first)


Change = Callable[[FloatArray, npt.DTypeLike], npt.NDArray[Any]]
"""Makes a tensor's new value, of the given type, of its old one; of the same shape."""


def written_type(dtype: str) -> str:
    """The type in which a changed tensor is written.

    bfloat16 has 8 bits of precision, which would drop half of a change that is a hundredth of a weight.
    """
    return "F32" if dtype == "BF16" else dtype


def rewrite(
    source: TensorFile,
    path: Path,
    changes: Mapping[str, Change],
    metadata: Mapping[str, str],
    tell: Callable[[int], None],
) -> None:
    """Write ``source`` to ``path`` with some tensors changed; all others keep their bits. One tensor is in memory.

    Args:
        source: the file; its tensors are read and written in the order in which they lie.
        path: of the new file.
        changes: by the tensor's name.
        metadata: the new file's, beside the source's own.
        tell: called with the bytes that were read since it was called last.

    Raises:
        KeyError: a tensor that is changed has a type of less than 16 bits, which it names.
    """
    types = {each.name: written_type(each.dtype) if each.name in changes else each.dtype for each in source.tensors}
    with source.path.open("rb") as old, path.open("wb") as new:
        new.write(_header(source, types, {**source.metadata, **metadata}))
        for tensor in source.tensors:
            old.seek(tensor.start)
            raw = old.read(tensor.size)
            if (change := changes.get(tensor.name)) is not None:
                raw = change(as_float32(tensor.dtype, tensor.shape, raw), NUMPY_OF[types[tensor.name]]).tobytes()
            new.write(raw)
            tell(tensor.size)


def growth(source: TensorFile, changed: Container[str]) -> int:
    """By how many bytes the tensors of :func:`rewrite` are larger than the source's."""
    return sum(
        tensor.size // _BYTES_OF[tensor.dtype] * (_BYTES_OF[written_type(tensor.dtype)] - _BYTES_OF[tensor.dtype])
        for tensor in source.tensors
        if tensor.name in changed
    )


def _header(source: TensorFile, types: Mapping[str, str], metadata: Mapping[str, str]) -> bytes:
    header: dict[str, Any] = {"__metadata__": dict(sorted(metadata.items()))}
    offset = 0
    for tensor in source.tensors:
        size = tensor.size
        if types[tensor.name] != tensor.dtype:
            size = size // _BYTES_OF[tensor.dtype] * _BYTES_OF[types[tensor.name]]
        header[tensor.name] = {
            "dtype": types[tensor.name],
            "shape": list(tensor.shape),
            "data_offsets": [offset, offset + size],
        }
        offset += size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % _ALIGNMENT)
    return len(text).to_bytes(8, "little") + text
