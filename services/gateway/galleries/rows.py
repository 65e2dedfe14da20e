"""Finds, lists, cancels and removes galleries. Blocking SQL; `creating` makes them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine, Row

from headshots.acceptance.profiles import Profile
from headshots.acceptance.verdict import Acceptance
from headshots.database import read, write
from headshots.errors import FailedPreconditionError, NotFoundError
from headshots.schema import (
    CANCELLED,
    FAILED,
    PENDING,
    RUNNING,
    SUCCEEDED,
    TERMINAL_STATES,
    galleries,
    shots,
)
from services.gateway.api.errors import not_found
from services.gateway.api.labels import Labelling
from services.gateway.api.names import gallery_name, image_name
from services.gateway.api.pages import NewestFirst
from services.gateway.events.poller import read_revisions
from services.gateway.galleries.images.rows import find_image_of, find_images
from services.gateway.galleries.models import Gallery, Image
from services.gateway.galleries.orders.seeds import StyleSeeds
from services.gateway.galleries.remix import Remix
from services.gateway.galleries.state import update_state
from services.gateway.peers.models import Adapter, Failure
from services.gateway.tenants.ownership import find_subject

# As often as a watched gallery changes: made once.
_FINDING = sa.select(galleries).where(
    galleries.c.id == sa.bindparam("gallery_id"), galleries.c.subject_id == sa.bindparam("subject_id")
)
_COUNTING = (
    sa.select(
        shots.c.gallery_id,
        shots.c.state,
        sa.func.count().label("shots"),
        sa.func.sum(shots.c.tries).label("tries"),
        sa.func.count(sa.case((shots.c.acceptance == Acceptance.ACCEPTED.value, 1))).label("accepted"),
    )
    .where(shots.c.gallery_id.in_(sa.bindparam("gallery_ids", expanding=True)))
    .group_by(shots.c.gallery_id, shots.c.state)
)


def get_gallery(
    engine: Engine, tenant_id: str, subject_id: str, gallery_id: str, known: frozenset[int] = frozenset()
) -> Gallery:
    """One gallery, with the images that exist, but for those whose numbers are `known`.

    Raises:
        NotFoundError: SUBJECT_NOT_FOUND, GALLERY_NOT_FOUND.
    """
    with read(engine) as connection:
        (gallery,) = to_galleries(connection, [find_gallery(connection, tenant_id, subject_id, gallery_id)])
        return dataclasses.replace(gallery, images=tuple(find_images(connection, gallery_id, known)))


def find_gallery(connection: Connection, tenant_id: str, subject_id: str, gallery_id: str) -> Row[Any]:
    """The row of a gallery. Raises as :func:`get_gallery`."""
    find_subject(connection, tenant_id, subject_id)
    row = connection.execute(_FINDING, {"gallery_id": gallery_id, "subject_id": subject_id}).first()
    if row is None:
        raise not_found("GALLERY_NOT_FOUND", gallery_name(subject_id, gallery_id), listed_by="ListGalleries")
    return row


def check_ended(gallery: Row[Any]) -> None:
    """Refuses a gallery that has not ended; of a row of `galleries`.

    Raises:
        FailedPreconditionError: GALLERY_ACTIVE.
    """
    if gallery.state not in TERMINAL_STATES:
        name = gallery_name(gallery.subject_id, gallery.id)
        message = f"{name} has not ended; cancel it or let it end"
        raise FailedPreconditionError("GALLERY_ACTIVE", message, metadata={"name": name})


def get_image(engine: Engine, tenant_id: str, subject_id: str, gallery_id: str, number: int) -> Image:
    """One finished image.

    Raises:
        NotFoundError: SUBJECT_NOT_FOUND, GALLERY_NOT_FOUND, IMAGE_NOT_FOUND.
    """
    with read(engine) as connection:
        return find_image(connection, tenant_id, subject_id, gallery_id, number)


def find_image(connection: Connection, tenant_id: str, subject_id: str, gallery_id: str, number: int) -> Image:
    """:func:`get_image` within a transaction."""
    find_gallery(connection, tenant_id, subject_id, gallery_id)
    image = find_image_of(connection, gallery_id, number)
    if image is None:
        name = image_name(subject_id, gallery_id, number)
        message = f"there is no {name}, not yet or not any more; ListImages shows those there are"
        raise NotFoundError("IMAGE_NOT_FOUND", message, metadata={"name": name})
    return image


def list_galleries(
    engine: Engine, tenant_id: str, subject_id: str, wanted: Labelling, size: int, token: str
) -> tuple[list[Gallery], str]:
    """A page of those that are labelled as wanted, without images, newest first, and the next token.

    Raises:
        NotFoundError: SUBJECT_NOT_FOUND.
        InvalidArgumentError: PAGE_TOKEN_INVALID.
    """
    page = NewestFirst(galleries, sa.and_(galleries.c.subject_id == subject_id, wanted.where(galleries)), size, token)
    with read(engine) as connection:
        find_subject(connection, tenant_id, subject_id)
        rows, next_token = page.read(connection)
        return to_galleries(connection, rows), next_token


def request_cancel(engine: Engine, tenant_id: str, subject_id: str, gallery_id: str) -> Gallery:
    """Cancels the waiting shots and marks the running ones, whose workers stop them and so end the gallery.

    Raises:
        NotFoundError: SUBJECT_NOT_FOUND, GALLERY_NOT_FOUND.
    """
    with write(engine) as connection:
        find_gallery(connection, tenant_id, subject_id, gallery_id)
        request_cancel_in(connection, gallery_id)
        return to_galleries(connection, [find_gallery(connection, tenant_id, subject_id, gallery_id)])[0]


def request_cancel_in(connection: Connection, gallery_id: str) -> None:
    """:func:`request_cancel` within a transaction."""
    mine = shots.c.gallery_id == gallery_id
    locked = sa.select(galleries.c.state).where(galleries.c.id == gallery_id).with_for_update()
    if connection.execute(locked).scalar_one() in TERMINAL_STATES:
        return
    bump = {"revision": shots.c.revision + 1, "cancel_requested": True}
    connection.execute(sa.update(shots).where(mine, shots.c.state == PENDING).values(state=CANCELLED, **bump))
    connection.execute(sa.update(shots).where(mine, shots.c.state == RUNNING).values(**bump))
    connection.execute(sa.update(galleries).where(galleries.c.id == gallery_id).values(cancel_requested=True))
    update_state(connection, gallery_id)


def request_cancel_of_subject(connection: Connection, subject_id: str) -> list[str]:
    """The same for all galleries of the subject that have not ended; their ids."""
    mine = sa.and_(galleries.c.subject_id == subject_id, galleries.c.state.not_in(TERMINAL_STATES))
    # In the order in which `shots.record_try` locks them.
    found = list(connection.execute(sa.select(galleries.c.id).where(mine).order_by(galleries.c.id)).scalars())
    for gallery_id in found:
        request_cancel_in(connection, gallery_id)
    return found


def load_gallery(connection: Connection, gallery_id: str) -> Gallery | None:
    """A gallery of whichever tenant, without its images; None where it is gone."""
    row = connection.execute(sa.select(galleries).where(galleries.c.id == gallery_id)).first()
    return to_galleries(connection, [row])[0] if row is not None else None


def revisions(engine: Engine, ids: Sequence[str]) -> dict[str, int]:
    """The revisions of galleries of whichever tenants; those that are gone are left out."""
    return read_revisions(engine, galleries, ids)


def active_of_subject(connection: Connection, subject_id: str) -> str | None:
    """The id of a gallery of the subject that has not ended."""
    active = galleries.c.state.not_in(TERMINAL_STATES)
    return connection.execute(sa.select(galleries.c.id).where(galleries.c.subject_id == subject_id, active)).scalar()


def delete_of_subject(connection: Connection, subject_id: str) -> None:
    """Removes the rows of an erased subject."""
    of_subject = sa.select(galleries.c.id).where(galleries.c.subject_id == subject_id)
    connection.execute(sa.delete(shots).where(shots.c.gallery_id.in_(of_subject)))
    connection.execute(sa.delete(galleries).where(galleries.c.subject_id == subject_id))


def style_shots_of(row: Row[Any]) -> tuple[int, ...]:
    """Shots of each style, of a row of `galleries`; of older ones each has the same number."""
    return tuple(row.style_shots or [row.shots_per_style] * len(row.styles))


def to_galleries(connection: Connection, rows: Sequence[Row[Any]]) -> list[Gallery]:
    """Galleries from rows of `galleries`: without images, but with the counts of their shots."""
    counted: dict[str, list[Row[Any]]] = {row.id: [] for row in rows}
    for one in connection.execute(_COUNTING, {"gallery_ids": list(counted)}):
        counted[one.gallery_id].append(one)
    return [_to_gallery(row, counted[row.id]) for row in rows]


def _to_gallery(row: Row[Any], counted: Sequence[Row[Any]]) -> Gallery:
    """`counted`: its shots by state."""
    shots_in = {one.state: int(one.shots) for one in counted}
    return Gallery(
        id=row.id,
        subject_id=row.subject_id,
        state=row.state,
        styles=tuple(recipe["name"] for recipe in row.styles),
        style_shots=style_shots_of(row),
        seed=row.seed,
        completed_shots=shots_in.get(SUCCEEDED, 0),
        failed_shots=shots_in.get(FAILED, 0),
        adapter=Adapter(**row.adapter),
        created_at=row.created_at,
        ended_at=row.ended_at,
        failure=Failure(row.failure_reason, row.failure_message) if row.failure_reason else None,
        status_message=row.note,
        revision=row.revision,
        remix=Remix.from_json(row.remix),
        profile=Profile.from_json(row.profile) if row.profile is not None else None,
        max_tries=row.max_tries,
        style_seeds=StyleSeeds(row.style_seeds),
        accepted_shots=sum(int(one.accepted) for one in counted),
        tries=sum(int(one.tries) for one in counted),
        guarantee=row.guarantee,
        regenerates=row.regenerates or "",
        images_expire_at=row.images_expire_at,
        labelling=Labelling.of_row(row),
    )
