"""Creates, finds, renames and lists subjects. Blocking SQL; `erasure` removes them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine, Row

from headshots.database import database_now, forget_deleted, read, write
from headshots.schema import subjects
from services.gateway.api.pages import NewestFirst
from services.gateway.api.requests import IdempotencyKey, find_made
from services.gateway.photos import rows as photo_rows
from services.gateway.subjects.models import Subject
from services.gateway.tenants.ownership import find_subject, new_id
from services.gateway.tenants.rows import lock_tenant
from services.gateway.trainings import rows as training_rows

DEFAULT_CLASS_NOUN = "person"


def create_subject(
    engine: Engine, tenant_id: str, *, display_name: str, class_noun: str, key: IdempotencyKey
) -> Subject:
    """Creates a subject; a repeated `key` returns the subject that it created before.

    Raises:
        AlreadyExistsError: REQUEST_ID_REUSED.
    """
    with write(engine) as connection:
        if key.request_id:
            lock_tenant(connection, tenant_id)
        made = find_made(connection, subjects, subjects.c.tenant_id == tenant_id, key)
        if made is not None:
            return _to_subjects(connection, [made])[0]
        subject_id = new_id()
        connection.execute(
            sa.insert(subjects).values(
                id=subject_id,
                tenant_id=tenant_id,
                display_name=display_name,
                class_noun=class_noun or DEFAULT_CLASS_NOUN,
                created_at=database_now(connection),
                **key.columns,
            )
        )
        return _to_subjects(connection, [find_subject(connection, tenant_id, subject_id)])[0]


def get_subject(engine: Engine, tenant_id: str, subject_id: str) -> Subject:
    """One subject. Raises as `find_subject`."""
    with read(engine) as connection:
        return _to_subjects(connection, [find_subject(connection, tenant_id, subject_id)])[0]


def rename_subject(engine: Engine, tenant_id: str, subject_id: str, display_name: str | None) -> Subject:
    """Changes what is not None. Raises as `find_subject`."""
    with write(engine) as connection:
        find_subject(connection, tenant_id, subject_id, lock=True)
        if display_name is not None:
            mine = subjects.c.id == subject_id
            # What was asked when it was made tells the earlier name.
            values = {"display_name": display_name, "request_parameters": None}
            connection.execute(sa.update(subjects).where(mine).values(**values))
        renamed = _to_subjects(connection, [find_subject(connection, tenant_id, subject_id)])[0]
    if display_name is not None:
        forget_deleted(engine)
    return renamed


def list_subjects(engine: Engine, tenant_id: str, size: int, token: str) -> tuple[list[Subject], str]:
    """A page, newest first, and the next token.

    Raises:
        InvalidArgumentError: PAGE_TOKEN_INVALID.
    """
    where = sa.and_(subjects.c.tenant_id == tenant_id, sa.not_(subjects.c.deleting))
    page = NewestFirst(subjects, where, size, token)
    with read(engine) as connection:
        rows, next_token = page.read(connection)
        return _to_subjects(connection, rows), next_token


def _to_subjects(connection: Connection, rows: list[Row[Any]]) -> list[Subject]:
    ids = [row.id for row in rows]
    counts = photo_rows.count_photos(connection, ids)
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
