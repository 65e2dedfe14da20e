"""Erases the rows and objects of a subject. Blocking; `Eraser` calls it off the event loop.

Three steps, each of which may be repeated: `mark_deleted` hides the subject, `erase` removes all that it has, and
`forget` looks at the object store once more and removes the row. In between, a generator's call that was cancelled may
still have put an image that it was just writing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from headshots.artifacts import ArtifactStore
from headshots.database import database_now, now_expression, read, write
from headshots.errors import FailedPreconditionError
from headshots.schema import subjects
from services.gateway.galleries import rows as gallery_rows
from services.gateway.photos import rows as photo_rows
from services.gateway.tenants.ownership import object_prefix, subject_not_found
from services.gateway.trainings import rows as training_rows


@dataclass(frozen=True)
class Erasure:
    """A subject on its way out."""

    tenant_id: str
    subject_id: str
    is_erased: bool
    """Whether only `forget` is left."""


def mark_deleted(engine: Engine, tenant_id: str, subject_id: str) -> list[str]:
    """From now on no call sees the subject, but this one until `erase` has come through. Digests of its adapters.

    Raises:
        NotFoundError: SUBJECT_NOT_FOUND.
        FailedPreconditionError: SUBJECT_BUSY, while a training or gallery of it runs.
    """
    mine = sa.and_(subjects.c.id == subject_id, subjects.c.tenant_id == tenant_id, subjects.c.erased_at.is_(None))
    with write(engine) as connection:
        if connection.execute(sa.select(subjects.c.id).where(mine).with_for_update()).first() is None:
            raise subject_not_found(subject_id)
        for noun, running in (
            ("trainings", training_rows.unsettled_of_subject(connection, subject_id)),
            ("galleries", gallery_rows.active_of_subject(connection, subject_id)),
        ):
            if running is not None:
                name = f"subjects/{subject_id}/{noun}/{running}"
                raise FailedPreconditionError(
                    "SUBJECT_BUSY", f"{name} still runs; cancel it or let it end", metadata={"name": name}
                )
        # The request's id is free again: the same call may make a new subject.
        connection.execute(sa.update(subjects).where(mine).values(deleting=True, display_name="", request_id=None))
        return training_rows.adapter_digests(connection, subject_id)


def erase(engine: Engine, store: ArtifactStore, tenant_id: str, subject_id: str) -> int:
    """Objects first, rows last, so that a crash or a failing store in between leaves a row by which to go on.

    Returns how many objects were removed.

    Raises:
        UnavailableError: OBJECT_STORE_UNAVAILABLE, DATABASE_UNAVAILABLE; what is left goes with the next try.
    """
    removed = store.delete_prefix_sync(object_prefix(tenant_id, subject_id))
    with write(engine) as connection:
        gallery_rows.delete_of_subject(connection, subject_id)
        training_rows.delete_of_subject(connection, subject_id)
        photo_rows.delete_of_subject(connection, subject_id)
        now = database_now(connection)
        connection.execute(sa.update(subjects).where(subjects.c.id == subject_id).values(erased_at=now))
    return removed


def forget(engine: Engine, store: ArtifactStore, tenant_id: str, subject_id: str) -> int:
    """The last look, and the row's end. How many objects had come late. Raises as `erase`."""
    removed = store.delete_prefix_sync(object_prefix(tenant_id, subject_id))
    with write(engine) as connection:
        connection.execute(sa.delete(subjects).where(subjects.c.id == subject_id))
    return removed


def open_erasures(engine: Engine, *, grace_seconds: float) -> list[Erasure]:
    """Those that were cut in two, and those that came through at least `grace_seconds` ago."""
    with read(engine) as connection:
        rows = connection.execute(open_erasures_query(connection, grace_seconds=grace_seconds))
        return [Erasure(row.tenant_id, row.id, row.erased_at is not None) for row in rows]


def open_erasures_query(connection: Connection, *, grace_seconds: float) -> sa.Select[Any]:
    """The rows that `open_erasures` reads."""
    long_ago = now_expression(connection.dialect.name) - grace_seconds
    return sa.select(subjects).where(
        subjects.c.deleting, sa.or_(subjects.c.erased_at.is_(None), subjects.c.erased_at <= long_ago)
    )
