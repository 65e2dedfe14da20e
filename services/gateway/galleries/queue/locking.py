"""Locks galleries whose images are compared with each other, before a shot of one is recorded. Blocking SQL."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from headshots.schema import galleries
from services.gateway.api.names import ids

_others = galleries.alias()
_replacing = sa.and_(_others.c.subject_id == galleries.c.subject_id, _others.c.regenerates.is_not(None))
# As often as shots are painted: made once.
_ALONE = (
    sa.select(galleries.c.id)
    .where(galleries.c.id == sa.bindparam("gallery_id"), ~sa.exists().where(_replacing))
    .with_for_update(of=galleries)
)


def lock_delivered_together(connection: Connection, subject_id: str, gallery_id: str) -> bool:
    """Locks the gallery and those of `delivered_together`; whether it is there."""
    # As a rule nobody had images of the subject made anew: then one statement tells so, and locks the gallery.
    if connection.execute(_ALONE, {"gallery_id": gallery_id}).first() is not None:
        return True
    return gallery_id in lock(connection, delivered_together(connection, subject_id, gallery_id))


def delivered_together(connection: Connection, subject_id: str, gallery_id: str) -> set[str]:
    """Ids of the gallery, of those whose images it replaces or that replace images of these, and so on.

    Each of them has the same answer, so that they compare with each other. Some may be deleted.
    """
    replacing = sa.and_(galleries.c.subject_id == subject_id, galleries.c.regenerates.is_not(None))
    rows = connection.execute(sa.select(galleries.c.id, galleries.c.regenerates).where(replacing))
    replaced = {row.id: ids(row.regenerates)[1] for row in rows}

    def first(one: str) -> str:
        while one in replaced:
            one = replaced[one]
        return one

    mine = first(gallery_id)
    return {mine, *(each for each in replaced if first(each) == mine)}


def lock(connection: Connection, gallery_ids: Collection[str]) -> list[str]:
    """Locks those that exist, in the same order whoever does it: so none waits for one that waits for it."""
    wanted = sa.select(galleries.c.id).where(galleries.c.id.in_(gallery_ids)).order_by(galleries.c.id)
    return list(connection.execute(wanted.with_for_update()).scalars())
