"""Looks up what a mark stands for, as far as a tenant may know it. Blocking SQL."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from headshots.database import read
from headshots.errors import FailedPreconditionError, NotFoundError
from headshots.schema import galleries, shots
from services.gateway.marks.rows import Mark, find_marks
from services.gateway.tenants.ownership import find_subject
from services.gateway.verification.models import ImageIds, Registered


def look_up(engine: Engine, tenant_id: str, mark_id: str) -> Registered | None:
    """What a mark stands for; None where it was not given out here.

    Ids are those of images that the tenant has, of a subject that is neither being erased nor past its time.
    """
    with read(engine) as connection:
        found = find_marks(connection, mark_id)
        if not found:
            return None
        mine = [mark for mark in found if mark.tenant_id == tenant_id]
        images = [ids for mark in mine for ids in _images_of(connection, mark)]
        return Registered(bool(mine), all(mark.is_erased for mark in found), tuple(images))


def _images_of(connection: Connection, mark: Mark) -> list[ImageIds]:
    if mark.subject_id is None:
        return []
    try:
        find_subject(connection, mark.tenant_id, mark.subject_id)
    except (NotFoundError, FailedPreconditionError):
        return []
    query = (
        sa.select(galleries.c.subject_id, galleries.c.id, shots.c.number)
        .join(galleries, galleries.c.id == shots.c.gallery_id)
        .where(galleries.c.subject_id == mark.subject_id, shots.c.image_key == mark.object_key)
        .order_by(galleries.c.created_at, galleries.c.id, shots.c.number)
    )
    return [(row[0], row[1], row[2]) for row in connection.execute(query)]
