"""Subjects: made, found, listed. Erasing is `erasing`'s. Blocking SQL; the engine calls it off the event loop."""

from __future__ import annotations

import secrets
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine, Row

from headshots.database import database_now, read, write
from headshots.errors import NotFoundError
from headshots.schema import SUCCEEDED, photos, subjects, tenants, trainings
from services.gateway.api.pages import cut_page, decode_token
from services.gateway.models import Adapter, Subject, Tenant

DEFAULT_CLASS_NOUN = "person"


def object_prefix(tenant_id: str, subject_id: str) -> str:
    """Where everything of a subject lies in the object store."""
    return f"tenants/{tenant_id}/subjects/{subject_id}"


def new_id() -> str:
    """16 hex digits that nobody can guess."""
    return secrets.token_hex(8)


def get_tenant(engine: Engine, tenant_id: str) -> Tenant:
    """The caller's tenant."""
    with read(engine) as connection:
        row = connection.execute(sa.select(tenants).where(tenants.c.id == tenant_id)).one()
    return Tenant(row.id, row.display_name, row.created_at)


def find_subject(connection: Connection, tenant_id: str, subject_id: str, *, lock: bool = False) -> Row[Any]:
    """The subject's row; `lock` holds off every other writer of the subject until the transaction ends.

    Raises:
        NotFoundError: SUBJECT_NOT_FOUND, also for another tenant's and for one that is being erased.
    """
    query = sa.select(subjects).where(
        subjects.c.id == subject_id, subjects.c.tenant_id == tenant_id, sa.not_(subjects.c.deleting)
    )
    row = connection.execute(query.with_for_update() if lock else query).first()
    if row is None:
        raise not_found(subject_id)
    return row


def not_found(subject_id: str) -> NotFoundError:
    """Also for what is another tenant's, or on its way out."""
    name = f"subjects/{subject_id}"
    message = f"there is no {name}; ListSubjects shows those there are"
    return NotFoundError("SUBJECT_NOT_FOUND", message, metadata={"name": name})


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


def newest_adapters(connection: Connection, subject_ids: list[str]) -> dict[str, Adapter]:
    """By subject: the adapter of the newest successful training."""
    rows = connection.execute(
        sa.select(trainings.c.subject_id, trainings.c.job)
        .where(trainings.c.subject_id.in_(subject_ids), trainings.c.state == SUCCEEDED)
        .order_by(trainings.c.ended_at, trainings.c.id)
    )
    return {row.subject_id: Adapter(**row.job["adapter"]) for row in rows}


def _present(connection: Connection, rows: list[Row[Any]]) -> list[Subject]:
    ids = [row.id for row in rows]
    counted = connection.execute(
        sa.select(photos.c.subject_id, sa.func.count().label("photos"))
        .where(photos.c.subject_id.in_(ids))
        .group_by(photos.c.subject_id)
    )
    counts = {row.subject_id: int(row.photos) for row in counted}
    adapters = newest_adapters(connection, ids)
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
