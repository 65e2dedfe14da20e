"""Converts packs from protobuf."""

from __future__ import annotations

from headshots.client.models.packs import Pack, PackStyle
from headshots.v1 import packs_pb2


def pack(message: packs_pb2.Pack) -> Pack:
    """A pack."""
    return Pack(
        name=message.name,
        display_name=message.display_name,
        description=message.description,
        styles=tuple(PackStyle(each.style, each.shots) for each in message.styles),
        total_shots=message.total_shots,
    )
