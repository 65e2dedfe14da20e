"""Converts tenants, subjects and adapters from protobuf."""

from __future__ import annotations

from headshots.client.convert.labels import labelled
from headshots.client.convert.values import utc_time
from headshots.client.models.subjects import Adapter, Subject, Tenant
from headshots.v1 import adapters_pb2, subjects_pb2, tenants_pb2


def tenant(message: tenants_pb2.Tenant) -> Tenant:
    """A tenant."""
    return Tenant(message.name, message.display_name, utc_time(message.create_time))


def adapter(message: adapters_pb2.Adapter) -> Adapter:
    """An adapter."""
    return Adapter(
        sha256=message.sha256,
        key=message.key,
        foundation_digest=message.foundation_digest,
        rank=message.rank,
        trigger=message.trigger,
        size_bytes=message.size_bytes,
        kohya_key=message.kohya_key,
        manifest_key=message.manifest_key,
    )


def subject(message: subjects_pb2.Subject) -> Subject:
    """A subject."""
    return Subject(
        name=message.name,
        display_name=message.display_name,
        class_noun=message.class_noun,
        create_time=utc_time(message.create_time),
        photo_count=message.photo_count,
        adapter=adapter(message.adapter) if message.HasField("adapter") else None,
        **labelled(message),
    )
