"""Erases galleries and single images. Blocking SQL.

Objects go before the rows' deletion is committed: after a crash or a failure of the store the rows still tell what to
erase, and the same call again erases it. Images are stored by content, so an object stays as long as another shot has
the same picture, as its image or as a try that was refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine, Row

from headshots.artifacts import ArtifactStore
from headshots.database import forget_deleted, write
from headshots.errors import FailedPreconditionError
from headshots.schema import TERMINAL_STATES, galleries, shots
from services.gateway.api.labels import NO_LABELS
from services.gateway.api.names import gallery_name, image_name
from services.gateway.audit.models import Action
from services.gateway.audit.recording import record
from services.gateway.erasures.commitments import forget
from services.gateway.galleries.images.tries import from_column, most_tries
from services.gateway.galleries.limits import SEEDS
from services.gateway.galleries.models import place_of
from services.gateway.galleries.rows import active_of_subject, check_ended, find_gallery, find_image, style_shots_of
from services.gateway.marks.rows import erase_marks
from services.gateway.tenants.ownership import find_subject, images_prefix

NeedsGallery = Callable[[Connection, str], str | None]
"""Of a gallery's id, the name of a shoot that has not ended and whose gallery it is."""


_NO_IMAGE: dict[str, Any] = {
    **{"image_key": None, "image": None, "judged": None, "refused_tries": None},
    **NO_LABELS.fields,
}


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
        _pass_on_what_it_replaces(connection, find_gallery(connection, tenant_id, subject_id, gallery_id))
        mine = shots.c.gallery_id == gallery_id
        painted = _pictures(connection, mine)
        _check_not_in_use(connection, subject_id, gallery_id, painted)
        connection.execute(sa.delete(shots).where(mine))
        connection.execute(sa.delete(galleries).where(galleries.c.id == gallery_id))
        record(connection, tenant_id, subject_id, Action.GALLERY_DELETED, gallery_name(subject_id, gallery_id))
        unrecorded = _unrecorded_images(connection, store, tenant_id, subject_id)
        removed = _remove_objects(connection, store, subject_id, {each.key for each in painted} | unrecorded)
    forget_deleted(engine)
    return removed


def _check_ended(
    connection: Connection, tenant_id: str, subject_id: str, gallery_id: str, needed_by: NeedsGallery
) -> None:
    name = gallery_name(subject_id, gallery_id)
    check_ended(find_gallery(connection, tenant_id, subject_id, gallery_id))
    shoot = needed_by(connection, gallery_id)
    if shoot is not None:
        raise FailedPreconditionError(
            "GALLERY_IN_USE", f"{shoot} has not ended and needs {name}; let it end", metadata={"name": shoot}
        )


def _pass_on_what_it_replaces(connection: Connection, gallery: Row[Any]) -> None:
    """Lets what replaces an image of the gallery replace what the gallery replaces: so it stays known which images are
    delivered together, and are compared with each other."""
    if gallery.regenerates is None:
        return
    # Such a gallery has one shot.
    replacing = sa.and_(
        galleries.c.subject_id == gallery.subject_id,
        galleries.c.regenerates == image_name(gallery.subject_id, gallery.id, 0),
    )
    # In the order in which `shots.record_try` locks them.
    both = sa.or_(galleries.c.id == gallery.id, replacing)
    connection.execute(sa.select(galleries.c.id).where(both).order_by(galleries.c.id).with_for_update())
    connection.execute(sa.update(galleries).where(replacing).values(regenerates=gallery.regenerates))


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
        find_image(connection, tenant_id, subject_id, gallery_id, number)
        mine = sa.and_(shots.c.gallery_id == gallery_id, shots.c.number == number)
        painted = _pictures(connection, mine)
        _check_not_in_use(connection, subject_id, gallery_id, painted)
        connection.execute(sa.update(shots).where(mine).values(**_NO_IMAGE))
        name = image_name(subject_id, gallery_id, number)
        record(connection, tenant_id, subject_id, Action.IMAGE_DELETED, name)
        _remove_objects(connection, store, subject_id, {each.key for each in painted})
    forget_deleted(engine)


