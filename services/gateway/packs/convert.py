"""Converts packs to protobuf."""

from __future__ import annotations

from headshots.styles.packs import Pack
from headshots.v1 import packs_pb2
from services.gateway.api import names


def pack(value: Pack) -> packs_pb2.Pack:
    """A pack."""
    return packs_pb2.Pack(
        name=names.pack_name(value.name),
        display_name=value.display_name,
        description=value.description,
        styles=[packs_pb2.PackStyle(style=names.style_name(style), shots=shots) for style, shots in value.styles],
        total_shots=sum(shots for _, shots in value.styles),
    )
