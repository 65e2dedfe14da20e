"""Galleries and their shots as rows: made, found, listed, cancelled. Blocking SQL; called off the event loop."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine, Row

from headshots.database import database_now, read, write
from headshots.errors import FailedPreconditionError, FieldViolation, InvalidArgumentError, NotFoundError
from headshots.schema import CANCELLED, FAILED, PENDING, RUNNING, SUCCEEDED, TERMINAL_STATES, galleries, shots
from headshots.styles import Style, StyleLibrary
from services.gateway.models import MAX_SHOTS, SEEDS, Adapter, Failure, Gallery, GalleryOrder, Image
from services.gateway.pages import cut_page, decode_token
from services.gateway.settling import settle
from services.gateway.subjects import find_subject, new_id, newest_adapters


def create_gallery(
    engine: Engine,
    library: StyleLibrary,
    tenant_id: str,
    subject_id: str,
    order: GalleryOrder,
    *,
    request_id: str,
    validate_only: bool,
) -> Gallery:
    """Queues a gallery with the adapter and the recipes of now; the same `request_id` answers the one made before.

    Raises:
        NotFoundError: SUBJECT_NOT_FOUND.
        InvalidArgumentError: STYLE_UNKNOWN, TOO_MANY_SHOTS.
        FailedPreconditionError: SUBJECT_UNTRAINED.
    """
    recipes = _recipes(library, order)
    with write(engine) as connection:
        find_subject(connection, tenant_id, subject_id, lock=True)
        if request_id and (made := _by_request_id(connection, subject_id, request_id)) is not None:
            return made
        adapter = _adapter_of(connection, subject_id)
        gallery = Gallery(
            id=new_id(),
            subject_id=subject_id,
            state=PENDING,
            styles=order.styles,
            shots_per_style=order.shots_per_style,
            seed=order.seed,
            total_shots=len(order.styles) * order.shots_per_style,
            completed_shots=0,
            failed_shots=0,
            adapter=adapter,
            created_at=database_now(connection),
        )
        if not validate_only:
            _insert(connection, tenant_id, request_id, gallery, order, recipes)
        return gallery


def _adapter_of(connection: Connection, subject_id: str) -> Adapter:
    adapter = newest_adapters(connection, [subject_id]).get(subject_id)
    if adapter is None:
        raise FailedPreconditionError(
            "SUBJECT_UNTRAINED", "the subject has no adapter yet; create a training and wait until it succeeds"
        )
    return adapter


def _recipes(library: StyleLibrary, order: GalleryOrder) -> list[Style]:
    violations = [
        FieldViolation(f"styles[{index}]", f"no style is called styles/{name}")
        for index, name in enumerate(order.styles)
        if name not in library
    ]
    if violations:
        known = ", ".join(style.name for style in library)
        raise InvalidArgumentError(
            "STYLE_UNKNOWN", f"{violations[0].description}; there are {known}", violations=violations
        )
    if len(order.styles) * order.shots_per_style > MAX_SHOTS:
        raise InvalidArgumentError(
            "TOO_MANY_SHOTS",
            f"{len(order.styles)} styles of {order.shots_per_style} shots are more than {MAX_SHOTS}; order several "
            "galleries",
            violations=[FieldViolation("shots_per_style", f"at most {MAX_SHOTS // len(order.styles)} here")],
        )
    return [library.get(name) for name in order.styles]


def _insert(
    connection: Connection,
    tenant_id: str,
    request_id: str,
    gallery: Gallery,
    order: GalleryOrder,
    recipes: Sequence[Style],
) -> None:
    connection.execute(
        sa.insert(galleries).values(
            id=gallery.id,
            subject_id=gallery.subject_id,
            tenant_id=tenant_id,
            request_id=request_id or None,
            state=gallery.state,
            styles=[dataclasses.asdict(recipe) for recipe in recipes],
            shots_per_style=order.shots_per_style,
            seed=order.seed,
            priority=order.priority,
            format=order.image_format,
            quality=order.quality,
            adapter=dataclasses.asdict(gallery.adapter),
            created_at=gallery.created_at,
        )
    )
    connection.execute(
        sa.insert(shots),
        [
            {
                "id": f"{gallery.id}-{number}",
                "gallery_id": gallery.id,
                "number": number,
                "style": order.styles[number // order.shots_per_style],
                "seed": (order.seed + number % order.shots_per_style) % SEEDS,
            }
            for number in range(gallery.total_shots)
        ],
    )


def _by_request_id(connection: Connection, subject_id: str, request_id: str) -> Gallery | None:
    row = connection.execute(
        sa.select(galleries).where(galleries.c.subject_id == subject_id, galleries.c.request_id == request_id)
    ).first()
    return _present(connection, [row])[0] if row is not None else None


def get_gallery(engine: Engine, tenant_id: str, subject_id: str, gallery_id: str, *, images: bool = True) -> Gallery:
    """One gallery, with the images that exist.

    Raises:
        NotFoundError: SUBJECT_NOT_FOUND, GALLERY_NOT_FOUND.
    """
    with read(engine) as connection:
        (gallery,) = _present(connection, [_find(connection, tenant_id, subject_id, gallery_id)])
        if not images:
            return gallery
        rows = connection.execute(_finished(gallery_id)).all()
        return dataclasses.replace(gallery, images=tuple(_image(row) for row in rows))


def _find(connection: Connection, tenant_id: str, subject_id: str, gallery_id: str) -> Row[Any]:
    find_subject(connection, tenant_id, subject_id)
    row = connection.execute(
        sa.select(galleries).where(galleries.c.id == gallery_id, galleries.c.subject_id == subject_id)
    ).first()
    if row is None:
        name = f"subjects/{subject_id}/galleries/{gallery_id}"
        raise NotFoundError("GALLERY_NOT_FOUND", f"there is no {name}", metadata={"name": name})
    return row


def get_image(engine: Engine, tenant_id: str, subject_id: str, gallery_id: str, number: int) -> Image:
    """One finished image.

    Raises:
        NotFoundError: SUBJECT_NOT_FOUND, GALLERY_NOT_FOUND, IMAGE_NOT_FOUND.
    """
    with read(engine) as connection:
        _find(connection, tenant_id, subject_id, gallery_id)
        row = connection.execute(_finished(gallery_id).where(shots.c.number == number)).first()
    if row is None:
        name = f"subjects/{subject_id}/galleries/{gallery_id}/images/{number}"
        raise NotFoundError("IMAGE_NOT_FOUND", f"there is no {name}, or not yet", metadata={"name": name})
    return _image(row)


def list_galleries(engine: Engine, tenant_id: str, subject_id: str, size: int, token: str) -> tuple[list[Gallery], str]:
    """A page without images, newest first, and the next token.

    Raises:
        NotFoundError: SUBJECT_NOT_FOUND.
        InvalidArgumentError: PAGE_TOKEN_INVALID.
    """
    query = (
        sa.select(galleries)
        .where(galleries.c.subject_id == subject_id)
        .order_by(galleries.c.created_at.desc(), galleries.c.id.desc())
        .limit(size + 1)
    )
    if position := decode_token(token, (float, str)):
        query = query.where(sa.tuple_(galleries.c.created_at, galleries.c.id) < position)
    with read(engine) as connection:
        find_subject(connection, tenant_id, subject_id)
        rows, next_token = cut_page(connection.execute(query).all(), size, lambda row: (row.created_at, row.id))
        return _present(connection, rows), next_token


def request_cancel(engine: Engine, tenant_id: str, subject_id: str, gallery_id: str) -> Gallery:
    """Waiting shots end here; running ones are told, and end the gallery when they have stopped.

    Raises:
        NotFoundError: SUBJECT_NOT_FOUND, GALLERY_NOT_FOUND.
    """
    with write(engine) as connection:
        row = _find(connection, tenant_id, subject_id, gallery_id)
        connection.execute(sa.select(galleries.c.id).where(galleries.c.id == gallery_id).with_for_update())
        if row.state not in TERMINAL_STATES:
            bump = {"revision": shots.c.revision + 1, "cancel_requested": True}
            mine = shots.c.gallery_id == gallery_id
            connection.execute(sa.update(shots).where(mine, shots.c.state == PENDING).values(state=CANCELLED, **bump))
            connection.execute(sa.update(shots).where(mine, shots.c.state == RUNNING).values(**bump))
            connection.execute(sa.update(galleries).where(galleries.c.id == gallery_id).values(cancel_requested=True))
            settle(connection, gallery_id)
        return _present(connection, [_find(connection, tenant_id, subject_id, gallery_id)])[0]


def _finished(gallery_id: str) -> sa.Select[Any]:
    return sa.select(shots).where(shots.c.gallery_id == gallery_id, shots.c.state == SUCCEEDED).order_by(shots.c.number)


def _image(row: Row[Any]) -> Image:
    return Image(number=row.number, style=row.style, seed=row.seed, key=row.image_key, **row.image)


def _present(connection: Connection, rows: Sequence[Row[Any]]) -> list[Gallery]:
    counted = connection.execute(
        sa.select(shots.c.gallery_id, shots.c.state, sa.func.count().label("shots"))
        .where(shots.c.gallery_id.in_([row.id for row in rows]))
        .group_by(shots.c.gallery_id, shots.c.state)
    )
    counts = {(row.gallery_id, row.state): int(row.shots) for row in counted}
    return [
        Gallery(
            id=row.id,
            subject_id=row.subject_id,
            state=row.state,
            styles=tuple(recipe["name"] for recipe in row.styles),
            shots_per_style=row.shots_per_style,
            seed=row.seed,
            total_shots=len(row.styles) * row.shots_per_style,
            completed_shots=counts.get((row.id, SUCCEEDED), 0),
            failed_shots=counts.get((row.id, FAILED), 0),
            adapter=Adapter(**row.adapter),
            created_at=row.created_at,
            ended_at=row.ended_at,
            failure=Failure(row.failure_reason, row.failure_message) if row.failure_reason else None,
            note=row.note,
            revision=row.revision,
        )
        for row in rows
    ]
