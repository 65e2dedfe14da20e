"""Records events of the audit log in the transaction of what they tell of. Blocking SQL.

An event is one insert and takes no lock, wherever in a transaction it stands: `linking` makes it part of its tenant's
chain afterwards. So no call waits for another one of its tenant because both are recorded.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from headshots.database import now_expression
from headshots.rpc.auth import current_key
from headshots.schema import audit_events
from services.gateway.audit.models import Action, Reading


def record(
    connection: Connection, tenant_id: str, subject_id: str, action: Action, resource: str = "", *, count: int = 1
) -> None:
    """Records that the key of the running call, or without one the gateway, did this to a subject.

    `resource`: name of the training, gallery, image or shoot; `count`: how many photos, images or objects. Names of
    photos are of their content, so no event has one.
    """
    _insert(connection, [(Reading(tenant_id, current_key(), subject_id, action, resource), count)])


def record_readings(connection: Connection, readings: Iterable[tuple[Reading, int]]) -> None:
    """Records what was read, and how often."""
    _insert(connection, readings)


def _insert(connection: Connection, counted: Iterable[tuple[Reading, int]]) -> None:
    values = [
        {
            "tenant_id": one.tenant_id,
            "key_id": one.key_id,
            "subject_id": one.subject_id,
            "action": one.action.value,
            "resource": one.resource,
            "count": count,
        }
        for one, count in counted
    ]
    if values:
        connection.execute(_inserting(connection.dialect.name), values)


@functools.cache
def _inserting(dialect: str) -> sa.Insert:
    # In whole microseconds, as digests have it and as callers are told it.
    now = sa.func.round(now_expression(dialect) * 1e6, type_=sa.Float) / 1e6
    return sa.insert(audit_events).values(at=now)
