"""Writes small networks as TensorFlow Lite does (tensorflow/lite/schema/schema.fbs), one operator after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import flatbuffers
import numpy as np

ADD, CONV, DEPTHWISE, POOL, PRELU = 0, 3, 4, 17, 54
Offset = int


class Model:
    """A network whose operators each take the output of the one before."""

    def __init__(self, shape: Sequence[int]) -> None:
        self.shape = tuple(shape)
        self._tensors: list[tuple[tuple[int, ...], bytes]] = [(self.shape, b"")]
        self._operators: list[tuple[int, list[int], int, dict[int, int]]] = []
        self._last = 0

    def add(
        self,
        kind: int,
        weights: Sequence[np.ndarray],
        shape: Sequence[int],
        *,
        strides: int = 1,
        side: int = 1,
        activation: int = 0,
        beside: int | None = None,
    ) -> None:
        """An operator, with its output's shape; `beside`: the tensor that an addition adds."""
        inputs = [self._last] + ([beside] if beside is not None else [])
        for weight in weights:
            self._tensors.append((weight.shape, weight.astype("<f4").tobytes()))
            inputs.append(len(self._tensors) - 1)
        self._tensors.append((tuple(shape), b""))
        self.shape, self._last = tuple(shape), len(self._tensors) - 1
        options = {
            ADD: {0: activation},
            CONV: {1: strides, 2: strides, 3: activation},
            DEPTHWISE: {1: strides, 2: strides, 3: 1, 4: activation},
            POOL: {1: strides, 2: strides, 3: side, 4: side, 5: activation},
        }.get(kind, {})
        self._operators.append((kind, inputs, self._last, options))

    def data(self) -> bytes:
        """The file."""
        builder = flatbuffers.Builder(0)
        kinds = sorted({kind for kind, *_ in self._operators})
        codes = _tables(builder, [_table(builder, 4, {3: (builder.PrependInt32Slot, kind)}) for kind in kinds])
        contents = [builder.CreateByteVector(content) for _, content in self._tensors]
        buffers = _tables(
            builder, [_table(builder, 1, {0: (builder.PrependUOffsetTRelativeSlot, each)}) for each in contents]
        )
        graph = self._graph(builder, kinds)
        fields = {1: codes, 2: _tables(builder, [graph]), 4: buffers}
        model = _table(
            builder, 5, {number: (builder.PrependUOffsetTRelativeSlot, each) for number, each in fields.items()}
        )
        builder.Finish(model, file_identifier=b"TFL3")
        return bytes(builder.Output())

    def _graph(self, builder: Any, kinds: list[int]) -> Offset:
        tensors = []
        for number, (shape, _) in enumerate(self._tensors):
            sizes = _numbers(builder, shape)
            fields = {0: (builder.PrependUOffsetTRelativeSlot, sizes), 2: (builder.PrependUint32Slot, number)}
            tensors.append(_table(builder, 3, fields))
        operators = []
        for kind, inputs, output, options in self._operators:
            taken, given = _numbers(builder, inputs), _numbers(builder, [output])
            told = _table(builder, 7, {field: _option(builder, kind, field, value) for field, value in options.items()})
            offsets = {1: taken, 2: given, 4: told}
            fields = {field: (builder.PrependUOffsetTRelativeSlot, each) for field, each in offsets.items()}
            fields[0] = (builder.PrependUint32Slot, kinds.index(kind))
            operators.append(_table(builder, 5, fields))
        vectors = {
            0: _tables(builder, tensors),
            1: _numbers(builder, [0]),
            2: _numbers(builder, [self._last]),
            3: _tables(builder, operators),
        }
        return _table(
            builder, 4, {field: (builder.PrependUOffsetTRelativeSlot, each) for field, each in vectors.items()}
        )


def _option(builder: Any, kind: int, field: int, value: int) -> tuple[Callable[..., None], int]:
    """Activations are of eight bits, all else here of 32."""
    is_activation = field == {ADD: 0, CONV: 3, DEPTHWISE: 4, POOL: 5}[kind]
    return (builder.PrependInt8Slot if is_activation else builder.PrependInt32Slot), value


def _table(builder: Any, size: int, fields: dict[int, tuple[Callable[..., None], int]]) -> Offset:
    builder.StartObject(size)
    for field, (prepend, value) in fields.items():
        prepend(field, value, 0)
    return int(builder.EndObject())


def _tables(builder: Any, offsets: Sequence[Offset]) -> Offset:
    builder.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return int(builder.EndVector())


def _numbers(builder: Any, values: Sequence[int]) -> Offset:
    builder.StartVector(4, len(values), 4)
    for value in reversed(values):
        builder.PrependInt32(value)
    return int(builder.EndVector())
