"""Walks the boxes of a C2PA manifest store (JUMBF, ISO 19566-5), and holds what no hash covers to what it has to be.

Hashes cover what assertions and claims say. They do not cover the lengths, types and names of the boxes around them,
nor the header of the signature that is padded: about 60 bytes that a reader may overlook.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

_UUID_END = bytes.fromhex("00110010800000aa00389b71")
# What boxes of these kinds are called; manifests and assertions have names of their own, which hashes refer to.
_NAMES = {
    b"c2pa": ("c2pa",),
    b"c2as": ("c2pa.assertions",),
    b"c2cl": ("c2pa.claim", "c2pa.claim.v2"),
    b"c2cs": ("c2pa.signature",),
    b"c2vc": ("c2pa.credentials",),
    b"c2db": ("c2pa.databoxes",),
}
_SIGNATURE = b"c2cs"
_CONTENTS = (b"cbor", b"json", b"bfdb", b"bidb")
_REQUESTABLE, _NAMED, _PRIVATE = 0x01, 0x02, 0x10
_TAG_SIGN1 = 18
# What the header beside the signed one may have: time stamps, answers about revocation, certificates (33 as well).
_UNSIGNED, _PADDINGS = ("sigTst", "sigTst2", "rVals", "x5chain", "33"), ("pad", "pad2")
_DEEPEST = 16


def check_store(store: bytes) -> None:
    """Walk a manifest store to its last byte.

    Raises:
        ValueError: a length, type or name is not as C2PA has it, or a padding is not all zeros.
    """
    try:
        boxes = list(_boxes(store))
        if [kind for kind, _ in boxes] != [b"jumb"]:
            raise ValueError("the store is not one box")
        _check_superbox(boxes[0][1], 0)
    except (struct.error, IndexError, UnicodeDecodeError) as error:
        raise ValueError("the manifest store is cut off") from error


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Type and content of boxes that fill ``data``."""
    at = 0
    while at < len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        if length < 8 or at + length > len(data):
            raise ValueError("a box's length does not fit")
        yield kind, data[at + 8 : at + length]
        at += length


def _check_superbox(content: bytes, depth: int) -> None:
    """A box of boxes: the first one says what it is."""
    (first, description), *boxes = list(_boxes(content)) or [(b"", b"")]
    if first != b"jumd" or depth > _DEEPEST:
        raise ValueError("a box without its description")
    kind = _check_description(description)
    for inner, data in boxes:
        if inner == b"jumb":
            _check_superbox(data, depth + 1)
        elif inner not in _CONTENTS:
            raise ValueError("a box of an unknown type")
        if kind == _SIGNATURE:
            _check_signature(data)


def _check_description(data: bytes) -> bytes:
    """The kind of a box, the first four bytes of its UUID."""
    kind, toggles = data[:4], data[16]
    if toggles not in (_REQUESTABLE | _NAMED, _REQUESTABLE | _NAMED | _PRIVATE):
        raise ValueError("a description with other flags")
    end = data.index(b"\0", 17)
    name = data[17:end].decode()
    if kind in _NAMES and (data[4:16] != _UUID_END or name not in _NAMES[kind]):
        raise ValueError("a box with another name")
    salts = [each for each, _ in _boxes(data[end + 1 :])]
    if salts != ([b"c2sh"] if toggles & _PRIVATE else []):
        raise ValueError("a description with something after it")
    return kind


def _check_signature(data: bytes) -> None:
    """A COSE_Sign1 (RFC 9052) without its payload, whose header beside the signed one has only zeros for padding."""
    signed, end = _read_item(data, 0, 0)
    tag, parts = signed if isinstance(signed, tuple) else (None, None)
    if end != len(data) or tag != _TAG_SIGN1 or not isinstance(parts, list) or len(parts) != 4:
        raise ValueError("the signature is no COSE_Sign1")
    protected, header, payload, signature = parts
    if not (isinstance(protected, bytes) and isinstance(header, dict) and isinstance(signature, bytes)):
        raise ValueError("the signature's parts are of other types")
    if payload is not None:
        raise ValueError("the signature has a payload")
    for name, value in header.items():
        if name not in _UNSIGNED and name not in _PADDINGS:
            raise ValueError("the signature's header has something else in it")
        if name in _PADDINGS and (not isinstance(value, bytes) or any(value)):
            raise ValueError("a padding is not all zeros")


def _read_item(data: bytes, at: int, depth: int) -> tuple[Any, int]:
    """An item of CBOR (RFC 8949) and where it ends. A tag is a pair; of simple values null alone is known."""
    if depth > _DEEPEST:
        raise ValueError("CBOR too deep")
    major, short = data[at] >> 5, data[at] & 31
    at += 1
    if short > 27:
        raise ValueError("CBOR without its length")
    bytes_of_value = 0 if short < 24 else 1 << (short - 24)
    value = int.from_bytes(data[at : at + bytes_of_value], "big") if bytes_of_value else short
    at += bytes_of_value
    if major in (2, 3):
        text = data[at : at + value]
        if len(text) != value:
            raise ValueError("CBOR cut off")
        return (text if major == 2 else text.decode()), at + value
    if major in (4, 5):
        items = []
        for _ in range(value * (major - 3)):
            item, at = _read_item(data, at, depth + 1)
            items.append(item)
        return (items if major == 4 else dict(zip(map(str, items[::2]), items[1::2], strict=True))), at
    if major == 6:
        item, at = _read_item(data, at, depth + 1)
        return (value, item), at
    if major == 7 and (short, value) != (22, 22):
        raise ValueError("a simple value that is not null")
    return (None if major == 7 else value if major == 0 else -1 - value), at
