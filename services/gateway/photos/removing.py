"""Erases single photos. Blocking SQL.

The object goes before the row's deletion is committed: after a crash or a failure of the store the row still tells what
to erase, and the same call again erases it.
"""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from headshots.artifacts import ArtifactStore
from headshots.database import forget_deleted, write
from headshots.errors import FailedPreconditionError
from headshots.schema import photos
from services.gateway.api.names import photo_name_of
from services.gateway.audit.models import Action
from services.gateway.audit.recording import record
from services.gateway.erasures.commitments import forget
from services.gateway.photos.rows import find_photo, is_photo
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
