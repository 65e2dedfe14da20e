"""Makes, finds and lists subjects. Blocking SQL; `erasure` removes them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine, Row

from headshots.database import database_now, read, write
from headshots.schema import subjects, tenants
from services.gateway.api.pages import cut_page, decode_token
from services.gateway.photos import rows as photo_rows
from services.gateway.subjects.models import Subject
from services.gateway.tenants.ownership import find_subject, new_id
from services.gateway.trainings import rows as training_rows

DEFAULT_CLASS_NOUN = "person"


def create_subject(engine: Engine, tenant_id: str, *, display_name: str, class_noun: str, request_id: str) -> Subject:
    """Makes a subject; the same `request_id` answers the one it made before."""
    with write(engine) as connection:
        if request_id:
            connection.execute(sa.select(tenants.c.id).where(tenants.c.id == tenant_id).with_for_update())
            made = connection.execute(
                sa.select(subjects.c.id).where(subjects.c.tenant_id == tenant_id, subjects.c.request_id == request_id)
            ).scalar()
            if made is not None:
                return _present(connection, [find_subject(connection, tenant_id, made)])[0]
        subject_id = new_id()
        connection.execute(
            sa.insert(subjects).values(
                id=subject_id,
                tenant_id=tenant_id,
                display_name=display_name,
                class_noun=class_noun or DEFAULT_CLASS_NOUN,
                request_id=request_id or None,
                created_at=database_now(connection),
            )
        )
        return _present(connection, [find_subject(connection, tenant_id, subject_id)])[0]


def get_subject(engine: Engine, tenant_id: str, subject_id: str) -> Subject:
    """One subject. Raises as `find_subject`."""
    with read(engine) as connection:
        return _present(connection, [find_subject(connection, tenant_id, subject_id)])[0]


def list_subjects(engine: Engine, tenant_id: str, size: int, token: str) -> tuple[list[Subject], str]:
    """A page, newest first, and the next token.

    Raises:
        InvalidArgumentError: PAGE_TOKEN_INVALID.
    """
    query = (
        sa.select(subjects)
        .where(subjects.c.tenant_id == tenant_id, sa.not_(subjects.c.deleting))
        .order_by(subjects.c.created_at.desc(), subjects.c.id.desc())
        .limit(size + 1)
    )
    if position := decode_token(token, (float, str)):
        query = query.where(sa.tuple_(subjects.c.created_at, subjects.c.id) < position)
    with read(engine) as connection:
        page, next_token = cut_page(connection.execute(query).all(), size, lambda row: (row.created_at, row.id))
        return _present(connection, page), next_token


def _present(connection: Connection, rows: list[Row[Any]]) -> list[Subject]:
    ids = [row.id for row in rows]
    counts = photo_rows.count(connection, ids)
    adapters = training_rows.newest_adapters(connection, ids)
    return [
        Subject(
            row.id,
            row.display_name,
            row.class_noun,
            row.created_at,
            counts.get(row.id, 0),
            adapters.get(row.id),
        )
        for row in rows
    ]
