"""Converts holds to protobuf."""

from __future__ import annotations

from headshots.v1 import subjects_pb2
from services.gateway.api.convert import timestamp
from services.gateway.retention.models import Hold


def hold(value: Hold | None) -> subjects_pb2.Hold | None:
    """A hold; None stays unset."""
    if value is None:
        return None
    return subjects_pb2.Hold(reason=value.reason, hold_time=timestamp(value.held_at))
