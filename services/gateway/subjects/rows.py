"""Creates, finds, changes and lists subjects. Blocking SQL; `erasure` removes them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine, Row

from headshots.database import database_now, forget_deleted, read, write
from headshots.schema import subjects
from services.gateway.api.labels import NO_LABELS, Labelling
from services.gateway.api.pages import NewestFirst
from services.gateway.api.requests import IdempotencyKey, find_made
from services.gateway.photos import rows as photo_rows
from services.gateway.subjects.models import Subject, SubjectChange
from services.gateway.tenants.ownership import find_subject, new_id
from services.gateway.tenants.rows import lock_tenant
from services.gateway.trainings import rows as training_rows

DEFAULT_CLASS_NOUN = "person"


def create_subject(
    engine: Engine,
    tenant_id: str,
    *,
    display_name: str,
    class_noun: str,
    key: IdempotencyKey,
    labelling: Labelling = NO_LABELS,
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
                **labelling.fields,
                **key.columns,
            )
        )
        return _to_subjects(connection, [find_subject(connection, tenant_id, subject_id)])[0]


def get_subject(engine: Engine, tenant_id: str, subject_id: str) -> Subject:
    """One subject. Raises as `find_subject`."""
    with read(engine) as connection:
        return _to_subjects(connection, [find_subject(connection, tenant_id, subject_id)])[0]


def change_subject(engine: Engine, tenant_id: str, subject_id: str, change: SubjectChange) -> Subject:
    """Changes what is not None. Raises as `find_subject`."""
    with write(engine) as connection:
        find_subject(connection, tenant_id, subject_id, lock=True)
        if change.columns:
            mine = subjects.c.id == subject_id
            # What was asked when it was made tells the earlier name and labels.
            connection.execute(sa.update(subjects).where(mine).values(**change.columns, request_parameters=None))
        changed = _to_subjects(connection, [find_subject(connection, tenant_id, subject_id)])[0]
    if change.columns:
        forget_deleted(engine)
    return changed


def list_subjects(
    engine: Engine, tenant_id: str, wanted: Labelling, size: int, token: str
) -> tuple[list[Subject], str]:
    """A page of those that are labelled as wanted, newest first, and the next token.

    Raises:
        InvalidArgumentError: PAGE_TOKEN_INVALID.
    """
    where = sa.and_(subjects.c.tenant_id == tenant_id, sa.not_(subjects.c.deleting), wanted.where(subjects))
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
            Labelling.of_row(row),
        )
        for row in rows
    ]
