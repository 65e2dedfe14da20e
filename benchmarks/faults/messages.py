"""Makes requests at random from the contract's descriptors: sound ones, odd ones, and bytes that are no message."""

from __future__ import annotations

import functools
import operator
import random
import re
from collections.abc import Sequence
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from headshots.validate import validate_pb2
from tests.support.contract import constraint

# Keys of labels.
_KEYS = ("order", "customer-1")
_JUNK = (
    "",
    " ",
    "subjects/",
    "subjects/../../etc/passwd",
    "subjects/nobody",
    "subjects/nobody/trainings/nothing",
    "subjects/nobody/galleries/nothing/images/0",
    "subjects/a/galleries/b/images/999999",
    "styles/nothing",
    "packs/nothing",
    "foundations/nothing",
    "SUBJECTS/A",
    "subjects/\x00",
    "subjects/ü" * 20,
    "'; DROP TABLE subjects; --",
    "%s%n{0}",
    "\N{RIGHT-TO-LEFT OVERRIDE}\N{ZERO WIDTH SPACE}",
    "😀" * 40,
    "a" * 64,
    "a" * 65,
    "0" * 32,
    "eyJhIjogMX0=",
    "x" * 300,
    "y" * 20_000,
)
_INTEGERS = (0, 1, 2, 3, 6, 64, 65, 100, 160, 1000, 1001, -1, 2**31 - 1, -(2**31), 2**32, 2**53, 2**63 - 1, -(2**63))
_REALS = (0.0, -0.0, 0.5, 1.0, 1.5, -1.0, 1e-300, 1e308, float("inf"), float("-inf"), float("nan"))
_BITS = {
    FieldDescriptor.CPPTYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.CPPTYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_UINT64: (0, 2**64 - 1),
    FieldDescriptor.CPPTYPE_ENUM: (-(2**31), 2**31 - 1),
}
_LARGEST_DEPTH = 4


class Requests:
    """Requests of a seed. `names` are those of things that exist, and `files` photos; sound requests are about them."""

    def __init__(self, chance: random.Random, names: Sequence[str], files: Sequence[bytes]) -> None:
        self._chance = chance
        self._names = names
        self._files = files
        self._is_sound = True

    def of(self, call: MethodDescriptor) -> list[bytes]:
        """The messages of a call as they go over the wire: one, or as many as a stream has.

        Half of the requests keep the constraints, so that what lies behind the check is met too.
        """
        self._is_sound = self._chance.random() < 0.5
        if not call.client_streaming:
            return [self._wire(self._message(call.input_type))]
        parts = self._stream(call.input_type) if self._is_sound or self._chance.random() < 0.5 else []
        if not self._is_sound:
            parts += [self._message(call.input_type) for _ in range(self._chance.choice((0, 1, 3, 6)))]
        return [self._wire(part) for part in parts]

    def _stream(self, kind: Descriptor) -> list[Message]:
        """A stream as it is meant: the kinds of parts in their order, of one or two files."""
        first, *others = kind.oneofs[0].fields
        parts = [self._message(kind, first)]
        for _ in range(self._chance.choice((1, 1, 2))):
            parts += [self._message(kind, field) for field in others]
        return parts

    def _message(self, kind: Descriptor, part: FieldDescriptor | None = None, depth: int = 0) -> Message:
        """A message with most of its fields; of a choice of fields one, `part` where it is named."""
        message = GetMessageClass(kind)()
        chosen = {oneof.name: self._chance.choice(oneof.fields).name for oneof in kind.oneofs}
        if part is not None and part.containing_oneof is not None:
            chosen[part.containing_oneof.name] = part.name
        for field in kind.fields:
            choice = field.containing_oneof
            if choice is not None and len(choice.fields) > 1:
                is_set = field.name == chosen[choice.name]
            else:
                is_set = self._chance.random() < 0.7
            if is_set and depth < _LARGEST_DEPTH:
                self._set(message, field, depth)
        return message

    def _set(self, message: Message, field: FieldDescriptor, depth: int) -> None:
        rules = constraint(field)
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            pairs = self._chance.choice((1, 2)) if self._is_sound else self._chance.choice((0, 1, 40))
            for _ in range(pairs):
                key = self._chance.choice(_KEYS) if self._is_sound else self._text(rules.map.keys.string.pattern)
                getattr(message, field.name)[key] = self._text(rules.map.values.string.pattern)
        elif field.is_repeated:
            count = self._chance.choice((1, 1, 2, 6) if self._is_sound else (0, 1, 2, 6, 200))
            values = [self._value(field, rules.repeated.items, depth) for _ in range(count)]
            unique = list(dict.fromkeys(values)) if self._is_sound and rules.repeated.unique else values
            getattr(message, field.name).extend(unique)
        elif field.message_type is not None:
            getattr(message, field.name).CopyFrom(self._value(field, rules, depth))
        else:
            setattr(message, field.name, self._value(field, rules, depth))

    def _value(self, field: FieldDescriptor, rules: validate_pb2.FieldRules, depth: int) -> Any:
        if field.message_type is not None:
            return self._message(field.message_type, depth=depth + 1)
        if field.type == FieldDescriptor.TYPE_BYTES:
            return self._chance.choice((*self._files, b"", self._chance.randbytes(self._chance.choice((1, 100, 5000)))))
        if field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
            return self._text(rules.string.pattern)
        if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
            return self._chance.random() < 0.5
        if field.enum_type is not None and self._is_sound:
            return self._chance.choice(field.enum_type.values).number
        return self._number(field, rules)

    def _number(self, field: FieldDescriptor, rules: validate_pb2.FieldRules) -> float:
        """Of those that the field's type can carry; a sound one keeps the field's limits."""
        if field.cpp_type in (FieldDescriptor.CPPTYPE_DOUBLE, FieldDescriptor.CPPTYPE_FLOAT):
            numbers: Sequence[float] = _REALS
        else:
            low, high = _BITS[field.cpp_type]
            sizes = [len(file) for file in self._files]
            known = sizes if self._is_sound and field.name.endswith("_bytes") else [*_INTEGERS, *sizes]
            numbers = [number for number in known if low <= number <= high]
        limits = getattr(rules, rules.WhichOneof("type") or "int32")
        kept = [number for number in numbers if _keeps(number, limits)] if self._is_sound else []
        return self._chance.choice(kept or numbers)

    def _text(self, pattern: str) -> str:
        """Mostly a name of something that exists where the pattern takes one, else anything."""
        if self._is_sound and not pattern and self._chance.random() < 0.7:
            return ""
        known = [name for name in self._names if pattern and re.search(pattern, name)]
        if known and self._chance.random() < (0.9 if self._is_sound else 0.5):
            return self._chance.choice(known)
        fitting = [text for text in _JUNK if re.search(pattern, text)] if self._is_sound else []
        return self._chance.choice(fitting or (*_JUNK, *self._names))

    def _wire(self, message: Message) -> bytes:
        """The message's bytes, or what is left of them."""
        data = message.SerializeToString()
        if self._is_sound or self._chance.random() < 0.5:
            return data
        return self._chance.choice(_DAMAGES)(self._chance, data)


