"""Reads what TensorFlow Lite's flatbuffers hold: tables with numbered fields, vectors of tables and of numbers.

The numbers of fields stand in tensorflow/lite/schema/schema.fbs. Imports flatbuffers and numpy.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from flatbuffers import encode, number_types
from flatbuffers.table import Table

_IDENTIFIER = b"TFL3"


class FlatError(ValueError):
    """The bytes are no TensorFlow Lite model, or one that is not converted here."""


class Fields:
    """One table. What a file leaves out has its default."""

    def __init__(self, table: Any) -> None:
        self._table = table

    @classmethod
    def of_model(cls, data: bytes) -> Fields:
        """The table `Model`.

        Raises:
            FlatError: when it is none.
        """
        if data[4:8] != _IDENTIFIER:
            raise FlatError("the file is no TensorFlow Lite model")
        return cls(Table(data, encode.Get(number_types.UOffsetTFlags.packer_type, data, 0)))

    def number(self, field: int, kind: Any = number_types.Int32Flags, default: int = 0) -> int:
        """A whole number; `kind`: its type in the schema, of `flatbuffers.number_types`."""
        at = self._offset(field)
        return int(self._table.Get(kind, self._table.Pos + at)) if at else default

    def byte(self, field: int) -> int:
        """A number of eight bits, as enums are."""
        return self.number(field, number_types.Int8Flags)

    def table(self, field: int) -> Fields:
        """A union's table.

        Raises:
            FlatError: when it is missing.
        """
        at = self._offset(field)
        if not at:
            raise FlatError(f"an operator has no options (field {field})")
        found = Table(self._table.Bytes, 0)
        self._table.Union(found, at)
        return Fields(found)

    def tables(self, field: int) -> list[Fields]:
        """A vector of tables."""
        at = self._offset(field)
        if not at:
            return []
        start = self._table.Vector(at)
        places = [self._table.Indirect(start + 4 * number) for number in range(self._table.VectorLen(at))]
        return [Fields(Table(self._table.Bytes, place)) for place in places]

    def numbers(self, field: int) -> list[int]:
        """A vector of 32-bit numbers."""
        return [int(value) for value in np.frombuffer(self._bytes(field, 4), "<i4")]

    def content(self, field: int) -> npt.NDArray[np.uint8]:
        """A vector of bytes; empty where there is none."""
        return np.frombuffer(self._bytes(field, 1), np.uint8)

    def _bytes(self, field: int, size: int) -> bytes:
        at = self._offset(field)
        if not at:
            return b""
        start, count = self._table.Vector(at), self._table.VectorLen(at)
        found: bytes = self._table.Bytes[start : start + count * size]
        return found

    def _offset(self, field: int) -> int:
        return int(self._table.Offset(4 + 2 * field))
