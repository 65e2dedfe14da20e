"""Erases single photos, and those whose time has come. Blocking SQL.

The object goes before the row's deletion is committed: after a crash or a failure of the store the row still tells what
to erase, and the same call again erases it.
"""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from headshots.artifacts import ArtifactStore
from headshots.database import database_now, forget_deleted, now_expression, write
from headshots.errors import FailedPreconditionError
from headshots.schema import photos
from services.gateway.api.names import photo_name_of, subject_name
from services.gateway.audit.models import Action
from services.gateway.audit.recording import record
from services.gateway.erasures.commitments import forget
from services.gateway.photos.rows import find_photo, is_photo, kept
from services.gateway.retention import terms
from services.gateway.tenants.ownership import find_subject

LearnsFrom = Callable[[Connection, str, str], str | None]
"""Of a subject's id and a photo's key, the name of a training that has not ended and learns from the photo."""


def delete_photo(
    engine: Engine, store: ArtifactStore, tenant_id: str, subject_id: str, photo_id: str, learns_from: LearnsFrom
) -> None:
    """Removes the photo's object and row; those of others, and adapters that have learned from it, stay.

    Raises:
        NotFoundError: SUBJECT_NOT_FOUND, PHOTO_NOT_FOUND.
        FailedPreconditionError: PHOTO_IN_USE.
        UnavailableError: OBJECT_STORE_UNAVAILABLE, DATABASE_UNAVAILABLE; the same call again removes it, or does
            not find it any more: then only SQLite's log was still to be cut off, which the next sweep does.
    """
    with write(engine) as connection:
        find_subject(connection, tenant_id, subject_id, lock=True)
        row, name = find_photo(connection, subject_id, photo_id), photo_name_of(subject_id, photo_id)
        training = learns_from(connection, subject_id, row.key)
        if training is not None:
            raise FailedPreconditionError(
                "PHOTO_IN_USE", f"{training} learns from {name}; cancel it or let it end", metadata={"name": training}
            )
        connection.execute(sa.delete(photos).where(is_photo(subject_id, photo_id)))
        record(connection, tenant_id, subject_id, Action.PHOTO_DELETED)
        forget(connection, subject_id, [row.key])
        store.delete_sync(row.key)
    forget_deleted(engine)


def begin_times(connection: Connection, subject_id: str, *, anew: bool) -> None:
    """Lets photos go so long after this moment, a delivery, as their subject or its tenant says, if it does.

    `anew`: all that the subject has, also those whose time has begun and not come; else those that came since.
    """
    seconds = terms.seconds_kept(connection, terms.Part.PHOTOS, subject_id)
    if seconds is None:
        return
    expires_at = database_now(connection) + seconds
    which = kept(connection.dialect.name) if anew else photos.c.expires_at.is_(None)
    mine = photos.c.subject_id == subject_id
    begun = connection.execute(sa.update(photos).where(mine, which).values(expires_at=expires_at))
    if begun.rowcount:
        terms.begin_photos(connection, subject_id, expires_at, first=_first_time(connection, subject_id))


def remove_expired(connection: Connection, store: ArtifactStore, tenant_id: str, subject_id: str) -> float | None:
    """Removes photos of a locked subject whose time has come, of which no job needs any; the time of the next ones.

    Raises:
        UnavailableError: OBJECT_STORE_UNAVAILABLE.
    """
    due = sa.and_(photos.c.subject_id == subject_id, photos.c.expires_at <= now_expression(connection.dialect.name))
    removed = connection.execute(sa.delete(photos).where(due).returning(photos.c.key)).scalars().all()
    if removed:
        record(connection, tenant_id, subject_id, Action.PHOTOS_EXPIRED, count=len(removed))
    forget(connection, subject_id, removed)
    for key in removed:
        store.delete_sync(key)
    return _first_time(connection, subject_id)


def _first_time(connection: Connection, subject_id: str) -> float | None:
    mine = photos.c.subject_id == subject_id
    return connection.execute(sa.select(sa.func.min(photos.c.expires_at)).where(mine)).scalar()


def check_not_expired(connection: Connection, subject_id: str) -> None:
    """Returns where the subject has photos, or never had any whose time came.

    Raises:
        FailedPreconditionError: PHOTOS_MISSING.
    """
    mine = sa.and_(photos.c.subject_id == subject_id, kept(connection.dialect.name))
    if connection.execute(sa.select(photos.c.sha256).where(mine).limit(1)).first() is not None:
        return
    if terms.had_photos(connection, subject_id):
        name = subject_name(subject_id)
        raise FailedPreconditionError(
            "PHOTOS_MISSING",
            f"the photos of {name} went after a delivery, as `photo_retention_seconds` says, and are needed to train "
            "and to judge what is painted; upload some again, or order with allow_unjudged what needs no training",
            metadata={"name": name},
        )
