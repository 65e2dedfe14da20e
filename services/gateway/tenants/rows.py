"""Reads, changes and locks tenants. Blocking SQL."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from headshots.database import read, write
from headshots.schema import DEFAULT_RETENTION_SECONDS, tenants
from services.gateway.retention.rules import check_part_seconds
from services.gateway.tenants.models import POLICY_FIELDS, PolicyChange, Tenant


def get_tenant(engine: Engine, tenant_id: str) -> Tenant:
    """The caller's tenant."""
    with read(engine) as connection:
        return _find(connection, tenant_id)


def _find(connection: Connection, tenant_id: str) -> Tenant:
    row = connection.execute(sa.select(tenants).where(tenants.c.id == tenant_id)).one()
    policy = {name: getattr(row, name) for name in POLICY_FIELDS}
    return Tenant(row.id, row.display_name, row.created_at, row.consent_required, **policy)


def change_policy(engine: Engine, tenant_id: str, change: PolicyChange) -> Tenant:
    """Says how long subjects and what they have are kept, from the next creation or delivery on; the tenant.

    Raises:
        InvalidArgumentError: RETENTION_INVALID.
    """
    values = dict(change)
    if "retention_seconds" in values and values["retention_seconds"] is None:
        values["retention_seconds"] = DEFAULT_RETENTION_SECONDS
    for name, seconds in values.items():
        check_part_seconds(name, seconds)
    with write(engine) as connection:
        if values:
            connection.execute(sa.update(tenants).where(tenants.c.id == tenant_id).values(**values))
        return _find(connection, tenant_id)


def lock_tenant(connection: Connection, tenant_id: str) -> None:
    """Blocks every other call of this until the transaction ends."""
    connection.execute(sa.select(tenants.c.id).where(tenants.c.id == tenant_id).with_for_update())
