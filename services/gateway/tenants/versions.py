"""Keeps tables of what belongs to a tenant under a name and in versions: styles, packs, profiles. Blocking SQL.

Such a table has the columns `tenant_id`, `name`, `version` and `created_at`.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from headshots.database import database_now


def named(table: sa.Table, tenant_id: str, name: str) -> sa.ColumnElement[bool]:
    """All versions of one."""
    return sa.and_(table.c.tenant_id == tenant_id, table.c.name == name)


def newest(table: sa.Table, tenant_id: str) -> sa.Select[Any]:
    """The newest version of each of a tenant's."""
    versions = table.alias()
    same = sa.and_(versions.c.tenant_id == table.c.tenant_id, versions.c.name == table.c.name)
    last = sa.select(sa.func.max(versions.c.version)).where(same).scalar_subquery()
    return sa.select(table).where(table.c.tenant_id == tenant_id, table.c.version == last)


def newest_after(
    connection: Connection, table: sa.Table, tenant_id: str, after: str, size: int, *where: sa.ColumnElement[bool]
) -> list[Row[Any]]:
    """The first `size` of a tenant's whose names come after `after`, by name, each in its newest version."""
    # Bytewise, as names are compared everywhere else; PostgreSQL has languages' orders too.
    name = sa.collate(table.c.name, "C" if connection.dialect.name == "postgresql" else "BINARY")
    query = newest(table, tenant_id).where(name > after, *where).order_by(name).limit(size)
    return list(connection.execute(query))


def at_version(connection: Connection, table: sa.Table, tenant_id: str, name: str, version: int) -> Row[Any] | None:
    """One version of a tenant's own; None: there is no such one."""
    mine = sa.and_(named(table, tenant_id, name), table.c.version == version)
    return connection.execute(sa.select(table).where(mine)).first()


def archive(connection: Connection, table: sa.Table, tenant_id: str, name: str) -> None:
    """Takes one out of use, in all versions; those that are archived stay so. The table has `archived_at`."""
    in_use = sa.and_(named(table, tenant_id, name), table.c.archived_at.is_(None))
    connection.execute(sa.update(table).where(in_use).values(archived_at=database_now(connection)))


def taken(connection: Connection, table: sa.Table, tenant_id: str, names: list[str]) -> set[str]:
    """Those of the names that the tenant has one under."""
    mine = sa.and_(table.c.tenant_id == tenant_id, table.c.name.in_(names))
    return set(connection.execute(sa.select(table.c.name).where(mine)).scalars())
