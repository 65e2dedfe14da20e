"""Finds, lists and cancels shoots, and removes those of erased subjects. Blocking SQL; `creating` makes them."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from headshots.database import read, write
from headshots.errors import NotFoundError
from headshots.schema import TERMINAL_STATES, shoots
from services.gateway.api.errors import not_found
from services.gateway.api.labels import Labelling
from services.gateway.api.names import shoot_name
from services.gateway.api.pages import NewestFirst
from services.gateway.events.log import EventBatch
from services.gateway.events.poller import read_revisions
from services.gateway.galleries import rows as gallery_rows
from services.gateway.galleries.models import Image
from services.gateway.shoots.events import (
    delete_events_of_subject,
    events_after,
    images_at,
    lock_active,
    record_change,
    to_shoot,
)
from services.gateway.shoots.models import Shoot
from services.gateway.tenants.ownership import find_subject
from services.gateway.trainings import rows as training_rows

ACTIVE = shoots.c.state.not_in(TERMINAL_STATES)


def revisions(engine: Engine, ids: Sequence[str]) -> dict[str, int]:
    """The revisions of shoots of whichever tenants; those that are gone are left out."""
    return read_revisions(engine, shoots, ids)


def get_shoot(engine: Engine, tenant_id: str, subject_id: str, shoot_id: str) -> Shoot:
    """One shoot.

    Raises:
        NotFoundError: SUBJECT_NOT_FOUND, SHOOT_NOT_FOUND.
    """
    with read(engine) as connection:
        return _find(connection, tenant_id, subject_id, shoot_id)


def _find(connection: Connection, tenant_id: str, subject_id: str, shoot_id: str) -> Shoot:
    find_subject(connection, tenant_id, subject_id)
    mine = sa.and_(shoots.c.id == shoot_id, shoots.c.subject_id == subject_id)
    row = connection.execute(sa.select(shoots).where(mine)).first()
    if row is None:
        raise not_found("SHOOT_NOT_FOUND", shoot_name(subject_id, shoot_id), listed_by="ListShoots")
    return to_shoot(row)


def list_shoots(
    engine: Engine, tenant_id: str, subject_id: str, wanted: Labelling, size: int, token: str
) -> tuple[list[Shoot], str]:
    """A page of those that are labelled as wanted,, newest first, and the next token.

    Raises:
        NotFoundError: SUBJECT_NOT_FOUND.
        InvalidArgumentError: PAGE_TOKEN_INVALID.
    """
    page = NewestFirst(shoots, sa.and_(shoots.c.subject_id == subject_id, wanted.where(shoots)), size, token)
    with read(engine) as connection:
        find_subject(connection, tenant_id, subject_id)
        rows, next_token = page.read(connection)
    return [to_shoot(row) for row in rows], next_token


def request_cancel(engine: Engine, tenant_id: str, subject_id: str, shoot_id: str) -> Shoot:
    """Cancels the shoot's own training, or its gallery; with their end the shoot ends.

    A shoot that has ended stays as it is.

    Raises:
        NotFoundError: SUBJECT_NOT_FOUND, SHOOT_NOT_FOUND.
    """
    with write(engine) as connection:
        find_subject(connection, tenant_id, subject_id, lock=True)
        _find(connection, tenant_id, subject_id, shoot_id)
        shoot = lock_active(connection, shoot_id)
        if shoot is not None and not shoot.cancel_requested:
            if shoot.gallery_id is not None:
                gallery_rows.request_cancel_in(connection, shoot.gallery_id)
            else:
                training_rows.request_cancel_in(connection, shoot.training_id)
            record_change(connection, shoot, dataclasses.replace(shoot, cancel_requested=True))
        return _find(connection, tenant_id, subject_id, shoot_id)


def read_events(engine: Engine, tenant_id: str, subject_id: str, shoot_id: str, after: int | None) -> EventBatch[Shoot]:
    """The events after number `after`, see `events.events_after`.

    Raises:
        NotFoundError: SUBJECT_NOT_FOUND, SHOOT_NOT_FOUND.
        InvalidArgumentError: AFTER_EVENT_UNKNOWN.
    """
    with read(engine) as connection:
        return events_after(connection, _find(connection, tenant_id, subject_id, shoot_id), after)


def read_images_at(engine: Engine, shoot_id: str, number: int) -> tuple[int, ...]:
    """See `events.images_at`."""
    with read(engine) as connection:
        return images_at(connection, shoot_id, number)


def read_images(engine: Engine, shoot: Shoot, numbers: Collection[int]) -> list[Image]:
    """The images of the shoot with these numbers; those that were erased since are left out."""
    if not numbers or shoot.gallery_id is None:
        return []
    try:
        gallery = gallery_rows.get_gallery(engine, shoot.tenant_id, shoot.subject_id, shoot.gallery_id)
    except NotFoundError:
        return []
    return [image for image in gallery.images if image.number in numbers]


def active_of_subject(connection: Connection, subject_id: str) -> str | None:
    """The id of a shoot of the subject that has not ended."""
    return connection.execute(sa.select(shoots.c.id).where(shoots.c.subject_id == subject_id, ACTIVE)).scalar()


def needs_photo(connection: Connection, subject_id: str, photo_key: str) -> str | None:
    """The name of a training that learns from this photo, or of a running shoot whose portraits are held to it."""
    training = training_rows.learns_from(connection, subject_id, photo_key)
    if training is not None:
        return training
    active = connection.execute(
        sa.select(shoots.c.id, shoots.c.training_id).where(shoots.c.subject_id == subject_id, ACTIVE)
    ).all()
    learned = training_rows.photos_of(connection, [row.training_id for row in active])
    for row in active:
        if photo_key in learned[row.training_id]:
            return shoot_name(subject_id, row.id)
    return None


def needs_gallery(connection: Connection, gallery_id: str) -> str | None:
    """The name of a shoot that has not ended and whose gallery this is."""
    row = connection.execute(
        sa.select(shoots.c.subject_id, shoots.c.id).where(shoots.c.gallery_id == gallery_id, ACTIVE)
    ).first()
    return None if row is None else shoot_name(row.subject_id, row.id)


def delete_of_subject(connection: Connection, subject_id: str) -> None:
    """Removes the rows of an erased subject."""
    delete_events_of_subject(connection, subject_id)
    connection.execute(sa.delete(shoots).where(shoots.c.subject_id == subject_id))
