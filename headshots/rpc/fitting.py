"""Cuts what a status tells to what gRPC's metadata may hold.

A status travels in the trailers of a call: its message percent-encoded, its details in base64. A client takes 8 KiB of
trailers (gRPC's soft limit, and Java's default); of more it makes a RESOURCE_EXHAUSTED of its own without the reason.
"""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Mapping, Sequence

from google.rpc import error_details_pb2, status_pb2

from headshots.errors import FieldViolation

# Bytes of message and details as they travel; the rest of 8 KiB is for the other trailers and for what proxies add.
TRAILER_BYTES = 7 * 1024
LEFT_OUT = "violations_left_out"
"""Key of ErrorInfo's metadata: how many violations there are besides those that BadRequest names."""

_MESSAGE_BYTES = 1536
_METADATA_BYTES = 1024
_VALUE_BYTES = 512
_FIELD_BYTES = 256
_DESCRIPTION_BYTES = 512
# Tag and length of one violation within BadRequest; BadRequest's own within the details, and the note in the metadata.
_FRAME_BYTES, _DETAIL_BYTES = 4, 128
_CUT = "…"


def cut_message(message: str) -> str:
    """The message, or its beginning."""
    return _cut(message, _MESSAGE_BYTES)


def cut_metadata(metadata: Mapping[str, str]) -> dict[str, str]:
    """The entries, long values cut, as far as there is room; those that an error names first come first."""
    kept, spent = {}, 0
    for key, value in metadata.items():
        value = _cut(value, _VALUE_BYTES)
        spent += _travelling(key) + _travelling(value)
        if spent <= _METADATA_BYTES:
            kept[key] = value
    return kept


def as_many_as_fit(violations: Sequence[FieldViolation], status: status_pb2.Status) -> error_details_pb2.BadRequest:
    """The first violations: as many as there is room for beside the status as it is so far."""
    room = (TRAILER_BYTES - trailer_bytes(status)) * 3 // 4 - _DETAIL_BYTES
    kept = error_details_pb2.BadRequest()
    for violation in violations:
        told = error_details_pb2.BadRequest.FieldViolation(
            field=_cut(violation.field, _FIELD_BYTES), description=_cut(violation.description, _DESCRIPTION_BYTES)
        )
        room -= told.ByteSize() + _FRAME_BYTES
        if room < 0:
            break
        kept.field_violations.append(told)
    return kept


def trailer_bytes(status: status_pb2.Status) -> int:
    """Bytes of a status as it travels: the message in ``grpc-message``, the whole in ``grpc-status-details-bin``."""
    size: int = status.ByteSize()
    return _travelling(status.message) + -(-size // 3) * 4


def _cut(text: str, room: int) -> str:
    """The text, or as much of its beginning as takes ``room`` bytes with a sign that it was cut."""
    # No character takes less than a byte, so what lies behind need not be looked at.
    costs = [_travelling(character) for character in text[: room + 1]]
    if sum(costs) <= room:
        return text
    return text[: bisect.bisect_right(list(itertools.accumulate(costs)), room - _travelling(_CUT))] + _CUT


def _travelling(text: str) -> int:
    """Bytes of text in ``grpc-message``: three for each that is not printable ASCII."""
    return sum(1 if 0x20 <= byte <= 0x7E and byte != 0x25 else 3 for byte in text.encode())
