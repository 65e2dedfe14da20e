"""Makes galleries of one shot in place of an image that is not liked: all as it was, from other seeds. Blocking SQL."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from headshots.acceptance.profiles import PROFILE_WORTHY, Profile
from headshots.database import database_now, read, write
from headshots.looks.frame import Frame
from headshots.schema import galleries
from headshots.styles.recipe import Style
from services.gateway.api.labels import Labelling
from services.gateway.api.names import image_name
from services.gateway.api.requests import IdempotencyKey, find_made
from services.gateway.consents.checks import check_consent
from services.gateway.consents.models import Purpose
from services.gateway.galleries.creating import insert, new_gallery
from services.gateway.galleries.images.tries import most_tries
from services.gateway.galleries.limits import SEEDS
from services.gateway.galleries.models import Gallery, GalleryOrder, place_of
from services.gateway.galleries.orders.lookup import Wanted, find_remix
from services.gateway.galleries.orders.seeds import StyleSeeds, first_seed
from services.gateway.galleries.remix import Remix, RemixOrder
from services.gateway.galleries.rows import check_ended, find_gallery, find_image, style_shots_of, to_galleries
from services.gateway.peers.models import Adapter
from services.gateway.photos.removing import check_not_expired
from services.gateway.tenants.ownership import find_subject
from services.gateway.tenants.priority import check_places, check_priority
from services.gateway.trainings.rows import check_adapter_kept


@dataclass(frozen=True)
class Disliked:
    """The image that another is asked for in place of, and how often to try; 0: as often as its gallery."""

    subject_id: str
    gallery_id: str
    number: int
    max_tries: int = 0
    allow_unjudged: bool = False
    """As that of `GalleryOrder`."""

    @property
    def name(self) -> str:
        """`subjects/{subject}/galleries/{gallery}/images/{image}`."""
        return image_name(self.subject_id, self.gallery_id, self.number)


def look_up(engine: Engine, tenant_id: str, disliked: Disliked, key: IdempotencyKey) -> Gallery | Wanted:
    """What the new gallery will be painted of, or the one that an earlier call with this `key` made.

    Raises:
        NotFoundError: SUBJECT_NOT_FOUND, GALLERY_NOT_FOUND, IMAGE_NOT_FOUND.
        AlreadyExistsError: REQUEST_ID_REUSED.
        FailedPreconditionError: GALLERY_ACTIVE, CONSENT_MISSING, CONSENT_EXPIRED, PHOTOS_MISSING,
            TRAINING_EXPIRED.
        PermissionDeniedError: PRIORITY_NOT_GRANTED.
    """
    with read(engine) as connection:
        find_subject(connection, tenant_id, disliked.subject_id)
        made = _made(connection, disliked, key)
        return made if made is not None else _as_it_was(connection, tenant_id, disliked)[0]


def regenerate(
    engine: Engine, tenant_id: str, disliked: Disliked, *, key: IdempotencyKey, validate_only: bool
) -> Gallery:
    """Queues the gallery, from the first seeds that no gallery of the subject that exists has for this style.

    Raises as `look_up`, and ResourceExhaustedError: HIGH_PRIORITY_FULL.
    """
    with write(engine) as connection:
        find_subject(connection, tenant_id, disliked.subject_id, lock=True)
        made = _made(connection, disliked, key)
        if made is not None:
            return made
        wanted, order = _as_it_was(connection, tenant_id, disliked)
        check_places(connection, tenant_id, order.priority, sum(order.counts))
        seed = _untried_seed(connection, disliked.subject_id, order)
        order = dataclasses.replace(order, seed=seed)
        gallery = new_gallery(
            disliked.subject_id,
            order,
            wanted.profile,
            wanted.adapter,
            created_at=database_now(connection),
            remix=wanted.remix,
            regenerates=disliked.name,
        )
        if not validate_only:
            insert(connection, tenant_id, key, gallery, order, wanted.recipes)
        return gallery


def first_gap(taken: Iterable[tuple[int, int]], start: int, size: int) -> int:
    """The first seed from `start` on, mod 2^32, from which `size` seeds in a row are in none of the ranges `taken`.

    A range is its first seed and its length.
    """
    ranges = [((first - start) % SEEDS, length) for first, length in taken]
    # What goes over the end of all seeds has begun before `start`.
    ranges += [(0, offset + length - SEEDS) for offset, length in ranges if offset + length > SEEDS]
    at = 0
    for offset, length in sorted(ranges):
        if offset >= at + size:
            break
        at = max(at, offset + length)
    return (start + at) % SEEDS


def _made(connection: Connection, disliked: Disliked, key: IdempotencyKey) -> Gallery | None:
    row = find_made(connection, galleries, galleries.c.subject_id == disliked.subject_id, key)
    return to_galleries(connection, [row])[0] if row is not None else None


def _as_it_was(connection: Connection, tenant_id: str, disliked: Disliked) -> tuple[Wanted, GalleryOrder]:
    subject = find_subject(connection, tenant_id, disliked.subject_id)
    row = find_gallery(connection, tenant_id, disliked.subject_id, disliked.gallery_id)
    find_image(connection, tenant_id, disliked.subject_id, disliked.gallery_id, disliked.number)
    check_ended(row)
    check_priority(connection, tenant_id, row.priority)
    check_consent(connection, tenant_id, disliked.subject_id, Purpose.PAINTING)
    if not disliked.allow_unjudged:
        check_not_expired(connection, disliked.subject_id)
    check_adapter_kept(connection, disliked.subject_id, row.adapter["sha256"])
    recipe = Style(**row.styles[place_of(disliked.number, style_shots_of(row))[0]])
    wanted = Wanted(
        recipes=(recipe,),
        profile=Profile.from_json(row.profile) if row.profile is not None else PROFILE_WORTHY,
        class_noun=subject.class_noun,
        adapter=Adapter(**row.adapter),
        remix=find_remix(connection, tenant_id, disliked.subject_id, _remix_order(disliked.subject_id, row.remix)),
    )
    order = GalleryOrder(
        styles=(recipe.name,),
        style_shots=(1,),
        # The new gallery's seed is the style's own, so it varies no further.
        seed=first_seed(row.seed, recipe.name, StyleSeeds(row.style_seeds)),
        image_format=row.format,
        quality=row.quality,
        priority=row.priority,
        profile=wanted.profile.name,
        max_tries=disliked.max_tries or row.max_tries,
        frame=Frame.from_json(row.frame),
        labelling=Labelling.of_row(row),
    )
    return wanted, order


def _remix_order(subject_id: str, document: dict[str, object] | None) -> RemixOrder | None:
    remix = Remix.from_json(document)
    if remix is None:
        return None
    return RemixOrder(subject_id, remix.gallery_id, remix.number, remix.repaint, remix.change, remix.to)


def _untried_seed(connection: Connection, subject_id: str, order: GalleryOrder) -> int:
    """Of a style with n shots a gallery has the n times `most_tries` seeds from its first on."""
    (style,) = order.styles
    rows = connection.execute(sa.select(galleries).where(galleries.c.subject_id == subject_id))
    taken = [
        (
            first_seed(row.seed, style, StyleSeeds(row.style_seeds)),
            count * most_tries(row.max_tries, sum(style_shots_of(row))),
        )
        for row in rows
        for recipe, count in zip(row.styles, style_shots_of(row), strict=True)
        if recipe["name"] == style
    ]
    return first_gap(taken, order.seed, order.max_tries)
