"""Converts tenants to protobuf."""

from __future__ import annotations

from headshots.v1 import tenants_pb2
from services.gateway.api.convert import timestamp
from services.gateway.tenants.models import Tenant


def tenant(value: Tenant) -> tenants_pb2.Tenant:
    """A tenant."""
    return tenants_pb2.Tenant(
        name=f"tenants/{value.id}",
        display_name=value.display_name,
        create_time=timestamp(value.created_at),
        consent_required=value.consent_required,
        retention_seconds=value.retention_seconds,
    )
