"""Lists the events of the audit log. Blocking SQL; `recording` and `linking` make them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine, Row

from headshots.database import read
from headshots.schema import audit_events
from services.gateway.api.pages import cut_page, decode_token
from services.gateway.audit.linking import link
from services.gateway.audit.models import Action, AuditEvent, AuditQuery
from services.gateway.tenants.ownership import find_subject


def list_events(
    engine: Engine, tenant_id: str, query: AuditQuery, size: int, token: str
) -> tuple[list[AuditEvent], str]:
    """A page of a tenant's events, the newest first, and the next token. What was done before the call is among them.

    Raises:
        NotFoundError: SUBJECT_NOT_FOUND, there is no such subject, and no event of one that there was.
        InvalidArgumentError: PAGE_TOKEN_INVALID.
    """
    position = decode_token(token, (int,))
    link(engine, tenant_id)
    with read(engine) as connection:
        if query.subject_id is not None:
            _check_subject(connection, tenant_id, query.subject_id)
        wanted = sa.select(audit_events).where(*_conditions(tenant_id, query))
        if position is not None:
            wanted = wanted.where(audit_events.c.number < position[0])
        rows = connection.execute(wanted.order_by(audit_events.c.number.desc()).limit(size + 1)).all()
    page, next_token = cut_page(rows, size, lambda row: (row.number,))
    return [_to_event(row) for row in page], next_token


def newest_of(
    connection: Connection, tenant_id: str, subject_id: str, actions: Iterable[Action]
) -> tuple[Action, str] | None:
    """The newest of these actions that was done to a subject, linked or not, and whose key did it; None: none was."""
    mine = sa.and_(audit_events.c.tenant_id == tenant_id, audit_events.c.subject_id == subject_id)
    wanted = audit_events.c.action.in_([action.value for action in actions])
    newest = sa.select(audit_events.c.action, audit_events.c.key_id).where(mine, wanted)
    row = connection.execute(newest.order_by(audit_events.c.id.desc()).limit(1)).first()
    return None if row is None else (Action(row.action), row.key_id)


def _check_subject(connection: Connection, tenant_id: str, subject_id: str) -> None:
    """Events outlive their subject, and some subjects are older than the log."""
    mine = sa.and_(audit_events.c.tenant_id == tenant_id, audit_events.c.subject_id == subject_id)
    if connection.execute(sa.select(audit_events.c.id).where(mine).limit(1)).first() is None:
        find_subject(connection, tenant_id, subject_id)


def _conditions(tenant_id: str, query: AuditQuery) -> Iterator[sa.ColumnElement[bool]]:
    yield audit_events.c.tenant_id == tenant_id
    yield audit_events.c.number.is_not(None)
    if query.subject_id is not None:
        yield audit_events.c.subject_id == query.subject_id
    if query.actions:
        yield audit_events.c.action.in_([action.value for action in query.actions])
    if query.start is not None:
        yield audit_events.c.at >= query.start
    if query.end is not None:
        yield audit_events.c.at < query.end


def _to_event(row: Row[Any]) -> AuditEvent:
    return AuditEvent(
        number=row.number,
        at=row.at,
        key_id=row.key_id,
        subject_id=row.subject_id,
        action=Action(row.action),
        resource=row.resource,
        count=row._mapping["count"],
        sha256=row.sha256,
    )