def _keeps(number: float, limits: Any) -> bool:
    """Whether a number keeps the limits of its field's rules."""
    checks = {"gt": operator.gt, "gte": operator.ge, "lt": operator.lt, "lte": operator.le}
    return all(check(number, getattr(limits, name)) for name, check in checks.items() if limits.HasField(name))


def _flip(chance: random.Random, data: bytes) -> bytes:
    out = bytearray(data or b"\x00")
    for _ in range(chance.choice((1, 3, 20))):
        out[chance.randrange(len(out))] ^= 1 << chance.randrange(8)
    return bytes(out)


def _cut(chance: random.Random, data: bytes) -> bytes:
    return data[: chance.randrange(len(data) + 1)]


def _joined(chance: random.Random, data: bytes) -> bytes:
    """Twice, which is a message in which the last value of a field holds."""
    return data + data


def _noise(chance: random.Random, data: bytes) -> bytes:
    return chance.randbytes(chance.choice((1, 10, 100, 10_000)))


def _followed(chance: random.Random, data: bytes) -> bytes:
    return data + chance.randbytes(chance.choice((1, 10, 100)))


def _unknown(chance: random.Random, data: bytes) -> bytes:
    """A field that nobody knows, with 100 KB."""
    return data + b"\xfa\x7f" + b"\xa0\x8d\x06" + bytes(100_000)


@functools.cache
def _nested() -> bytes:
    """A message in a message, 2,000 deep, as field 2 and as a group."""
    data = b""
    for _ in range(2000):
        size, length = len(data), b""
        while size > 127:
            size, length = size >> 7, length + bytes((size & 127 | 128,))
        data = b"\x12" + length + bytes((size,)) + data
    return data + b"\x13" * 5000


def _deep(chance: random.Random, data: bytes) -> bytes:
    return data + _nested()


_DAMAGES = (_flip, _flip, _cut, _cut, _joined, _noise, _followed, _unknown, _deep)
