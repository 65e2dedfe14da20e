"""Writes and reads the messages between a pool and its decoding processes: a JSON object and bytes.

Nothing of a decoding process is unpickled: it may be in the hands of whoever made the photo.
"""

from __future__ import annotations

import json
import struct
from typing import IO, Any

_LENGTHS = struct.Struct(">II")
MAX_HEADER_BYTES = 64 * 1024
MAX_BODY_BYTES = 256 * 2**20
"""More than any picture as stored; files come with at most 20 MiB."""


def write_frame(stream: IO[bytes], header: dict[str, Any], body: bytes | bytearray | memoryview = b"") -> None:
    """Writes one message. Raises OSError where the other end is gone."""
    packed = json.dumps(header).encode()
    stream.write(_LENGTHS.pack(len(packed), len(body)) + packed)
    stream.write(body)
    stream.flush()


def read_frame(stream: IO[bytes]) -> tuple[dict[str, Any], bytes] | None:
    """Reads one message; None where the stream ends, before a message or within one.

    Raises:
        ValueError: what came is no message.
    """
    lengths = stream.read(_LENGTHS.size)
    if len(lengths) < _LENGTHS.size:
        return None
    header_bytes, body_bytes = _LENGTHS.unpack(lengths)
    if header_bytes > MAX_HEADER_BYTES or body_bytes > MAX_BODY_BYTES:
        raise ValueError(f"a message of {header_bytes} and {body_bytes} bytes")
    packed, body = stream.read(header_bytes), stream.read(body_bytes)
    if len(packed) < header_bytes or len(body) < body_bytes:
        return None
    header = json.loads(packed)
    if not isinstance(header, dict):
        raise ValueError("a message without an object")
    return header, body
