"""Creates galleries: checks an order and inserts the rows of the gallery and its shots. Blocking SQL."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from headshots.database import database_now, read, write
from headshots.errors import FailedPreconditionError, FieldViolation, InvalidArgumentError
from headshots.schema import PENDING, galleries, shots
from headshots.styles.library import StyleLibrary
from headshots.styles.recipe import Style
from services.gateway.api.names import training_name
from services.gateway.api.requests import IdempotencyKey, find_made
from services.gateway.galleries.limits import MAX_SHOTS, SEEDS
from services.gateway.galleries.models import Gallery, GalleryOrder
from services.gateway.galleries.remix import Remix, RemixOrder
from services.gateway.galleries.rows import find_image, to_galleries
from services.gateway.peers.models import Adapter
from services.gateway.styles.rows import check_usable, find_styles
from services.gateway.tenants.ownership import find_subject, new_id
from services.gateway.tenants.priority import check_priority
from services.gateway.trainings.rows import active_of_subject, adapter_of_training, newest_adapters


@dataclass(frozen=True)
class Wanted:
    """What an order names, as it was found."""

    recipes: tuple[Style, ...]
    class_noun: str
    adapter: Adapter
    remix: Remix | None


def look_up(
    engine: Engine, library: StyleLibrary, tenant_id: str, subject_id: str, order: GalleryOrder, key: IdempotencyKey
) -> Gallery | Wanted:
    """What the order names, or the gallery that an earlier call with this `key` made.

    Raises:
        NotFoundError: SUBJECT_NOT_FOUND, TRAINING_NOT_FOUND; with a remix also GALLERY_NOT_FOUND, IMAGE_NOT_FOUND.
        AlreadyExistsError: REQUEST_ID_REUSED.
        InvalidArgumentError: STYLE_UNKNOWN, TOO_MANY_SHOTS, REMIX_OF_ANOTHER_SUBJECT.
        PermissionDeniedError: PRIORITY_NOT_GRANTED.
        FailedPreconditionError: SUBJECT_UNTRAINED, TRAINING_UNFINISHED, STYLE_ARCHIVED.
    """
    with read(engine) as connection:
        subject = find_subject(connection, tenant_id, subject_id)
        made = find_made(connection, galleries, galleries.c.subject_id == subject_id, key)
        if made is not None:
            return to_galleries(connection, [made])[0]
        check_priority(connection, tenant_id, order.priority)
        return Wanted(
            recipes=tuple(_recipes(connection, library, tenant_id, order)),
            class_noun=subject.class_noun,
            adapter=_adapter_of(connection, subject_id, order.training),
            remix=_remix(connection, tenant_id, subject_id, order.remix),
        )


def create_gallery(
    engine: Engine,
    tenant_id: str,
    subject_id: str,
    order: GalleryOrder,
    recipes: Sequence[Style],
    *,
    key: IdempotencyKey,
    validate_only: bool,
) -> Gallery:
    """Queues a gallery with the adapter that is asked for and these recipes of its styles.

    A repeated `key` returns the gallery that it created before, whatever became of its styles since; `validate_only`
    inserts nothing. Raises as `look_up`.
    """
    with write(engine) as connection:
        find_subject(connection, tenant_id, subject_id, lock=True)
        made = find_made(connection, galleries, galleries.c.subject_id == subject_id, key)
        if made is not None:
            return to_galleries(connection, [made])[0]
        check_priority(connection, tenant_id, order.priority)
        adapter = _adapter_of(connection, subject_id, order.training)
        remix = _remix(connection, tenant_id, subject_id, order.remix)
        gallery = _new_gallery(subject_id, order, adapter, remix, database_now(connection))
        if not validate_only:
            _insert(connection, tenant_id, key, gallery, order, recipes)
        return gallery


def _new_gallery(
    subject_id: str, order: GalleryOrder, adapter: Adapter, remix: Remix | None, created_at: float
) -> Gallery:
    return Gallery(
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
        remix=remix,
        created_at=created_at,
    )


def _adapter_of(connection: Connection, subject_id: str, training: tuple[str, str] | None) -> Adapter:
    if training is not None:
        return adapter_of_training(connection, subject_id, *training)
    adapter = newest_adapters(connection, [subject_id]).get(subject_id)
    if adapter is not None:
        return adapter
    active = active_of_subject(connection, subject_id)
    if active is None:
        raise FailedPreconditionError(
            "SUBJECT_UNTRAINED", "the subject has no adapter yet; create a training and wait until it succeeds"
        )
    name = training_name(subject_id, active)
    raise FailedPreconditionError(
        "SUBJECT_UNTRAINED",
        f"the subject has no adapter yet; {name} has not ended, wait until it succeeds",
        metadata={"name": name},
    )


def _remix(connection: Connection, tenant_id: str, subject_id: str, order: RemixOrder | None) -> Remix | None:
    if order is None:
        return None
    if order.subject_id != subject_id:
        raise InvalidArgumentError(
            "REMIX_OF_ANOTHER_SUBJECT",
            f"the image is of subjects/{order.subject_id}; name one of the gallery's own subject",
            violations=[FieldViolation("remix.image", f"must be in subjects/{subject_id}")],
        )
    image = find_image(connection, tenant_id, subject_id, order.gallery_id, order.number)
    return Remix(order.gallery_id, order.number, order.repaint, image.key, image.sha256)


def _recipes(connection: Connection, library: StyleLibrary, tenant_id: str, order: GalleryOrder) -> list[Style]:
    found = find_styles(connection, library, tenant_id, order.styles)
    violations = [
        FieldViolation(f"styles[{index}]", f"no style is called styles/{name}")
        for index, name in enumerate(order.styles)
        if name not in found
    ]
    if violations:
        known = ", ".join(style.name for style in library)
        raise InvalidArgumentError(
            "STYLE_UNKNOWN",
            f"{violations[0].description}; there are {known}, and your own, which ListStyles shows",
            violations=violations,
        )
    for index, name in enumerate(order.styles):
        check_usable(found[name], f"styles[{index}]")
    if len(order.styles) * order.shots_per_style > MAX_SHOTS:
        raise InvalidArgumentError(
            "TOO_MANY_SHOTS",
            f"{len(order.styles)} styles of {order.shots_per_style} shots are more than {MAX_SHOTS}; order several "
            "galleries",
            violations=[FieldViolation("shots_per_style", f"at most {MAX_SHOTS // len(order.styles)} here")],
        )
    return [found[name].style for name in order.styles]


def _insert(
    connection: Connection,
    tenant_id: str,
    key: IdempotencyKey,
    gallery: Gallery,
    order: GalleryOrder,
    recipes: Sequence[Style],
) -> None:
    connection.execute(
        sa.insert(galleries).values(
            id=gallery.id,
            subject_id=gallery.subject_id,
            tenant_id=tenant_id,
            state=gallery.state,
            styles=[recipe.to_json() for recipe in recipes],
            shots_per_style=order.shots_per_style,
            seed=order.seed,
            priority=order.priority,
            format=order.image_format,
            quality=order.quality,
            adapter=dataclasses.asdict(gallery.adapter),
            remix=dataclasses.asdict(gallery.remix) if gallery.remix is not None else None,
            created_at=gallery.created_at,
            **key.columns,
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
