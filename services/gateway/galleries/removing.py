"""Erases galleries and single images. Blocking SQL.

Objects go before the rows' deletion is committed: after a crash or a failure of the store the rows still tell what to
erase, and the same call again erases it. Images are stored by content, so an object stays as long as another shot has
the same picture.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine, Row

from headshots.artifacts import ArtifactStore
from headshots.database import forget_deleted, write
from headshots.errors import FailedPreconditionError
from headshots.schema import TERMINAL_STATES, galleries, shots
from services.gateway.api.names import gallery_name, image_name
from services.gateway.galleries.rows import active_of_subject, find_gallery, find_image
from services.gateway.tenants.ownership import find_subject, images_prefix

NeedsGallery = Callable[[Connection, str], str | None]
"""Of a gallery's id, the name of a shoot that has not ended and whose gallery it is."""


def delete_gallery(
    engine: Engine, store: ArtifactStore, tenant_id: str, subject_id: str, gallery_id: str, needed_by: NeedsGallery
) -> int:
    """Removes a gallery that has ended, its shots and their images; returns how many objects there were.

    With the subject's last running gallery ended, images that no shot has go too: see `_unrecorded_images`.

    Raises:
        NotFoundError: SUBJECT_NOT_FOUND, GALLERY_NOT_FOUND.
        FailedPreconditionError: GALLERY_ACTIVE, GALLERY_IN_USE, IMAGE_IN_USE.
        UnavailableError: OBJECT_STORE_UNAVAILABLE, DATABASE_UNAVAILABLE; the same call again removes it, or does
            not find it any more: then only SQLite's log was still to be cut off, which the next sweep does.
    """
    with write(engine) as connection:
        find_subject(connection, tenant_id, subject_id, lock=True)
        _check_ended(connection, tenant_id, subject_id, gallery_id, needed_by)
        mine = shots.c.gallery_id == gallery_id
        painted = connection.execute(sa.select(shots).where(mine, shots.c.image_key.is_not(None))).all()
        _check_not_in_use(connection, subject_id, gallery_id, painted)
        connection.execute(sa.delete(shots).where(mine))
        connection.execute(sa.delete(galleries).where(galleries.c.id == gallery_id))
        unrecorded = _unrecorded_images(connection, store, tenant_id, subject_id)
        removed = _remove_objects(connection, store, {row.image_key for row in painted} | unrecorded)
    forget_deleted(engine)
    return removed


def _check_ended(
    connection: Connection, tenant_id: str, subject_id: str, gallery_id: str, needed_by: NeedsGallery
) -> None:
    name = gallery_name(subject_id, gallery_id)
    if find_gallery(connection, tenant_id, subject_id, gallery_id).state not in TERMINAL_STATES:
        raise FailedPreconditionError(
            "GALLERY_ACTIVE", f"{name} has not ended; cancel it or let it end", metadata={"name": name}
        )
    shoot = needed_by(connection, gallery_id)
    if shoot is not None:
        raise FailedPreconditionError(
            "GALLERY_IN_USE", f"{shoot} has not ended and needs {name}; let it end", metadata={"name": shoot}
        )


def delete_image(
    engine: Engine, store: ArtifactStore, tenant_id: str, subject_id: str, gallery_id: str, number: int
) -> None:
    """Removes an image; its shot stays and counts as painted.

    Raises:
        NotFoundError: SUBJECT_NOT_FOUND, GALLERY_NOT_FOUND, IMAGE_NOT_FOUND.
        FailedPreconditionError: IMAGE_IN_USE.
        UnavailableError: OBJECT_STORE_UNAVAILABLE, DATABASE_UNAVAILABLE; the same call again removes it, or does
            not find it any more: then only SQLite's log was still to be cut off, which the next sweep does.
    """
    with write(engine) as connection:
        find_subject(connection, tenant_id, subject_id, lock=True)
        image = find_image(connection, tenant_id, subject_id, gallery_id, number)
        mine = sa.and_(shots.c.gallery_id == gallery_id, shots.c.number == number)
        _check_not_in_use(connection, subject_id, gallery_id, connection.execute(sa.select(shots).where(mine)).all())
        connection.execute(sa.update(shots).where(mine).values(image_key=None, image=None))
        _remove_objects(connection, store, {image.key})
    forget_deleted(engine)


def _check_not_in_use(connection: Connection, subject_id: str, gallery_id: str, painted: Iterable[Row[Any]]) -> None:
    """Refuses while a gallery of the subject runs that is painted over one of the images, or may paint one again."""
    running = connection.execute(
        sa.select(galleries.c.id, galleries.c.remix).where(
            galleries.c.subject_id == subject_id, galleries.c.state.not_in(TERMINAL_STATES)
        )
    ).all()
    if not running:
        return
    unfinished = connection.execute(
        sa.select(shots.c.gallery_id, shots.c.style, shots.c.seed).where(
            shots.c.gallery_id.in_([row.id for row in running]), shots.c.state.not_in(TERMINAL_STATES)
        )
    )
    sources = {row.remix["key"]: row.id for row in running if row.remix is not None}
    recipes = {(row.style, row.seed): row.gallery_id for row in unfinished}
    for shot in painted:
        user = sources.get(shot.image_key) or recipes.get((shot.style, shot.seed))
        if user is not None:
            name = gallery_name(subject_id, user)
            image = image_name(subject_id, gallery_id, shot.number)
            raise FailedPreconditionError(
                "IMAGE_IN_USE",
                f"{name} still runs and needs the picture of {image}; cancel it or let it end",
                metadata={"name": name},
            )


def _unrecorded_images(connection: Connection, store: ArtifactStore, tenant_id: str, subject_id: str) -> set[str]:
    """Keys of images that no shot has: their shots were cancelled after a generator had stored them.

    While a gallery of the subject runs they cannot be told from images that are about to be recorded: none.
    """
    if active_of_subject(connection, subject_id) is not None:
        return set()
    of_subject = shots.join(galleries, shots.c.gallery_id == galleries.c.id)
    recorded = sa.select(shots.c.image_key).select_from(of_subject).where(galleries.c.subject_id == subject_id)
    stored = store.list_sync(images_prefix(tenant_id, subject_id))
    return set(stored) - set(connection.execute(recorded).scalars())


def _remove_objects(connection: Connection, store: ArtifactStore, keys: set[str]) -> int:
    """Removes the objects that no shot has any more; returns how many there were."""
    kept = set(connection.execute(sa.select(shots.c.image_key).where(shots.c.image_key.in_(keys))).scalars())
    for key in sorted(keys - kept):
        store.delete_sync(key)
    return len(keys - kept)
