"""Reads what dlib writes with `serialize`: integers, floats, vectors of them, and the tensors of its networks.

The format is that of dlib 19 (dlib/serialize.h, dlib/float_details.h, `tensor` in dlib/cuda/tensor.h). An integer is a
byte with the count of the bytes that follow (bit 7: negative), then these, the lowest first. A float is a mantissa and
an exponent of two. A tensor is the version 2, four sizes and its values as 32-bit floats, the lowest byte first.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeVar

import numpy as np
import numpy.typing as npt

T = TypeVar("T")

_TENSOR_VERSION = 2
# Names and settings of layers between two tensors take up to 350 bytes in the files that are read here.
_LARGEST_GAP = 1024


class DatError(ValueError):
    """The bytes are not what dlib writes."""


class DatReader:
    """Reads a file from front to back."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    @property
    def rest(self) -> int:
        """Bytes that were not read."""
        return len(self._data) - self._at

    def integer(self) -> int:
        """The next integer.

        Raises:
            DatError: when there is none.
        """
        try:
            control = self._data[self._at]
        except IndexError:
            raise DatError("the file ends early") from None
        count = control & 0x0F
        if not 1 <= count <= 8 or control & 0x70 or self._at + count >= len(self._data):
            raise DatError(f"no integer at byte {self._at}")
        start = self._at + 1
        self._at = start + count
        value = int.from_bytes(self._data[start : self._at], "little")
        return -value if control & 0x80 else value

    def reals(self, count: int) -> list[float]:
        """The next floats.

        Raises:
            DatError: when there are fewer, or one is not finite: dlib writes exponents beyond 32,000 for those.
        """
        # A predictor has over a million of them: `integer` for each of both parts takes three times as long.
        data, at, found = self._data, self._at, []
        try:
            for _ in range(count):
                parts = []
                for _ in range(2):
                    control, start = data[at], at + 1
                    at = start + (control & 0x0F)
                    size = int.from_bytes(data[start:at], "little")
                    parts.append(-size if control & 0x80 else size)
                found.append(math.ldexp(*parts))
        except (IndexError, OverflowError):
            raise DatError(f"no finite number before byte {at}") from None
        if at > len(data):
            raise DatError("the file ends early")
        self._at = at
        return found

    def vector(self, read: Callable[[], T]) -> list[T]:
        """A `std::vector`: its length, then its items, each by `read`.

        Raises:
            DatError: when the length cannot be.
        """
        length = self.integer()
        if not 0 <= length <= self.rest:
            raise DatError(f"no length before byte {self._at}")
        return [read() for _ in range(length)]

    def column(self) -> list[float]:
        """A `matrix<float,0,1>`: both sizes, written negative, then the values.

        Raises:
            DatError: when it is no column.
        """
        rows, columns = -self.integer(), -self.integer()
        if columns != 1 or not 0 <= rows <= self.rest:
            raise DatError(f"no column before byte {self._at}")
        return self.reals(rows)

    def tensor(self, *sizes: int) -> npt.NDArray[np.float32]:
        """The values of the next tensor, which has to have these sizes; names and settings before it are skipped.

        Raises:
            DatError: when there is no such tensor nearby, it is cut off, or a value is not finite.
        """
        dims = (*sizes, 1, 1, 1, 1)[:4]
        header = b"".join(encoded(value) for value in (_TENSOR_VERSION, *dims))
        start = self._data.find(header, self._at, self._at + _LARGEST_GAP + len(header))
        end = start + len(header) + 4 * math.prod(dims)
        if start < 0 or end > len(self._data):
            raise DatError(f"no tensor of {'x'.join(map(str, dims))} after byte {self._at}")
        values = np.frombuffer(self._data, "<f4", math.prod(dims), start + len(header)).astype(np.float32)
        if not np.isfinite(values).all():
            raise DatError(f"a tensor after byte {self._at} holds numbers that are not finite")
        self._at = end
        return values


def encoded(value: int) -> bytes:
    """An integer as dlib writes it."""
    size = abs(value)
    count = max((size.bit_length() + 7) // 8, 1)
    return bytes([count | (0x80 if value < 0 else 0)]) + size.to_bytes(count, "little")
