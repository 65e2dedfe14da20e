"""Links recorded events into the chains of their tenants, and removes those whose term is over. Blocking SQL.

Any number of gateways may do both at once: each works under the lock of the chain's row, which no call takes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Engine, Row

from headshots.audit.chain import FIRST, Link
from headshots.database import database_now, read, write
from headshots.schema import audit_chains, audit_events

_EVENTS_AT_ONCE = 500
"""In a transaction, so that SQLite's one writer is held up for milliseconds."""


def link(engine: Engine, tenant_id: str | None = None) -> int:
    """Links all events, of one tenant or of all, that were committed before the call; how many."""
    waits: sa.ColumnElement[bool] = audit_events.c.number.is_(None)
    if tenant_id is not None:
        waits = sa.and_(waits, audit_events.c.tenant_id == tenant_id)
    with read(engine) as connection:
        tenants = connection.execute(sa.select(audit_events.c.tenant_id).where(waits).distinct()).scalars().all()
    return sum(_repeated(engine, _link_some, each) for each in tenants)


def _repeated(engine: Engine, some: Callable[..., int], *values: Any) -> int:
    """Calls `some` in one transaction after the other, until it finds less than it may take; what it found in all."""
    total, found = 0, _EVENTS_AT_ONCE
    while found == _EVENTS_AT_ONCE:
        with write(engine) as connection:
            found = some(connection, *values)
        total += found
    return total


def _link_some(connection: Connection, tenant_id: str) -> int:
    """Links the oldest ones that wait, in the order in which they were recorded."""
    chain = _lock_chain(connection, tenant_id)
    waits = sa.and_(audit_events.c.tenant_id == tenant_id, audit_events.c.number.is_(None))
    query = sa.select(audit_events).where(waits).order_by(audit_events.c.id).limit(_EVENTS_AT_ONCE)
    number, sha256 = chain.head_number, chain.head_sha256
    linked = []
    for row in connection.execute(query):
        number += 1
        sha256 = Link.of_row(row, number).sha256(sha256)
        linked.append({"this": row.id, "number": number, "sha256": sha256})
    if linked:
        connection.execute(sa.update(audit_events).where(audit_events.c.id == sa.bindparam("this")), linked)
        _update_chain(connection, tenant_id, head_number=number, head_sha256=sha256)
    return len(linked)


def expire(engine: Engine, *, kept_seconds: float) -> int:
    """Removes the events of every tenant that are older than that; how many."""
    with read(engine) as connection:
        tenants = connection.execute(sa.select(audit_chains.c.tenant_id)).scalars().all()
    return sum(_repeated(engine, _expire_some, each, kept_seconds) for each in tenants)


def _expire_some(connection: Connection, tenant_id: str, kept_seconds: float) -> int:
    """Removes the oldest events of a chain up to the first that is to be kept, and notes what that one follows."""
    _lock_chain(connection, tenant_id)
    before = database_now(connection) - kept_seconds
    mine = sa.and_(audit_events.c.tenant_id == tenant_id, audit_events.c.number.is_not(None))
    query = sa.select(audit_events).where(mine).order_by(audit_events.c.number).limit(_EVENTS_AT_ONCE)
    rows = connection.execute(query).all()
    count = next((at for at, row in enumerate(rows) if row.at >= before), len(rows))
    if count:
        last = rows[count - 1]
        connection.execute(sa.delete(audit_events).where(mine, audit_events.c.number <= last.number))
        _update_chain(connection, tenant_id, checkpoint_number=last.number, checkpoint_sha256=last.sha256)
    return count


def _lock_chain(connection: Connection, tenant_id: str) -> Row[Any]:
    """The row of a tenant's chain, locked; made where the tenant has none."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    new = {"head_number": 0, "head_sha256": FIRST, "checkpoint_number": 0, "checkpoint_sha256": FIRST}
    connection.execute(insert(audit_chains).values(tenant_id=tenant_id, **new).on_conflict_do_nothing())
    mine = audit_chains.c.tenant_id == tenant_id
    return connection.execute(sa.select(audit_chains).where(mine).with_for_update()).one()


def _update_chain(connection: Connection, tenant_id: str, **values: Any) -> None:
    connection.execute(sa.update(audit_chains).where(audit_chains.c.tenant_id == tenant_id).values(**values))
