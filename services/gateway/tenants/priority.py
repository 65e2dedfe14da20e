"""Checks that a tenant may ask for high priority. Blocking SQL."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from headshots.errors import FieldViolation, PermissionDeniedError
from headshots.schema import HIGH_PRIORITY, NO_HIGH_WEIGHT, tenants


def check_priority(connection: Connection, tenant_id: str, priority: int) -> None:
    """Returns where the tenant may order work of this priority.

    Raises:
        PermissionDeniedError: PRIORITY_NOT_GRANTED.
    """
    if priority < HIGH_PRIORITY:
        return
    weight = connection.execute(sa.select(tenants.c.high_weight).where(tenants.c.id == tenant_id)).scalar_one()
    if weight <= NO_HIGH_WEIGHT:
        raise PermissionDeniedError(
            "PRIORITY_NOT_GRANTED",
            "high priority is a right that your tenant does not have; leave the priority out, or have the operator "
            f"grant it: `headshots tenants grant-high {tenant_id}`",
            violations=[FieldViolation("priority", "PRIORITY_STANDARD, unless the right was granted")],
        )