def remove_images(
    connection: Connection, store: ArtifactStore, tenant_id: str, subject_id: str, gallery_id: str
) -> None:
    """Removes all images of a gallery, of which no job of the locked subject needs any; its shots stay.

    Raises:
        UnavailableError: OBJECT_STORE_UNAVAILABLE.
    """
    mine = shots.c.gallery_id == gallery_id
    painted = _pictures(connection, mine)
    connection.execute(sa.update(shots).where(mine).values(**_NO_IMAGE))
    if painted:
        name = gallery_name(subject_id, gallery_id)
        record(connection, tenant_id, subject_id, Action.IMAGES_EXPIRED, name, count=len(painted))
    unrecorded = _unrecorded_images(connection, store, tenant_id, subject_id)
    _remove_objects(connection, store, subject_id, {each.key for each in painted} | unrecorded)


@dataclass(frozen=True)
class _Picture:
    """An image of a shot, or another of its tries."""

    number: int
    style: str
    seed: int
    key: str


def _pictures(connection: Connection, which: sa.ColumnElement[bool]) -> list[_Picture]:
    """What was painted for these shots."""
    found = []
    for row in connection.execute(sa.select(shots).where(which)):
        if row.image_key is not None:
            found.append(_Picture(row.number, row.style, row.seed, row.image_key))
        found += [_Picture(row.number, row.style, one.seed, one.key) for one in from_column(row.refused_tries)]
    return found


def _check_not_in_use(connection: Connection, subject_id: str, gallery_id: str, painted: Iterable[_Picture]) -> None:
    """Refuses while a gallery of the subject runs that is painted over one of the pictures, or may paint one again."""
    running = connection.execute(
        sa.select(galleries).where(galleries.c.subject_id == subject_id, galleries.c.state.not_in(TERMINAL_STATES))
    ).all()
    if not running:
        return
    unfinished = connection.execute(
        sa.select(shots).where(
            shots.c.gallery_id.in_([row.id for row in running]), shots.c.state.not_in(TERMINAL_STATES)
        )
    ).all()
    sources = {row.remix["key"]: row.id for row in running if row.remix is not None}
    by_id = {row.id: row for row in running}
    recipes = {
        (shot.style, seed): shot.gallery_id for shot in unfinished for seed in _seeds_left(by_id[shot.gallery_id], shot)
    }
    for picture in painted:
        user = sources.get(picture.key) or recipes.get((picture.style, picture.seed))
        if user is not None:
            name = gallery_name(subject_id, user)
            image = image_name(subject_id, gallery_id, picture.number)
            raise FailedPreconditionError(
                "IMAGE_IN_USE",
                f"{name} still runs and needs the picture of {image}; cancel it or let it end",
                metadata={"name": name},
            )


def _seeds_left(gallery: Row[Any], shot: Row[Any]) -> list[int]:
    """The seeds that an unfinished shot may still be painted from."""
    counts = style_shots_of(gallery)
    step = counts[place_of(shot.number, counts)[0]]
    left = most_tries(gallery.max_tries, sum(counts)) - shot.tries
    return [(shot.seed + step * further) % SEEDS for further in range(left)]


def _unrecorded_images(connection: Connection, store: ArtifactStore, tenant_id: str, subject_id: str) -> set[str]:
    """Keys of images that no shot has: their shots were cancelled after a generator had stored them.

    While a gallery of the subject runs they cannot be told from images that are about to be recorded: none.
    """
    if active_of_subject(connection, subject_id) is not None:
        return set()
    return set(store.list_sync(images_prefix(tenant_id, subject_id))) - _recorded(connection, subject_id)


def _recorded(connection: Connection, subject_id: str) -> set[str]:
    """Keys of all pictures that the subject's shots have."""
    of_subject = sa.select(galleries.c.id).where(galleries.c.subject_id == subject_id)
    return {each.key for each in _pictures(connection, shots.c.gallery_id.in_(of_subject))}


def _remove_objects(connection: Connection, store: ArtifactStore, subject_id: str, keys: set[str]) -> int:
    """Removes the objects that no shot has any more, and what their marks stand for; returns how many there were."""
    gone = keys - _recorded(connection, subject_id)
    forget(connection, subject_id, gone)
    erase_marks(connection, subject_id, gone)
    for key in sorted(gone):
        store.delete_sync(key)
    return len(gone)
