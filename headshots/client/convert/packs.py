"""Converts packs between SDK objects and protobuf."""

from __future__ import annotations

from collections.abc import Mapping

from headshots.client.convert.labels import labelled
from headshots.client.convert.values import utc_time
from headshots.client.models.packs import Pack, PackStyle
from headshots.client.models.styles import Style
from headshots.client.names import Kind, resource_name
from headshots.v1 import packs_pb2


def pack(message: packs_pb2.Pack) -> Pack:
    """A pack."""
    return Pack(
        name=message.name,
        display_name=message.display_name,
        description=message.description,
        styles=tuple(PackStyle(each.style, each.shots) for each in message.styles),
        total_shots=message.total_shots,
        version=message.version,
        built_in=message.built_in,
        archived=message.archived,
        create_time=utc_time(message.create_time),
        **labelled(message),
    )


def wire_styles(styles: Mapping[Style | str, int]) -> list[packs_pb2.PackStyle]:
    """The styles of a pack and their shots, in their order. Raises as `resource_name`."""
    return [packs_pb2.PackStyle(style=resource_name(style, Kind.STYLE), shots=shots) for style, shots in styles.items()]
