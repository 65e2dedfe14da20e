"""Converts tenants to protobuf, and changes of them from it."""

from __future__ import annotations

from headshots.errors import FieldViolation, InvalidArgumentError
from headshots.v1 import tenants_pb2
from services.gateway.api.convert import timestamp
from services.gateway.tenants.models import POLICY_FIELDS, PolicyChange, Tenant


def tenant(value: Tenant) -> tenants_pb2.Tenant:
    """A tenant."""
    return tenants_pb2.Tenant(
        name=f"tenants/{value.id}",
        display_name=value.display_name,
        create_time=timestamp(value.created_at),
        consent_required=value.consent_required,
        **{name: getattr(value, name) for name in POLICY_FIELDS},
    )


def policy_change(request: tenants_pb2.UpdateTenantRequest) -> PolicyChange:
    """What a caller changes.

    Raises:
        InvalidArgumentError: UPDATE_MASK_INVALID.
    """
    named = tuple(request.update_mask.paths)
    unknown = [path for path in named if path not in POLICY_FIELDS]
    if unknown or not named:
        told = f"names no field that can be changed: {unknown[0]!r}" if unknown else "names no field"
        rule = f"{told}; name some of {', '.join(POLICY_FIELDS)}"
        raise InvalidArgumentError(
            "UPDATE_MASK_INVALID", f"update_mask {rule}", violations=[FieldViolation("update_mask", rule)]
        )
    return {name: getattr(request, name) if request.HasField(name) else None for name in named}
