"""Creates galleries: checks an order and inserts the rows of the gallery and its shots. Blocking SQL."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from headshots.acceptance.profiles import Profile
from headshots.database import database_now, read, write
from headshots.schema import PENDING, galleries, shots
from headshots.styles.library import StyleLibrary
from headshots.styles.recipe import Style
from services.gateway.api.names import gallery_name
from services.gateway.api.requests import IdempotencyKey, find_made
from services.gateway.audit.models import Action
from services.gateway.audit.recording import record
from services.gateway.consents.checks import check_consent
from services.gateway.consents.models import Purpose
from services.gateway.galleries.limits import SEEDS
from services.gateway.galleries.models import Gallery, GalleryOrder, place_of
from services.gateway.galleries.orders.changing import find_changed_recipe, find_frame
from services.gateway.galleries.orders.lookup import Wanted, find_adapter, find_recipes, find_remix
from services.gateway.galleries.orders.rules import check_counts, check_styles
from services.gateway.galleries.orders.seeds import first_seed
from services.gateway.galleries.rows import to_galleries
from services.gateway.peers.models import Adapter
from services.gateway.photos.removing import check_not_expired
from services.gateway.profiles.rows import usable_profile
from services.gateway.tenants.ownership import find_subject, new_id
from services.gateway.tenants.priority import check_places, check_priority
from services.gateway.tenants.rows import rights_of


def look_up(
    engine: Engine, library: StyleLibrary, tenant_id: str, subject_id: str, order: GalleryOrder, key: IdempotencyKey
) -> Gallery | Wanted:
    """What the order names, or the gallery that an earlier call with this `key` made.

    Raises:
        NotFoundError: SUBJECT_NOT_FOUND, TRAINING_NOT_FOUND; with a remix also GALLERY_NOT_FOUND, IMAGE_NOT_FOUND.
        AlreadyExistsError: REQUEST_ID_REUSED.
        InvalidArgumentError: STYLE_UNKNOWN, STYLE_SHOTS_INVALID, TOO_MANY_SHOTS, PROFILE_UNKNOWN,
            REMIX_OF_ANOTHER_SUBJECT, REMIX_INVALID, REMIX_STYLE_WHOLE_PROMPT.
        PermissionDeniedError: PRIORITY_NOT_GRANTED.
        FailedPreconditionError: CONSENT_MISSING, CONSENT_EXPIRED, SUBJECT_UNTRAINED, TRAINING_UNFINISHED,
            STYLE_ARCHIVED, PHOTOS_MISSING, REMIX_OF_REFUSED_IMAGE.
    """
    with read(engine) as connection:
        subject = find_subject(connection, tenant_id, subject_id)
        made = find_made(connection, galleries, galleries.c.subject_id == subject_id, key)
        if made is not None:
            return to_galleries(connection, [made])[0]
        check_priority(connection, tenant_id, order.priority)
        check_consent(connection, tenant_id, subject_id, Purpose.PAINTING)
        _check_photos(connection, subject_id, order)
        check_styles(order)
        remix = find_remix(connection, tenant_id, subject_id, order.remix)
        return Wanted(
            recipes=tuple(_recipes(connection, library, tenant_id, order)),
            profile=usable_profile(connection, tenant_id, order.profile),
            class_noun=subject.class_noun,
            adapter=find_adapter(connection, subject_id, order.training),
            remix=remix,
        )


def _recipes(connection: Connection, library: StyleLibrary, tenant_id: str, order: GalleryOrder) -> list[Style]:
    """Those of the order's styles, or of its one change."""
    if order.changes:
        return [find_changed_recipe(connection, library, tenant_id, order)]
    return find_recipes(connection, library, tenant_id, order)


def create_gallery(
    engine: Engine,
    tenant_id: str,
    subject_id: str,
    order: GalleryOrder,
    recipes: Sequence[Style],
    profile: Profile,
    *,
    key: IdempotencyKey,
    validate_only: bool,
) -> Gallery:
    """:func:`create_gallery_in` in a transaction of its own."""
    with write(engine) as connection:
        return create_gallery_in(
            connection, tenant_id, subject_id, order, recipes, profile, key=key, validate_only=validate_only
        )


