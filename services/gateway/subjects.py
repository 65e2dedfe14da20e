"""Subjects: made, found, listed, erased. Blocking SQL; the engine calls it off the event loop."""

from __future__ import annotations

import secrets
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine, Row

from headshots.artifacts import ArtifactStore
from headshots.database import database_now, read, write
from headshots.errors import FailedPreconditionError, NotFoundError
from headshots.schema import SUCCEEDED, TERMINAL_STATES, galleries, photos, shots, subjects, tenants, trainings
from services.gateway.models import Adapter, Subject, Tenant
from services.gateway.pages import cut_page, decode_token

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
        raise NotFoundError(
            "SUBJECT_NOT_FOUND", f"there is no subjects/{subject_id}", metadata={"name": f"subjects/{subject_id}"}
        )
    return row


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


def mark_deleted(engine: Engine, tenant_id: str, subject_id: str) -> list[str]:
    """First half of erasing: from now on no call sees the subject. Digests of its adapters.

    Raises:
        NotFoundError: SUBJECT_NOT_FOUND.
        FailedPreconditionError: SUBJECT_BUSY, while a training or gallery of it runs.
    """
    with write(engine) as connection:
        find_subject(connection, tenant_id, subject_id, lock=True)
        for table, noun in ((trainings, "trainings"), (galleries, "galleries")):
            running = connection.execute(
                sa.select(table.c.id).where(table.c.subject_id == subject_id, table.c.state.not_in(TERMINAL_STATES))
            ).scalar()
            if running is not None:
                name = f"subjects/{subject_id}/{noun}/{running}"
                raise FailedPreconditionError(
                    "SUBJECT_BUSY", f"{name} still runs; cancel it or let it end", metadata={"name": name}
                )
        connection.execute(sa.update(subjects).where(subjects.c.id == subject_id).values(deleting=True))
        jobs = connection.execute(
            sa.select(trainings.c.job).where(trainings.c.subject_id == subject_id, trainings.c.state == SUCCEEDED)
        ).scalars()
        return [job["adapter"]["sha256"] for job in jobs]


def erase(engine: Engine, store: ArtifactStore, tenant_id: str, subject_id: str) -> int:
    """Second half: objects first, rows last, so that a crash in between leaves a row by which to go on.

    Returns how many objects were removed.
    """
    removed = store.delete_prefix_sync(object_prefix(tenant_id, subject_id))
    of_gallery = sa.select(galleries.c.id).where(galleries.c.subject_id == subject_id)
    with write(engine) as connection:
        connection.execute(sa.delete(shots).where(shots.c.gallery_id.in_(of_gallery)))
        for table in (galleries, trainings, photos):
            connection.execute(sa.delete(table).where(table.c.subject_id == subject_id))
        connection.execute(sa.delete(subjects).where(subjects.c.id == subject_id))
    return removed


def half_erased(engine: Engine) -> list[tuple[str, str]]:
    """(tenant, subject) of erasures that a crash has cut in two."""
    with read(engine) as connection:
        rows = connection.execute(sa.select(subjects.c.tenant_id, subjects.c.id).where(subjects.c.deleting))
        return [(row.tenant_id, row.id) for row in rows]
