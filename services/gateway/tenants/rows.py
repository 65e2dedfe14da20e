"""Reads and locks tenants. Blocking SQL."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from headshots.database import read
from headshots.schema import tenants
from services.gateway.tenants.models import Tenant


def get_tenant(engine: Engine, tenant_id: str) -> Tenant:
    """The caller's tenant."""
    with read(engine) as connection:
        row = connection.execute(sa.select(tenants).where(tenants.c.id == tenant_id)).one()
    return Tenant(row.id, row.display_name, row.created_at, row.consent_required, row.retention_seconds)


def lock_tenant(connection: Connection, tenant_id: str) -> None:
    """Blocks every other call of this until the transaction ends."""
    connection.execute(sa.select(tenants.c.id).where(tenants.c.id == tenant_id).with_for_update())