def create_gallery_in(
    connection: Connection,
    tenant_id: str,
    subject_id: str,
    order: GalleryOrder,
    recipes: Sequence[Style],
    profile: Profile,
    *,
    key: IdempotencyKey,
    validate_only: bool = False,
    has_places: bool = False,
) -> Gallery:
    """Queues a gallery with the adapter that is asked for, these recipes of its styles, and this profile.

    A repeated `key` returns the gallery that it created before, whatever became of its styles since; `validate_only`
    inserts nothing. `has_places`: its shoot has taken those that the tenant has for high priority. Locks the subject.
    Raises as `look_up`, and ResourceExhaustedError: HIGH_PRIORITY_FULL.
    """
    find_subject(connection, tenant_id, subject_id, lock=True)
    made = find_made(connection, galleries, galleries.c.subject_id == subject_id, key)
    if made is not None:
        return to_galleries(connection, [made])[0]
    check_places(connection, tenant_id, order.priority, 0 if has_places else sum(order.counts))
    check_consent(connection, tenant_id, subject_id, Purpose.PAINTING)
    _check_photos(connection, subject_id, order)
    check_counts(order)
    order = dataclasses.replace(order, frame=find_frame(connection, tenant_id, order))
    gallery = new_gallery(
        subject_id,
        order,
        profile,
        find_adapter(connection, subject_id, order.training),
        created_at=database_now(connection),
        remix=find_remix(connection, tenant_id, subject_id, order.remix),
    )
    if not validate_only:
        insert(connection, tenant_id, key, gallery, order, recipes)
    return gallery


def _check_photos(connection: Connection, subject_id: str, order: GalleryOrder) -> None:
    if not order.allow_unjudged:
        check_not_expired(connection, subject_id)


def new_gallery(subject_id: str, order: GalleryOrder, profile: Profile, adapter: Adapter, **more: Any) -> Gallery:
    """The gallery as it will be queued; `more` are further fields."""
    return Gallery(
        id=new_id(),
        subject_id=subject_id,
        state=PENDING,
        styles=order.styles,
        style_shots=order.counts,
        seed=order.seed,
        completed_shots=0,
        failed_shots=0,
        adapter=adapter,
        profile=profile,
        max_tries=order.max_tries,
        style_seeds=order.style_seeds,
        labelling=order.labelling,
        **more,
    )


def insert(
    connection: Connection,
    tenant_id: str,
    key: IdempotencyKey,
    gallery: Gallery,
    order: GalleryOrder,
    recipes: Sequence[Style],
) -> None:
    """Inserts the rows of a gallery and its shots; the caller has locked the subject."""
    assert gallery.profile is not None
    rights = rights_of(connection, tenant_id)
    connection.execute(
        sa.insert(galleries).values(
            id=gallery.id,
            subject_id=gallery.subject_id,
            tenant_id=tenant_id,
            state=gallery.state,
            styles=[recipe.to_json() for recipe in recipes],
            shots_per_style=gallery.shots_per_style,
            style_shots=list(gallery.style_shots),
            profile=gallery.profile.to_json(),
            max_tries=gallery.max_tries,
            regenerates=gallery.regenerates or None,
            adapter=dataclasses.asdict(gallery.adapter),
            foundation_digest=gallery.adapter.foundation_digest,
            remix=gallery.remix.to_json() if gallery.remix is not None else None,
            rights=dataclasses.asdict(rights) if rights is not None else None,
            created_at=gallery.created_at,
            **_as_ordered(order),
            **key.columns,
        )
    )
    connection.execute(sa.insert(shots), list(_shots_of(gallery)))
    name = gallery_name(gallery.subject_id, gallery.id)
    record(connection, tenant_id, gallery.subject_id, Action.GALLERY_CREATED, name, count=gallery.total_shots)


def _as_ordered(order: GalleryOrder) -> dict[str, Any]:
    """Columns that say what was asked for."""
    return {
        "seed": order.seed,
        "style_seeds": order.style_seeds.value,
        "priority": order.priority,
        "format": order.image_format,
        "quality": order.quality,
        "frame": order.frame.to_json() if order.frame is not None else None,
        **order.labelling.fields,
    }


def _shots_of(gallery: Gallery) -> Iterator[dict[str, Any]]:
    for number in range(gallery.total_shots):
        style, of_style = place_of(number, gallery.style_shots)
        name = gallery.styles[style]
        yield {
            "id": f"{gallery.id}-{number}",
            "gallery_id": gallery.id,
            "number": number,
            "style": name,
            "seed": (first_seed(gallery.seed, name, gallery.style_seeds) + of_style) % SEEDS,
        }
