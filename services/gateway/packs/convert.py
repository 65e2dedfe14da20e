"""Converts packs between dataclasses and protobuf."""

from __future__ import annotations

from collections.abc import Iterable

from headshots.styles.packs import Pack
from headshots.v1 import packs_pb2
from services.gateway.api import names
from services.gateway.api.convert import optional_timestamp
from services.gateway.packs.models import ListedPack, PackChange


def pack(value: ListedPack) -> packs_pb2.Pack:
    """A pack."""
    return packs_pb2.Pack(
        name=names.pack_name(value.pack.name),
        display_name=value.pack.display_name,
        description=value.pack.description,
        styles=[packs_pb2.PackStyle(style=names.style_name(style), shots=shots) for style, shots in value.pack.styles],
        total_shots=value.pack.total_shots,
        version=value.pack.version,
        built_in=value.built_in,
        archived=value.archived,
        create_time=optional_timestamp(value.created_at),
        **value.labelling.fields,
    )


def new_pack(request: packs_pb2.CreatePackRequest) -> Pack:
    """The first version that a caller asks for."""
    return Pack(
        name=request.pack_id,
        display_name=request.display_name or request.pack_id,
        description=request.description,
        styles=_styles(request.styles),
    )


def change(request: packs_pb2.UpdatePackRequest) -> PackChange:
    """What a caller changes."""
    return PackChange(
        display_name=names.new_display_name(request),
        description=request.description if request.HasField("description") else None,
        styles=_styles(request.styles.styles) if request.HasField("styles") else None,
    )


def _styles(given: Iterable[packs_pb2.PackStyle]) -> tuple[tuple[str, int], ...]:
    return tuple((names.ids(each.style)[0], each.shots) for each in given)
