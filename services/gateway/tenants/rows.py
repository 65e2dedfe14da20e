"""Reads, changes and locks tenants. Blocking SQL."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from headshots.database import read, write
from headshots.errors import FieldViolation, InvalidArgumentError
from headshots.marking.rights import MAX_OWNER_CHARACTERS, MAX_TEXT_CHARACTERS, TenantRights, fault_of
from headshots.schema import DEFAULT_RETENTION_SECONDS, tenants
from services.gateway.retention.rules import check_part_seconds
from services.gateway.tenants.models import POLICY_FIELDS, PolicyChange, Tenant

_DEFAULTS = {"retention_seconds": DEFAULT_RETENTION_SECONDS, "prompts_in_images": False}
_MAX_CHARACTERS = {
    "rights_owner": MAX_OWNER_CHARACTERS,
    "usage_terms": MAX_TEXT_CHARACTERS,
    "licence": MAX_TEXT_CHARACTERS,
}


def get_tenant(engine: Engine, tenant_id: str) -> Tenant:
    """The caller's tenant."""
    with read(engine) as connection:
        return _find(connection, tenant_id)


def _find(connection: Connection, tenant_id: str) -> Tenant:
    row = connection.execute(sa.select(tenants).where(tenants.c.id == tenant_id)).one()
    policy = {name: getattr(row, name) for name in POLICY_FIELDS}
    return Tenant(row.id, row.display_name, row.created_at, row.consent_required, **policy)


def change_policy(engine: Engine, tenant_id: str, change: PolicyChange) -> Tenant:
    """Changes what a tenant says for all its subjects and images; the tenant as it is then.

    How long what is kept holds from the next creation or delivery on, what images say from the next gallery on.

    Raises:
        InvalidArgumentError: RETENTION_INVALID, RIGHTS_INVALID.
    """
    values = dict(change)
    for name, default in _DEFAULTS.items():
        if name in values and values[name] is None:
            values[name] = default
    for name, value in values.items():
        if isinstance(value, str):
            _check_rights(name, value)
        elif name.endswith("_seconds"):
            check_part_seconds(name, value)
    with write(engine) as connection:
        if values:
            connection.execute(sa.update(tenants).where(tenants.c.id == tenant_id).values(**values))
        return _find(connection, tenant_id)


def _check_rights(field: str, text: str) -> None:
    if rule := fault_of(text, _MAX_CHARACTERS[field], may_be_empty=field == "licence"):
        raise InvalidArgumentError("RIGHTS_INVALID", f"{field}: {rule}", violations=[FieldViolation(field, rule)])


def rights_of(connection: Connection, tenant_id: str) -> TenantRights | None:
    """What the tenant says of rights now; None: nothing."""
    columns = tenants.c.rights_owner, tenants.c.usage_terms, tenants.c.licence, tenants.c.prompts_in_images
    said = TenantRights(*connection.execute(sa.select(*columns).where(tenants.c.id == tenant_id)).one())
    return said if said != TenantRights() else None


def lock_tenant(connection: Connection, tenant_id: str) -> None:
    """Blocks every other call of this until the transaction ends. Rows that name the tenant may be inserted."""
    wanted = sa.select(tenants.c.id).where(tenants.c.id == tenant_id)
    connection.execute(wanted.with_for_update(key_share=True))
